"""Pages of a listing, as AWS's lists give them: at most so many, and a token to go on."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from moorage.ground.fault import Fault
from moorage.ground.page import Page, TokenRefused, cut, open_token, seal
from moorage.kernel.call import Call

_T = TypeVar("_T")
_PAGING_MEMBERS = ("next_token", "max_results")
BINDING_KEY = "page"


class Listing:
    """The page that one request asks for: where it begins, how long it is, what binds its token."""

    def __init__(
        self, call: Call, request: msgspec.Struct, *, limit: int, most: int, refused: type[Fault]
    ) -> None:
        """Read `nextToken` and `maxResults` of `request`.

        `limit` is the length where the request names none, `most` the longest allowed; `refused`
        is raised for a token that is not ours, or was given for another question.
        """
        asked: int | None = getattr(request, "max_results", None)
        token: str | None = getattr(request, "next_token", None)
        if asked is not None and not 1 <= asked <= most:
            raise refused(f"maxResults must be between 1 and {most}.")
        self._key = call.tx.key(BINDING_KEY)
        self._limit = limit if asked is None else asked
        self._binding = _binding(call, request)
        try:
            self._page = open_token(self._key, self._binding, token) if token else None
        except TokenRefused as error:
            raise refused("Invalid token.") from error

    @property
    def after(self) -> str | None:
        """The sort key after which this page begins."""
        return self._page.after if self._page else None

    @property
    def limit(self) -> int:
        """How many things this page holds at the most."""
        return self._limit

    def cut(
        self, things: Sequence[_T], sort_key: Callable[[_T], str]
    ) -> tuple[list[_T], str | None]:
        """Answer this page of `things`, and the `nextToken` that leads on, or None at the end."""
        shown, following = cut(things, sort_key, self._limit, self._page)
        return shown, self.token(following)

    def token(self, following: Page | None) -> str | None:
        """The sealed token of the page that follows."""
        return seal(self._key, self._binding, following) if following else None


def _binding(call: Call, request: msgspec.Struct) -> str:
    filters = {
        name: getattr(request, name)
        for name in request.__struct_fields__
        if name not in _PAGING_MEMBERS and getattr(request, name) is not None
    }
    return "\0".join(
        (call.account, call.region, call.operation, msgspec.json.encode(filters).decode())
    )
