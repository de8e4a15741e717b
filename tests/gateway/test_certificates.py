"""What lies in keys/: made where it is missing, damaged, due or of other names, and else left."""

from pathlib import Path

import pytest

from moorage.gateway.certificates import BUNDLE_FILE, CHAIN_FILE, KEY_FILE, OwnAuthority
from moorage.gateway.compose import TABLES
from moorage.gateway.settings import Settings
from moorage.ground.certificate import certificates_in
from moorage.ground.instant import hours
from moorage.iam import trust
from moorage.iam.rules.certificate import anchor, belong, facts, is_signed_by
from tests.house import House

DAYS = hours(24)


@pytest.fixture
def house():
    made = House(TABLES)
    yield made
    made.close()


@pytest.fixture
def data(tmp_path):
    (tmp_path / "keys").mkdir()
    return tmp_path


def source(house, data, **members):
    settings = Settings(**{"data": str(data), "public_names": ("registry.test",), **members})
    return OwnAuthority(settings, house.database, house.vault, house.clock)


def kept(data):
    return {file: (data / file).read_text() for file in (BUNDLE_FILE, CHAIN_FILE, KEY_FILE)}


def test_a_first_start_makes_all_of_it(house, data):
    served = source(house, data).load(None)
    files = kept(data)
    assert (data / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert (data / BUNDLE_FILE).stat().st_mode & 0o777 == 0o644
    assert "PRIVATE" not in files[BUNDLE_FILE] + files[CHAIN_FILE]
    assert belong(files[CHAIN_FILE], files[KEY_FILE])
    assert is_signed_by(certificates_in(files[CHAIN_FILE])[0], files[BUNDLE_FILE])
    assert {"registry.test", "registry.test:4750", "127.0.0.1"} <= set(served.found.names)


def test_another_start_leaves_it(house, data):
    source(house, data).load(None)
    before = kept(data)
    source(house, data).load(None)
    assert kept(data) == before


def test_nothing_new_is_the_very_same(house, data):
    own = source(house, data)
    served = own.load(None)
    assert own.load(served) is served


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: (data / KEY_FILE).unlink(),
        lambda data: (data / CHAIN_FILE).unlink(),
        lambda data: (data / CHAIN_FILE).write_text("half of a certif"),
        lambda data: (data / KEY_FILE).write_text("half of a k"),
        lambda data: (data / KEY_FILE).write_bytes(b"\xff\x00"),
        lambda data: (data / CHAIN_FILE).write_text((data / BUNDLE_FILE).read_text()),
        lambda data: (data / BUNDLE_FILE).unlink(),
        lambda data: (data / BUNDLE_FILE).write_text("old"),
    ],
)
def test_what_a_crash_or_a_hand_has_spoiled_is_made_anew(house, data, spoil):
    source(house, data).load(None)
    spoil(data)
    served = source(house, data).load(None)
    files = kept(data)
    assert belong(files[CHAIN_FILE], files[KEY_FILE])
    assert is_signed_by(certificates_in(served.chain)[0], files[BUNDLE_FILE])


def test_a_crash_between_key_and_certificate_is_mended(house, data):
    """The key is written first; until the certificate follows, the two do not belong together."""
    own = source(house, data)
    own.load(None)
    before = kept(data)
    house.clock.advance(70 * DAYS)
    own.load(None)
    (data / CHAIN_FILE).write_text(before[CHAIN_FILE])
    served = source(house, data).load(None)
    assert belong(certificates_in(served.chain)[0], (data / KEY_FILE).read_text())


def test_other_names_make_another_certificate_by_the_same_authority(house, data):
    source(house, data).load(None)
    before = kept(data)
    served = source(house, data, public_names=("registry.test", "other.test")).load(None)
    assert "other.test" in served.found.names
    assert kept(data)[BUNDLE_FILE] == before[BUNDLE_FILE]


def test_it_renews_itself_while_the_server_runs(house, data):
    own = source(house, data)
    first = own.load(None)
    house.clock.advance(59 * DAYS)
    assert own.load(first) is first
    house.clock.advance(2 * DAYS)
    second = own.load(first)
    assert second is not first
    assert second.context is not first.context
    assert second.found.not_after - first.found.not_after >= 60 * DAYS
    assert own.load(second) is second


def test_a_clock_that_was_set_back_makes_another(house, data):
    own = source(house, data)
    first = own.load(None)
    house.clock.jump(-3 * DAYS)
    assert own.load(first).found.not_before < first.found.not_before


def test_each_step_of_a_rotation_is_served_though_the_server_crashed_after_it(house, data):
    """After each step the process dies before any file is written; the next start mends all."""
    source(house, data).load(None)
    old = (data / BUNDLE_FILE).read_text()
    house.write(lambda call: trust.rotate(call.tx, call.vault))
    served = source(house, data).load(None)
    assert anchor(served.chain, certificates_in(old)) is not None
    both = certificates_in((data / BUNDLE_FILE).read_text())
    assert len(both) == 2
    house.write(lambda call: trust.finish(call.tx))
    served = source(house, data).load(None)
    assert anchor(served.chain, certificates_in(old)) is not None
    assert anchor(served.chain, both[1:]) is not None
    assert certificates_in((data / BUNDLE_FILE).read_text()) == both[::-1]
    house.write(lambda call: trust.finish(call.tx))
    served = source(house, data).load(None)
    assert len(certificates_in(served.chain)) == 1
    assert certificates_in((data / BUNDLE_FILE).read_text()) == both[1:]


def test_the_old_authority_leaves_by_itself(house, data):
    own = source(house, data)
    own.load(None)
    house.write(lambda call: trust.rotate(call.tx, call.vault))
    house.write(lambda call: trust.finish(call.tx))
    served = own.load(None)
    house.clock.advance(31 * DAYS)
    left = own.load(served)
    assert len(certificates_in(left.chain)) == 1
    assert len(certificates_in((data / BUNDLE_FILE).read_text())) == 1


def test_an_authority_near_its_end_is_spoken_of(house, data, caplog):
    own = source(house, data)
    own.load(None)
    assert "rotate" not in caplog.text
    house.clock.advance(9 * 366 * DAYS)
    own.load(None)
    assert "moorage authority rotate" in caplog.text
    assert facts((data / BUNDLE_FILE).read_text()).not_after > house.clock.now()


def test_no_log_shows_a_key(house, data, caplog):
    caplog.set_level("DEBUG")
    source(house, data).load(None)
    key = (data / KEY_FILE).read_text().splitlines()[1]
    assert key not in caplog.text
    assert Path(data / KEY_FILE).name not in caplog.text
