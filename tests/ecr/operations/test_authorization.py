"""GetAuthorizationToken."""

import base64

import pytest

from moorage.ecr.store.logins import LOGINS, OF_KEY_MAX, SWEPT_AT_ONCE
from moorage.ground.instant import epoch, hours, later, seconds
from moorage.ground.record import evolve
from moorage.shapes.ecr.faults import InvalidParameterException
from tests.ecr.rig import ACCOUNT, OTHER


def test_a_token_for_docker(rig):
    (answer,) = rig.call("GetAuthorizationToken").authorization_data
    user, _, password = base64.b64decode(answer.authorization_token).decode().partition(":")
    assert user == "AWS"
    assert len(password) >= 64
    assert answer.proxy_endpoint == "http://127.0.0.1:4750"
    assert answer.expires_at == epoch(later(rig.clock.now(), hours(12)))
    kept = rig.work(lambda call: LOGINS.query().all(call.tx))
    assert password not in str(kept)


def test_each_call_gives_another(rig):
    tokens = {
        rig.call("GetAuthorizationToken").authorization_data[0].authorization_token
        for _ in range(20)
    }
    assert len(tokens) == 20


@pytest.mark.parametrize(
    ("registries", "allowed"),
    [(None, True), ([ACCOUNT], True), ([OTHER], False), ([ACCOUNT, OTHER], False), (["x"], False)],
)
def test_for_the_callers_own_registry(rig, registries, allowed):
    if allowed:
        answer = rig.call("GetAuthorizationToken", registry_ids=registries)
        assert len(answer.authorization_data) == 1
    else:
        with pytest.raises(InvalidParameterException):
            rig.call("GetAuthorizationToken", registry_ids=registries)


def test_expired_tokens_are_forgotten(rig):
    for _ in range(5):
        rig.login()
    rig.clock.advance(hours(13))
    assert SWEPT_AT_ONCE >= 5
    rig.login()
    assert rig.work(lambda call: LOGINS.query().count(call.tx)) == 1


def test_of_one_key_a_bounded_number_is_kept_and_the_oldest_goes(rig):
    rig.login(account=OTHER)
    rig.login()

    def fill(call):
        (mine,) = [one for one in LOGINS.query().all(call.tx) if one.account == ACCOUNT]
        for number in range(1, OF_KEY_MAX):
            expires_at = later(mine.expires_at, seconds(number))
            LOGINS.put(call.tx, evolve(mine, hash=str(number), expires_at=expires_at))
        return mine.hash

    first = rig.work(fill)
    rig.login()
    kept = {(one.account, one.hash) for one in rig.work(lambda call: LOGINS.query().all(call.tx))}
    assert len(kept) == OF_KEY_MAX + 1, "with the one of another account"
    assert (ACCOUNT, first) not in kept
    assert (ACCOUNT, "1") in kept
