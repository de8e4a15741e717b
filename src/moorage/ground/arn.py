"""Amazon Resource Names: the long forms only, parsed and printed by one table."""

import re
from functools import lru_cache

from moorage.ground.record import Record

ARN_LENGTH_MAX = 2048
# Clients name the same things again and again; a parsed name is a value and never changes.
PARSED_MAX = 8192
_ARN = re.compile(r"arn:aws:([a-z0-9-]+):([a-z0-9-]*):([0-9]{12})?:(.+)", re.ASCII | re.DOTALL)

# resource kind: (service, prefix, number of path segments after the prefix)
KINDS: dict[str, tuple[str, str, int]] = {
    "capacity-provider": ("ecs", "capacity-provider", 1),
    "cluster": ("ecs", "cluster", 1),
    "container-instance": ("ecs", "container-instance", 2),
    "task": ("ecs", "task", 2),
    "service": ("ecs", "service", 2),
    "service-deployment": ("ecs", "service-deployment", 3),
    "service-revision": ("ecs", "service-revision", 3),
    "task-definition": ("ecs", "task-definition", 1),
    "container": ("ecs", "container", 3),
    "repository": ("ecr", "repository", 0),
}


class Arn(Record):
    """A parsed ARN; `resource` is everything after the account."""

    service: str
    region: str
    account: str
    resource: str

    def __str__(self) -> str:
        """The ARN as it is written everywhere."""
        return f"arn:aws:{self.service}:{self.region}:{self.account}:{self.resource}"

    @property
    def kind(self) -> str:
        """The resource's kind: what stands before the first slash."""
        return self.resource.partition("/")[0]

    @property
    def path(self) -> tuple[str, ...]:
        """The segments after the kind."""
        return tuple(self.resource.split("/")[1:])

    @property
    def name(self) -> str:
        """The last segment; for a repository, the whole name with its slashes."""
        if self.kind == "repository":
            return self.resource.partition("/")[2]
        return self.resource.rpartition("/")[2]


def is_arn(text: str) -> bool:
    """Whether a text that may be a name or an ARN claims to be an ARN."""
    return text.startswith("arn:")


def parse_arn(text: str) -> Arn | None:
    """The ARN that `text` is, or None where it is none of a kind in the table."""
    return _parsed(text) if len(text) <= ARN_LENGTH_MAX else None


@lru_cache(maxsize=PARSED_MAX)
def _parsed(text: str) -> Arn | None:
    match = _ARN.fullmatch(text)
    if match is None:
        return None
    arn = Arn(service=match[1], region=match[2], account=match[3] or "", resource=match[4])
    shape = KINDS.get(arn.kind)
    if shape is None or shape[0] != arn.service:
        return None
    segments = arn.path
    if not segments or not all(segments) or (shape[2] and len(segments) != shape[2]):
        return None
    return arn


def make_arn(kind: str, region: str, account: str, *path: str) -> str:
    """The ARN of a resource of a kind in the table."""
    service, prefix, count = KINDS[kind]
    assert not count or len(path) == count, f"{kind} takes {count} segments"
    return f"arn:aws:{service}:{region}:{account}:{'/'.join((prefix, *path))}"
