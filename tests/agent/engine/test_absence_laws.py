"""Laws of a host whose server comes and goes, whose containers end, and whose agent dies.

a run is begun again only for a task that is healed, and only while the server is away; what is to
be fenced is stopped once its time is over, and never begun again; what was told to stop, and
STOPPED, stays so; when the server is back nothing waits, and what is RUNNING in its books runs.
(The world asserts that no status goes back, and that no run is begun twice without leave.)
"""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from moorage.acs.task_messages import (
    Container,
    ContainerDependency,
    RestartPolicy,
    Task,
    TaskExtras,
)
from moorage.agent.engine import events as e
from moorage.agent.engine import instructions as i
from moorage.agent.engine.labels import LABEL_TASK_ARN
from moorage.agent.engine.transitions import S
from moorage.ground.instant import seconds
from tests.agent.engine.world import World, arn, payload

DIGEST = "r/x@sha256:" + "d" * 64
WEB = Container(name="web", image=DIGEST, essential=True)
DB = Container(name="db", image=DIGEST, essential=True)
SIDE = Container(name="side", image=DIGEST)
LINKED = Container(name="web", image=DIGEST, essential=True, links=("side",))
NEEDING = Container(
    name="web",
    image=DIGEST,
    essential=True,
    depends_on=(ContainerDependency(container_name="db", condition="START"),),
)
POLICY = RestartPolicy(enabled=True, restart_attempt_period=60)
RESTARTING = Container(name="web", image=DIGEST, essential=True, restart_policy=POLICY)
FORMS = {
    "one": (WEB,),
    "pair": (NEEDING, DB),
    "linked": (LINKED, SIDE),
    "policy": (RESTARTING, SIDE),
}
KINDS = {
    "healed": TaskExtras(service_name="s", heal_after_seconds=10.0),
    "fenced": TaskExtras(service_name="s", heal_after_seconds=10.0, fence_after_seconds=60.0),
    "alone": None,
}
FENCE_SECONDS = 60.0


class Absence(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.kind: dict[str, str] = {}
        self.form: dict[str, str] = {}
        self.wanted: dict[str, str] = {}
        self.away: float | None = None
        self.over: set[str] = set()
        self.seq = 0

    @initialize()
    def begin(self) -> None:
        self.world.run()
        self.world.feed(e.ServerHeard())

    # --- the server ---

    @precondition(lambda self: self.away is None)
    @rule(
        form=st.sampled_from(sorted(FORMS)),
        kind=st.sampled_from([*sorted(KINDS), "healed", "healed"]),
        at_once=st.booleans(),
    )
    def run_task(self, form: str, kind: str, at_once: bool) -> None:
        task = arn(len(self.kind) + 1)
        self.kind[task], self.form[task], self.wanted[task] = kind, form, "RUNNING"
        if kind == "healed" or form == "policy":
            self.world.restartable.add(task)
        self._send(
            Task(
                arn=task,
                desired_status="RUNNING",
                family="fam",
                version="1",
                containers=FORMS[form],
                moorage=KINDS[kind],
            )
        )
        self._perform_all(30 if at_once else 3)

    @precondition(lambda self: self.away is None and self.wanted)
    @rule(which=st.integers(0, 50))
    def stop_task(self, which: int) -> None:
        task = sorted(self.wanted)[which % len(self.wanted)]
        self.wanted[task] = "STOPPED"
        if self.world.booked.get(task) != "STOPPED":
            self._send(Task(arn=task, desired_status="STOPPED"))

    def _send(self, task: Task) -> None:
        self.seq += 1
        self.world.feed(payload(task, message_id=f"p{self.seq}", seq_num=self.seq))

    @rule(length=st.sampled_from([0.5, 3, 9, 11, 30, 61, 400]))
    def server_is_away(self, length: float) -> None:
        """It goes, or stays away for longer; each second of it is told, some of them here."""
        for _ in range(4):
            self.away = (self.away or 0.0) + length / 4
            self.world.tick(length / 4)
            self._silent()
            self._perform_all(5)

    def _silent(self) -> None:
        assert self.away is not None
        lost = seconds(self.away)
        self.world.feed(e.ServerSilent(unheard=lost, unconfirmed=lost))
        if self.away >= FENCE_SECONDS:
            self.over |= {task for task, kind in self.kind.items() if kind == "fenced"}

    @precondition(lambda self: self.away is not None)
    @rule()
    def server_is_back(self) -> None:
        self.away = None
        self.world.feed(e.ServerHeard())

    @invariant()
    def nothing_waits_to_be_healed_while_the_server_is_there(self) -> None:
        if self.away is None and self.world.engine.state.sighted():
            assert not [c for t in self.world.engine.tasks() for c in t.containers if c.held]

    @precondition(lambda self: self.world.reachable)
    @rule(which=st.integers(0, 50), length=st.sampled_from([0.2, 3, 30]))
    def process_ends_while_the_server_is_away_for_short(self, which: int, length: float) -> None:
        self.server_is_away(0.4)
        self.process_ends(which, code=1, noticed=True)
        self.server_is_away(length)
        self.server_is_back()

    # --- the host ---

    @rule(which=st.integers(0, 50), code=st.sampled_from([0, 1, 137]), noticed=st.booleans())
    def process_ends(self, which: int, code: int, noticed: bool) -> None:
        running = [c for c in self.world.containers.values() if c.running]
        if running:
            event = self.world.end(running[which % len(running)], code)
            if noticed and self.world.reachable:  # an engine that is away tells nothing
                self.world.feed(event)

    @precondition(lambda self: self.world.pending and self.world.reachable)
    @rule(count=st.integers(1, 8), which=st.integers(0, 5), fails=st.booleans())
    def perform(self, count: int, which: int, fails: bool) -> None:
        for _ in range(count):
            if self.world.pending:
                one = self.world.take(which)
                self._perform(one, fails=fails and isinstance(one, i.StartContainer))

    def _perform_all(self, count: int) -> None:
        for _ in range(count if self.world.reachable else 0):
            if self.world.pending:
                self._perform(self.world.take(), fails=False)

    def _perform(self, one: i.Instruction, *, fails: bool) -> None:
        if isinstance(one, i.SubmitTaskStateChange) and self.away is not None:
            self.world.pending.append(one)  # the shell tries again when the server is back
            return
        if isinstance(one, i.StartContainer):
            self._may_start(one)
        for event in self.world.perform(one, fails=fails):
            self.world.feed(event)

    def _may_start(self, one: i.StartContainer) -> None:
        real = self.world.real(one.runtime_id)
        if real is None or real.running or not real.runs:
            return
        again = self.kind[one.task_arn] == "healed" or self.form[one.task_arn] == "policy"
        assert again, f"{one.task_arn} is run again, and is not to be healed"

    @rule(seconds_=st.sampled_from([0.1, 1, 5, 70]))
    def time_passes(self, seconds_: float) -> None:
        if self.away is None:
            self.world.tick(seconds_)

    @rule(looks=st.sampled_from([True, True, True, False]))
    def agent_dies(self, looks: bool) -> None:
        self.world.begin()
        self._perform_all(2 if looks else 0)
        if self.away is None:
            self.world.feed(e.ServerHeard())
        else:
            self._silent()

    @rule(goes=st.sampled_from([True, False, False, False]))
    def engine_goes(self, goes: bool) -> None:
        if goes and self.world.reachable:
            self.world.reachable = False
            self.world.pending = [
                p for p in self.world.pending if isinstance(p, i.SubmitTaskStateChange)
            ]
            self.world.feed(e.EngineLost())

    @precondition(lambda self: not self.world.reachable)
    @rule(died=st.booleans(), looks=st.sampled_from([True, True, True, False]))
    def engine_returns(self, died: bool, looks: bool) -> None:
        for real in self.world.containers.values():
            if died and real.running:
                self.world.end(real, 137)
        self.world.reachable = True
        self.world.feed(e.EngineReturned())
        self._perform_all(2 if looks else 0)

    # --- what holds always ---

    @invariant()
    def what_is_to_be_fenced_is_to_stop_and_is_never_held(self) -> None:
        for task in self.world.engine.tasks():
            if task.arn in self.over:
                assert task.desired == "STOPPED"
            if self.kind[task.arn] != "healed":
                assert not any(record.held or record.healings for record in task.containers)

    @invariant()
    def what_is_held_has_ended_and_waits(self) -> None:
        for task in self.world.engine.tasks():
            for record in task.containers:
                if record.held:
                    assert record.status == S.CREATED
                    assert record.last_end is not None

    def teardown(self) -> None:
        world = self.world
        if not world.reachable:
            world.reachable = True
            world.feed(e.EngineReturned())
        self._settle()
        assert not [
            c
            for c in world.containers.values()
            if c.running and c.labels[LABEL_TASK_ARN] in self.over
        ], "what was fenced does not run"
        self.away = None
        world.feed(e.ServerHeard())
        self._settle()
        for task in self.kind:
            running = [
                c.labels["com.amazonaws.ecs.container-name"]
                for c in world.containers.values()
                if c.running and c.labels[LABEL_TASK_ARN] == task
            ]
            essential = {c.name for c in FORMS[self.form[task]] if c.essential}
            if world.booked.get(task) == "STOPPED":
                assert not running, f"{task} is STOPPED in the books, and {running} run"
                assert world.stops_booked[task] == 1
            else:
                assert essential <= set(running), f"{task} runs in the books, and not on the host"

    def _settle(self) -> None:
        for _ in range(8):
            for _ in range(60):
                if not self.world.pending:
                    break
                self._perform(self.world.take(), fails=False)
            self.world.tick(70)


TestAbsence = Absence.TestCase
TestAbsence.settings = settings(
    max_examples=80,
    stateful_step_count=40,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
