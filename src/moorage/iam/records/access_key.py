"""An access key: what a caller signs with, and who the caller then is."""

from moorage.ground.instant import Instant
from moorage.ground.principal import Kind
from moorage.ground.record import Record


class AccessKey(Record):
    """One key. `sealed_secret` opens only with the key that lies outside the database.

    A host's key names the cluster that the host joined, and the instance it registered (an ARN,
    empty before); it is `retired` once that instance was deregistered, and `replaced` once another
    key speaks for the instance: it is kept to tell whoever still has it. A key that was made to
    take the place of another `lapses_at` this moment unless it was used before (None: it was).
    """

    id: str
    account: str
    kind: Kind
    sealed_secret: str
    created_at: Instant
    name: str = ""
    region: str = ""
    cluster: str = ""
    instance: str = ""
    retired: bool = False
    replaced: bool = False
    lapses_at: Instant | None = None
