"""What one event brings about: the instructions collected while it is handled.

Also the bounds of every wait of the engine, each with its name.
"""

from collections.abc import Callable, Iterable

from moorage.acs.task_messages import Container
from moorage.agent.engine.instructions import Instruction
from moorage.agent.engine.pulls import Pulls
from moorage.agent.engine.resources import ports_leaving
from moorage.agent.engine.transitions import Story
from moorage.agent.records.container import ContainerRecord
from moorage.agent.records.host import Host
from moorage.agent.records.task import TaskRecord
from moorage.ground.instant import Duration, Instant, later, minutes, seconds

# After these an instruction is taken for lost and given again (Amazon's agent waits as long).
CREATE_DEADLINE = minutes(4)
START_DEADLINE = minutes(3)
STOP_DEADLINE_BEYOND_TIMEOUT = minutes(1)
REMOVE_DEADLINE = minutes(5)
RESOURCE_DEADLINE = minutes(1)
# A failed instruction is given again after 1, 2, 4 ... seconds, at most this.
BACK_OFF_FIRST = seconds(1)
BACK_OFF_MAX = minutes(5)
BACK_OFF_DOUBLINGS_MAX = 9


class Turn:
    """One event: its time, what it makes the shell do on the host, and what it makes it say.

    `acts` concern the host and stand before the checkpoint, `words` go to the server and stand
    after it. `durable` asks for a checkpoint that survives a loss of power.
    """

    def __init__(
        self,
        now: Instant,
        host: Host,
        pulls: Pulls,
        story: Story,
        tasks: Callable[[], Iterable[TaskRecord]],
    ) -> None:
        """Begin with nothing to do; `tasks` are all tasks of the host."""
        self.now = now
        self.host = host
        self.pulls = pulls
        self.story = story
        self.acts: list[Instruction] = []
        self.words: list[Instruction] = []
        self.durable = False
        self.wants_look = False
        self.waits_for_ports: set[str] = set()
        self._tasks = tasks

    def act(self, instruction: Instruction) -> None:
        """Have something done on the host."""
        self.acts.append(instruction)

    def say(self, instruction: Instruction) -> None:
        """Have something said to the server."""
        self.words.append(instruction)

    def after(self, duration: Duration) -> Instant:
        """The instant that lies `duration` from now."""
        return later(self.now, duration)

    def ports_freed_soon(self, task: TaskRecord, container: Container) -> bool:
        """Whether a port that `container` needs is held by another task that is stopping."""
        if ports_leaving(task, container, self._tasks()):
            self.waits_for_ports.add(task.arn)
            return True
        return False

    def moved(
        self, task_arn: str, before: ContainerRecord, after: ContainerRecord
    ) -> ContainerRecord:
        """Check and remember a move; returns `after`."""
        self.story.add(task_arn, before, after)
        return after


def back_off(failures: int) -> Duration:
    """How long to wait after the `failures`-th failure in a row, from 1."""
    doublings = min(max(failures - 1, 0), BACK_OFF_DOUBLINGS_MAX)
    return Duration(min(BACK_OFF_FIRST << doublings, BACK_OFF_MAX))
