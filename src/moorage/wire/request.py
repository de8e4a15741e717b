"""Request and Response: plain records, so that no web framework stands below the gateway.

A body is held whole. Image layers therefore never pass through here: the registry's data plane
streams them (`ecr/distribution`).
"""

from moorage.ground.record import Record

Headers = tuple[tuple[str, str], ...]


class Request(Record):
    """One HTTP request as it was received.

    `path` and `query` are raw, percent-encoded as they came, `query` without its question mark.
    Header names are in lower case. All text is the received octets read as Latin-1, so that a
    signature can be checked over exactly the octets that came.
    """

    method: str
    path: str
    query: str = ""
    headers: Headers = ()
    body: bytes = b""

    def get(self, name: str) -> str | None:
        """The first value of a header, by its lower-case name, or None."""
        for known, value in self.headers:
            if known == name:
                return value
        return None

    def getall(self, name: str) -> list[str]:
        """Every value of a header, by its lower-case name, in the order received."""
        return [value for known, value in self.headers if known == name]


class Response(Record):
    """One HTTP answer; `content-length` is left to whoever sends it."""

    status: int
    headers: Headers = ()
    body: bytes = b""

    def get(self, name: str) -> str | None:
        """The first value of a header, by its lower-case name, or None."""
        for known, value in self.headers:
            if known == name:
                return value
        return None
