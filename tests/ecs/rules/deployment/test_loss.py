"""Stories of hosts that are lost and return: what is replaced, what is held, what goes."""

import pytest

from moorage.ecs.records.service import StartBackoff
from moorage.ecs.rules.deployment.census import RETURN_LOOK, take
from moorage.ecs.rules.deployment.state import Conditions
from moorage.ground.instant import iso, later, minutes, seconds
from moorage.ground.record import evolve
from moorage.shapes.ecs.tag import Tag
from tests.ecs.rules.builders import instance_arn
from tests.ecs.rules.deployment.world import World


def tagged(**tags):
    return [Tag(key=f"moorage:{key.replace('_', '-')}", value=value) for key, value in tags.items()]


def steady(desired=3, minimum=100, maximum=200, **more) -> World:
    world = World(desired, minimum, maximum, sent=True, **more)
    world.settle()
    world.wait(300)
    return world


def on(world: World, host: str) -> list:
    return [one for one in world.live() if one.instance == instance_arn(host)]


def replaced(world: World) -> World:
    """The first host is lost, and its tasks run elsewhere and have settled."""
    world.lose_host("h1")
    world.act()
    world.serve()
    world.wait(30)
    world.act()
    return world


def starts(plan) -> int:
    return sum(one.count for one in plan.start)


# --- loss ----------------------------------------------------------------------------------------


def test_the_brake_holds_replacement_until_it_lets_go():
    world = steady()
    world.lose_host("h1", replace_at=None)
    plan = world.act()
    assert (plan.start, plan.stop, plan.look_again) == ((), (), None)
    paced = later(world.now, minutes(1))
    world.change_host("h1", replace_at=paced)
    assert world.act().look_again == paced
    world.wait(60)
    assert starts(world.act()) == len(on(world, "h1")) == 1


def test_who_may_run_none_too_many_waits_and_says_so():
    world = steady(3, 0, 100)
    world.lose_host("h1")
    plan = world.act()
    assert plan.start == ()
    (said,) = plan.events
    assert said == (
        "(service web) waits for its tasks on lost hosts (h1) and starts none in their place, "
        "because maximumPercent 100 lets it run no task too many. Bring the hosts back, or say "
        "which are gone for good: moorage host confirm-lost HOST."
    )
    world.change_host("h1", confirmed_at=world.now)
    plan = world.act()
    assert [world.tasks[one.task].instance for one in plan.stop] == [instance_arn("h1")]
    assert plan.stop[0].reason == "The host of the task was confirmed lost"
    assert starts(plan) == 1
    assert not world.act().start


def test_an_update_waits_for_the_lost_host_too():
    """The old task may still run there: the new one would be the second."""
    world = steady(1, 0, 100)
    (old,) = world.live()
    world.lose(old)
    world.update()
    plan = world.act()
    assert (plan.start, plan.stop) == ((), ())
    assert world.deployment("ecs-svc/1").open
    world.find_again(old)
    world.wait(3)
    assert [one.task for one in world.act().stop] == [old.arn]
    world.settle()


def test_what_was_stopping_on_a_lost_host_may_still_run():
    world = steady(1, 0, 100)
    (old,) = world.live()
    world.update()
    assert len(world.act().stop) == 1
    world.lose(old)
    assert not world.act().start
    world.change_host(world.hosts[old.instance].name, confirmed_at=world.now)
    assert world.act().start


@pytest.mark.parametrize(
    ("maximum", "value", "starting", "said"),
    [
        (100, "replace", 1, False),
        (200, "wait", 0, True),
        (200, "never", 1, False),
    ],
)
def test_a_tag_overrides_the_percentages(maximum, value, starting, said):
    world = steady(3, 0, maximum, tags=tagged(on_host_loss=value))
    world.lose_host("h1")
    plan = world.act()
    assert starts(plan) == starting
    assert any("its tag moorage:on-host-loss is wait" in one for one in plan.events) is said
    ignored = "(service web) ignores its tag moorage:on-host-loss=never (allowed: replace, wait)."
    assert (ignored in plan.events) is (value == "never")


def test_an_old_task_on_a_lost_host_is_told_to_stop_when_it_is_not_needed_any_more():
    world = steady(1)
    (old,) = world.live()
    world.lose(old)
    world.update()
    assert starts(world.act()) == 1
    assert world.tasks[old.arn].desired_status == "RUNNING", "it may be the last that serves"
    world.serve()
    world.wait(10)
    assert [one.task for one in world.act().stop] == [old.arn]


# --- fencing -------------------------------------------------------------------------------------


def fenced(told=60) -> World:
    world = steady(1, 0, 100, tags=tagged(fence="true"))
    (task,) = world.live()
    world.tasks[task.arn] = evolve(task, fence_after=seconds(told) if told else None)
    world.stop_timeouts = {task.task_definition: seconds(30)}
    world.conditions = Conditions(settle=seconds(10), fence_margin=seconds(10))
    return world


def test_a_fenced_task_is_replaced_when_its_host_must_have_stopped_it():
    world = fenced()
    (task,) = world.live()
    world.lose(task)
    at = later(world.now, seconds(60 + 30 + 10))
    plan = world.act()
    assert (plan.start, plan.look_again) == ((), at)
    (said,) = plan.events
    assert said == (
        f"(service web) replaces its tasks on lost hosts ({world.hosts[task.instance].name}) once "
        f"they are fenced, at {iso(at)}."
    )
    world.wait(99.9)
    assert not world.act().start
    world.wait(0.1)
    assert starts(world.act()) == 1


@pytest.mark.parametrize(("told", "engine_gone"), [(None, False), (60, True)])
def test_what_nobody_fences_is_not_replaced(told, engine_gone):
    world = fenced(told)
    (task,) = world.live()
    world.lose_host(world.hosts[task.instance].name, engine_gone=engine_gone)
    plan = world.act()
    assert "because nobody fences them there" in plan.events[0]
    world.wait(3600)
    assert not world.act().start


# --- return --------------------------------------------------------------------------------------


def test_the_host_keeps_what_belongs_there_and_the_replacements_go():
    world = replaced(steady())
    belongs = {one.arn for one in on(world, "h1")}
    world.find_host("h1")
    plan = world.act()
    assert plan.stop == (), "what the host says of its tasks is waited for"
    assert plan.look_again == later(world.tasks[next(iter(belongs))].connectivity_at, RETURN_LOOK)
    world.wait(2)
    plan = world.act()
    assert len(plan.stop) == 1
    assert not belongs & {one.task for one in plan.stop}
    world.settle()
    assert belongs <= {one.arn for one in world.live()}


def test_after_a_reboot_the_replacements_stay():
    """All tasks of the host are gone, and its agent says so a moment after it is back."""
    world = replaced(steady())
    gone = on(world, "h1")
    elsewhere = {one.arn for one in world.live()} - {one.arn for one in gone}
    world.find_host("h1")
    world.act()
    for task in gone:
        world.report(task, "STOPPED", exit_code=137)
    plan = world.act()
    assert (plan.start, plan.stop) == ((), ())
    assert {one.arn for one in world.live()} == elsewhere
    assert world.service.backoff == StartBackoff(), "nobody's fault"


def test_a_returned_task_that_does_badly_goes_at_once():
    world = steady(checked=True)
    (task,) = on(world, "h1")
    replaced(world)
    world.health(task, "UNHEALTHY")
    world.find_host("h1")
    plan = world.act()
    assert [one.task for one in plan.stop] == [task.arn]


def test_of_equals_the_one_that_runs_longest_is_kept():
    world = replaced(steady())
    (replacement,) = [one for one in world.live() if one.arn.endswith("t0004")]
    oldest = min(world.live(), key=lambda one: one.started_at)
    world.find_host("h1")
    world.wait(2)
    assert [one.task for one in world.act().stop] == [replacement.arn]
    assert oldest in world.live()


def test_without_a_return_scaling_in_keeps_the_balance_of_ecs():
    """Two on one host, one on the others: the fullest host gives, whoever has run longest."""
    world = World(4, sent=True)
    world.settle()
    world.wait(3600)
    full = max(world.hosts, key=lambda arn: sum(one.instance == arn for one in world.live()))
    world.service = evolve(world.service, desired_count=3)
    (stopped,) = world.act().stop
    assert world.tasks[stopped.task].instance == full


def test_a_flapping_host_takes_nothing_back():
    world = replaced(steady())
    belongs = {one.arn for one in on(world, "h1")}
    world.find_host("h1", flapping_until=later(world.now, minutes(5)))
    plan = world.act()
    assert {one.task for one in plan.stop} == belongs
    world.settle()
    assert not on(world, "h1")


def test_a_flapping_host_keeps_what_the_minimum_needs():
    world = steady()
    world.lose_host("h1")
    world.act()
    world.find_host("h1", flapping_until=later(world.now, minutes(5)))
    world.wait(2)
    assert world.act().stop == (), "its replacement does not run yet"
    world.serve()
    world.wait(10)
    (stopped,) = world.act().stop
    assert world.tasks[stopped.task].instance == instance_arn("h1")


def test_a_flapping_host_whose_tasks_were_not_replaced_keeps_them():
    world = steady(3, 0, 100)
    before = {one.arn for one in world.live()}
    world.lose_host("h1")
    world.act()
    world.find_host("h1", flapping_until=later(world.now, minutes(5)))
    world.wait(3)
    plan = world.act()
    assert (plan.start, plan.stop) == ((), ())
    assert {one.arn for one in world.live()} == before


def test_what_a_person_wrote_off_is_surplus_when_it_returns():
    world = replaced(steady())
    belongs = {one.arn for one in on(world, "h1")}
    confirmed = world.now
    # The host came back in the very moment, before the service looked.
    world.change_host("h1", confirmed_at=confirmed)
    world.find_host("h1", confirmed_at=confirmed)
    assert {one.task for one in world.act().stop} == belongs


def test_a_task_that_is_back_does_not_count_before_its_host_has_spoken():
    world = replaced(steady())
    world.find_host("h1")
    (task,) = on(world, "h1")
    census = take(world.state(), world.now)
    assert task.arn in census.fresh
    assert census.counts.healthy == 3
    world.wait(2)
    assert take(world.state(), world.now).counts.healthy == 4


def test_blame_ends_with_a_loss_and_with_the_engine():
    for reason in ("EngineLost: the container engine was gone", ""):
        world = steady(1)
        (task,) = world.live()
        world.act()
        if not reason:
            world.lose(task)
            world.find_again(task)
        fresh = evolve(world.tasks[task.arn], started_at=world.now)
        world.tasks[task.arn] = fresh
        world.report(fresh, "STOPPED", exit_code=137, reason=reason or None)
        assert starts(world.act()) == 1, "at once"
        assert world.service.backoff.failures == 0
        assert world.deployment().failed_tasks == 0


def test_one_that_is_back_for_longer_is_not_stopped_for_one_that_is_back_just_now():
    """It counts, and the other does not yet: three are to be healthy, and so three stay."""
    world = steady()
    (first,) = on(world, "h1")
    world.lose_host("h1")
    world.lose_host("h2")
    world.act()
    world.serve()
    world.wait(11)
    world.act()
    gone = [one for one in world.live() if one.instance == instance_arn("h3")][-1]
    world.report(gone, "STOPPED", exit_code=1)
    world.tasks[first.arn] = evolve(first, started_at=later(world.now, seconds(-11)))
    world.tasks[first.arn] = evolve(
        world.tasks[first.arn], connectivity="DISCONNECTED", connectivity_at=world.now
    )
    world.find_host("h1")
    world.wait(1.5)
    world.find_host("h2")
    world.wait(0.6)
    counting = take(world.state(), world.now)
    assert counting.counts.healthy == 3
    plan = world.act()
    assert not [one for one in plan.stop if one.task == first.arn]
