"""Laws of the engine on a host that loses, doubles and reorders completions, and dies.

status never goes back; each container is made once a name and attempt; no run is begun twice;
STOPPED is told once; what is to stop stops; nothing is asked of a removed container; and all comes
to rest. (The first four are asserted by the world, where they would be broken.)
"""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from moorage.acs.task_messages import (
    Container,
    ContainerDependency,
    PortMapping,
    RestartPolicy,
    Task,
    Volume,
)
from moorage.agent.engine import events as e
from moorage.agent.engine import instructions as i
from moorage.agent.engine.labels import LABEL_TASK_ARN
from moorage.agent.records.container import Health
from tests.agent.engine.world import World, arn, payload

DIGEST = "r/x@sha256:" + "d" * 64
WEB = Container(
    name="web", image=DIGEST, essential=True, port_mappings=(PortMapping(container_port=80),)
)
SIDE = Container(name="side", image="r/side:1")
FORMS = {
    "one": {"containers": (WEB,)},
    "two": {"containers": (WEB, SIDE), "cpu": 0.5},
    "chain": {
        "containers": (
            Container(
                name="web",
                image=DIGEST,
                essential=True,
                depends_on=(ContainerDependency(container_name="side", condition="SUCCESS"),),
            ),
            Container(name="side", image="r/side:1"),
        ),
        "volumes": (Volume(name="data"),),
    },
    "healthy": {
        "containers": (
            Container(
                name="web",
                image=DIGEST,
                essential=True,
                depends_on=(ContainerDependency(container_name="db", condition="HEALTHY"),),
            ),
            Container(
                name="db",
                image="r/db",
                essential=True,
                health_check_type="docker",
                start_timeout=30,
            ),
        )
    },
    "restarts": {
        "containers": (
            Container(
                name="web",
                image=DIGEST,
                essential=True,
                restart_policy=RestartPolicy(enabled=True, restart_attempt_period=60),
            ),
        )
    },
}
FATES = ("done", "done", "done", "lost", "twice", "held", "failed")


class Laws(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.wanted: dict[str, str] = {}
        self.listed_wrongly: set[str] = set()
        self.timeline = 0
        self.count = 0

    @initialize()
    def begin(self) -> None:
        self.world.run()

    def _seq(self) -> int:
        self.timeline += 1
        return self.timeline

    @rule(form=st.sampled_from(sorted(FORMS)))
    def run_task(self, form: str) -> None:
        self.count += 1
        task = Task(
            arn=arn(self.count),
            desired_status="RUNNING",
            family="fam",
            version="1",
            service_name="svc",
            **FORMS[form],
        )
        if form == "restarts":
            self.world.restartable.add(task.arn)
        self.wanted[task.arn] = "RUNNING"
        self._send(task)

    def _send(self, task: Task) -> None:
        seq = self._seq()
        self.world.feed(payload(task, message_id=f"p{seq}", seq_num=seq))
        assert f"p{seq}" in self.world.acked

    @precondition(lambda self: self.wanted)
    @rule(which=st.integers(0, 50), again=st.booleans())
    def stop_task(self, which: int, again: bool) -> None:
        task = sorted(self.wanted)[which % len(self.wanted)]
        if again and self.world.booked.get(task) != "STOPPED":
            self.world.feed(payload(Task(arn=task, desired_status="RUNNING")))
            return
        self.wanted[task] = "STOPPED"
        if self.world.booked.get(task) != "STOPPED":  # as a server does, that keeps books
            self._send(Task(arn=task, desired_status="STOPPED"))

    @precondition(lambda self: self.world.pending and self.world.reachable)
    @rule(fates=st.lists(st.tuples(st.integers(0, 5), st.sampled_from(FATES)), max_size=12))
    def perform(self, fates: list[tuple[int, str]]) -> None:
        for which, fate in fates:
            if self.world.pending:
                self._perform(self.world.take(which), fate)

    @precondition(lambda self: self.world.reachable)
    @rule(steps=st.integers(1, 12))
    def all_goes_well(self, steps: int) -> None:
        for _ in range(min(steps, len(self.world.pending))):
            self._perform(self.world.take(), "done")

    def _perform(self, one: i.Instruction, fate: str) -> None:
        if isinstance(one, i.SubmitTaskStateChange) and fate != "done":
            self.world.pending.append(one)  # the shell tries again
            return
        done = self.world.perform(one, fails=fate == "failed")
        if fate == "twice":
            self.world.held += done
        if fate == "held":
            self.world.held += done
        elif fate != "lost":
            for event in done:
                self.world.feed(event)

    @precondition(lambda self: self.world.held)
    @rule(which=st.integers(0, 50))
    def deliver(self, which: int) -> None:
        self.world.feed(self.world.held.pop(which % len(self.world.held)))

    @rule(which=st.integers(0, 50), code=st.sampled_from([0, 1, 137]), noticed=st.booleans())
    def process_ends(self, which: int, code: int, noticed: bool) -> None:
        running = [c for c in self.world.containers.values() if c.running]
        if running:
            event = self.world.end(running[which % len(running)], code)
            if noticed:
                self.world.held.append(event)

    @rule(which=st.integers(0, 50), health=st.sampled_from(list(Health)))
    def health_changes(self, which: int, health: Health) -> None:
        running = [c for c in self.world.containers.values() if c.running]
        if running:
            real = running[which % len(running)]
            self.world.held.append(
                e.HealthChanged(
                    task_arn=real.labels[LABEL_TASK_ARN],
                    container=real.labels["com.amazonaws.ecs.container-name"],
                    runtime_id=real.runtime_id,
                    health=health,
                    since=self.world.now,
                )
            )

    @rule(seconds=st.sampled_from([0.1, 1, 10, 70, 300, 4 * 3600]))
    def time_passes(self, seconds: float) -> None:
        self.world.tick(seconds)

    @rule(keeps=st.booleans())
    def agent_dies(self, keeps: bool) -> None:
        if not keeps and self.world.engine.state.tasks:
            return  # see `test_adoption.py` for lost checkpoints
        reports = [p for p in self.world.pending if isinstance(p, i.SubmitTaskStateChange)]
        del reports  # the shell that would have tried again is gone with them
        self.world.begin()

    @rule()
    def engine_goes(self) -> None:
        if self.world.reachable:
            self.world.reachable = False
            self.world.pending = [
                p for p in self.world.pending if isinstance(p, i.SubmitTaskStateChange)
            ]
            self.world.held.clear()
            self.world.feed(e.EngineLost())

    @precondition(lambda self: not self.world.reachable)
    @rule(died=st.booleans())
    def engine_returns(self, died: bool) -> None:
        for real in self.world.containers.values():
            if died and real.running:
                self.world.end(real, 137)
        self.world.reachable = True
        self.world.feed(e.EngineReturned())

    @rule()
    def manifest(self) -> None:
        listed = {
            a: "RUNNING"
            for a, status in self.wanted.items()
            if status == "RUNNING" and self.world.booked.get(a) != "STOPPED"
        }
        seq = self._seq()
        known = {t.arn for t in self.world.engine.tasks()}
        self.listed_wrongly |= set(listed) - known
        self.world.feed(
            e.ManifestReceived(
                message_id=f"m{seq}",
                cluster_arn="arn:cluster",
                container_instance_arn="arn:ci",
                timeline=seq,
                tasks=self.world.identifiers(listed),
            )
        )

    def teardown(self) -> None:
        world = self.world
        if not world.reachable:
            world.reachable = True
            world.feed(e.EngineReturned())
        for task, status in self.wanted.items():
            if status == "RUNNING" and world.booked.get(task) != "STOPPED":
                self.wanted[task] = "STOPPED"
                self._send(Task(arn=task, desired_status="STOPPED"))
        for _ in range(40):
            world.run()
            world.tick(400)
        for task in self.wanted:
            assert world.booked.get(task) == "STOPPED", f"{task} never stopped"
            assert world.stops_booked[task] == 1 or task in self.listed_wrongly
        assert not [c for c in world.containers.values() if c.running]
        for _ in range(6):
            world.tick(3 * 3600)
            world.run()
        assert not world.containers, "what has stopped is removed"
        assert not world.resources
        assert not world.engine.tasks()


TestLaws = Laws.TestCase
TestLaws.settings = settings(
    max_examples=100,
    stateful_step_count=60,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
