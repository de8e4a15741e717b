"""A definition that was deleted while services and tasks need it: nobody ever misses it."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moorage.ecs.store import task_definitions, task_families, tasks
from moorage.ground.record import evolve
from moorage.shapes.ecs.deployment_configuration import (
    DeploymentCircuitBreaker,
    DeploymentConfiguration,
)
from tests.ecs.controllers.rig import CLUSTER, Rig

BREAKER = DeploymentConfiguration(
    deployment_circuit_breaker=DeploymentCircuitBreaker(enable=True, rollback=True)
)
LOOK_SECONDS = 61


def delete(rig, definition):
    """Mark a revision as DeleteTaskDefinitions does."""

    def work(call):
        found = task_definitions.find(call.tx, call, definition.arn)
        if found is not None:
            marked = evolve(found, status="DELETE_IN_PROGRESS", delete_requested_at=call.now)
            task_definitions.put(call.tx, marked)

    rig.house.write(work)


def is_there(rig, definition):
    return rig.house.read(lambda c: task_definitions.find(c.tx, c, definition.arn)) is not None


def test_a_rollback_goes_back_to_a_definition_that_was_deleted_meanwhile(rig):
    good = rig.define("web")
    service = rig.serve("web", 2, good, configuration=BREAKER)
    rig.settle()
    rig.update(service, rig.define("web", "demo:broken"))
    delete(rig, good)
    rig.advance(120)
    assert is_there(rig, good)
    assert {task.revision for task in rig.live(service)} == {good.revision}
    later = rig.define("other")
    rig.update(service, later)
    rig.advance(120)
    assert {task.family for task in rig.live(service)} == {"other"}
    assert not is_there(rig, good)
    assert is_there(rig, later)


def test_what_nothing_runs_any_more_stays_while_a_rollback_may_want_it(rig):
    good = rig.define("web")
    asked = evolve(BREAKER, minimum_healthy_percent=0, maximum_percent=100)
    service = rig.serve("web", 2, good, configuration=asked)
    rig.settle()
    for one in rig.hosts.values():
        one.slow = True
    rig.update(service, rig.define("web", "demo:broken"))
    rig.settle()
    for one in rig.hosts.values():
        one.finish(rig)
    rig.settle()
    assert good.arn not in {task.task_definition for task in rig.live(service)}
    assert good.arn not in {one.task_definition for one in rig.deployments(service) if one.open}
    delete(rig, good)
    rig.advance(LOOK_SECONDS)
    assert is_there(rig, good)
    for one in rig.hosts.values():
        one.slow = False
        one.finish(rig)
    rig.advance(180)
    assert {task.task_definition for task in rig.live(service)} == {good.arn}


def test_a_restart_finishes_what_was_begun(rig):
    first, second = rig.define("web"), rig.define("web")
    service = rig.serve("web", 1, first)
    rig.settle()
    delete(rig, first)
    delete(rig, second)
    rig.restart()
    rig.settle()
    assert (is_there(rig, first), is_there(rig, second)) == (True, False)
    family = rig.house.write(lambda c: task_families.lock(c.tx, c, "web"))
    assert (family.deleted_to, family.is_gone) == (2, False)
    rig.update(service, status="DRAINING", desired_count=0)
    rig.advance(LOOK_SECONDS)
    assert not is_there(rig, first)


class Story:
    """One service whose definitions come, go and are deleted; the law holds after each turn."""

    def __init__(self) -> None:
        self.rig = Rig()
        for name in ("a", "b"):
            self.rig.host(name)
        self.known = [self.rig.define("web0")]
        self.service = self.rig.serve("web", 2, self.known[0], configuration=BREAKER)
        self.rig.laws.append(self.nothing_is_missed)
        self.rig.settle()

    def nothing_is_missed(self, rig):
        """Whatever runs, and what the service is to run, is known."""
        service = rig.service(self.service)

        def work(call):
            needed = {one.task_definition for one in tasks.live_of_cluster(call.tx, CLUSTER)}
            if service.status != "INACTIVE":
                needed.add(service.task_definition)
            return [arn for arn in needed if task_definitions.find(call.tx, call, arn) is None]

        assert rig.house.read(work) == []

    def happen(self, what, number):
        getattr(self, what)(number)

    def bring_out(self, number):
        image = "demo:broken" if number % 3 == 0 else "demo:1"
        self.known.append(self.rig.define(f"web{len(self.known)}", image))
        self.rig.update(self.service, self.known[-1])

    def delete(self, number):
        delete(self.rig, self.known[number % len(self.known)])

    def scale(self, number):
        self.rig.update(self.service, desired_count=number % 4)

    def wait(self, number):
        self.rig.advance(float(number * 7))

    def settle(self, _):
        self.rig.settle()

    def restart(self, _):
        self.rig.restart()


ACTS = ("bring_out", "delete", "delete", "scale", "wait", "settle", "restart")


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 12)), max_size=12))
def test_nothing_that_is_needed_is_ever_gone_and_the_rest_goes(acts):
    story = Story()
    try:
        for what, number in acts:
            story.happen(what, number)
        rig = story.rig
        rig.advance(120)
        for definition in story.known:
            delete(rig, definition)
        rig.advance(LOOK_SECONDS)
        current = rig.service(story.service).task_definition
        kept = {one.arn for one in story.known if is_there(rig, one)}
        assert current in kept
        rig.update(story.service, status="DRAINING", desired_count=0)
        rig.advance(LOOK_SECONDS + 60)
        assert not [one.arn for one in story.known if is_there(rig, one)]
    finally:
        story.rig.house.close()
