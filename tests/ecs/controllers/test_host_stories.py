"""Whole stories of services whose hosts are lost, return, are drained, or are frozen with them."""

import pytest

from moorage.ecs.records.container_instance import InstanceAttribute
from moorage.ecs.records.freeze import Freeze
from moorage.ecs.store import freezes
from moorage.ground.instant import later, minutes
from moorage.shapes.ecs.deployment_configuration import DeploymentConfiguration
from moorage.shapes.ecs.tag import Tag
from tests.ecs.controllers.rig import CAPABILITIES, Rig
from tests.house import ACCOUNT, REGION


def steady(rig: Rig, count: int, minimum: int = 100, maximum: int = 200, **members) -> str:
    asked = DeploymentConfiguration(minimum_healthy_percent=minimum, maximum_percent=maximum)
    service = rig.serve("web", count, rig.define("web"), configuration=asked, **members)
    rig.settle()
    assert len(rig.running(service)) == count
    rig.advance(60)
    return service


def hosts(rig: Rig) -> list:
    return list(rig.hosts.values())


def never_more(rig: Rig, most: int, throughout) -> None:
    """From now on these hosts never run more than `most`, counted on the hosts themselves (I3)."""

    def law(rig: Rig) -> None:
        there = sum(held.status != "STOPPED" for one in throughout for held in one.tasks.values())
        assert there <= most

    rig.laws.append(law)


def freeze(rig: Rig, service: str = "", **members) -> None:
    def work(call) -> None:
        freezes.put(
            call.tx,
            Freeze(
                account=ACCOUNT,
                region=REGION,
                cluster="default",
                service=service,
                cause="operator",
                reason="moving the rack",
                created_at=call.now,
                until=later(call.now, minutes(30)),
                **members,
            ),
        )

    rig.house.write(work)
    rig.settle()


def thaw(rig: Rig) -> None:
    def work(call) -> None:
        for one in freezes.of_account(call.tx, ACCOUNT, REGION):
            freezes.delete(call.tx, one)

    rig.house.write(work)
    rig.settle()


# --- lost and returned ---------------------------------------------------------------------------


def test_a_lost_host_its_replacements_and_its_return(rig):
    service = steady(rig, 3, maximum=134)
    one, *others = hosts(rig)
    never_more(rig, 4, others)
    (belongs,) = one.running()
    rig.lose(one)
    rig.settle()
    assert sum(len(each.running()) for each in others) == 3, "in the same moment"
    rig.advance(300)
    rig.connect(one)
    rig.settle()
    assert one.running() == [belongs], "the manifest lists it"
    rig.advance(2)
    assert one.running() == [belongs]
    assert len(rig.live(service)) == 3
    said = rig.events(service)
    kept = rig.instance(one)
    name = kept.name or kept.id
    lost = f"lost the host {name} with 1 of its tasks: nothing is heard of it any more."
    assert said.count(lost) == 1
    assert said.count(f"the host {name} is back with 1 of its tasks.") == 1
    assert said[-1] == "has reached a steady state."


def test_a_host_that_comes_back_without_its_tasks_keeps_the_replacements(rig):
    service = steady(rig, 3)
    one, *others = hosts(rig)
    rig.lose(one)
    rig.settle()
    replacements = {arn for each in others for arn in each.running()}
    rig.connect(one)
    rig.settle()
    for arn in one.running():
        one.kill(arn, rig)
    rig.advance(60)
    assert {task.arn for task in rig.live(service)} == replacements
    assert rig.service(service).backoff.failures == 0


def test_never_two_waits_for_a_person(rig):
    service = steady(rig, 1, 0, 100)
    (task,) = rig.live(service)
    one = rig.hosts[task.instance]
    rig.lose(one)
    rig.advance(3600)
    assert [each.arn for each in rig.live(service)] == [task.arn]
    said = [event for event in rig.events(service) if event.startswith("waits for its tasks")]
    (only,) = said
    assert only == (
        f"waits for its tasks on lost hosts ({one.name}) and starts none in their place, because "
        "maximumPercent 100 lets it run no task too many. Bring the hosts back, or say which are "
        "gone for good: moorage host confirm-lost HOST."
    )
    now = rig.house.clock.now()
    rig.change_host(one, confirmed_at=now, replace_at=now)
    rig.settle()
    assert len(rig.running(service)) == 1
    rig.connect(one)
    rig.settle()
    assert one.running() == [], "it was told to stop before it came back"
    assert len(rig.live(service)) == 1


def test_the_brake_holds_and_a_return_moves_nothing(rig):
    service = steady(rig, 3)
    before = [task.arn for task in rig.live(service)]
    one, two, _ = hosts(rig)
    rig.lose(one)
    rig.lose(two)
    rig.settle()
    rig.advance(120)
    held = [task for task in rig.live(service) if task.arn not in before]
    assert len(held) <= 1, "what was lost first may have gone before the brake"
    rig.connect(one)
    rig.connect(two)
    rig.advance(5)
    assert sorted(task.arn for task in rig.live(service)) == sorted(before)


def test_only_hosts_that_can_fence_take_what_is_to_be_fenced(bare):
    bare.host("a")
    service = bare.serve(
        "web", 1, bare.define("web"), tags=[Tag(key="moorage:fence", value="true")]
    )
    bare.settle()
    assert bare.live(service) == []
    assert any(
        "only hosts with the attribute moorage.capability.fence" in one
        for one in bare.events(service)
    )
    able = bare.host("b")
    names = (*CAPABILITIES, "moorage.capability.fence")
    bare.change_host(able, attributes=tuple(InstanceAttribute(name=name) for name in names))
    bare.settle()
    (task,) = bare.running(service)
    assert task.instance == able.arn
    bare.lose(able)
    bare.change_host(
        next(iter(bare.hosts.values())),
        attributes=tuple(InstanceAttribute(name=name) for name in names),
    )
    bare.advance(99)
    assert len(bare.live(service)) == 1, "60 s, the stop timeout of 30 s and a margin of 10 s"
    bare.advance(1)
    assert len(bare.live(service)) == 2


# --- drained -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("minimum", "maximum"), [(100, 200), (50, 100)])
def test_a_drain_without_room_waits_and_says_why(bare, minimum, maximum):
    one = bare.host("a")
    service = steady(bare, 2, minimum, maximum)
    other = bare.host("b", cpu=100)
    bare.change_host(one, status="DRAINING")
    bare.advance(3600)
    assert len(one.running()) == 2, "nothing stops for room that helps nobody"
    name = other.arn.rpartition("/")[2]
    assert bare.events(service)[-1] == (
        "keeps its tasks on draining hosts (a), because no other container instance can take "
        f"their replacements. The closest matching (container-instance {name}) has insufficient "
        "CPU units available."
    )
    assert bare.service(service).waits_for_room
    bare.host("c")
    bare.settle()
    assert one.running() == []
    assert len(bare.running(service)) == 2


# --- frozen --------------------------------------------------------------------------------------


def test_a_rollout_is_frozen_and_goes_on(rig):
    service = steady(rig, 3)
    for one in hosts(rig):
        one.slow = True
    rig.update(service, rig.define("web", "demo:2"))
    rig.settle()
    freeze(rig)
    for one in hosts(rig):
        one.slow = False
        one.finish(rig)
    rig.settle()
    assert len(rig.running(service)) == 6, "reports are taken in, nothing is stopped"
    victim = rig.running(service)[-1]
    rig.hosts[victim.instance].kill(victim.arn, rig)
    rig.lose(hosts(rig)[0])
    rig.advance(1700)
    assert len(rig.tasks(service)) == 6, "nothing is replaced"
    rig.connect(hosts(rig)[0])
    said = rig.events(service)
    assert sum(one.startswith("is frozen until") for one in said) == 1
    rig.advance(200)
    assert rig.events(service).count("is no longer frozen.") == 1
    assert rig.house.read(lambda call: freezes.of_account(call.tx, ACCOUNT, REGION)) == []
    assert {task.revision for task in rig.running(service)} == {2}
    assert len(rig.live(service)) == 3
    assert rig.primary(service).rollout_state == "COMPLETED"


def test_one_service_is_frozen_and_the_others_are_not(rig):
    service = steady(rig, 1)
    other = rig.serve("other", 1, rig.define("other"))
    rig.settle()
    freeze(rig, "web")
    rig.update(service, desired_count=3)
    rig.update(other, desired_count=3)
    rig.settle()
    assert (len(rig.live(service)), len(rig.live(other))) == (1, 3)
    before = rig.rows()
    rig.restart()
    rig.settle()
    assert rig.rows() == before
    thaw(rig)
    assert len(rig.live(service)) == 3
