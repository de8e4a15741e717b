"""@operation: one AWS API action is one function in one transaction.

The decorator derives the action's name from the function's, the types from its annotations, and
the IAM action from both. It marks, it does not register: each house's `api.py` lists its own.
"""

import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, get_type_hints

import msgspec

from moorage.ground.fault import Fault
from moorage.ground.principal import Kind
from moorage.kernel.call import Call

Q = TypeVar("Q", bound=msgspec.Struct)
A = TypeVar("A", bound=msgspec.Struct)
Resources = Callable[[Call, Q], Sequence[str]]

PEOPLE: frozenset[Kind] = frozenset({"operator", "root"})
ANYONE: frozenset[Kind] = frozenset({"operator", "root", "host"})
HOSTS: frozenset[Kind] = frozenset({"host"})
OPERATOR: frozenset[Kind] = frozenset({"operator"})
NEWCOMERS: frozenset[Kind] = frozenset({"anonymous"})


@dataclass(frozen=True, slots=True)
class Idempotency:
    """The member that carries a caller's token, and the fault when it returns with other words."""

    member: str
    conflict: type[Fault]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[Q, A]):
    """An operation as the tables hold it: its name on the wire, its body and its types."""

    name: str
    body: Callable[[Call, Q], A]
    request: type[Q]
    answer: type[A]
    writes: bool
    callers: frozenset[Kind]
    resource: Resources[Q] | None
    idempotency: Idempotency | None

    def __call__(self, call: Call, request: Q) -> A:
        """Run the body inside the call's transaction; raises the house's faults."""
        return self.body(call, request)


def operation(
    *,
    reads: bool = False,
    callers: frozenset[Kind] = PEOPLE,
    resource: Resources[Q] | None = None,
    idempotency: Idempotency | None = None,
) -> Callable[[Callable[[Call, Q], A]], Operation[Q, A]]:
    """Mark a function `(call, request) -> answer` as the operation that its name says.

    `reads` promises that the body writes nothing, so that it runs beside others; `callers` are
    the kinds of principal that may ever call it; `resource` answers the ARNs it acts on, for
    authorization; `idempotency` names the client token's member.
    """

    def mark(body: Callable[[Call, Q], A]) -> Operation[Q, A]:
        request, answer = _types(body)
        return Operation(
            name=action_name(body.__name__),
            body=body,
            request=request,
            answer=answer,
            writes=not reads,
            callers=callers,
            resource=resource,
            idempotency=idempotency,
        )

    return mark


def action_name(function_name: str) -> str:
    """The action that a function's name says: `create_service` is `CreateService`."""
    return re.sub(r"(?:^|_)([a-z0-9])", lambda match: match[1].upper(), function_name)


def _types(body: Callable[[Call, Q], A]) -> tuple[type[Q], type[A]]:
    hints = get_type_hints(body)
    parameters = list(inspect.signature(body).parameters)
    assert len(parameters) == 2, f"{body.__name__} takes a call and a request"  # noqa: PLR2004 - two
    return hints[parameters[1]], hints["return"]
