"""The authority in the database: keys sealed, tokens that name it, rotations that crash anywhere."""

import pytest

from moorage.gateway.compose import TABLES
from moorage.ground.certificate import certificates_in, key_hash
from moorage.iam import trust
from moorage.iam.operations.join import create_join_token
from moorage.iam.rules.certificate import anchor
from moorage.iam.rules.trust import bundle
from moorage.iam.store import join_tokens, trusts
from moorage.shapes.moorage.host import CreateJoinTokenRequest
from tests.house import House

NAMES = ("registry.test", "127.0.0.1")


@pytest.fixture
def house():
    made = House(TABLES)
    yield made
    made.close()


def begin(house):
    return house.write(lambda call: trust.sign_ourselves(call.tx, call.vault))


def rotate(house):
    return house.write(lambda call: trust.rotate(call.tx, call.vault))


def finish(house):
    return house.write(lambda call: trust.finish(call.tx))


def token(house):
    answer = house.run(create_join_token, CreateJoinTokenRequest())
    return answer.token


def certified(house):
    def work(call):
        return trust.certify(call.tx, call.vault, trusts.get(call.tx), NAMES, call.now)

    return house.write(work)


def test_a_token_names_the_authority_that_signs(house):
    """A join token is SECRET over plain http, SECRET.HASH where an authority is to be believed."""
    assert "." not in token(house)
    known = begin(house)
    secret, _, told = token(house).partition(".")
    assert told == known.signing.hash == key_hash(bundle(known)[0])
    assert len(secret) >= 40
    house.write(lambda call: trust.take(call.tx, "system"))
    assert "." not in token(house)


@pytest.mark.parametrize("ending", ["", ".", ".0123"])
def test_a_token_is_spent_with_its_hash_or_without(house, ending):
    begin(house)
    secret = token(house).partition(".")[0]
    spent = house.write(
        lambda call: join_tokens.spend(call.tx, join_tokens.hash_of(secret + ending))
    )
    assert spent is not None


def test_beginning_again_changes_nothing(house):
    assert begin(house) == begin(house)


def test_no_row_holds_a_key_that_can_be_read(house):
    begin(house)
    rotate(house)
    row = house.read(lambda call: trusts.get(call.tx))
    told = repr(row)
    assert "PRIVATE" not in told
    assert "PRIVATE" in house.vault.reveal(row.signing.sealed_key)


def test_each_step_is_verified_by_who_knew_the_one_before(house):
    first = bundle(begin(house))
    assert anchor(certified(house).certificate, first)
    both = bundle(rotate(house))
    assert set(first) < set(both)
    assert anchor(certified(house).certificate, first)
    new = bundle(finish(house))
    shown = certified(house).certificate
    assert len(certificates_in(shown)) == 2
    assert anchor(shown, first)
    assert anchor(shown, both) == new[0]
    last = bundle(finish(house))
    assert last == new[:1]
    shown = certified(house).certificate
    assert len(certificates_in(shown)) == 1
    assert anchor(shown, new)
    assert anchor(shown, first) is None


def test_a_step_that_is_broken_off_was_never_taken(house):
    """A crash within a step leaves the step before: a rotation is one transaction."""
    begin(house)
    for step in (
        lambda call: trust.rotate(call.tx, call.vault),
        lambda call: trust.finish(call.tx),
        lambda call: trust.finish(call.tx),
    ):
        before = house.read(lambda call: trusts.get(call.tx))

        def crash(call, step=step):
            assert not isinstance(step(call), str)
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            house.write(crash)
        assert house.read(lambda call: trusts.get(call.tx)) == before
        assert not isinstance(house.write(step), str)
