"""Paging: slices of a list, and the sealed `nextToken` that leads to the next.

A token is sealed with a key of the database and bound to the account, the region, the operation
and the filters it was given for; one that was made for anything else, or touched, is refused.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from moorage.ground.record import Record

_T = TypeVar("_T")
TOKEN_LENGTH_MAX = 2048
_MAC_BYTES = 16


class Page(Record):
    """Where a listing goes on: the sort key of the last thing that was shown."""

    after: str


class TokenRefused(Exception):  # noqa: N818 - caught by the kernel and answered as the API's own fault
    """The token was not made by us, or for another question."""


def seal(key: bytes, binding: str, page: Page) -> str:
    """A token that `open_token` gives back for the same key and binding."""
    body = msgspec.json.encode(page)
    return base64.urlsafe_b64encode(_mac(key, binding, body) + body).decode("ascii").rstrip("=")


def open_token(key: bytes, binding: str, token: str) -> Page:
    """The page that `token` holds; raises TokenRefused."""
    if len(token) > TOKEN_LENGTH_MAX:
        raise TokenRefused
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise TokenRefused from error
    mac, body = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(key, binding, body)):
        raise TokenRefused
    return msgspec.json.decode(body, type=Page)


def cut(
    things: Sequence[_T], sort_key: Callable[[_T], str], limit: int, page: Page | None
) -> tuple[list[_T], Page | None]:
    """At most `limit` things that come after `page` in the order of `sort_key`, and what follows.

    The second answer is None where nothing follows. Things that were added or removed between two
    pages neither repeat nor hide the others.
    """
    ordered = sorted(things, key=sort_key)
    if page is not None:
        ordered = [thing for thing in ordered if sort_key(thing) > page.after]
    shown = ordered[:limit]
    more = len(ordered) > limit
    return shown, Page(after=sort_key(shown[-1])) if more and shown else None


def _mac(key: bytes, binding: str, body: bytes) -> bytes:
    return hmac.digest(key, binding.encode() + b"\0" + body, hashlib.sha256)[:_MAC_BYTES]
