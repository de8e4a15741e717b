"""Image references as engines read them, and the local name of an image that came by another way.

An image that was pulled through the agent's proxy cannot be called `REPOSITORY@DIGEST` on the
engine, which gives digest references only to what it fetched from that very address. It is tagged
`REPOSITORY:sha256-HEX` instead: a name that can never mean two images, unlike the tag it was asked
by. Grammar: github.com/distribution/reference.
"""

import re

from moorage.ground.record import Record, evolve

REFERENCE_LENGTH_MAX = 1024
DEFAULT_HOST = "docker.io"
DEFAULT_TAG = "latest"
_ALIAS = re.compile(r"(.+):sha256-([0-9a-f]{64})", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}", re.ASCII)


class Reference(Record):
    """A parsed reference: `host` is empty where none is written; `tag`, `digest` likewise."""

    host: str
    path: str
    tag: str = ""
    digest: str = ""

    @property
    def repository(self) -> str:
        """The name as it is written, without tag and digest."""
        return f"{self.host}/{self.path}" if self.host else self.path

    def __str__(self) -> str:
        """The reference as it is written."""
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.repository}{tag}{'@' if self.digest else ''}{self.digest}"


def parse_reference(text: str) -> Reference | None:
    """The reference that `text` is, or None where it cannot be one.

    The first segment is a host if it has a dot or a colon, or is `localhost`.
    """
    if not text or len(text) > REFERENCE_LENGTH_MAX or text.split() != [text]:
        return None
    name, at, digest = text.partition("@")
    if at and _DIGEST.fullmatch(digest) is None:
        return None
    head, slash, tail = name.rpartition("/")
    last, colon, tag = tail.partition(":")
    if not last or (colon and not tag):
        return None
    path = f"{head}{slash}{last}"
    first, slash, rest = path.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return Reference(host=first, path=rest, tag=tag, digest=digest) if rest else None
    return Reference(host="", path=path, tag=tag, digest=digest)


def alias(reference: Reference) -> str:
    """`REPOSITORY:sha256-HEX`, the name that stands for the reference's digest.

    Empty where the reference has no sha256 digest.
    """
    algorithm, _, hexadecimal = reference.digest.partition(":")
    return f"{reference.repository}:sha256-{hexadecimal}" if algorithm == "sha256" else ""


def named_digest(name: str) -> str:
    """`REPOSITORY@sha256:HEX` where `name` is an alias made by `alias`, else empty."""
    match = _ALIAS.fullmatch(name)
    return f"{match[1]}@sha256:{match[2]}" if match else ""


def local_names(name: str, digest: str) -> tuple[str, ...]:
    """The tags that an image fetched for `name` gets: the one that is written, and the alias.

    `digest` is what the fetch resolved to, empty where it is not known. Empty for no reference.
    """
    reference = parse_reference(name)
    if reference is None:
        return ()
    plain = "" if reference.digest else f"{reference.repository}:{reference.tag or DEFAULT_TAG}"
    other = alias(evolve(reference, digest=reference.digest or digest))
    return tuple(each for each in (plain, other) if each)


def spellings(text: str) -> tuple[str, ...]:
    """The names under which an engine may hold the image that `text` means, in order of trust."""
    reference = parse_reference(text)
    if reference is None or not reference.digest:
        return (text,)
    plain = f"{reference.repository}@{reference.digest}"
    other = alias(reference)
    return (plain, other) if other else (plain,)
