"""What is asked of a service's rules, and what they answer."""

from collections.abc import Mapping, Sequence

from moorage.ecs.records.freeze import Freeze
from moorage.ecs.records.service import Service
from moorage.ecs.records.service_deployment import ServiceDeployment
from moorage.ecs.records.service_revision import ServiceRevision
from moorage.ecs.records.task import Task
from moorage.ecs.rules.deployment.daemon_hosts import DaemonHosts
from moorage.ecs.rules.deployment.hosts import SOUND, HostState
from moorage.ecs.rules.placement.place import Placements
from moorage.ground.instant import Duration, Instant, hours, minutes, seconds
from moorage.ground.record import Record


class Conditions(Record):
    """The settings that the rules depend on; each is a member of `Site` under the same name."""

    settle: Duration = seconds(40)
    steady_state_repeat: Duration = hours(6)
    start_failure_within: Duration = seconds(30)
    start_backoff_reset: Duration = minutes(5)
    fence_margin: Duration = seconds(10)
    avoid_failures: int = 5
    avoid_window: Duration = minutes(5)
    avoid_rest: Duration = minutes(15)
    progress_deadline: Duration = minutes(10)


class ServiceState(Record):
    """All that one decision looks at.

    `deployments`: the open ones, and the newest one with `completed_before` even where it is
    closed (a rollback goes back to it). `tasks`: all that are not STOPPED, and the STOPPED ones
    that are not `judged`. `revision`: that of `current`. `hosts`: those of its tasks, by ARN; one that
    is not in it is sound. `freeze`: the one that holds the service now. `stop_timeouts`: how long
    a task of a definition (by its ARN) may take to stop; needed only where the service is tagged
    to be fenced.
    `placeable`: None at first; where placement found hosts for fewer tasks than a plan relies on,
    ask again with how many it found, and act on that second plan alone. `room_helps` then says
    whether a task that stops would help (`explain.room_helps`): else old tasks are not given up
    for it.
    `daemon`: where the tasks of a daemon service belong; None for any other.
    """

    service: Service
    deployments: tuple[ServiceDeployment, ...]
    tasks: tuple[Task, ...]
    revision: ServiceRevision
    hosts: Mapping[str, HostState] = {}
    freeze: Freeze | None = None
    stop_timeouts: Mapping[str, Duration] = {}
    conditions: Conditions = Conditions()
    placeable: int | None = None
    room_helps: bool = True
    daemon: DaemonHosts | None = None

    @property
    def primary(self) -> ServiceDeployment:
        """The newest deployment, the one that `service.deployment` names."""
        return next(one for one in self.deployments if one.id == self.service.deployment)

    @property
    def current(self) -> ServiceDeployment:
        """The deployment whose tasks are kept and started now: that of `revision`."""
        return current_of(self.service, self.deployments)

    def host(self, task: Task) -> HostState:
        """The host of a task."""
        return self.hosts.get(task.instance, SOUND)


def current_of(service: Service, deployments: Sequence[ServiceDeployment]) -> ServiceDeployment:
    """The primary; while that is paused before its first task, the one whose tasks it `keeps`."""
    by_id = {one.id: one for one in deployments}
    primary = by_id[service.deployment]
    return by_id.get(primary.keeps, primary)


class StartOrder(Record):
    """Start `count` tasks of a deployment (always the current one)."""

    deployment: str
    count: int


class StopOrder(Record):
    """Stop one task, with the code and the reason that it will show."""

    task: str
    code: str
    reason: str


class Plan(Record):
    """What a service should do now; each member that is empty or None changes nothing.

    `start` and `stop`: the tasks. `relies_on`: for how many tasks there must be hosts now: those
    that start, and those that shall start in place of tasks that leave a draining host first.
    `kept_by_drain`: names of draining hosts whose tasks stay for now. `service`, `deployments`, `revision`: changed records, to be
    stored as they are. `judged`: ARNs of STOPPED tasks that were counted; store `judged=True`.
    `events`: sentences in order, before muting (`events.admitted`); the caller adds `started` with
    the ids it minted, and the sentence on what could not be placed. `look_again`: when time alone
    may change the answer. `placed`: the hosts, where the rules themselves chose them. `awaits_tasks`:
    what other tasks of the cluster do may change the answer. `unlinked`: ARNs of successors that
    stay beside what they were to replace; store `replaces=""`.
    """

    start: tuple[StartOrder, ...] = ()
    stop: tuple[StopOrder, ...] = ()
    relies_on: int = 0
    kept_by_drain: tuple[str, ...] = ()
    service: Service | None = None
    deployments: tuple[ServiceDeployment, ...] = ()
    revision: ServiceRevision | None = None
    judged: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    look_again: Instant | None = None
    placed: Placements | None = None
    awaits_tasks: bool = False
    unlinked: tuple[str, ...] = ()


def soonest(instants: Sequence[Instant | None]) -> Instant | None:
    """The earliest of some instants, None where there is none."""
    return min((one for one in instants if one is not None), default=None)
