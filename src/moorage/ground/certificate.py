"""X.509 certificates as PEM text: a bundle taken apart, and the hash by which a key is known.

Both ends of a connection use it: who issues certificates, and who decides whom to trust.
"""

import hashlib

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

BUNDLE_BYTES_MAX = 1024 * 1024
KEY_HASH_DIGITS = 64


def certificates_in(text: str) -> tuple[str, ...]:
    """Each certificate of a PEM text as a PEM text of its own, in their order.

    What stands between certificates is left out, a private key too. Raises ValueError where there
    is none, or where one cannot be read.
    """
    if len(text) > BUNDLE_BYTES_MAX:
        raise ValueError(f"it is longer than {BUNDLE_BYTES_MAX} bytes")
    found = x509.load_pem_x509_certificates(text.encode())
    return tuple(one.public_bytes(Encoding.PEM).decode("ascii") for one in found)


def key_hash(certificate: str) -> str:
    """Which key a certificate (PEM) is of: SHA-256 of its SubjectPublicKeyInfo, 64 hex digits.

    The same for every certificate of one key, as the pins of RFC 7469 are. Raises ValueError for a
    text that is no certificate.
    """
    public = x509.load_pem_x509_certificate(certificate.encode()).public_key()
    described = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(described).hexdigest()
