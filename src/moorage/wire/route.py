"""From a request to the operation it names, before anything of it is believed.

JSON services name it in `X-Amz-Target: PREFIX.Operation`, Query services in the form's `Action`,
with an API version that tells the service. Which there are is handed in: this file knows none.
"""

import re
from collections.abc import Mapping
from typing import Literal

from moorage.ground.fault import UnknownOperation
from moorage.ground.record import Record
from moorage.wire import query
from moorage.wire.request import Request

Protocol = Literal["json-1.0", "json-1.1", "query"]
NAME_SHOWN_CHARACTERS_MAX = 64
_OPERATION = re.compile(r"[A-Za-z][A-Za-z0-9]{0,127}", re.ASCII)


class Target(Record):
    """A service and the protocol it speaks; `namespace` is that of a Query service's XML."""

    service: str
    protocol: Protocol
    namespace: str = ""


class Table(Record):
    """What may be asked for.

    `prefixes` are what stands before the dot in X-Amz-Target; `versions` API versions of Query
    services; `hosts` first labels of host names, for a form that gives no version.
    """

    prefixes: Mapping[str, Target]
    versions: Mapping[str, Target]
    hosts: Mapping[str, Target] = {}


class Route(Record):
    """The operation that a request names; whether the service has it is the service's to say."""

    target: Target
    operation: str

    @property
    def service(self) -> str:
        """The service's name, as in `arn:aws:SERVICE`."""
        return self.target.service

    @property
    def protocol(self) -> Protocol:
        """How the request is to be read and answered."""
        return self.target.protocol


def route(request: Request, table: Table) -> Route:
    """The operation that `request` names; raises UnknownOperation (and Serialization for a form)."""
    targets = request.getall("x-amz-target")
    if len(targets) > 1:
        raise UnknownOperation("The header X-Amz-Target may appear only once.")
    if targets:
        prefix, _, operation = targets[0].rpartition(".")
        return _named(table.prefixes.get(prefix), operation)
    fields = query.form(request)
    action = fields.get("Action")
    if action is None:
        raise UnknownOperation("The request names no operation: no X-Amz-Target, and no Action.")
    label = (request.get("host") or "").partition(".")[0].lower()
    version = fields.get("Version")
    target = table.hosts.get(label) if version is None else table.versions.get(version)
    if target is None:
        shown = version[:NAME_SHOWN_CHARACTERS_MAX] if version is not None else "NONE"
        action = action[:NAME_SHOWN_CHARACTERS_MAX]
        raise UnknownOperation(f"Could not find operation {action} for version {shown}")
    return _named(target, action)


def _named(target: Target | None, operation: str) -> Route:
    if target is None or _OPERATION.fullmatch(operation) is None:
        raise UnknownOperation("The requested operation is not recognized by the service.")
    return Route(target=target, operation=operation)
