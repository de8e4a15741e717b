"""A preflight: what a task definition or a service would find here, before it is registered."""

from moorage.ground.record import Record
from moorage.shapes.moorage.explanation import PlacementOutlook
from moorage.shapes.scalar import Integer


class Finding(Record, rename="camel"):
    """One member by its path, and what becomes of it.

    `verdict` is `runs` (it is acted on), `stored` (kept and shown, no more), `unplaced` (it
    registers, and no host can do it), `refused`, or `unknown` (no member of AWS's model; ignored).
    """

    member: str | None = None
    verdict: str | None = None
    text: str | None = None


class HostShare(Record, rename="camel"):
    """How many of the tasks a host would get now."""

    host: str | None = None
    tasks: Integer | None = None


class CheckDefinitionRequest(Record, rename="camel"):
    """`document` is JSON: what RegisterTaskDefinition or CreateService would be sent.

    `cluster` is where it is to run; else the document's own, or `default`.
    """

    cluster: str | None = None
    document: str | None = None


class CheckDefinitionResponse(Record, rename="camel"):
    """What it is (`kind`: taskDefinition or service), and what becomes of each member.

    `asked` are the tasks that it wants (of a definition one), `fits` how many find a host now, and
    `hosts` which. `placement` is what each host says to one of them now; it is absent where it is refused, and where a
    service names a definition that is not registered.
    """

    kind: str | None = None
    headline: str | None = None
    findings: list[Finding] | None = None
    asked: Integer | None = None
    fits: Integer | None = None
    hosts: list[HostShare] | None = None
    placement: PlacementOutlook | None = None
