"""All steps of users, by the names under which schedules know them."""

from moorage.sim.schedule import Step
from moorage.sim.users import (
    capacity,
    daemons,
    hosts,
    rehearsals,
    rollouts,
    services,
    settings,
    tasks,
    tidying,
)
from moorage.sim.users.desk import Acts, Desk

ACTS: Acts = {
    **services.ACTS,
    **daemons.ACTS,
    **tasks.ACTS,
    **hosts.ACTS,
    **rollouts.ACTS,
    **capacity.ACTS,
    **settings.ACTS,
    **rehearsals.ACTS,
}


class Users(Desk):
    """The desk, and whoever comes to it."""

    def take(self, step: Step) -> None:
        """Let one step begin; who finds nothing to do it with has a look around."""
        self.begin(lambda: self._take(step))

    async def _take(self, step: Step) -> None:
        await ACTS[step.act](self, step.number, step.picks)
        if step.number not in self.busy:
            await settings.look(self, step.number, step.picks)

    async def tidy(self) -> None:
        """After the last fault, leave behind what can come to rest."""
        await tidying.tidy(self)
