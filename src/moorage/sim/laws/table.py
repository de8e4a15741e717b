"""All laws, in the order in which they are asked. I4 is not among them: `calm.py` is for the end."""

from moorage.sim.laws.bounds import Bounds
from moorage.sim.laws.capacity import Capacity
from moorage.sim.laws.daemons import Daemons
from moorage.sim.laws.decider import Decider
from moorage.sim.laws.durability import Durability
from moorage.sim.laws.engines import Engines
from moorage.sim.laws.freezes import Freezes
from moorage.sim.laws.happenings import Happenings
from moorage.sim.laws.idempotency import Idempotency
from moorage.sim.laws.law import Law
from moorage.sim.laws.lineage import Lineage
from moorage.sim.laws.monotony import Monotony
from moorage.sim.laws.moves import Moves
from moorage.sim.laws.pauses import Pauses
from moorage.sim.laws.percent import Percent
from moorage.sim.laws.placement import Placement
from moorage.sim.laws.protection import Protection
from moorage.sim.laws.rehearsal import Rehearsal
from moorage.sim.laws.stability import Stability
from moorage.sim.laws.waiting import Waiting

LAWS: tuple[type[Law], ...] = (
    Durability,
    Idempotency,
    Percent,
    Engines,
    Lineage,
    Monotony,
    Decider,
    Capacity,
    Bounds,
    Daemons,
    Freezes,
    Happenings,
    Moves,
    Pauses,
    Placement,
    Protection,
    Rehearsal,
    Waiting,
    Stability,
)
