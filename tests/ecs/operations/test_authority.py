"""The operator shows and rotates the authority; hosts are told, confirm, and are waited for."""

import pytest

from moorage.acs.messages import AckRequest, AuthorityMessage
from moorage.ecs import api
from moorage.ecs.operations.authority import (
    describe_authority,
    finish_authority_rotation,
    rotate_authority,
)
from moorage.ecs.store import container_instances
from moorage.ground.fault import AccessDenied, Validation
from moorage.ground.principal import Principal
from moorage.ground.record import evolve
from moorage.iam import trust
from moorage.iam.authorize import authorize
from moorage.iam.rules.trust import bundle
from moorage.iam.store import trusts
from moorage.shapes.moorage.authority import (
    DescribeAuthorityRequest,
    FinishAuthorityRotationRequest,
    RotateAuthorityRequest,
)
from moorage.wire import json11
from tests.builders import a_host, root

OPERATOR = Principal(kind="operator", account="000000000000")


@pytest.fixture
def own(house):
    """A house whose server speaks TLS by its own authority."""
    house.write(lambda call: trust.sign_ourselves(call.tx, call.vault))
    return house


def asked(house, operation, request, by=OPERATOR):
    return house.run(operation, request, authorize, principal=by)


def describe(house):
    return asked(house, describe_authority, DescribeAuthorityRequest())


def rotate(house, by=OPERATOR):
    return asked(house, rotate_authority, RotateAuthorityRequest(), by).authority


def finish(house, *, force=None):
    request = FinishAuthorityRotationRequest(force=force)
    return asked(house, finish_authority_rotation, request).authority


def told(house, host, *, on_connect=False):
    found = house.write(lambda call: api.AGENT.outgoing(call, host.instance, on_connect))
    return [one for one in found.notices if isinstance(one, AuthorityMessage)]


def confirm(house, host, message):
    acknowledge = api.AGENT.messages[AckRequest]
    answer = AckRequest(message_id=message.message_id)
    house.write(lambda call: acknowledge(call, host.instance, answer), principal=host)


def known(house):
    return bundle(house.read(lambda call: trusts.get(call.tx)))


def instance(house, host):
    return house.read(lambda call: container_instances.get(call.tx, host.instance))


def roles(answer):
    return [one.role for one in answer.certificates]


def test_a_rotation_from_its_beginning_to_its_end(own):
    assert roles(describe(own)) == ["signing"]
    assert roles(rotate(own)) == ["signing", "coming"]
    middle = finish(own)
    assert roles(middle) == ["signing", "leaving"]
    assert middle.leaves_at is not None
    last = finish(own)
    assert (roles(last), last.stage, last.leaves_at) == (["signing"], "steady", None)


def test_a_step_out_of_turn_is_refused_with_the_reason(own):
    with pytest.raises(Validation, match="No rotation is under way"):
        finish(own)
    rotate(own)
    with pytest.raises(Validation, match="under way already"):
        rotate(own)


@pytest.mark.parametrize("source", ["none", "system", "given"])
def test_what_is_not_ours_is_not_ours_to_rotate(own, source):
    certificates = known(own) if source == "given" else ()
    own.write(lambda call: trust.take(call.tx, source, certificates))
    assert describe(own).source == source
    assert roles(describe(own)) == ["given"] * len(certificates)
    with pytest.raises(Validation, match="nothing here to rotate"):
        rotate(own)


def test_only_the_operator_may(own):
    for by in (root(), a_host(own)):
        with pytest.raises(AccessDenied):
            rotate(own, by)


def test_no_answer_holds_a_key(own):
    assert b"PRIVATE" not in json11.encode(rotate(own)) + json11.encode(finish(own))


def test_a_host_is_told_with_each_connection_and_after_each_change(own):
    host = a_host(own)
    (first,) = told(own, host, on_connect=True)
    assert first.certificates == known(own)
    assert told(own, host) == []
    rotate(own)
    (second,) = told(own, host)
    assert second.certificates == known(own)
    assert second.message_id != first.message_id
    assert told(own, host) == []
    assert told(own, host, on_connect=True) == [second]


def test_a_change_wakes_the_hosts_that_are_connected(own):
    here, away = a_host(own, "here"), a_host(own, "away", connect=False)
    woken = []
    own.database.watch(lambda changes: woken.extend(one.key for one in changes))
    rotate(own)
    assert here.instance in woken
    assert away.instance not in woken


def test_amazon_s_agents_and_plain_servers_hear_nothing_of_it(own, house):
    amazon = a_host(own, "amazon")
    bare = evolve(instance(own, amazon), attributes=())
    house.write(lambda call: container_instances.note(call.tx, bare))
    assert told(own, amazon, on_connect=True) == []
    ours = a_host(own, "ours")
    house.write(lambda call: trust.take(call.tx, "none"))
    assert told(own, ours, on_connect=True) == []


def test_a_rotation_waits_for_connected_hosts_of_ours(own):
    slow, away = a_host(own, "slow"), a_host(own, "away", connect=False)
    (before,) = told(own, slow, on_connect=True)
    rotate(own)
    assert [one.name for one in describe(own).waiting_for] == ["slow"]
    confirm(own, slow, before)  # of the bundle before: it says nothing of the new one
    with pytest.raises(Validation, match="slow"):
        finish(own)
    (message,) = told(own, slow)
    confirm(own, slow, message)
    assert describe(own).waiting_for == []
    assert roles(finish(own)) == ["signing", "leaving"]
    assert instance(own, away).authority_kept == 0


def test_a_person_may_go_on_regardless(own):
    a_host(own, "deaf")
    rotate(own)
    assert roles(finish(own, force=True)) == ["signing", "leaving"]


def test_many_that_are_waited_for_are_counted(own):
    for number in range(13):
        a_host(own, f"host-{number}")
    rotate(own)
    with pytest.raises(Validation, match="and 3 more"):
        finish(own)


def test_nobody_confirms_what_was_never_told(own):
    host = a_host(own)
    (message,) = told(own, host, on_connect=True)
    made_up = message.message_id.rsplit(".", 1)[0] + ".99"
    confirm(own, host, AuthorityMessage(message_id=made_up, certificates=()))
    assert instance(own, host).authority_kept == 0
    confirm(own, host, message)
    assert instance(own, host).authority_kept == instance(own, host).authority_told == 1
