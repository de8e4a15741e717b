"""What a host is told: derived from the rows, numbered once, repeated until acknowledged."""

import pytest

from moorage.acs.messages import (
    AckRequest,
    ImagesInUseMessage,
    PayloadMessage,
    RegistryMessage,
    TaskManifestMessage,
)
from moorage.ecs.agents import AGENT
from moorage.ecs.records.container_instance import InstanceAttribute
from moorage.shapes.ecs.tag import Tag
from tests.ecs.controllers.rig import CAPABILITIES, Rig


@pytest.fixture
def deaf(bare: Rig) -> Rig:
    """One host that takes nothing in, and a service with three tasks there."""
    bare.host("a").deaf = True
    bare.serve("web", 3, bare.define("web"))
    bare.settle()
    return bare


def first(rig: Rig):
    return next(iter(rig.hosts.values()))


def outgoing(rig: Rig, on_connect: bool = False):
    return rig.agent(first(rig), AGENT.outgoing, on_connect)


def orders(rig: Rig) -> list[tuple[str, int]]:
    return [(one.message_id, one.seq_num) for one in outgoing(rig).payloads]


def test_one_task_a_payload_in_the_order_of_its_number(deaf):
    told = outgoing(deaf).payloads
    assert [len(one.tasks) for one in told] == [1, 1, 1]
    numbers = [one.seq_num for one in told]
    assert numbers == sorted(set(numbers))
    assert {one.tasks[0].desired_status for one in told} == {"RUNNING"}
    assert {one.container_instance_arn for one in told} == {first(deaf).arn}


def test_what_is_not_acknowledged_is_told_again_with_the_same_ids(deaf):
    before = orders(deaf)
    deaf.advance(3600)
    assert orders(deaf) == before
    first(deaf).deaf = False
    deaf.resend(first(deaf))
    deaf.settle()
    assert orders(deaf) == []
    assert len(first(deaf).running()) == 3


def test_asking_twice_writes_once(deaf):
    outgoing(deaf)
    before = deaf.rows()
    outgoing(deaf)
    assert deaf.rows() == before


@pytest.mark.parametrize("spoilt", ["run.{task}.99", "run.unknown.1", "nonsense", "stop.{task}.1"])
def test_only_its_own_acknowledgement_settles_an_order(deaf, spoilt):
    before = orders(deaf)
    task = before[0][0].split(".")[1]
    deaf.say(first(deaf), AckRequest(message_id=spoilt.format(task=task)))
    assert orders(deaf) == before


def test_another_hosts_acknowledgement_settles_nothing(deaf):
    before = orders(deaf)
    deaf.say(deaf.host("b"), AckRequest(message_id=before[0][0]))
    assert orders(deaf) == before


def test_the_manifest_has_a_number_above_all_others(deaf):
    before = outgoing(deaf, on_connect=True)
    assert isinstance(before.messages[-1], TaskManifestMessage)
    assert before.manifest.timeline > max(one.seq_num for one in before.payloads)
    second = outgoing(deaf, on_connect=True)
    assert second.manifest.timeline > before.manifest.timeline
    assert {one.desired_status for one in second.manifest.tasks} == {"RUNNING"}
    assert len(second.manifest.tasks) == 3


def test_numbers_go_on_after_a_manifest(deaf):
    top = outgoing(deaf, on_connect=True).manifest.timeline
    service = deaf.rows()["services"][0].arn
    deaf.update(service, desired_count=4)
    deaf.settle()
    assert max(number for _, number in orders(deaf)) > top


def test_a_task_that_is_to_stop_is_ordered_to_stop_and_not_to_run(deaf):
    service = deaf.rows()["services"][0].arn
    deaf.update(service, desired_count=1)
    deaf.settle()
    told = outgoing(deaf, on_connect=True)
    kinds = sorted(one.tasks[0].desired_status for one in told.payloads)
    assert kinds == ["RUNNING", "STOPPED", "STOPPED"]
    assert len(told.manifest.tasks) == 1


def test_a_task_that_stopped_is_never_ordered_again(rig):
    service = rig.serve("web", 1, rig.define("web"))
    rig.settle()
    (task,) = rig.running(service)
    host = rig.hosts[task.instance]
    rig.update(service, desired_count=0)
    rig.settle()
    told = rig.agent(host, AGENT.outgoing, True)
    assert told.payloads == ()
    assert not told.manifest.tasks


def test_our_own_agent_learns_the_registry_and_the_images_in_use(deaf):
    told = outgoing(deaf, on_connect=True)
    registry, images = told.notices
    assert isinstance(registry, RegistryMessage)
    assert registry.names == deaf.house.site.names
    assert isinstance(images, ImagesInUseMessage)
    assert images.images == ("demo:1",)
    assert outgoing(deaf).notices == ()


def test_amazons_agent_is_told_nothing_of_ours(deaf):
    deaf.change_host(first(deaf), attributes=(InstanceAttribute(name="com.amazonaws.ecs.x"),))
    told = outgoing(deaf, on_connect=True)
    assert told.notices == ()
    assert [type(one) for one in told.messages] == [PayloadMessage] * 3 + [TaskManifestMessage]


FENCING = tuple(
    InstanceAttribute(name=name) for name in (*CAPABILITIES, "moorage.capability.fence")
)


@pytest.mark.parametrize(
    ("tags", "attributes", "told"),
    [
        ({}, FENCING, (10.0, None)),
        ({"moorage:heal": "off"}, FENCING, (None, None)),
        ({"moorage:heal": "Off "}, FENCING, (None, None)),
        ({"moorage:heal": "on"}, FENCING, (10.0, None)),
        ({"moorage:fence": "true"}, FENCING, (None, 60.0)),
        ({"moorage:fence": "false"}, FENCING, (10.0, None)),
        ({}, (InstanceAttribute(name="com.amazonaws.ecs.x"),), (None, None)),
    ],
)
def test_a_host_is_told_with_the_task_what_to_do_without_its_server(bare, tags, attributes, told):
    one = bare.host("a")
    one.deaf = True
    bare.change_host(one, attributes=attributes)
    service = bare.serve(
        "web", 1, bare.define("web"), tags=[Tag(key=k, value=v) for k, v in tags.items()]
    )
    bare.settle()
    extras = outgoing(bare).payloads[0].tasks[0].moorage
    assert (extras.heal_after_seconds, extras.fence_after_seconds) == told
    bare.update(service, tags=[Tag(key="moorage:heal", value="off")])
    again = outgoing(bare).payloads[0].tasks[0].moorage
    assert (again.heal_after_seconds, again.fence_after_seconds) == told, "as it was told before"


def test_a_deregistered_host_is_told_nothing(deaf):
    deaf.change_host(first(deaf), status="INACTIVE")
    assert outgoing(deaf, on_connect=True).messages == ()
