"""Certificates, written and read: authorities, the server's, and what a given one must be like.

X.509 as RFC 5280 has it; keys are ECDSA on P-256. All randomness comes in as bytes, so the same
bytes make the same certificate.
"""

import ipaddress
import re

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from moorage.ground.certificate import certificates_in, key_hash
from moorage.ground.instant import (
    Duration,
    Instant,
    as_datetime,
    earlier,
    from_datetime,
    hours,
    later,
)
from moorage.ground.record import Record

AUTHORITY_LIFE: Duration = hours(10 * 365 * 24)
SERVER_LIFE: Duration = hours(90 * 24)
# A server's certificate is made anew when so much of its life is left.
RENEWED_BEFORE: Duration = hours(30 * 24)
# Clocks of clients may be behind by so much.
SKEW: Duration = hours(1)
# FIPS 186-5, A.2.1: 64 bits more than the order, so that the remainder is as good as even.
_KEY_BYTES = 40
_SERIAL_BYTES = 19  # RFC 5280, 4.1.2.2: at most 20, positive
ENTROPY_BYTES = _KEY_BYTES + _SERIAL_BYTES
COMMON_NAME_LENGTH_MAX = 64  # RFC 5280, appendix A, ub-common-name
CHAIN_LENGTH_MAX = 8
# An authority of ours may certify its successor, and that one servers.
_PATH_LENGTH = 1
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_SHORT_DIGITS = 8
_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
_HOST_NAME = re.compile(r"(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?(:[0-9]+)?", re.ASCII)


class Issued(Record):
    """A certificate and its private key, both PEM."""

    certificate: str
    key: str

    def __repr__(self) -> str:
        """Print without the key."""
        return f"Issued({key_hash(self.certificate)})"


class Facts(Record):
    """What a certificate says: whose it is, for which names, from when until when."""

    subject: str
    names: tuple[str, ...]
    not_before: Instant
    not_after: Instant
    hash: str


def new_authority(entropy: bytes, now: Instant) -> Issued:
    """An authority for ten years, made of `entropy` (ENTROPY_BYTES)."""
    key = _key(entropy)
    public = key.public_key()
    digest = x509.SubjectKeyIdentifier.from_public_key(public).digest.hex()
    subject = _named(f"Moorage authority {digest[:_SHORT_DIGITS]}")
    builder = _builder(subject, subject, public, (earlier(now, SKEW), AUTHORITY_LIFE))
    return Issued(certificate=_signed(_as_authority(builder), key, entropy), key=_written(key))


def cross_certificate(authority: Issued, successor: str, entropy: bytes, now: Instant) -> str:
    """The certificate (PEM) by which `authority` vouches for the key of `successor` (PEM)."""
    issuer, heir = _read(authority.certificate), _read(successor)
    validity = _until(issuer, now, AUTHORITY_LIFE)
    builder = _builder(heir.subject, issuer.subject, heir.public_key(), validity)
    return _signed(_as_authority(builder), _private(authority.key), entropy)


def server_certificate(
    authority: Issued, names: tuple[str, ...], entropy: bytes, now: Instant
) -> Issued:
    """A certificate for a server of those names, signed by `authority`, for 90 days.

    A name that is an IP address becomes one; every other one is taken to the letter as a DNS name,
    `name:port` too (Amazon's agent asks for that on its websockets).
    """
    key, issuer = _key(entropy), _read(authority.certificate)
    subject = _named(names[0][:COMMON_NAME_LENGTH_MAX])
    builder = _builder(subject, issuer.subject, key.public_key(), _until(issuer, now, SERVER_LIFE))
    builder = (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage("digital_signature"), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(list(map(_general, names))), critical=False)
    )
    certificate = _signed(builder, _private(authority.key), entropy)
    return Issued(certificate=certificate, key=_written(key))


def facts(certificate: str) -> Facts:
    """What a certificate (PEM) says; raises ValueError where the text is none."""
    read = _read(certificate)
    try:
        found = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        dns = tuple(found.get_values_for_type(x509.DNSName))
        addresses = tuple(map(str, found.get_values_for_type(x509.IPAddress)))
    except x509.ExtensionNotFound:
        dns = addresses = ()
    return Facts(
        subject=read.subject.rfc4514_string(),
        names=(*dns, *addresses),
        not_before=from_datetime(read.not_valid_before_utc),
        not_after=from_datetime(read.not_valid_after_utc),
        hash=key_hash(certificate),
    )


def is_due(found: Facts, now: Instant) -> bool:
    """Whether a server's certificate of ours is to be made anew by now."""
    return now < found.not_before or now >= earlier(found.not_after, RENEWED_BEFORE)


def belong(certificate: str, key: str) -> bool:
    """Whether a private key (PEM) is that of a certificate; raises ValueError for other texts."""
    public = load_pem_private_key(key.encode(), password=None).public_key()
    return bool(public == _read(certificate).public_key())


def is_signed_by(certificate: str, authority: str) -> bool:
    """Whether `authority` signed `certificate` (both PEM), or is it."""
    if certificate == authority:
        return True
    try:
        _read(certificate).verify_directly_issued_by(_read(authority))
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def anchor(chain: str, authorities: tuple[str, ...]) -> str | None:
    """Which of `authorities` the chain (PEM, the server's first) leads to, or None."""
    certificates = certificates_in(chain)
    current, rest = certificates[0], list(certificates[1:CHAIN_LENGTH_MAX])
    for _ in range(CHAIN_LENGTH_MAX):
        found = next((one for one in authorities if is_signed_by(current, one)), None)
        if found is not None:
            return found
        following = next((one for one in rest if is_signed_by(current, one)), None)
        if following is None:
            return None
        rest.remove(following)
        current = following
    return None


def is_for(found: Facts, names: tuple[str, ...]) -> bool:
    """Whether a certificate has exactly these names, however addresses are spelled."""
    return set(found.names) == {str(_address(name) or name) for name in names}


def covers(names: tuple[str, ...], name: str) -> bool:
    """Whether a certificate for `names` is one for `name` (no port); RFC 6125, 6.4.3."""
    wanted = str(_address(name) or name.lower().rstrip("."))
    known = {one.lower().rstrip(".") for one in names}
    return wanted in known or f"*.{wanted.partition('.')[2]}" in known


def is_name(name: str) -> bool:
    """Whether a certificate can be made for this name: an address, or a host name in ASCII."""
    return _address(name) is not None or _HOST_NAME.fullmatch(name) is not None


def _key(entropy: bytes) -> ec.EllipticCurvePrivateKey:
    assert len(entropy) == ENTROPY_BYTES, f"{ENTROPY_BYTES} random bytes are needed"
    number = int.from_bytes(entropy[:_KEY_BYTES], "big") % (_ORDER - 1) + 1
    return ec.derive_private_key(number, ec.SECP256R1())


def _private(key: str) -> ec.EllipticCurvePrivateKey:
    found = load_pem_private_key(key.encode(), password=None)
    assert isinstance(found, ec.EllipticCurvePrivateKey), "our keys are all of one kind"
    return found


def _read(certificate: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(certificate.encode())


def _named(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _until(issuer: x509.Certificate, now: Instant, life: Duration) -> tuple[Instant, Duration]:
    """From an hour ago, for a life that does not outlast the issuer's."""
    start = earlier(now, SKEW)
    return start, min(life, Duration(from_datetime(issuer.not_valid_after_utc) - start))


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public: CertificatePublicKeyTypes,
    validity: tuple[Instant, Duration],
) -> x509.CertificateBuilder:
    start, life = validity
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .not_valid_before(as_datetime(start))
        .not_valid_after(as_datetime(later(start, life)))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _as_authority(builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
    return builder.add_extension(
        x509.BasicConstraints(ca=True, path_length=_PATH_LENGTH), critical=True
    ).add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)


def _usage(*allowed: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{name: name in allowed for name in _USAGES})


def _signed(
    builder: x509.CertificateBuilder,
    signer: ec.EllipticCurvePrivateKey,
    entropy: bytes,
) -> str:
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    made = (
        builder.serial_number(int.from_bytes(entropy[_KEY_BYTES:], "big") or 1)
        .add_extension(issuer, critical=False)
        .sign(signer, hashes.SHA256(), ecdsa_deterministic=True)
    )
    return made.public_bytes(Encoding.PEM).decode("ascii")


def _written(key: ec.EllipticCurvePrivateKey) -> str:
    content = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return content.decode("ascii")


def _general(name: str) -> x509.GeneralName:
    address = _address(name)
    return x509.DNSName(name) if address is None else x509.IPAddress(address)


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None
