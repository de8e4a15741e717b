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
    """A host joins with a token, which is its only credential; `name` is for people.

    `previousInstance` is the container instance (an ARN) whose containers run on its engine: the
    host was that one, and has lost what it knew.
    """

    token: str | None = None
    name: str | None = None
    previous_instance: str | None = None


class JoinResponse(Record, rename="camel"):
    """The host's own key, where it belongs, and all `names` under which the server is known."""

    access_key_id: str | None = None
    secret_access_key: str | None = None
    account_id: str | None = None
    region: str | None = None
    cluster: str | None = None
    names: list[str] | None = None


class RotateHostKeyRequest(Record, rename="camel"):
    """A host asks for a new key of its own; nothing is to be said."""


class RotateHostKeyResponse(Record, rename="camel"):
    """The new key; the one that signed the request is good until the new one is first used.

    Unused, the new one is good until `lapsesAt` (epoch seconds).
    """

    access_key_id: str | None = None
    secret_access_key: str | None = None
    lapses_at: Timestamp | None = None


class RequestHostKeyRotationRequest(Record, rename="camel"):
    """A person wants `host` (a name, an id or an ARN) of `cluster` (default: `default`) to do so."""

    cluster: str | None = None
    host: str | None = None


class RequestHostKeyRotationResponse(Record, rename="camel"):
    """Which host that is; one that is not `connected` is told when it is back."""

    container_instance_arn: str | None = None
    connected: bool | None = None
