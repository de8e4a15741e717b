"""Whom this host believes when it calls its server over TLS: `DATA/ca.pem`, or else the system.

A join token carries the hash of the authority's key. The authority itself is fetched from whoever
answers, kept only where its key has that hash, and from then on everything is verified against it:
nothing secret is said before. Later authorities come over the connection that is verified by the
earlier ones. New connections follow at once; those that are open live on.
"""

import logging
import os
import ssl
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from moorage.acs.messages import AckRequest, NackRequest
from moorage.agent import journal
from moorage.agent.engine.instructions import TrustAuthorities
from moorage.agent.options import AgentOptions, OptionsRefused
from moorage.ground.certificate import BUNDLE_BYTES_MAX, KEY_HASH_DIGITS, certificates_in, key_hash
from moorage.wire.client import Unreachable, unreached
from moorage.wire.trust import SYSTEM, client_context

FILE = "ca.pem"
BUNDLE_PATH = "/moorage/ca.pem"
FETCH_SECONDS_MAX = 30.0
AUTHORITIES_MAX = 16
FILE_MODE = 0o644
FOUND_STATUS = 200
HASH_MARK = "."
log = logging.getLogger(journal.LOGGER)


class NotBelieved(Exception):  # noqa: N818 - said to the server as it is
    """These authorities are not taken; the text says why."""


class Trust:
    """The authorities of one host's server, kept in its data folder."""

    def __init__(self, data: Path, endpoint: str) -> None:
        """Take up what is kept. Raises OptionsRefused where it cannot be read."""
        self.path = data / FILE
        self.is_tls = urlsplit(endpoint).scheme == "https"
        self.bundle = _read(self.path) if self.is_tls else ""
        self.context: ssl.SSLContext | bool = self._context()
        self._listeners: list[Callable[[], None]] = []

    @property
    def believed(self) -> str:
        """Who is believed, as a person reads it."""
        return str(self.path) if self.bundle else SYSTEM

    def listen(self, listener: Callable[[], None]) -> None:
        """Tell `listener` whenever other authorities are believed."""
        self._listeners.append(listener)

    def keep(self, bundle: str) -> None:
        """Believe these authorities from now on, also after a restart. Raises OptionsRefused."""
        _write(self.path, bundle)
        self.bundle = bundle
        self.context = self._context()
        for listener in self._listeners:
            listener()

    def take_over(self, certificates: Iterable[str]) -> bool:
        """Believe what the server says it will be known by; False where nothing changes.

        Raises NotBelieved where one is no authority, or where none of them is believed already:
        the next connection would fail. Raises OptionsRefused where they cannot be kept.
        """
        if not self.bundle:
            raise NotBelieved(f"this host believes {SYSTEM}, and no single one")
        told = _authorities("".join(certificates))
        if _keys(told).isdisjoint(_keys(certificates_in(self.bundle))):
            raise NotBelieved("none of these authorities is known here")
        bundle = "".join(told)
        if bundle == self.bundle:
            return False
        self.keep(bundle)
        return True

    def _context(self) -> ssl.SSLContext | bool:
        return client_context(self.bundle or None) if self.is_tls else True


def take_authorities(trust: Trust, wanted: TrustAuthorities) -> AckRequest | NackRequest | None:
    """Believe what the server says it will be known by; what to answer, or None to be told again."""
    try:
        changed = trust.take_over(wanted.certificates)
    except NotBelieved as refused:
        log.warning("the server's new authorities are not taken: %s", refused)
        return NackRequest(message_id=wanted.message_id, reason=str(refused))
    except OptionsRefused as refused:
        log.warning("the server's new authorities cannot be kept: %s", refused)
        return None
    if changed:
        log.info("the server's authorities have changed; %s is believed now", trust.path)
    return AckRequest(message_id=wanted.message_id)


def split_token(token: str) -> tuple[str, str]:
    """A join token's secret, and the hash of the authority's key that it carries, or "".

    Raises OptionsRefused for a hash that is none.
    """
    secret, _, told = token.partition(HASH_MARK)
    if told and (len(told) != KEY_HASH_DIGITS or set(told) - set("0123456789abcdef")):
        raise OptionsRefused(
            "The token is not whole: after the dot belong 64 digits. Copy it again, or make a new "
            "one: moorage host token"
        )
    return secret, told


async def establish(
    trust: Trust, options: AgentOptions, session: aiohttp.ClientSession, *, is_new: bool
) -> None:
    """See to it that it is known whom to believe, before anything secret is said.

    What is kept is believed, and may be newer than what is said here; of a host that `is_new`, or
    has kept nothing, whom --ca names, else whose hash is in the token, else whom the system believes. Raises OptionsRefused, and Unreachable where no server answers yet.
    """
    _, told = split_token(options.token)
    if not trust.is_tls:
        if told and is_new:
            raise OptionsRefused(
                f"The token carries the hash of a certificate, and {options.endpoint} would send "
                "it in the clear: give an https:// URL."
            )
        return
    if options.authority is not None and (is_new or not trust.bundle):
        try:
            trust.keep("".join(_authorities(options.authority.read_text("ascii"))))
        except (OSError, UnicodeDecodeError, NotBelieved) as error:
            raise OptionsRefused(f"--ca {options.authority}: {error}") from error
        return
    known = _keys(certificates_in(trust.bundle)) if trust.bundle else set()
    if told and told not in known and (is_new or not known):
        trust.keep(await _pinned(options.endpoint, told, session))


async def _pinned(endpoint: str, told: str, session: aiohttp.ClientSession) -> str:
    """The authority whose key has this hash, from whoever answers at `endpoint`.

    What else was in the answer is left out: the hash speaks for one key alone.
    """
    status, text = await _shown(endpoint, session)
    try:
        found = [one for one in _authorities(text) if key_hash(one) == told]
    except NotBelieved as refused:
        why = str(refused) if status == FOUND_STATUS else f"{BUNDLE_PATH} answers {status}"
        raise OptionsRefused(
            f"{endpoint} shows no authority: {why}. Is it the server that made the token?"
        ) from refused
    if not found:
        raise OptionsRefused(
            f"{endpoint} shows another authority than the one that the token is of: either the "
            "token was made by another server, or somebody stands between this host and the "
            "server. Nothing was sent. Make a new token on the server itself: moorage host token"
        )
    return "".join(found)


async def _shown(endpoint: str, session: aiohttp.ClientSession) -> tuple[int, str]:
    """What is said about authorities there, and with which status. Raises Unreachable."""
    url = f"{endpoint.rstrip('/')}{BUNDLE_PATH}"
    timeout = aiohttp.ClientTimeout(total=FETCH_SECONDS_MAX)
    content = bytearray()
    try:
        # Nobody is verified here, and nothing is said: the answer is judged by its hash.
        async with session.get(url, ssl=False, timeout=timeout, allow_redirects=False) as answer:
            async for piece in answer.content.iter_any():
                content += piece
                if len(content) > BUNDLE_BYTES_MAX:
                    break
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise unreached(endpoint, error, SYSTEM) from error
    if answer.status >= 500:  # noqa: PLR2004 - HTTP's own border
        raise Unreachable(endpoint, f"HTTP {answer.status}")
    return answer.status, content.decode("ascii", "replace")


def _authorities(text: str) -> tuple[str, ...]:
    """The certificates of a PEM text, all of authorities in OpenSSL's eyes. Raises NotBelieved."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        found = certificates_in(text)
        context.load_verify_locations(cadata="".join(found))
    except (ValueError, ssl.SSLError) as error:
        raise NotBelieved(f"no certificates in PEM: {error}") from error
    if len(found) > AUTHORITIES_MAX:
        raise NotBelieved(f"more than {AUTHORITIES_MAX} authorities")
    believed = context.get_ca_certs(binary_form=True)
    for number, one in enumerate(found, 1):
        if ssl.PEM_cert_to_DER_cert(one) not in believed:
            raise NotBelieved(f"certificate {number} of {len(found)} is no authority's")
    return found


def _keys(certificates: Iterable[str]) -> set[str]:
    return {key_hash(one) for one in certificates}


def _read(path: Path) -> str:
    try:
        text = path.read_text("ascii")
        return "".join(_authorities(text))
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError, NotBelieved) as error:
        raise OptionsRefused(
            f"{path}: {error}. It says whom to believe; remove it, and give a new token or --ca."
        ) from error


def _write(path: Path, bundle: str) -> None:
    """Write it durably, whole or not at all."""
    beside = path.with_name(f"{path.name}.new")
    try:
        file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
        with open(file, "wb", buffering=0) as stream:  # noqa: PTH123 - of a descriptor
            stream.write(bundle.encode("ascii"))
            os.fsync(file)
        beside.replace(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise OptionsRefused(f"{path}: {error}") from error
