"""Hosts for people: DescribeHosts, DrainHost, ConfirmHostLost."""

import pytest

from moorage.ecs import api
from moorage.ecs.agents import AGENT
from moorage.ecs.operations.host import confirm_host_lost, describe_hosts, drain_host
from moorage.ecs.store import container_instances, tasks
from moorage.ground.fault import Fault, Validation
from moorage.ground.instant import epoch, later, seconds
from moorage.ground.record import evolve
from moorage.shapes.moorage import host_state as shapes
from tests.builders import EcsHouse, a_host, a_service, a_task, connect_host
from tests.house import OTHER, root


def described(house: EcsHouse, *hosts: str, **members) -> list[shapes.Host]:
    request = shapes.DescribeHostsRequest(hosts=list(hosts) or None, **members)
    found = house.run(describe_hosts, request)
    assert found.hosts is not None
    return found.hosts


def change(house: EcsHouse, key, **members):
    def work(call):
        found = container_instances.get(call.tx, key.instance)
        container_instances.write(call.tx, evolve(found, **members))

    house.write(work)


def agent(house, key, handler, *more):
    house.write(lambda call: handler(call, key.instance, *more), principal=key)


def refusal(house, operation, request) -> str:
    with pytest.raises(Validation) as refused:
        house.run(operation, request)
    return refused.value.message


def test_a_host_that_is_well(house):
    key = a_host(house, "one", zone="z1", cpu=1000, memory=2000)
    a_service(house, count=2)
    house.settle()
    (one,) = described(house)
    assert (one.name, one.container_instance_arn, one.zone) == ("one", key.instance, "z1")
    assert (one.status, one.state, one.connected) == ("ACTIVE", "CONNECTED", True)
    assert (one.running_tasks_count, one.pending_tasks_count) == (0, 2)
    assert (one.remaining_cpu, one.remaining_memory) == (1000 - 512, 2000 - 1024)
    assert (one.agent_version, one.drain, one.lost_at) == ("1.0.0", None, None)
    assert one.state_since == epoch(house.clock.now())


def test_a_person_ends_the_rest_of_a_flapping_host(house):
    key = a_host(house, "one")
    change(house, key, flapping_until=later(house.clock.now(), seconds(300)))
    assert described(house)[0].state == "FLAPPING"
    for status in ("DRAINING", "ACTIVE"):
        house.ask("UpdateContainerInstancesState", containerInstances=[key.instance], status=status)
    assert described(house)[0].state == "CONNECTED"
    change(house, key, flapping_until=later(house.clock.now(), seconds(300)))
    house.ask("UpdateContainerInstancesState", containerInstances=[key.instance], status="ACTIVE")
    assert described(house)[0].state == "CONNECTED"


@pytest.mark.parametrize(
    ("members", "state", "words"),
    [
        ({}, "CONNECTED", "well"),
        ({"status": "DRAINING"}, "CONNECTED", "service tasks move"),
        ({"suspect": True}, "SUSPECT", "no new task"),
        ({"flapping_until": 1}, "CONNECTED", "well"),
        ({"flapping_until": 10**16}, "FLAPPING", "lost twice"),
        ({"engine_gone_at": 1}, "ENGINE_GONE", "Start the engine"),
        (
            {"runtime_status": "IMPAIRED", "runtime_reason": "ContainerStuck: container web"},
            "IMPAIRED",
            "no new task. ContainerStuck: container web",
        ),
        ({"connected": False}, "NEVER_CONNECTED", "never"),
        ({"connected": False, "disconnection": "closed"}, "AWAY", "was cut"),
        ({"connected": False, "disconnection": "goodbye"}, "AWAY", "goodbye"),
        ({"connected": False, "disconnection": "silent"}, "AWAY", "Nothing is heard"),
        ({"lost_at": 1, "loss": "silent", "replace_at": 1}, "LOST", "Nothing is heard"),
        ({"lost_at": 1, "loss": "away", "replace_at": 1}, "LOST", "did not come back"),
        ({"lost_at": 1, "loss": "engine", "replace_at": 1}, "LOST", "engine"),
        ({"lost_at": 1, "loss": "silent"}, "LOST", "lost at once, or seem to be"),
        (
            {"lost_at": 1, "loss": "silent", "confirmed_at": 2, "replace_at": 1},
            "LOST",
            "confirmed as lost",
        ),
    ],
)
def test_each_standing_has_its_word_and_its_sentence(house, members, state, words):
    key = a_host(house, "one")
    change(house, key, **members)
    (one,) = described(house, "one")
    assert one.state == state
    assert words in one.state_reason


def test_hosts_are_found_by_name_id_and_arn_and_in_pages(house):
    keys = [a_host(house, f"h{n}") for n in range(3)]
    first = keys[0].instance
    for text in ("h0", first, first.rpartition("/")[2]):
        assert [one.container_instance_arn for one in described(house, text)] == [first]
    message = refusal(house, describe_hosts, shapes.DescribeHostsRequest(hosts=["nobody"]))
    assert "no host nobody" in message
    both = shapes.DescribeHostsRequest(hosts=["h0"], max_results=1)
    assert "do not apply" in refusal(house, describe_hosts, both)
    page = house.run(describe_hosts, shapes.DescribeHostsRequest(max_results=2))
    rest = house.run(
        describe_hosts, shapes.DescribeHostsRequest(max_results=2, next_token=page.next_token)
    )
    found = [one.name for one in (*page.hosts, *rest.hosts)]
    assert (sorted(found), rest.next_token) == (["h0", "h1", "h2"], None)
    house.ask("DeregisterContainerInstance", containerInstance=first)
    assert sorted(one.name or "" for one in described(house)) == ["h1", "h2"]


def test_another_account_sees_nothing(house):
    a_host(house, "one")
    found = house.run(describe_hosts, shapes.DescribeHostsRequest(), principal=root(OTHER))
    assert found.hosts == []


@pytest.mark.parametrize("name", ["DescribeHosts", "DrainHost", "ConfirmHostLost"])
def test_they_are_for_people(name):
    operation = next(one for one in api.OWN if one.name == name)
    assert operation.callers == {"operator", "root"}
    assert operation.writes is (name != "DescribeHosts")


# --- drain ----------------------------------------------------------------------------------------


def drain(house, **members) -> shapes.Host:
    host = house.run(drain_host, shapes.DrainHostRequest(host="one", **members)).host
    assert host is not None
    return host


def test_a_drain_shows_how_far_it_is(house):
    a_host(house, "one")
    a_service(house, count=2)
    a_task(house)
    house.settle()
    shown = drain(house, deadline_seconds=600)
    assert shown.status == "DRAINING"
    assert shown.drain == shapes.HostDrain(
        deadline=epoch(later(house.clock.now(), seconds(600))),
        on_timeout="force",
        service_tasks_left=2,
        other_tasks_left=1,
    )


def test_a_second_drain_replaces_the_deadline_and_activation_forgets_it(house):
    key = a_host(house, "one")
    drain(house, deadline_seconds=600, on_timeout="abandon")
    assert drain(house).drain.deadline is None
    shown = drain(house, deadline_seconds=60)
    assert (shown.drain.on_timeout, shown.drain.service_tasks_left) == ("force", 0)
    for status in ("ACTIVE", "DRAINING"):
        house.ask("UpdateContainerInstancesState", containerInstances=[key.instance], status=status)
    (one,) = described(house)
    assert (one.status, one.drain.deadline) == ("DRAINING", None)


def test_what_to_do_at_no_deadline_is_refused(house):
    a_host(house, "one")
    request = shapes.DrainHostRequest(host="one", on_timeout="abandon")
    assert "deadlineSeconds" in refusal(house, drain_host, request)


# --- confirm-lost ---------------------------------------------------------------------------------


def confirm(house) -> shapes.ConfirmHostLostResponse:
    return house.run(confirm_host_lost, shapes.ConfirmHostLostRequest(host="one"))


def test_only_what_is_lost_can_be_confirmed(house):
    key = a_host(house, "one")
    request = shapes.ConfirmHostLostRequest(host="one")
    assert "is connected" in refusal(house, confirm_host_lost, request)
    a_host(house, "two", connect=False)
    other = shapes.ConfirmHostLostRequest(host="two")
    assert "has never connected" in refusal(house, confirm_host_lost, other)
    agent(house, key, AGENT.disconnected, "goodbye")
    assert "host remove one --force" in refusal(house, confirm_host_lost, request)
    connect_host(house, key)
    change(house, key, engine_gone_at=house.clock.now())
    agent(house, key, AGENT.lost, "engine")
    assert "only its container engine is gone" in refusal(house, confirm_host_lost, request)
    house.ask("DeregisterContainerInstance", containerInstance=key.instance, force=True)
    assert "no host one" in refusal(house, confirm_host_lost, request)


def test_confirmed_its_service_tasks_are_to_stop_and_others_are_left_alone(house):
    key = a_host(house, "one")
    a_service(house, count=2)
    a_task(house)
    house.settle()
    house.write(lambda call: AGENT.outgoing(call, key.instance, True), principal=key)
    agent(house, key, AGENT.lost, "silent")
    told = confirm(house)
    assert (told.service_tasks, told.other_tasks) == (2, 1)
    assert told.host.confirmed_at == told.host.replace_at == epoch(house.clock.now())
    live = house.read(lambda call: tasks.live_of_instance(call.tx, key.instance))
    assert sorted((bool(task.service), task.desired_status) for task in live) == [
        (False, "RUNNING"),
        (True, "STOPPED"),
        (True, "STOPPED"),
    ]
    house.clock.advance(seconds(60))
    again = confirm(house)
    assert (again.service_tasks, again.host.confirmed_at) == (0, told.host.confirmed_at)


def test_a_foreign_host_is_not_named(house):
    key = a_host(house, "one")
    request = shapes.ConfirmHostLostRequest(host=key.instance)
    with pytest.raises(Fault):
        house.run(confirm_host_lost, request, principal=root(OTHER))
