"""X.509 certificates as PEM text: a bundle taken apart, and the hash by which a key is known.

Both ends of a connection use it: who issues certificates, and who decides whom to trust. Nothing
more of a certificate is read here than where its key stands, so that an agent needs no library for
it, which would be a sixth of its memory; whether it may be believed is OpenSSL's to say.
"""

import base64
import binascii
import hashlib
import re

BUNDLE_BYTES_MAX = 1024 * 1024
KEY_HASH_DIGITS = 64
PEM_COLUMNS = 64
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_BLOCK = re.compile(f"{_BEGIN}([A-Za-z0-9+/=\\s]*){_END}")
# DER (X.690): tags, and the bit that says that a length takes several octets.
_SEQUENCE, _INTEGER, _VERSION = 0x30, 0x02, 0xA0
_LONG = 0x80
_LENGTH_OCTETS_MAX = 3
# What stands before the key in a TBSCertificate (RFC 5280, 4.1), after the version, if it is said:
# serial number, signature, issuer, validity, subject.
_BEFORE_KEY = (_INTEGER, _SEQUENCE, _SEQUENCE, _SEQUENCE, _SEQUENCE)


def certificates_in(text: str) -> tuple[str, ...]:
    """Each certificate of a PEM text as a PEM text of its own, in their order.

    What stands between certificates is left out, a private key too. Raises ValueError where there
    is none, or where one is no certificate.
    """
    if len(text) > BUNDLE_BYTES_MAX:
        raise ValueError(f"it is longer than {BUNDLE_BYTES_MAX} bytes")
    found = _BLOCK.findall(text)
    if not found or len(found) != text.count(_BEGIN):
        raise ValueError("a certificate is missing, or is not whole")
    return tuple(_pem(_certificate(body)) for body in found)


def key_hash(certificate: str) -> str:
    """Which key a certificate (PEM) is of: SHA-256 of its SubjectPublicKeyInfo, 64 hex digits.

    The same for every certificate of one key, as the pins of RFC 7469 are. Raises ValueError for a
    text that is no certificate.
    """
    found = _BLOCK.search(certificate)
    if found is None:
        raise ValueError("it is no certificate in PEM")
    return hashlib.sha256(_public_key(_certificate(found[1]))).hexdigest()


def _certificate(body: str) -> bytes:
    """The DER between two marks; raises ValueError where no key is found in it."""
    try:
        der = base64.b64decode("".join(body.split()), validate=True)
    except binascii.Error as error:
        raise ValueError(f"a certificate is not in base64: {error}") from error
    _public_key(der)
    return der


def _pem(der: bytes) -> str:
    text = base64.b64encode(der).decode("ascii")
    lines = [text[at : at + PEM_COLUMNS] for at in range(0, len(text), PEM_COLUMNS)]
    return "\n".join((_BEGIN, *lines, _END, ""))


def _public_key(der: bytes) -> bytes:
    """The SubjectPublicKeyInfo in a certificate, as it stands there."""
    at, end = _element(der, 0, len(der), _SEQUENCE)
    if end != len(der):
        raise ValueError("something stands behind the certificate")
    at, end = _element(der, at, end, _SEQUENCE)
    if at < end and der[at] == _VERSION:
        _, at = _element(der, at, end, _VERSION)
    for tag in _BEFORE_KEY:
        _, at = _element(der, at, end, tag)
    _, after = _element(der, at, end, _SEQUENCE)
    return der[at:after]


def _element(der: bytes, at: int, limit: int, tag: int) -> tuple[int, int]:
    """Where the content of the element at `at` begins and ends, which must lie before `limit`."""
    if at + 2 > limit or der[at] != tag:
        raise ValueError("it is no certificate")
    start, length = at + 2, der[at + 1]
    if length & _LONG:
        octets = length & ~_LONG
        if not 1 <= octets <= _LENGTH_OCTETS_MAX:
            raise ValueError("it is no certificate")
        length = int.from_bytes(der[start : start + octets], "big")
        start += octets
    if start + length > limit:
        raise ValueError("the certificate is not whole")
    return start, start + length
