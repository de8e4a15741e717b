"""Reports: one of a task at a time, ten at once, and dropped where the server refuses for good."""

from moorage.agent.engine import events as e
from moorage.agent.engine import instructions as i
from moorage.agent.engine.reporting import REPORTS_IN_FLIGHT_MAX
from tests.agent.engine.builders import a_task, doings
from tests.agent.engine.world import arn, payload

ONE = arn(1)


def no_reports(world) -> list[i.SubmitTaskStateChange]:
    """Perform all but the reports; answer those that are out."""
    reports = []
    for _ in range(500):
        if not world.pending:
            return reports
        one = world.take()
        if isinstance(one, i.SubmitTaskStateChange):
            reports.append(one)
            continue
        for event in world.perform(one):
            world.feed(event)
    raise AssertionError("never at rest")


def test_ten_are_out_at_once_and_each_answer_lets_one_follow(world):
    world.feed(payload(*(a_task(number=n) for n in range(1, 14))))
    out = no_reports(world)
    assert len(out) == REPORTS_IN_FLIGHT_MAX
    answered = e.ReportAcknowledged(task_arn=out[0].report.task, sequence=1)
    (following,) = doings(world.feed(answered))
    assert following.report.task == arn(11)


def test_a_second_report_waits_for_the_answer_to_the_first(world):
    world.feed(payload(a_task()))
    (first,) = no_reports(world)
    assert doings(world.feed(world.end(world.of(ONE, "web"), 1))) == []
    (second,) = doings(world.feed(e.ReportAcknowledged(task_arn=ONE, sequence=1)))
    assert (first.report.status, second.report.status) == ("RUNNING", "STOPPED")


def test_a_refusal_for_good_drops_the_report(world):
    world.feed(payload(a_task()))
    no_reports(world)
    assert doings(world.feed(e.ReportRefused(task_arn=ONE, sequence=1))) == []
    (second,) = doings(world.feed(world.end(world.of(ONE, "web"), 1)))
    assert second.sequence == 2
    world.feed(e.ReportRefused(task_arn=ONE, sequence=2))
    assert world.engine.tasks()[0].settled
    world.pending.clear()


def test_answers_to_nothing_are_ignored(world):
    world.feed(payload(a_task()))
    no_reports(world)
    for sequence in (0, 2, 99):
        assert doings(world.feed(e.ReportAcknowledged(task_arn=ONE, sequence=sequence))) == []
    assert doings(world.feed(e.ReportAcknowledged(task_arn=arn(9), sequence=1))) == []
    assert world.engine.tasks()[0].submitting is not None


def test_an_end_is_told_only_when_it_is_forced_to_the_disk(world):
    """Or a host that loses its power a moment later boots, and runs again what it said was over."""
    world.feed(payload(a_task()))
    no_reports(world)
    world.feed(e.ReportAcknowledged(task_arn=ONE, sequence=1))
    answer = world.feed(world.end(world.of(ONE, "web"), 1))
    told = next(n for n, one in enumerate(answer) if isinstance(one, i.SubmitTaskStateChange))
    saved = next(n for n, one in enumerate(answer) if isinstance(one, i.SaveCheckpoint))
    assert answer[told].report.status == "STOPPED"
    assert saved < told
    assert answer[saved].durable
    (kept,) = answer[saved].tasks
    assert (kept.arn, kept.submitting.status) == (ONE, "STOPPED")
