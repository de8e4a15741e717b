"""A refusal, which rules answer as a value, as the fault that it names."""

from moorage.ecs.rules.refusal import Code, Refusal
from moorage.ground.fault import Fault
from moorage.shapes.ecs.faults import (
    ClientException,
    InvalidParameterException,
    UnsupportedFeatureException,
)

_FAULTS: dict[Code, type[Fault]] = {
    "ClientException": ClientException,
    "InvalidParameterException": InvalidParameterException,
    "UnsupportedFeatureException": UnsupportedFeatureException,
}


def heed(refusal: Refusal | None) -> None:
    """Return where there is no refusal; otherwise raise the fault that it names."""
    if refusal is not None:
        raise _FAULTS[refusal.code](refusal.message)
