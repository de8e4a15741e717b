"""Fencing, and a host that was given up: who is stopped by this host alone, when, and for good."""

import pytest

from moorage.acs.messages import TaskIdentifier
from moorage.acs.task_messages import TaskExtras
from moorage.agent.engine import events as e
from moorage.agent.engine import instructions as i
from moorage.ground.instant import seconds
from tests.agent.engine.builders import a_container, a_task, doings
from tests.agent.engine.world import World, arn, payload

FENCED = TaskExtras(service_name="web", fence_after_seconds=60.0)
HEALED = TaskExtras(service_name="web", heal_after_seconds=10.0)
ONE, TWO = arn(1), arn(2)


def silent(world: World, unheard: float, unconfirmed: float) -> list[i.Instruction]:
    return world.feed(e.ServerSilent(unheard=seconds(unheard), unconfirmed=seconds(unconfirmed)))


def begin(world: World, extras: TaskExtras | None = FENCED) -> None:
    world.feed(e.ServerHeard())
    world.feed(payload(a_task(a_container(stop_timeout=7), moorage=extras)))
    world.run()
    assert world.booked[ONE] == "RUNNING"


def desired(world: World, task: str = ONE) -> str:
    return world.engine.state.tasks[task].desired


@pytest.mark.parametrize(
    ("extras", "unheard", "unconfirmed", "stops"),
    [
        (FENCED, 59, 59.9, False),
        (FENCED, 55, 60, True),
        (FENCED, 0.5, 3600, True),  # a new process after an hour without the server
        (HEALED, 3600, 3600, False),
        (TaskExtras(service_name="web"), 3600, 3600, False),
        (TaskExtras(fence_after_seconds=60.0), 3600, 3600, True),
        (None, 3600, 3600, False),
    ],
)
def test_who_is_fenced_and_when(world, extras, unheard, unconfirmed, stops):
    begin(world, extras)
    answer = doings(silent(world, unheard, unconfirmed))
    asked = [one for one in answer if isinstance(one, i.StopContainer)]
    assert bool(asked) is stops
    assert [one.timeout_seconds for one in asked] == [7] * stops
    world.run()
    assert (world.booked[ONE] == "STOPPED") is stops


def test_a_server_that_does_not_hear_this_host_is_lost_to_it_too(world):
    begin(world)
    assert not doings(world.feed(e.ServerUnconfirmed(unconfirmed=seconds(59))))
    world.feed(e.ServerUnconfirmed(unconfirmed=seconds(60)))
    world.run()
    assert world.booked[ONE] == "STOPPED"


def test_the_reason_is_told_with_its_end(world):
    begin(world)
    silent(world, 60, 60)
    told = [one for event in world.perform(world.take()) for one in world.feed(event)]
    (report,) = [one.report for one in told if isinstance(one, i.SubmitTaskStateChange)]
    assert report.status == "STOPPED"
    assert report.reason.startswith("Fenced: this host had not reached the server for 60 seconds")


def test_it_is_never_healed_nor_restarted_on_the_way(world):
    begin(world)
    silent(world, 20, 20)
    world.tick(5)
    world.feed(world.end(world.of(ONE, "web"), 1))
    world.run()
    assert world.booked[ONE] == "STOPPED", "as if the server were there"


def test_the_return_of_the_server_does_not_take_it_back(world):
    begin(world)
    silent(world, 60, 60)
    assert desired(world) == "STOPPED"
    world.feed(e.ServerHeard())
    world.feed(payload(a_task(moorage=FENCED), seq_num=2))
    assert desired(world) == "STOPPED"
    world.run()
    assert world.booked[ONE] == "STOPPED"
    assert world.of(ONE, "web").runs == 1


def test_what_has_not_begun_is_never_begun(world):
    world.feed(e.ServerHeard())
    world.feed(payload(a_task(moorage=FENCED)))
    silent(world, 60, 60)
    world.run()
    assert world.booked[ONE] == "STOPPED"
    assert world.of(ONE, "web") is None or world.of(ONE, "web").runs == 0


@pytest.mark.parametrize("blind", [False, True])
def test_a_lost_engine_delays_it_and_does_not_undo_it(world, blind):
    begin(world)
    if blind:
        world.begin()
    else:
        world.reachable = False
        world.feed(e.EngineLost())
    assert not [x for x in doings(silent(world, 60, 60)) if isinstance(x, i.StopContainer)]
    if not blind:
        world.reachable = True
        world.feed(e.EngineReturned())
    world.run()
    assert world.booked[ONE] == "STOPPED"


def test_the_decision_outlives_the_process(world):
    begin(world)
    silent(world, 60, 60)
    world.begin()
    world.feed(e.ServerHeard())
    world.run()
    assert world.booked[ONE] == "STOPPED"
    assert world.of(ONE, "web").runs == 1


def test_a_task_whose_records_are_lost_is_fenced_by_its_labels(world):
    begin(world)
    world.disk.clear()
    world.memory = None
    world.begin()
    world.run()
    assert world.engine.state.tasks[ONE].adopted
    silent(world, 5, 3600)
    world.run()
    assert not world.of(ONE, "web").running


def test_a_host_that_was_given_up_stops_everything(world):
    world.feed(e.ServerHeard())
    world.feed(payload(a_task(moorage=HEALED)))
    world.feed(payload(a_task(number=2), message_id="m2", seq_num=2))
    world.run()
    silent(world, 20, 20)
    world.feed(e.HostDeregistered())
    world.run()
    assert world.booked == {ONE: "STOPPED", TWO: "STOPPED"}
    assert not [c for c in world.containers.values() if c.running]
    assert not doings(world.feed(e.HostDeregistered())), "told again, nothing more follows"


def test_a_manifest_that_still_lists_a_fenced_task_is_no_order_to_run_it(world):
    begin(world)
    silent(world, 60, 60)
    world.feed(e.ServerHeard())
    world.feed(
        e.ManifestReceived(
            message_id="m9",
            cluster_arn="arn:cluster",
            container_instance_arn="arn:ci",
            timeline=9,
            tasks=(TaskIdentifier(task_arn=ONE, desired_status="RUNNING"),),
        )
    )
    world.run()
    assert world.booked[ONE] == "STOPPED"
