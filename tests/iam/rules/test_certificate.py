"""Certificates: who is named, for how long, by whom; and that each chain leads where it should."""

import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from moorage.ground.certificate import certificates_in, key_hash
from moorage.ground.instant import Instant, hours, later
from moorage.iam.rules.certificate import (
    RENEWED_BEFORE,
    SERVER_LIFE,
    SKEW,
    anchor,
    belong,
    covers,
    cross_certificate,
    facts,
    is_due,
    is_for,
    is_name,
    is_signed_by,
)
from tests.certificates import NAMES, Office

NOW = Instant(1_800_000_000_000_000)


@pytest.fixture(scope="module")
def office():
    return Office(1, NOW)


def loaded(pem):
    return x509.load_pem_x509_certificate(pem.encode())


def test_an_authority_may_sign_and_nothing_else(office):
    read = loaded(office.authority.certificate)
    constraints = read.extensions.get_extension_for_class(x509.BasicConstraints)
    usage = read.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (constraints.critical, constraints.value.ca) == (True, True)
    assert (usage.key_cert_sign, usage.digital_signature) == (True, False)
    assert isinstance(read.public_key().curve, ec.SECP256R1)
    assert is_signed_by(office.authority.certificate, office.authority.certificate)


def test_a_server_is_named_by_dns_by_address_and_to_the_letter(office):
    """agent-protocol 3.1: Amazon's agent verifies its websockets against the text `name:port`."""
    made = office.sign("registry.lab", "registry.lab:8443", "10.0.0.5", "2001:db8::5")
    names = loaded(made.certificate).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert names.value.get_values_for_type(x509.DNSName) == ["registry.lab", "registry.lab:8443"]
    addresses = names.value.get_values_for_type(x509.IPAddress)
    assert [str(one) for one in addresses] == ["10.0.0.5", "2001:db8::5"]
    assert is_for(
        facts(made.certificate), ("10.0.0.5", "2001:DB8:0::5", *facts(made.certificate).names[:2])
    )
    assert not is_for(facts(made.certificate), ("registry.lab",))


def test_a_server_s_certificate_is_good_for_servers_only(office):
    read = loaded(office.sign().certificate)
    purposes = read.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [x509.ExtendedKeyUsageOID.SERVER_AUTH]
    constraints = read.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert not constraints.ca


@pytest.mark.parametrize(
    ("passed", "due"),
    [
        (-hours(2), True),  # its time has not come: the clock was set back
        (hours(0), False),
        (SERVER_LIFE - RENEWED_BEFORE - SKEW - 1, False),
        (SERVER_LIFE - RENEWED_BEFORE - SKEW, True),
        (SERVER_LIFE * 3, True),
    ],
)
def test_a_certificate_is_renewed_a_month_before_its_end(office, passed, due):
    assert is_due(facts(office.sign().certificate), later(NOW, passed)) is due


def test_no_certificate_outlives_its_authority():
    office = Office(2, NOW)
    late = later(NOW, hours(24 * 3600))
    assert (
        facts(office.sign(now=late).certificate).not_after
        == facts(office.authority.certificate).not_after
    )


def test_the_same_bytes_make_the_same_certificate():
    assert Office(3, NOW).sign() == Office(3, NOW).sign()
    assert Office(3, NOW).sign() != Office(4, NOW).sign()


def test_a_key_is_shown_by_nobody(office):
    assert "PRIVATE" in office.authority.key
    assert "PRIVATE" not in f"{office.authority} {office.sign()!r}"


def test_keys_belong_to_their_certificates(office):
    one, other = office.sign(), office.sign()
    assert belong(one.certificate, one.key)
    assert not belong(one.certificate, other.key)
    with pytest.raises(ValueError, match=r".+"):
        belong(one.certificate, "nothing")


def test_a_successor_is_believed_by_who_knows_the_old_one_only():
    old, new = Office(5, NOW), Office(6, NOW)
    cross = cross_certificate(old.authority, new.authority.certificate, old.entropy(), NOW)
    server = new.sign().certificate
    assert key_hash(cross) == key_hash(new.authority.certificate)
    assert anchor(server, (old.authority.certificate,)) is None
    assert anchor(server + cross, (old.authority.certificate,)) == old.authority.certificate
    both = (old.authority.certificate, new.authority.certificate)
    assert anchor(server + cross, both) == new.authority.certificate


def test_a_chain_that_goes_in_a_circle_ends():
    old, new = Office(5, NOW), Office(6, NOW)
    there = cross_certificate(old.authority, new.authority.certificate, old.entropy(), NOW)
    back = cross_certificate(new.authority, old.authority.certificate, new.entropy(), NOW)
    stranger = Office(7, NOW).authority.certificate
    assert anchor(new.sign().certificate + there + back, (stranger,)) is None


@pytest.mark.parametrize(
    ("name", "covered"),
    [
        ("registry.test", True),
        ("REGISTRY.test.", True),
        ("127.0.0.1", True),
        ("other.test", False),
        ("a.wild.test", True),
        ("a.b.wild.test", False),
        ("wild.test", False),
        ("127.0.0.2", False),
    ],
)
def test_names_are_covered_as_clients_judge(name, covered):
    assert covers((*NAMES, "*.wild.test"), name) is covered


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("registry.lab", True),
        ("registry.lab:4750", True),
        ("10.0.0.5", True),
        ("::1", True),
        ("*.lab", True),
        ("bücher.lab", False),
        ("two words", False),
        ("", False),
        ("a..b", False),
    ],
)
def test_names_that_a_certificate_can_have(name, good):
    assert is_name(name) is good


@pytest.mark.parametrize(
    "text", ["", "nothing", "-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n"]
)
def test_a_text_without_certificates_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        certificates_in(text)


def test_a_bundle_is_taken_apart_without_what_stands_between(office):
    one, two = office.authority.certificate, Office(8, NOW).authority.certificate
    text = f"# a comment\n{one}{office.authority.key}\n{two}"
    assert certificates_in(text) == (one, two)


def test_openssl_reads_what_we_write(office):
    ssl.create_default_context(cadata=office.authority.certificate)
