"""Content digests: `algorithm:hex`, parsed once and compared by value.

OCI image specification, section "Digests".
"""

import hashlib
import re

from moorage.ground.record import Record

_PATTERN = re.compile(r"(sha256):([a-f0-9]{64})|(sha512):([a-f0-9]{128})", re.ASCII)
DIGEST_LENGTH_MAX = 256


class Digest(Record):
    """A parsed digest: `algorithm` is sha256 or sha512, `hexadecimal` its lower-case digits."""

    algorithm: str
    hexadecimal: str

    def __str__(self) -> str:
        """The digest as it is written everywhere."""
        return f"{self.algorithm}:{self.hexadecimal}"


def parse_digest(text: str) -> Digest | None:
    """The digest that `text` is, or None where it is none that Moorage can verify."""
    if len(text) > DIGEST_LENGTH_MAX:
        return None
    match = _PATTERN.fullmatch(text)
    if match is None:
        return None
    return Digest(algorithm=match[1] or match[3], hexadecimal=match[2] or match[4])


def digest_of(content: bytes, algorithm: str = "sha256") -> Digest:
    """The digest of bytes that are at hand."""
    return Digest(algorithm=algorithm, hexadecimal=hashlib.new(algorithm, content).hexdigest())
