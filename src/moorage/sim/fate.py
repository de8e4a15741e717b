"""Who lets things go wrong: takes a schedule's disasters, ends them in time, and heals all at last."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from moorage.sim.machine import Machine
from moorage.sim.network import Weather
from moorage.sim.scene import Scene
from moorage.sim.schedule import Step

Picks = tuple[int, ...]
RESTART_SECONDS = (0.3, 6.0)


@dataclass(frozen=True, slots=True)
class Disaster:
    """What goes wrong, and whom it may keep from being heard of: the machine of the first pick, or all."""

    strike: Callable[["Fate", Picks], None]
    silences: Literal["none", "one", "all"] = "none"


class Fate:
    """Who does it."""

    def __init__(self, scene: Scene, disasters: Mapping[str, Disaster]) -> None:
        """Do nothing yet; a server or an agent that dies is started again from now on."""
        self.scene = scene
        self.disasters = disasters
        self.chance = scene.world.chance_of("fate")
        self._undo: dict[int, Callable[[], None]] = {}
        self._serial = 0
        self.is_over = False
        scene.plane.on_death.append(self._revive)

    def take(self, step: Step) -> None:
        """Let one disaster happen."""
        if self.is_over:
            return
        self.scene.world.tell("fate", f"step {step.number}", step.act)
        disaster = self.disasters[step.act]
        if disaster.silences != "none":
            is_one = disaster.silences == "one"
            for machine in [self.machine(step.picks[0])] if is_one else self.scene.machines:
                machine.is_harmed = True
        disaster.strike(self, step.picks)

    def heal(self) -> None:
        """End everything that is wrong, at once."""
        self.is_over = True
        for undo in list(self._undo.values()):
            undo()
        self._undo.clear()
        self.scene.network.weather = Weather()
        self.scene.network.forget_abandoned()
        self.scene.plane.trouble.clear()
        if not self.scene.plane.is_up:
            self.scene.plane.start()
        for machine in self.scene.machines:
            machine.power_on()
            machine.start_agent()

    def during(self, length: float, undo: Callable[[], None]) -> None:
        """Undo it after so many seconds, or when all is healed."""
        self._serial += 1
        number = self._serial
        self._undo[number] = undo

        def end() -> None:
            if self._undo.pop(number, None) is not None:
                undo()

        self.scene.world.after(length, end)

    def machine(self, pick: int) -> Machine:
        """One of the machines."""
        return self.scene.machines[pick % len(self.scene.machines)]

    def span(self, bounds: tuple[float, float], pick: int) -> float:
        """A length of time between two bounds; short ones are likelier."""
        low, high = bounds
        share = (pick % 1000) / 1000
        return low + (high - low) * share * share

    def _revive(self) -> None:
        delay = self.chance.uniform(*RESTART_SECONDS)
        self.scene.world.after(delay, self._start_server)

    def _start_server(self) -> None:
        if not self.scene.plane.is_up:
            self.scene.plane.start()
