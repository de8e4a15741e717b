"""I14: no failure of ours, no answer of 5xx but 503, and nothing that grows without end."""

from moorage.sim.laws.law import Law
from moorage.sim.sight import Answered, Commit

# What may be waiting in one world at once: timers of all processes, and packets.
WAITING_MAX = 4000
UNAVAILABLE = 503
SERVER_ERROR = 500
LOOK_EVERY = 64


class Bounds(Law):
    """Nothing breaks, and nothing grows."""

    name = "I14 bounds"

    def committed(self, commit: Commit) -> None:
        """Look now and then."""
        if commit.number % LOOK_EVERY == 0:
            self._look()

    def answered(self, answered: Answered) -> None:
        """No internal error is anybody's answer."""
        if answered.status >= SERVER_ERROR and answered.status != UNAVAILABLE:
            self.broken(f"{answered.operation} was answered {answered.status} {answered.code}")

    def ended(self) -> None:
        """And at the end."""
        self._look()

    def _look(self) -> None:
        world = self.scene.world
        for where, what, error in world.failures:
            self.broken(f"{where}: {what}: {error!r}")
        if world.waiting > WAITING_MAX:
            self.broken(f"{world.waiting} things wait for their time")
