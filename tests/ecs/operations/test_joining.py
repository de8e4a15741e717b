"""Join: a machine becomes a host, or again the host that it was; and a host that changes its key."""

import json

import pytest

from moorage.acs.messages import RotateKeyMessage
from moorage.ecs import api
from moorage.ecs.controllers.assignments import outgoing
from moorage.ecs.operations.joining import join
from moorage.ecs.operations.key_rotation import request_host_key_rotation
from moorage.ecs.store import container_instances
from moorage.gateway.keyring import principal_of
from moorage.ground.fault import AccessDenied, ReplacedKey, Validation
from moorage.ground.instant import minutes, seconds
from moorage.ground.principal import Principal
from moorage.ground.record import evolve
from moorage.iam.authorize import authorize
from moorage.iam.keys import UNUSED_KEY_LIFE, bind
from moorage.iam.operations.host_key import rotate_host_key
from moorage.iam.operations.join import create_join_token
from moorage.iam.store import access_keys
from moorage.shapes.moorage.host import (
    CreateJoinTokenRequest,
    JoinRequest,
    RequestHostKeyRotationRequest,
    RotateHostKeyRequest,
)
from tests.builders import ACCOUNT, CAPABILITIES, OTHER, a_host, a_task, resources, root

NOBODY = Principal(kind="anonymous", account="")
ACTION = "RegisterContainerInstance"


def a_token(house, cluster="default", account=ACCOUNT, **members):
    request = CreateJoinTokenRequest(cluster=cluster, **members)
    return house.run(create_join_token, request, authorize, principal=root(account)).token


def joined(house, token, name="host-1", previous=None):
    request = JoinRequest(token=token, name=name, previous_instance=previous)
    return house.run(join, request, authorize, principal=NOBODY)


def the_key(house, key_id):
    return house.read(lambda call: access_keys.get(call.tx, key_id))


def holder(house, answer):
    """Who signs with a key that was just given."""
    return principal_of(the_key(house, answer.access_key_id))


def register(house, key, **members):
    given = {"totalResources": resources(), "attributes": [{"name": n} for n in CAPABILITIES]}
    return house.ask(ACTION, by=key, **given, **members)["containerInstance"]


def gone(house, host, how="closed"):
    house.write(lambda call: api.AGENT.disconnected(call, host.instance, how), principal=host)


def change(house, arn, **members):
    def work(call):
        found = container_instances.get(call.tx, arn)
        container_instances.write(call.tx, evolve(found, **members))

    house.write(work)


def test_a_join_token_admits_as_many_hosts_as_it_says(house):
    token = a_token(house, "web", uses=2)
    for name in ("a", "b"):
        answer = joined(house, token, name)
        assert (answer.account_id, answer.cluster) == (ACCOUNT, "web")
        key = the_key(house, answer.access_key_id)
        assert (key.kind, key.name, key.cluster, key.instance) == ("host", name, "web", "")
    with pytest.raises(AccessDenied, match="used up"):
        joined(house, token, "c")


def test_a_join_token_expires(house):
    token = a_token(house, ttl_seconds=60)
    house.clock.advance(seconds(60))
    with pytest.raises(AccessDenied, match="moorage host token"):
        joined(house, token)


@pytest.mark.parametrize("name", [None, "", "a b", "x" * 65, "../etc"])
def test_a_host_with_a_bad_name_spends_nothing(house, name):
    token = a_token(house)
    with pytest.raises(Validation, match="name"):
        joined(house, token, name)
    joined(house, token, "good")


def test_a_machine_that_lost_what_it_knew_is_the_same_host_at_once(house):
    """Its agent was killed and its folder emptied: the server saw no more than a cut connection."""
    before = a_host(house)
    task = a_task(house)
    gone(house, before)
    answer = joined(house, a_token(house), previous=before.instance)
    again = holder(house, answer)
    assert again.instance == before.instance
    assert the_key(house, before.access_key_id).replaced
    shown = register(house, again, clientToken="second")
    assert shown["containerInstanceArn"] == task["containerInstanceArn"] == before.instance
    # Whoever still has the old key is told, by whatever it calls.
    old = principal_of(the_key(house, before.access_key_id))
    for action, members in {
        ACTION: {"containerInstanceArn": before.instance, "totalResources": resources()},
        "DiscoverPollEndpoint": {"containerInstance": before.instance},
        "SubmitTaskStateChange": {"task": task["taskArn"], "status": "STOPPED"},
    }.items():
        told = house.refused(action, ReplacedKey.code, by=old, **members)
        assert "join with a new token" in told


REFUSED = {
    "connected": ({}, "connected to the cluster default already"),
    "its key would open another account": ({"account": OTHER}, "of another server"),
    "another cluster": ({"cluster": "web"}, "--cluster default"),
    "another name": ({"name": "host-9"}, "--name host-1"),
    "deregistered": ({"status": "INACTIVE"}, "which was deregistered"),
    "unknown here": ({"previous": f"arn:aws:ecs:x:{ACCOUNT}:container-instance/c/1"}, "docker rm"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_who_is_not_that_host_is_refused_and_spends_nothing(house, why):
    given, said = REFUSED[why]
    before = a_host(house)
    if why != "connected":
        gone(house, before)
    if "status" in given:
        change(house, before.instance, status=given["status"])
    token = a_token(house, given.get("cluster", "default"), given.get("account", ACCOUNT))
    previous, name = given.get("previous", before.instance), given.get("name", "host-1")
    with pytest.raises(Validation) as told:
        joined(house, token, name, previous)
    assert said in told.value.message
    assert not the_key(house, before.access_key_id).replaced
    assert joined(house, token, "another").access_key_id


def test_a_name_that_is_taken_is_refused_before_the_token_is_spent(house):
    before = a_host(house)
    token = a_token(house)
    with pytest.raises(Validation, match="--name"):
        joined(house, token)
    gone(house, before, "goodbye")
    again = holder(house, joined(house, token))
    assert register(house, again)["containerInstanceArn"] == before.instance


def rotated(house, host):
    return house.run(rotate_host_key, RotateHostKeyRequest(), authorize, principal=host)


def test_two_keys_are_good_until_the_new_one_is_used(house):
    host = a_host(house)
    answer = rotated(house, host)
    new = the_key(house, answer.access_key_id)
    assert (new.instance, new.name, new.cluster) == (host.instance, host.name, host.cluster)
    assert not the_key(house, host.access_key_id).replaced
    register(house, host, containerInstanceArn=host.instance)  # the old one still opens
    assert the_key(house, new.id) is None, "a registration says which key speaks for the host"


def test_the_old_key_goes_with_the_first_use_of_the_new_one(house):
    host = a_host(house)
    ids = [host.access_key_id]
    for _ in range(3):
        before = evolve(host, access_key_id=ids[-1])
        ids.append(rotated(house, before).access_key_id)
        house.write(lambda call: bind(call.tx, ids[-1], host.instance))
        assert the_key(house, ids[-2]).replaced
        assert the_key(house, ids[-1]).lapses_at is None
    kept = house.read(lambda call: access_keys.of_instance(call.tx, host.instance))
    assert {key.id for key in kept} == set(ids[-2:]), "of those before, only the last is known"


def test_a_new_key_that_is_never_used_makes_way_for_the_next(house):
    host = a_host(house)
    first, second = rotated(house, host), rotated(house, host)
    assert the_key(house, first.access_key_id) is None
    made = the_key(house, second.access_key_id)
    assert made.lapses_at == house.clock.now() + UNUSED_KEY_LIFE
    house.clock.advance(minutes(11))
    assert not the_key(house, host.access_key_id).replaced


def test_only_a_registered_host_changes_its_key(house):
    with pytest.raises(AccessDenied, match="not registered yet"):
        rotated(house, house.host_key())
    with pytest.raises(AccessDenied):
        house.run(rotate_host_key, RotateHostKeyRequest(), authorize, principal=root())


def asked(house, text, cluster="default"):
    request = RequestHostKeyRotationRequest(cluster=cluster, host=text)
    return house.run(request_host_key_rotation, request, authorize)


def told(house, host):
    notices = house.write(lambda call: outgoing(call, host.instance, False)).notices
    return [one for one in notices if isinstance(one, RotateKeyMessage)]


@pytest.mark.parametrize("way", ["name", "id", "arn"])
def test_a_host_is_told_to_change_its_key_until_it_has(house, way):
    host = a_host(house)
    texts = {"name": host.name, "id": host.instance.rpartition("/")[2], "arn": host.instance}
    assert told(house, host) == []
    answer = asked(house, texts[way])
    assert (answer.container_instance_arn, answer.connected) == (host.instance, True)
    assert len(told(house, host)) == 1
    register(house, host, containerInstanceArn=host.instance)
    assert len(told(house, host)) == 1, "with the same key it has not done so"
    new = evolve(host, access_key_id=rotated(house, host).access_key_id)
    register(house, new, containerInstanceArn=host.instance)
    assert told(house, host) == []


def test_whom_nobody_can_ask(house):
    host = a_host(house)
    with pytest.raises(Validation, match="has no host nobody"):
        asked(house, "nobody")
    change(house, host.instance, attributes=())
    with pytest.raises(Validation, match="not Moorage's own"):
        asked(house, host.name)


def test_a_second_agent_of_one_identity_waits_while_the_first_is_here(house):
    """A machine was cloned: two agents with one key (F27)."""
    host = a_host(house)
    change(house, host.instance, client_token="first")
    members = {"containerInstanceArn": host.instance, "clientToken": "second"}
    given = {"totalResources": resources(), "attributes": [{"name": n} for n in CAPABILITIES]}
    sentence = house.refused(ACTION, "ThrottlingException", by=host, **members, **given)
    assert "cloned" in sentence
    register(house, host, containerInstanceArn=host.instance, clientToken="first")
    # Amazon's agents name each try, and not themselves.
    house.ask(ACTION, by=host, totalResources=resources(), **members)
    change(house, host.instance, client_token="first", suspect=True)
    register(house, host, **members)
    gone(house, host)
    register(house, host, containerInstanceArn=host.instance, clientToken="third")


def test_an_answer_holds_no_more_than_it_says(house):
    answer = rotated(house, a_host(house))
    sealed = json.dumps(str(the_key(house, answer.access_key_id)))
    assert answer.secret_access_key not in sealed
