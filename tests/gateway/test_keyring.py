"""Keys in memory: found, forgotten when they change, and never remembered from before a change."""

import pytest

from moorage.gateway.keyring import Keyring
from moorage.ground.record import evolve
from moorage.iam.api import TABLES
from moorage.iam.keys import UNUSED_KEY_LIFE, Holder, bind, issue, successor
from moorage.iam.store import access_keys
from tests.house import ACCOUNT, House

INSTANCE = f"arn:aws:ecs:us-east-1:{ACCOUNT}:container-instance/default/{'a' * 32}"


@pytest.fixture
def house():
    made = House(TABLES)
    yield made
    made.close()


@pytest.fixture
def ring(house):
    made = Keyring(house.vault)
    house.database.watch(made.changed)
    return made


def a_key(house, kind="host"):
    holder = Holder(account=ACCOUNT, kind=kind, name="host-1", region="eu-west-1", cluster="web")
    return house.write(lambda call: issue(call.tx, call.vault, holder))


def load(house, ring, key):
    age = ring.age
    known = house.database.read(lambda tx: ring.load(tx, key.id)).result()
    return known, age


def test_a_key_is_loaded_with_its_secret_and_kept(house, ring):
    key, secret = a_key(house)
    known, age = load(house, ring, key)
    ring.keep(known, age)
    assert ring.get(key.id).secret == secret
    assert secret not in repr(ring.get(key.id))
    assert house.database.read(lambda tx: ring.load(tx, "AKIANOBODY")).result() is None


def test_a_changed_key_is_forgotten(house, ring):
    key, _ = a_key(house)
    known, age = load(house, ring, key)
    ring.keep(known, age)
    house.write(lambda call: access_keys.delete(call.tx, key.id))
    assert ring.get(key.id) is None


def test_a_key_that_was_revoked_while_it_was_loaded_is_not_remembered(house, ring):
    # The read saw the row, the delete was committed, and only then the key would be kept: for as
    # long as the server runs it would have opened the door.
    key, _ = a_key(house)
    known, age = load(house, ring, key)
    house.write(lambda call: access_keys.delete(call.tx, key.id))
    ring.keep(known, age)
    assert ring.get(key.id) is None


@pytest.mark.parametrize(
    ("kind", "region"), [("host", "eu-west-1"), ("root", ""), ("operator", "")]
)
def test_a_host_is_bound_to_the_region_of_its_key(house, ring, kind, region):
    key, _ = a_key(house, kind)
    known, _ = load(house, ring, key)
    assert (known.principal.region, known.principal.retired) == (region, False)


def test_a_retired_key_says_so(house, ring):
    key, _ = a_key(house)
    house.write(lambda call: access_keys.put(call.tx, evolve(key, instance=INSTANCE, retired=True)))
    known, _ = load(house, ring, key)
    assert (known.principal.instance, known.principal.retired) == (INSTANCE, True)


def test_a_new_key_lapses_where_it_is_not_used(house, ring):
    old, _ = a_key(house)
    house.write(lambda call: bind(call.tx, old.id, INSTANCE))
    kept = house.read(lambda call: access_keys.get(call.tx, old.id))
    new, _ = house.write(lambda call: successor(call.tx, call.vault, kept))
    known, age = load(house, ring, new)
    assert known.unused
    ring.keep(known, age)
    assert ring.get(new.id) is None, "it is asked for anew until it was used"
    house.clock.advance(UNUSED_KEY_LIFE)
    assert load(house, ring, new)[0] is None
    assert not load(house, ring, old)[0].principal.replaced
