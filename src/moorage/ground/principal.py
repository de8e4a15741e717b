"""Who is calling."""

from typing import Literal

from moorage.ground.record import Record

Kind = Literal["operator", "root", "host", "anonymous"]


class Principal(Record):
    """A caller whose signature was verified, or one of our own controllers.

    `operator` runs this installation and holds the key in the data folder; `root` is the root of
    one account; `host` is an agent: it may only speak for the instance that its key is bound to,
    once it has registered one (`instance` is that instance's ARN, empty before), in the region
    that its key was made for (`region`, empty for people: they may name any), and once that
    instance was deregistered (`retired`) only to learn so; a key that was `replaced` by a newer one
    of the same host opens nothing. `anonymous` has shown nothing yet: a
    host that joins with a token.
    """

    kind: Kind
    account: str
    access_key_id: str = ""
    cluster: str = ""
    instance: str = ""
    name: str = ""
    region: str = ""
    retired: bool = False
    replaced: bool = False

    @property
    def arn(self) -> str:
        """The ARN that GetCallerIdentity shows."""
        if self.kind == "host":
            return f"arn:aws:sts::{self.account}:assumed-role/moorage-host/{self.name}"
        return f"arn:aws:iam::{self.account}:root"
