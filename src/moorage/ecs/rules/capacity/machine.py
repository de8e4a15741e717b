"""The one table of the moves of a machine's status."""

from moorage.ecs.records.machine import MachineStatus
from moorage.ground.machine import Transitions

# A machine that its source has no more is made again under its name; one that is being drained may be
# wanted back. From DESTROYING nothing leads back: then the row goes.
TABLE: Transitions[MachineStatus] = Transitions(
    {
        "CREATING": frozenset({"JOINING", "JOINED", "DESTROYING"}),
        "JOINING": frozenset({"JOINED", "CREATING", "DESTROYING"}),
        "JOINED": frozenset({"RETIRING", "CREATING", "DESTROYING"}),
        "RETIRING": frozenset({"JOINED", "DESTROYING"}),
        "DESTROYING": frozenset(),
    }
)
