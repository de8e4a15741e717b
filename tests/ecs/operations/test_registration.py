"""RegisterContainerInstance: new, again by ARN, by token, by name, by key."""

import pytest

from moorage.acs.messages import CAPABILITY_OF_OUR_AGENT
from moorage.ecs import api
from moorage.ecs.store import container_instances, tasks
from moorage.ground.record import evolve
from moorage.iam.store import access_keys
from tests.builders import (
    ACCOUNT,
    CAPABILITIES,
    OTHER,
    REGION,
    a_definition,
    a_host,
    a_task,
    bound,
    connect_host,
    resources,
    root,
)

ACTION = "RegisterContainerInstance"


def register(house, key, **members):
    given = {
        "cluster": "default",
        "totalResources": resources(),
        "attributes": [{"name": one} for one in CAPABILITIES],
        **members,
    }
    return house.ask(ACTION, by=key, **given)["containerInstance"]


def test_a_host_says_no_more_of_itself_than_is_shown(house):
    """Every other host's placement reads its row."""
    host = a_host(house)
    members = {"containerInstanceArn": host.instance, "totalResources": resources()}
    long = "x" * 100_000
    house.refused(ACTION, "InvalidParameterException", by=host, clientToken=long, **members)
    told = dict.fromkeys(("agentVersion", "agentHash", "dockerVersion"), long)
    shown = register(house, host, containerInstanceArn=host.instance, versionInfo=told)
    assert {len(text) for text in shown["versionInfo"].values()} == {255}


def test_a_new_host_is_registered_and_its_key_bound(house):
    key = house.host_key()
    attributes = [{"name": "rack", "value": "r1"}, {"name": "ecs.capability.external"}]
    shown = register(
        house,
        key,
        attributes=attributes,
        tags=[{"key": "team", "value": "x"}],
        versionInfo={"agentVersion": "1.0.0"},
        instanceIdentityDocument="",
        instanceIdentityDocumentSignature="",
    )
    assert shown["attributes"] == attributes
    assert shown["status"] == "ACTIVE"
    assert shown["agentConnected"] is False
    assert shown["tags"] == [{"key": "team", "value": "x"}]
    assert shown["versionInfo"] == {"agentVersion": "1.0.0"}
    by_name = {one["name"]: one for one in shown["registeredResources"]}
    assert by_name["CPU"]["integerValue"] == 4096
    assert by_name["PORTS"]["stringSetValue"] == ["22"]
    kept = house.read(lambda call: access_keys.get(call.tx, key.access_key_id))
    assert kept.instance == shown["containerInstanceArn"]


def test_reserved_ports_of_the_site_are_taken_everywhere():
    from tests.builders import EcsHouse  # noqa: PLC0415 - a house of its own

    house = EcsHouse(reserved_ports=(4750,))
    try:
        shown = register(house, house.host_key())
        by_name = {one["name"]: one for one in shown["remainingResources"]}
        assert by_name["PORTS"]["stringSetValue"] == ["22", "4750"]
    finally:
        house.close()


def test_a_host_registers_again_by_its_arn_and_keeps_what_is_its_owners(house):
    key = house.host_key()
    given = [{"name": "rack", "value": "r1"}, {"name": "ecs.capability.old"}]
    first = register(house, key, attributes=given)
    arn = first["containerInstanceArn"]
    again = register(
        house,
        bound(key, arn),
        containerInstanceArn=arn,
        attributes=[{"name": "ecs.capability.new"}],
        totalResources=resources(cpu=2048),
    )
    assert again["containerInstanceArn"] == arn
    assert again["attributes"] == [
        {"name": "ecs.capability.new"},
        {"name": "rack", "value": "r1"},
    ]
    assert house.ask("ListContainerInstances")["containerInstanceArns"] == [arn]


@pytest.mark.parametrize("way", ["token", "key", "name"])
def test_a_host_that_forgot_itself_is_the_same_host(house, way):
    key = house.host_key()
    first = register(house, key, clientToken="t")["containerInstanceArn"]
    ways = {
        "token": lambda: register(house, key, clientToken="t"),
        "key": lambda: register(house, bound(key, first)),
        "name": lambda: register(house, house.host_key()),
    }
    assert ways[way]()["containerInstanceArn"] == first
    assert register(house, house.host_key("other"))["containerInstanceArn"] != first


def test_a_second_machine_of_the_same_name_is_refused_while_the_first_is_here(house):
    """The two would take each other's tasks, in turns."""
    key = a_host(house)
    members = {"cluster": "default", "totalResources": resources()}
    told = house.refused(ACTION, "ClientException", by=house.host_key(), **members)
    assert "moorage agent --name" in str(told)
    house.write(lambda call: api.AGENT.disconnected(call, key.instance, "goodbye"))
    again = house.host_key()
    assert register(house, again)["containerInstanceArn"] == key.instance
    keys = house.read(lambda call: access_keys.of_instance(call.tx, key.instance))
    assert [one.id for one in keys if not one.replaced] == [again.access_key_id]


@pytest.mark.parametrize(("how", "taken"), [("closed", False), ("goodbye", True), ("lost", True)])
def test_another_machine_takes_a_hosts_name_only_when_that_host_is_gone(house, how, taken):
    # T21: with a join token of one's own, and another host's name, in the moment after a restart.
    first = a_host(house, "host-1")
    task = a_task(house)

    def gone(call):
        if how == "lost":
            api.AGENT.lost(call, first.instance)
        else:
            api.AGENT.disconnected(call, first.instance, how)

    house.write(gone, principal=first)
    key = house.host_key("host-1")
    if taken:
        found = register(house, key)["containerInstanceArn"]
        assert found == first.instance == task["containerInstanceArn"]
    else:
        refusal = house.refused(
            "RegisterContainerInstance", "ThrottlingException", by=key, totalResources=resources()
        )
        assert "a moment ago" in refusal
        # The host itself comes back as it was.
        assert register(house, first)["containerInstanceArn"] == first.instance


def test_a_host_that_forgot_itself_is_told_of_its_tasks_again(house):
    key = a_host(house)
    task = a_task(house, taskDefinition=a_definition(house))

    def acknowledge(call):
        found = tasks.get(call.tx, task["taskArn"])
        tasks.write(call.tx, evolve(found, acknowledged_at=call.now, payload_sequence=1))

    house.write(acknowledge)
    register(house, key, containerInstanceArn=key.instance)
    assert house.read(lambda call: tasks.get(call.tx, task["taskArn"])).acknowledged_at
    register(house, key)
    assert house.read(lambda call: tasks.get(call.tx, task["taskArn"])).acknowledged_at is None


@pytest.mark.parametrize(
    ("ours", "ran", "kept"),
    [
        (True, True, True),
        (True, False, False),
        (False, True, False),
    ],
)
def test_what_ran_on_a_host_that_forgot_itself_is_not_run_again(house, ours, ran, kept):
    """Another machine in its place would run it a second time; our agent says that it is gone."""
    key = a_host(house)
    task = a_task(house, taskDefinition=a_definition(house))

    def acknowledge(call):
        found = tasks.get(call.tx, task["taskArn"])
        after = evolve(found, acknowledged_at=call.now, payload_sequence=1)
        tasks.write(call.tx, evolve(after, started_at=call.now if ran else None))

    house.write(acknowledge)
    attributes = [{"name": CAPABILITY_OF_OUR_AGENT}] if ours else []
    register(house, key, attributes=attributes)
    known = house.read(lambda call: tasks.get(call.tx, task["taskArn"]))
    assert (known.acknowledged_at is not None) == kept


def test_a_deregistered_host_must_join_again(house):
    key = a_host(house)
    house.ask("DeregisterContainerInstance", containerInstance=key.instance)
    members = {"cluster": "default", "totalResources": resources()}
    house.refused(ACTION, "ClientException", by=key, **members)
    house.refused(ACTION, "ClientException", by=key, containerInstanceArn=key.instance, **members)
    fresh = a_host(house)
    assert fresh.instance != key.instance


def test_a_host_speaks_for_itself_alone(house):
    key, other = a_host(house, "one"), a_host(house, "two")
    members = {"totalResources": resources(), "containerInstanceArn": other.instance}
    house.refused(ACTION, "AccessDeniedException", by=key, **members)
    house.ask("CreateCluster", clusterName="web")
    house.refused(
        ACTION,
        "AccessDeniedException",
        by=house.host_key(),
        cluster="web",
        totalResources=resources(),
    )
    house.refused(ACTION, "AccessDeniedException", by=root(), totalResources=resources())
    house.refused("ListClusters", "AccessDeniedException", by=key)
    foreign = f"arn:aws:ecs:{REGION}:{OTHER}:container-instance/default/{'a' * 32}"
    house.refused(
        ACTION,
        "AccessDeniedException",
        by=house.host_key("three"),
        totalResources=resources(),
        containerInstanceArn=foreign,
    )


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"totalResources": []}, "InvalidParameterException"),
        ({"totalResources": resources()[1:]}, "InvalidParameterException"),
        ({"totalResources": resources(cpu=-1)}, "InvalidParameterException"),
        ({"totalResources": "much"}, "SerializationException"),
        ({"totalResources": resources(cpu=2**40)}, "SerializationException"),
        ({"totalResources": resources(ports=(70_000,))}, "InvalidParameterException"),
        ({"attributes": [{"name": "no spaces"}]}, "InvalidParameterException"),
        ({"attributes": [{"name": "a", "value": "1"}, {"name": "a", "value": "2"}]},
         "InvalidParameterException"),
        ({"attributes": [{"name": f"a{n}"} for n in range(501)]}, "InvalidParameterException"),
        ({"attributes": [{"name": "a", "targetId": "x"}]}, "InvalidParameterException"),
        ({"clientToken": "x" * 65}, "InvalidParameterException"),
        ({"platformDevices": [{"id": "0", "type": "NEURON_DEVICE"}]}, "UnsupportedFeatureException"),
        ({"cluster": "nowhere"}, "ClusterNotFoundException"),
        ({"tags": [{"key": "aws:x"}]}, "InvalidParameterException"),
        ({"containerInstanceArn": "nonsense"}, "AccessDeniedException"),
    ],
)  # fmt: skip
def test_what_cannot_be_registers_nobody(house, members, code):
    house.refused(ACTION, code, by=house.host_key(), **{"totalResources": resources(), **members})
    assert house.ask("ListContainerInstances")["containerInstanceArns"] == []


def test_gpus_come_as_devices(house):
    shown = register(house, house.host_key(), platformDevices=[{"id": "0", "type": "GPU"}])
    for member in ("registeredResources", "remainingResources"):
        by_name = {one["name"]: one for one in shown[member]}
        assert by_name["GPU"]["stringSetValue"] == ["0"]
        assert by_name["GPU"]["type"] == "STRINGSET"


def test_resources_of_the_owners_are_kept_and_shown(house):
    own = [
        {"name": "licences", "type": "INTEGER", "integerValue": 3},
        {"name": "share", "type": "DOUBLE", "doubleValue": 0.5},
        {"name": "bytes", "type": "LONG", "longValue": 2**40},
        {"name": "slots", "type": "STRINGSET", "stringSetValue": ["a", "b"]},
    ]
    shown = register(house, house.host_key(), totalResources=[*resources(), *own])
    for member in ("registeredResources", "remainingResources"):
        by_name = {one["name"]: one for one in shown[member]}
        for given in own:
            assert given.items() <= by_name[given["name"]].items()
        assert by_name["licences"]["longValue"] == 0
    assert [one["name"] for one in shown["registeredResources"]][-4:] == [
        one["name"] for one in own
    ]


@pytest.mark.parametrize(
    "resource",
    [
        {"name": "a b", "type": "INTEGER", "integerValue": 1},
        {"type": "INTEGER", "integerValue": 1},
        {"name": "a", "type": "INTEGER"},
        {"name": "a", "type": "INTEGER", "integerValue": -1},
        {"name": "a", "type": "LONG", "integerValue": 1},
        {"name": "a", "type": "DOUBLE"},
        {"name": "a", "type": "STRINGSET"},
        {"name": "a", "type": "STRINGSET", "stringSetValue": ["x" * 256]},
        {"name": "a", "type": "STRINGSET", "stringSetValue": ["x"] * 1001},
        {"name": "a", "type": "TEXT", "stringSetValue": ["x"]},
        {"name": "a", "integerValue": 1},
        {"name": "GPU", "type": "STRINGSET", "stringSetValue": ["0"]},
    ],
)
def test_a_resource_that_is_none_registers_nobody(house, resource):
    given = [*resources(), resource]
    house.refused(ACTION, "InvalidParameterException", by=house.host_key(), totalResources=given)


@pytest.mark.parametrize(
    "devices",
    [
        [{"id": "0", "type": "GPU"}] * 2,
        [{"id": "", "type": "GPU"}],
        [{"type": "GPU"}],
        [{"id": str(number), "type": "GPU"} for number in range(129)],
    ],
)
def test_a_device_that_is_none_registers_nobody(house, devices):
    house.refused(
        ACTION,
        "InvalidParameterException",
        by=house.host_key(),
        totalResources=resources(),
        platformDevices=devices,
    )


def test_a_host_is_counted_under_its_account(house):
    key = a_host(house, connect=False)
    assert f":{ACCOUNT}:container-instance/default/" in key.instance
    connect_host(house, key)
    found = house.read(lambda call: container_instances.get(call.tx, key.instance))
    assert (found.connected, found.agent_version) == (True, "1.0.0")
