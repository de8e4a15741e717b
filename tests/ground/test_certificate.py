"""Certificates taken apart by hand, beside a library that reads all of them."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from moorage.ground.certificate import certificates_in, key_hash

KEYS = {
    "rsa": rsa.generate_private_key(65537, 2048),
    "ec": ec.generate_private_key(ec.SECP384R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate(),
}


def made(kind: str, names: int = 1) -> x509.Certificate:
    key = KEYS[kind]
    subject = x509.Name.from_rfc4514_string(",".join(f"OU=unit {n}" for n in range(names)))
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=1))
        .sign(key, None if kind == "ed25519" else hashes.SHA256())
    )


WHOLE = made("ed25519").public_bytes(Encoding.DER)


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize("names", [1, 40])
def test_it_reads_what_the_library_reads(kind, names):
    one = made(kind, names)
    described = one.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert key_hash(pem(one)) == hashlib.sha256(described).hexdigest()
    assert certificates_in(f"before\n{pem(one)}between\r\n{pem(one)}") == (pem(one), pem(one))


@given(st.data())
def test_no_text_breaks_it(data):
    der = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(0, 3))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    text = base64.encodebytes(bytes(der[: data.draw(st.integers(0, len(der)))])).decode()
    bundle = f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n"
    try:
        found = certificates_in(bundle)
    except ValueError:
        with pytest.raises(ValueError, match=r"."):
            key_hash(bundle)
    else:
        assert certificates_in("".join(found)) == found
        assert len(key_hash(bundle)) == 64


@pytest.mark.parametrize(
    "text",
    [
        "",
        "words",
        "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----",
        "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----",
        "-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----",
        pem(made("ec")) + "-----BEGIN CERTIFICATE-----\nQUJD\n",
        pem(made("ec")).replace("M", "M!", 1),
        "x" * (1024 * 1024 + 1),
    ],
)
def test_what_is_no_bundle_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        certificates_in(text)
