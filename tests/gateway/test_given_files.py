"""Files of the operator's: used as they are, or refused with the reason and what to do."""

import re

import pytest

from moorage.gateway.certificates import BUNDLE_FILE, CertificateRefused
from moorage.gateway.compose import TABLES
from moorage.gateway.given_files import GivenFiles
from moorage.gateway.settings import Settings
from moorage.ground.clock import SystemClock
from moorage.ground.instant import hours, later
from moorage.iam.rules.trust import bundle
from moorage.iam.store import trusts
from tests.certificates import Office
from tests.house import House

DAYS = hours(24)
CLOCK = SystemClock()


@pytest.fixture(scope="module")
def office():
    return Office(1)


@pytest.fixture
def house():
    made = House(TABLES)
    yield made
    made.close()


class Desk:
    """The settings of a server with given files, and where they lie."""

    def __init__(self, house, office, folder) -> None:
        self.house, self.data = house, folder / "data"
        (self.data / "keys").mkdir(parents=True)
        self.files = office.write(folder / "given")
        self.members = {
            "certificate": str(self.files.certificate),
            "key": str(self.files.key),
            "authority": str(self.files.authority),
            "public_names": ("registry.test",),
        }

    def load(self, before=None, **members):
        settings = Settings(data=str(self.data), **{**self.members, **members})
        return GivenFiles(settings, self.house.database, CLOCK).load(before)

    def trust(self):
        return self.house.read(lambda call: trusts.get(call.tx))


@pytest.fixture
def desk(house, office, tmp_path):
    return Desk(house, office, tmp_path)


def test_good_files_are_served_and_their_authority_is_told(desk, office):
    served = desk.load()
    assert served.chain == desk.files.certificate.read_text()
    assert bundle(desk.trust()) == (office.authority.certificate,)
    assert (desk.data / BUNDLE_FILE).read_text() == office.authority.certificate


def test_without_an_authority_clients_trust_by_their_systems(desk):
    desk.load()
    desk.load(authority="")
    assert (desk.trust().source, bundle(desk.trust())) == ("system", ())
    assert not (desk.data / BUNDLE_FILE).exists()


def test_the_authority_that_signed_is_told_first(desk, office):
    other = Office(2).authority.certificate
    desk.files.authority.write_text(other + office.authority.certificate)
    desk.load()
    assert bundle(desk.trust()) == (office.authority.certificate, other)


def test_unchanged_files_are_the_very_same(desk):
    served = desk.load()
    assert desk.load(served) is served


def test_new_files_are_served(desk, office):
    served = desk.load()
    office.write(desk.files.certificate.parent)
    assert desk.load(served).chain == desk.files.certificate.read_text() != served.chain


def expired(desk, office):
    office.write(desk.files.key.parent, now=later(CLOCK.now(), -100 * DAYS))


def early(desk, office):
    office.write(desk.files.key.parent, now=later(CLOCK.now(), 2 * DAYS))


def foreign_key(desk, office):
    desk.files.key.write_text(office.sign().key)


def foreign_authority(desk, _office):
    desk.files.authority.write_text(Office(2).authority.certificate)


def other_names(desk, office):
    office.write(desk.files.key.parent, "other.test", "third.test")


def sealed_key(desk, _office):
    desk.files.key.write_text(
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"
    )


def gone(desk, _office):
    desk.files.certificate.unlink()


def no_certificate(desk, _office):
    desk.files.certificate.write_text("nothing")


def no_authority(desk, _office):
    desk.files.authority.write_text("nothing")


SPOILS = [
    (expired, ("server.pem expired at", "get a new one")),
    (early, ("server.pem is good from", "clock")),
    (foreign_key, ("server-key.pem is not the key",)),
    (sealed_key, ("server-key.pem holds no private key", "without a password")),
    (foreign_authority, ("No authority in", "ca.pem has signed")),
    (other_names, ("not one for registry.test:4750", "it names other.test, third.test")),
    (gone, ("server.pem cannot be read",)),
    (no_certificate, ("server.pem holds no certificate",)),
    (no_authority, ("ca.pem holds no certificate",)),
]


@pytest.mark.parametrize(("spoil", "told"), SPOILS, ids=lambda one: getattr(one, "__name__", ""))
def test_what_clients_would_refuse_is_refused_at_once(desk, office, spoil, told):
    spoil(desk, office)
    with pytest.raises(CertificateRefused) as refused:
        desk.load()
    for part in told:
        assert re.search(re.escape(part), str(refused.value)), str(refused.value)
    assert desk.trust().version == 0, "nothing is told of what is not served"


def test_a_certificate_near_its_end_is_spoken_of(desk, office, caplog):
    office.write(desk.files.key.parent, now=later(CLOCK.now(), -80 * DAYS))
    desk.load()
    assert "expires at" in caplog.text


def test_a_name_that_only_amazon_s_agent_misses_is_mentioned(desk, office, caplog):
    caplog.set_level("INFO")
    office.write(desk.files.key.parent, "registry.test")
    desk.load()
    assert "Amazon's own agent" in caplog.text
