"""Whatever happens to hosts and services: moves keep to the bounds, and in the calm they end."""

from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moorage.ecs.rules.deployment.rolling import percentages, upper_limit
from moorage.ecs.rules.rebalancing.field import Field
from moorage.ecs.rules.rebalancing.plan import Question, Stay, plan
from moorage.ecs.store import rebalances, sights, tasks
from moorage.ground.instant import Duration, later, seconds
from moorage.ground.record import evolve
from tests.ecs.controllers.rig import CLUSTER, Rig
from tests.ecs.controllers.test_deployments_laws import Story
from tests.house import ACCOUNT, REGION

MOVES_MAX = 2
HOSTS_MAX = 6
TASKS_APART = 1
SITE = {
    "settle": seconds(3),
    "rebalance_moves_max": MOVES_MAX,
    "rebalance_pause": seconds(2),
    "rebalance_settling": seconds(20),
}
EVENTS = (
    "join",
    "join",
    "kill",
    "lose",
    "cut",
    "connect",
    "drain",
    "undrain",
    "slow",
    "finish",
    "scale up",
    "scale down",
    "update",
    "freeze",
    "thaw",
    "protect",
    "ask",
    "restart",
    "wait",
    "wait",
)


class Moves(Story):
    """One service on few hosts, more of which join; and what must hold of each move."""

    def __init__(self) -> None:
        self.rig = Rig(**SITE)
        self.hosts = [self.rig.host("a", zone="z1"), self.rig.host("b", zone="z2")]
        self.desired = 4
        self.version = 1
        definition = self.rig.define("web")
        self.service = self.rig.serve("web", 4, definition, availability_zone_rebalancing="ENABLED")
        self.known: dict = {}
        self.rig.advance(30)
        self.rig.laws.append(self._law)

    def happen(self, what: str, number: int) -> None:
        own = {"join": self._join, "protect": self._protect, "ask": self._ask}
        if what in own:
            own[what](number)
        else:
            super().happen(what, number)

    def _join(self, number: int) -> None:
        if len(self.hosts) < HOSTS_MAX:
            zone = f"z{1 + number % 2}"
            self.hosts.append(self.rig.host(f"h{len(self.hosts)}", zone=zone))

    def _protect(self, number: int) -> None:
        live = self.rig.running(self.service)
        if not live:
            return
        arn = live[number % len(live)].arn
        until = later(self.rig.house.clock.now(), seconds(60 + number))

        def work(call) -> None:
            tasks.write(call.tx, evolve(tasks.get(call.tx, arn), protected_until=until))

        self.rig.house.write(work)

    def _ask(self, _: int) -> None:
        def work(call) -> None:
            known = rebalances.get(call.tx, ACCOUNT, REGION, "default")
            if known is not None:
                rebalances.ask(call.tx, known)

        self.rig.house.write(work)

    def _law(self, rig: Rig) -> None:
        """After each turn: what a rebalancing has started and stopped was allowed."""
        found = {task.arn: task for task in rig.tasks(self.service)}
        live = [task for task in found.values() if not task.is_stopped]
        service = rig.service(self.service)
        for arn, task in found.items():
            if task.replaces and arn not in self.known:
                source = found[task.replaces]
                assert not source.is_protected(rig.house.clock.now())
                assert source.instance != task.instance
                upper = upper_limit(
                    service.desired_count, percentages(service.deployment_configuration)[1]
                )
                there = [one for one in live if one.connectivity == "CONNECTED"]
                assert len(there) <= upper
            before = self.known.get(arn)
            stopped = before is not None and before.desired_status == "RUNNING"
            if stopped and "Moved to the host" in (task.stopped_reason or ""):
                assert not before.is_protected(rig.house.clock.now())
                assert self._healthy(found) >= service.desired_count
        if rig.turns[-1][0] == "rebalancing":
            rig.house.write(self._agrees)
        running = {one.arn for one in live if one.desired_status == "RUNNING"}
        moving = [one for one in live if one.replaces in running and one.arn in running]
        assert len(moving) <= MOVES_MAX
        self.known = found

    def _agrees(self, call) -> None:
        """What is planned with few tasks read is what is planned with all of them."""
        question = Question(now=call.now, moves_max=MOVES_MAX, pause=SITE["rebalance_pause"])
        sight = sights.look(call.tx, CLUSTER, question)
        live = tasks.live_of_cluster(call.tx, CLUSTER)
        cases = [
            evolve(one, tasks=tuple(task for task in live if task.service == one.service.arn))
            for one in sight.cases
        ]
        field = Field(sight.view, sight.totals, Duration(0), call.now)
        whole = plan(cases, field, question)
        found = sights.foresee(call.tx, CLUSTER, question, Duration(0)).outcome
        assert found.look_again == whole.look_again
        assert [one.step for one in found.moves] == [one.step for one in whole.moves]
        assert list(map(_bare, found.stays)) == list(map(_bare, whole.stays))

    def _healthy(self, found: dict) -> int:
        now = self.rig.house.clock.now()
        return sum(
            task.last_status == "RUNNING"
            and task.desired_status == "RUNNING"
            and task.connectivity == "CONNECTED"
            and later(task.started_at or now, seconds(3)) <= now
            for task in found.values()
        )


def _bare(stay: Stay) -> Stay:
    """The same, whatever tasks of it were read."""
    return evolve(stay, case=evolve(stay.case, tasks=None))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(0, 60)), max_size=14))
def test_moves_keep_to_the_bounds_and_come_to_an_end(story_of):
    story = Moves()
    try:
        for what, number in story_of:
            story.happen(what, number)
        story.calm()
        rig, service = story.rig, story.service
        assert len(rig.running(service)) == len(rig.live(service)) == story.desired
        if len(story.hosts) > 1:
            zones = Counter({rig.instance(one).zone: 0 for one in story.hosts})
            zones.update(task.zone for task in rig.running(service))
            assert max(zones.values()) - min(zones.values()) <= TASKS_APART
        known = {task.arn for task in rig.tasks(service)}
        rig.house.write(lambda call: rebalances.wake(call.tx, CLUSTER))
        rig.advance(7200)
        assert {task.arn for task in rig.tasks(service)} == known, "what is balanced stays"
        assert rig.service(service).rebalancing.planned == ()
        assert rig.service(service).rebalancing.since is None
    finally:
        story.rig.house.close()
