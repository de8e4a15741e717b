"""Api: a service's table of operations, checked against its shapes when it is made."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from moorage.ground.fault import Fault, UnknownOperation, Unsupported
from moorage.kernel.operation import Operation
from moorage.shapes.constraint import Constraint

Shapes = Mapping[str, tuple[type[msgspec.Struct], type[msgspec.Struct]]]


class Api:
    """One service's operations by name, the ones it has not yet, and how it refuses bad members."""

    def __init__(  # noqa: PLR0913 - the six columns of a service, all by name
        self,
        *,
        service: str,
        target: str,
        shapes: Shapes,
        operations: Sequence[Operation[Any, Any]],
        absent: Sequence[str] = (),
        constraints: Mapping[type, tuple[Constraint, ...]],
        invalid: type[Fault],
    ) -> None:
        """Check that operations and `absent` together are exactly the model's, and types agree.

        `invalid` is the fault for a member that breaks a constraint of the model.
        """
        self.service = service
        self.target = target
        self.operations = {operation.name: operation for operation in operations}
        self.absent = frozenset(absent)
        self.constraints = constraints
        self.invalid = invalid
        names = set(self.operations) | self.absent
        assert len(self.operations) == len(operations), f"{service}: an operation stands twice"
        assert not set(self.operations) & self.absent, f"{service}: both built and absent"
        assert names == set(shapes), f"{service}: {sorted(names ^ set(shapes))} disagree"
        for operation in operations:
            assert shapes[operation.name] == (operation.request, operation.answer), operation.name

    def find(self, name: str) -> Operation[Any, Any]:
        """The operation of that name; raises Unsupported or UnknownOperation, naming it."""
        found = self.operations.get(name)
        if found is not None:
            return found
        if name in self.absent:
            raise Unsupported(f"Moorage does not have {self.service}:{name} yet.")
        raise UnknownOperation(f"The service {self.service} has no operation {name}.")
