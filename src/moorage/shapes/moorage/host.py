"""Hosts: a token lets a machine join a cluster, and joining gives the machine a key of its own."""

from moorage.ground.record import Record
from moorage.shapes.scalar import Integer, Timestamp


class CreateJoinTokenRequest(Record, rename="camel"):
    """A token for `cluster` (default: `default`), good for `uses` joins within `ttlSeconds`."""

    cluster: str | None = None
    uses: Integer | None = None
    ttl_seconds: Integer | None = None


class CreateJoinTokenResponse(Record, rename="camel"):
    """The token, shown this one time, and when it ends (epoch seconds)."""

    token: str | None = None
    expires_at: Timestamp | None = None
    cluster: str | None = None


class JoinRequest(Record, rename="camel"):
    """A host joins with a token, which is its only credential; `name` is for people."""

    token: str | None = None
    name: str | None = None


class JoinResponse(Record, rename="camel"):
    """The host's own key, where it belongs, and all `names` under which the server is known."""

    access_key_id: str | None = None
    secret_access_key: str | None = None
    account_id: str | None = None
    region: str | None = None
    cluster: str | None = None
    names: list[str] | None = None
