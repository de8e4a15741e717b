"""All laws, in the order in which they are asked."""

from moorage.sim.laws.capacity import Capacity
from moorage.sim.laws.law import Law
from moorage.sim.laws.monotony import Monotony

LAWS: tuple[type[Law], ...] = (Capacity, Monotony)
