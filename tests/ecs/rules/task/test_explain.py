"""Chains of causes: each kind of end, each kind of waiting, said in plain sentences, in order."""

import pytest

from moorage.ecs.records.event import ServiceEvent
from moorage.ecs.records.freeze import Freeze
from moorage.ecs.records.post_mortem import PostMortem
from moorage.ecs.records.service import StartBackoff
from moorage.ecs.rules import events
from moorage.ecs.rules.task import ending
from moorage.ecs.rules.task.explain import Case, explain
from moorage.ground.instant import Duration, Instant, epoch, later, seconds
from moorage.shapes.moorage.post_mortem import ContainerPostMortem, OutputLine
from tests.ecs.rules.builders import (
    CLUSTER,
    NOW,
    a_container,
    a_deployment,
    a_service,
    a_task,
    an_instance,
)


def at(count: float) -> Instant:
    return later(NOW, seconds(count))


def told(name="web", **members) -> ContainerPostMortem:
    given = {"exit_code": 3, "started_at": epoch(at(2)), "finished_at": epoch(at(5)), **members}
    return ContainerPostMortem(name=name, **given)


def a_post_mortem(*containers, **members) -> PostMortem:
    task = a_task()
    return PostMortem(
        holder=task.service,
        task=task.arn,
        account=task.account,
        region=task.region,
        cluster_arn=task.cluster_arn,
        instance=task.instance,
        **{"received_at": at(6), "ended": True, "containers": containers, **members},
    )


def stopped(code="EssentialContainerExited", reason="Essential container in task exited", **more):
    given = {
        "last_status": "STOPPED",
        "desired_status": "STOPPED",
        "stop_code": code,
        "stopped_reason": reason,
        "started_at": at(2),
        "stopping_at": at(6),
        "stopped_at": at(6),
        "acknowledged_at": at(0.5),
        "containers": (a_container(exit_code=3, last_status="STOPPED"),),
        **more,
    }
    return a_task(**given)


def chain(task=None, **members) -> list[str]:
    given = {"now": at(60), "host": an_instance(), "service": a_service(1), **members}
    return [one.text for one in explain(Case(task=task or stopped(), **given)).causes]


def said(task=None, **members) -> str:
    return " ".join(chain(task, **members))


@pytest.mark.parametrize(
    ("code", "reason", "sentence"),
    [
        ("UserInitiated", "tired", 'Somebody asked for it to be stopped (StopTask), for the reason: "tired".'),
        ("ServiceSchedulerInitiated", "Scaling activity initiated by (deployment ecs-svc/1)", "no longer wanted this task"),
        ("ServiceSchedulerInitiated", "Task failed container health checks", "health checks failed"),
        ("ServiceSchedulerInitiated", "Something else", 'for the reason: "Something else"'),
        ("InfrastructureHealth", "Host deregistered", "Its host is gone"),
        ("EssentialContainerExited", "Essential container in task exited", "Nobody asked for it to stop: an essential container ended"),
        ("TaskFailedToStart", "CannotPullContainerError: no such image", "it could not be started. CannotPullContainerError: no such image"),
        ("EssentialContainerExited", "Fenced: this host had not reached ...", "moorage:fence"),
        ("EssentialContainerExited", "HostDeregistered: the server ...", "Its host had been deregistered"),
        ("ServiceSchedulerInitiated", "The host of the task was confirmed lost", "A person had said"),
        ("EssentialContainerExited", "ContainerEngineRestarted: ...", "container engine of its host was away"),
        ("", "", "Nobody asked for it to stop"),
    ],
)  # fmt: skip
def test_who_wanted_it_stopped(code, reason, sentence):
    assert sentence in said(stopped(code, reason))


def test_an_engine_that_was_lost_is_named_by_the_containers_reason():
    container = a_container(exit_code=137, reason="EngineLost: the engine died")
    assert "container engine of its host was lost" in said(stopped(containers=(container,)))


@pytest.mark.parametrize(
    ("container", "sentence"),
    [
        (told(), "Container web (essential) ended with exit code 3 after 3.0 s."),
        (told(exit_code=0), "ended with exit code 0 after 3.0 s."),
        (told(exit_code=137, signal=9), "was ended by signal 9 (SIGKILL) after 3.0 s."),
        (told(exit_code=143, signal=15), "was ended by signal 15 (SIGTERM)"),
        (told(exit_code=137, signal=9, out_of_memory=True), "needed more memory than it may have."),
        (told(exit_code=None, reason="CannotStartContainerError: no"), "after 3.0 s. CannotStartContainerError: no."),
        (told(restarts=2), "Its restart policy had restarted it 2 times."),
        (told(restarts=1), "restarted it once."),
        (told(healings=2, last_exit_code=9), "started container web again 2 times, whose run before had ended with exit code 9."),
    ],
)  # fmt: skip
def test_what_a_container_did(container, sentence):
    assert sentence in said(post_mortem=a_post_mortem(container))


def test_without_a_post_mortem_the_tasks_own_word_stands_and_the_lack_is_said():
    text = said()
    assert "Container web (essential) ended with exit code 3." in text
    assert "No post-mortem is kept of it" in text


def test_the_container_that_mattered_is_the_essential_one_that_ended_first():
    task = stopped(
        containers=(
            a_container("log", essential=False, exit_code=0),
            a_container("late", exit_code=143),
            a_container("first", exit_code=1),
            a_container("unstarted"),
        )
    )
    post_mortem = a_post_mortem(
        told("log", finished_at=epoch(at(3))),
        told("late", finished_at=epoch(at(9))),
        told("first", finished_at=epoch(at(5))),
    )
    assert ending.mattered(task, post_mortem) == "first"
    assert ending.mattered(task, None) in {"late", "first"}
    assert explain(Case(task=task, now=at(60), post_mortem=post_mortem)).container == "first"


BACKOFF = StartBackoff(failures=4, until=at(75), last_at=at(6))


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({"live": (a_task("next1234x", created_at=at(7)),)}, "The scheduler started task next1234 1.0 s later; it is PENDING."),
        ({"live": (a_task("other", created_at=at(-50)),), "service": a_service(1)}, "has all the tasks that it wants: 1."),
        ({"service": a_service(1, backoff=BACKOFF)}, "4 starts failed in a row: the scheduler tries again at 2027-01-15T08:01:15.000Z, in 15 s."),
        ({"deployment": a_deployment(rollout_state="FAILED")}, "Its deployment has failed"),
        ({"service": a_service(1, status="DRAINING")}, "Its service was deleted, so nothing takes its place."),
        ({"service": None}, "Its service was deleted"),
        ({"service": a_service(1)}, "has not started another one yet"),
        (
            {
                "service": a_service(1, waits_for_room=True),
                "events": (ServiceEvent(service="s", number=2, id="e", created_at=at(8), message="(service web) was unable to place a task because no host has 9 GiB."),),
            },
            "No host can take another one: (service web) was unable to place a task because no host has 9 GiB.",
        ),
        (
            {"freezes": (Freeze(account="1", region="r", cluster=CLUSTER, service="", cause="operator", reason="moving house", created_at=at(0), until=at(90)),)},
            "it is frozen (operator: moving house), until 2027-01-15T08:01:30.000Z.",
        ),
    ],
)  # fmt: skip
def test_what_the_scheduler_did_next(members, sentence):
    assert sentence in said(**members)


def test_the_brake_holds_no_start_in_place_of_a_task_that_ended():
    brake = Freeze(account="1", region="r", cluster=CLUSTER, service="", cause="brake", reason="2 of 3", created_at=at(0))  # fmt: skip
    assert "frozen" not in said(freezes=(brake,))


def test_a_task_of_no_service_is_not_replaced():
    assert "nothing takes its place. RunTask" in said(stopped(service=""), service=None)


WAITING = {"payload_sequence": 1, "acknowledged_at": at(1)}


@pytest.mark.parametrize(
    ("task", "members", "sentence"),
    [
        (a_task(), {}, "on its way to the host, which has not answered yet"),
        (a_task(), {"host": an_instance(connected=False, disconnected_at=at(30))}, "Host h1 has not been connected for 30 s."),
        (
            a_task(),
            {"host": an_instance(disconnected_at=at(-900), lost_at=at(0), loss="engine")},
            "Host h1 is connected and counts as lost: its container engine is gone.",
        ),
        (a_task(), {"host": an_instance(connected=False)}, "Host h1 has never been connected."),
        (a_task(), {"host": None}, "Its host is not known any more."),
        (a_task(**WAITING, pull_started_at=at(2)), {}, "Its host is fetching images."),
        (a_task(**WAITING), {}, "wait for containers that others depend on"),
        (
            a_task(**WAITING, containers=(a_container("db", last_status="RUNNING"), a_container("web"))),
            {},
            "These containers wait to be started: web.",
        ),
        (
            a_task(**WAITING, pull_started_at=at(2), containers=(a_container(reason="the registry is slow"),)),
            {},
            "web: the registry is slow.",
        ),
        (a_task(last_status="RUNNING", started_at=at(3)), {}, "Nothing is wrong with it"),
        (
            a_task(last_status="RUNNING", started_at=at(3), containers=(a_container(has_health_check=True, health="UNHEALTHY"),)),
            {},
            "It is UNHEALTHY by its own health check",
        ),
        (
            a_task(last_status="RUNNING", started_at=at(3), containers=(a_container(has_health_check=True),)),
            {},
            "has not given a verdict yet",
        ),
        (
            a_task(last_status="RUNNING", started_at=at(3), heal_after=seconds(10)),
            {"host": an_instance(connected=False, lost_at=at(20), loss="silent")},
            "starts what ends again",
        ),
        (
            a_task(last_status="RUNNING", started_at=at(3), fence_after=seconds(60)),
            {"host": an_instance(connected=False, lost_at=at(20), loss="silent")},
            "stops it by itself after 60 s without the server",
        ),
        (
            a_task(last_status="RUNNING", started_at=at(3)),
            {"host": an_instance(connected=False, lost_at=at(20), loss="engine", confirmed_at=at(30))},
            "Host h1 counts as lost: its container engine is gone. Somebody confirmed",
        ),
        (
            a_task(last_status="RUNNING", desired_status="STOPPED", stop_code="UserInitiated", stopped_reason="x", stop_requested_at=at(40)),
            {},
            "The order to stop is on its way to the host.",
        ),
        (
            a_task(last_status="RUNNING", desired_status="STOPPED", stop_code="UserInitiated", stopped_reason="x", stop_requested_at=at(40), stop_acknowledged_at=at(41)),
            {},
            "Its containers have had 19 s to end since then",
        ),
        (
            a_task(last_status="RUNNING", desired_status="STOPPED", stop_code="UserInitiated", stopped_reason="x", stop_requested_at=at(40)),
            {"host": an_instance(connected=False)},
            "It is told to stop when its host is back.",
        ),
    ],
)  # fmt: skip
def test_a_task_that_lives_is_explained_too(task, members, sentence):
    assert sentence in said(task, **members)


@pytest.mark.parametrize(
    ("members", "sentences"),
    [
        ({"losses": (at(3), at(4)), "connected_at": at(5)}, ["was lost", "was lost", "was back"]),
        ({"losses": (at(4),), "connected_at": at(2)}, ["was lost"]),
        ({"losses": (at(-9), at(50))}, []),
        ({"losses": (at(4),), "lost_at": at(4), "loss": "silent"}, ["counts as lost"]),
        ({"losses": (at(50),), "lost_at": at(50), "loss": "silent"}, []),
        ({"losses": (at(4),), "connected_at": at(50)}, ["was lost"]),
    ],
)
def test_losses_and_returns_of_its_host_are_told_where_the_task_was_there(members, sentences):
    found = [text for text in chain(host=an_instance(**members)) if text.startswith("Host h1")]
    assert len(found) == len(sentences)
    assert all(words in text for words, text in zip(sentences, found, strict=True))


def test_the_chain_is_in_the_order_of_time_and_names_the_services_events():
    event = ServiceEvent(
        service="s", number=1, id="e", created_at=at(0.2), message="(service web) has started 1 tasks: (task t1)."
    )  # fmt: skip
    found = explain(
        Case(
            task=stopped(),
            now=at(60),
            host=an_instance(),
            service=a_service(1),
            events=(event,),
            post_mortem=a_post_mortem(told()),
        )
    ).causes
    times = [one.at for one in found if one.at is not None]
    assert times == sorted(times)
    texts = [one.text for one in found]
    assert texts[0] == "It was made by deployment ecs-svc/1, as web:1, for host h1."
    assert texts[1] == "The service said: (service web) has started 1 tasks: (task t1)."
    assert texts.index("It was STOPPED.") > texts.index("Its containers ran: it was RUNNING.")


@pytest.mark.parametrize(("ago", "told"), [(8, True), (12, False)])
def test_a_host_that_was_lost_just_before_is_why_a_task_was_started(ago, told):
    sentences = (
        (0, events.started("web", ["t1"])),
        (ago, events.host_lost("web", "h2", 3, "silent")),
    )
    found = tuple(
        ServiceEvent(service="s", number=9, id="e", created_at=at(20 - before), message=message)
        for before, message in sentences
    )
    texts = chain(stopped(), service=a_service(1), events=found)
    assert any("lost the host h2 with 3 of its tasks" in text for text in texts) is told


@pytest.mark.parametrize(
    ("task", "headline"),
    [
        (stopped(), "Task t1 of service web is STOPPED. Nobody asked for it to stop: an essential container ended, and with it the task."),
        (stopped(service=""), "Task t1 of web:1, of no service is STOPPED. Nobody asked"),
        (a_task(), "Task t1 of service web is PENDING on host h1, for 60 s so far."),
        (a_task(last_status="RUNNING", started_at=at(-7200)), "Task t1 of service web has been RUNNING on host h1 for 2 h."),
        (a_task(last_status="RUNNING", connectivity="DISCONNECTED"), "was RUNNING on host h1, which is out of reach."),
        (a_task(last_status="RUNNING", desired_status="STOPPED"), "is RUNNING and is being stopped."),
    ],
)  # fmt: skip
def test_the_headline_says_it_in_one_sentence(task, headline):
    found = explain(Case(task=task, now=at(60), host=an_instance(), service=a_service(1)))
    assert headline in found.headline


def test_a_forgotten_task_says_so():
    assert "forgotten the task itself" in chain(forgotten=True)[-1]


@pytest.mark.parametrize(
    ("duration", "shown"),
    [
        (seconds(-1), "0.0 s"),
        (seconds(0.04), "0.0 s"),
        (seconds(9.94), "9.9 s"),
        (seconds(10), "10 s"),
        (seconds(119), "119 s"),
        (seconds(120), "2 min"),
        (seconds(7199), "120 min"),
        (seconds(7200), "2 h"),
        (seconds(47 * 3600), "47 h"),
        (seconds(48 * 3600), "2 days"),
    ],
)
def test_lengths_are_for_people(duration: Duration, shown):
    assert ending.length(duration) == shown


def test_no_sentence_holds_what_a_container_printed():
    printed = told(lines=[OutputLine(stream="stdout", text="a secret of the user's own")])
    assert "secret" not in said(post_mortem=a_post_mortem(printed))
