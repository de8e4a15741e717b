"""Laws of deployments that people steer: pauses, stops, rollbacks, updates over updates.

What holds for every deployment (`World.check`) holds here too; statuses and stages move as their
tables say (`Ledger.put` asserts it); and once people leave it alone, everything comes to an end.
"""

from hypothesis import given, settings
from hypothesis import strategies as st

from moorage.ecs.rules.deployment import hooks
from moorage.ecs.rules.deployment.rolling import lower_limit
from moorage.ecs.rules.deployment.status import STAGES, UNDER_WAY
from moorage.ground.record import evolve
from moorage.shapes.ecs.deployment_configuration import DeploymentEarlySuccessCriteria
from tests.ecs.rules.deployment.test_hooks import a_hook
from tests.ecs.rules.deployment.test_reconcile_laws import can_move, hurt
from tests.ecs.rules.deployment.world import World

PERCENTAGES = st.sampled_from([(100, 200), (0, 100), (50, 100), (50, 150), (100, 150), (75, 125)])
STAGE_LISTS = st.lists(
    st.sampled_from(["RECONCILE_SERVICE", "PRE_SCALE_UP", "POST_SCALE_UP"]), unique=True, min_size=1
)
HOOKS = st.lists(
    st.builds(
        lambda stages, minutes, action: a_hook(*stages, minutes=minutes, action=action),
        STAGE_LISTS,
        st.integers(1, 12),
        st.sampled_from(["CONTINUE", "ROLLBACK"]),
    ),
    max_size=2,
)
BREAKERS = st.sampled_from([{}, {"enable": True, "rollback": True}, {"enable": True}])
STEERED = ("hurt", "hurt", "hurt", "hurt", "continue", "back", "rollback", "abort")


@st.composite
def worlds(draw, *, sent: bool = False) -> World:
    """A steady service with any configuration, whose updates have hooks."""
    minimum, maximum = draw(PERCENTAGES)
    desired, breaker = draw(st.integers(0, 5)), draw(BREAKERS)
    world = World(desired, minimum, maximum, breaker=breaker, sent=sent)
    if can_move(world):
        world.settle()
    percent = draw(st.sampled_from([None, minimum, 100]))
    cleanup = draw(st.sampled_from(["BLOCKING", "DEFERRED"]))
    early = DeploymentEarlySuccessCriteria(
        enable=percent is not None, healthy_percent=percent, source_service_revision_cleanup=cleanup
    )
    world.configuration = evolve(
        world.configuration, lifecycle_hooks=draw(HOOKS), early_success_criteria=early
    )
    world.update()
    return world


def steer(world: World, data, what: str) -> None:
    """One thing that a person does, or that happens."""
    primary = world.deployment()
    waiting = hooks.awaited(primary)
    if what == "hurt":
        hurt(world, data)
    elif what in {"continue", "back"}:
        if waiting and primary.status == "IN_PROGRESS":
            hook = data.draw(st.sampled_from(waiting))
            status = "SUCCEEDED" if what == "continue" else "FAILED"
            answered = hooks.answered(primary, hook.id, status)
            asked = {} if what == "continue" else {"status": "ROLLBACK_REQUESTED"}
            world.change_deployment(evolve(answered, **asked))
    elif primary.status in UNDER_WAY and what in {"rollback", "abort"}:
        asked = "ROLLBACK_REQUESTED" if what == "rollback" else "STOP_REQUESTED"
        world.change_deployment(evolve(primary, status=asked))


def leave_alone(world: World, rounds: int = 120) -> None:
    """Everything works, nobody answers a hook: their times run out."""
    world.undrain()
    for task in world.live():
        world.find_again(task)
    for _ in range(rounds):
        plan = world.act()
        if world.is_steady():
            return
        known = dict(world.tasks)
        world.serve()
        ended = world.deployment().rollout_state == "FAILED" and not world.deployment().stalled
        if world.tasks == known and plan.look_again is not None:
            world.now = max(world.now, plan.look_again)
        elif world.tasks == known and (ended or not can_move(world)):
            return
        world.wait(1)
    raise AssertionError(f"it never comes to an end: {world.events[-4:]}")


@settings(max_examples=200, deadline=None)
@given(worlds(), st.data())
def test_whatever_people_do_the_bounds_hold_and_all_comes_to_an_end(world, data):
    for _ in range(data.draw(st.integers(0, 20))):
        before = world.deployment()
        steer(world, data, data.draw(st.sampled_from(STEERED)))
        cut = data.draw(st.integers(1, 12))
        world.act(keep=lambda step, cut=cut: step < cut)
        after = world.deployment()
        if after.id == before.id and before.lifecycle_stage and not after.rollback_of:
            order = list(STAGES.moves)
            assert order.index(after.lifecycle_stage) >= order.index(before.lifecycle_stage)
    leave_alone(world)
    primary = world.deployment()
    assert primary.rollout_state in {"COMPLETED", "FAILED"} or not can_move(world)
    assert all(one.status not in UNDER_WAY for one in world.deployments if one.id != primary.id)
    if primary.rollout_state == "COMPLETED" and can_move(world):
        assert {one.deployment for one in world.live()} <= {primary.id}
        assert len(world.live()) == world.service.desired_count


@settings(max_examples=100, deadline=None)
@given(worlds(), st.data())
def test_while_it_is_paused_the_service_never_falls_below_its_minimum(world, data):
    """Tasks fail one at a time, and are replaced, whatever the stage is."""
    for _ in range(12):
        for _ in range(4):
            world.act()
            world.serve()
            world.wait(11)
        world.act()
        primary = world.deployment()
        if not hooks.awaited(primary) or primary.rollout_state != "IN_PROGRESS":
            return
        desired = world.service.desired_count
        ready, _ = world.counts()
        # Where there is something to keep: the old tasks before scaling up, the new ones after.
        assert ready >= min(desired, lower_limit(desired, 100)) or not primary.keeps
        running = [one for one in world.live() if one.last_status == "RUNNING"]
        if running:
            world.report(data.draw(st.sampled_from(running)), "STOPPED", exit_code=1)
        world.wait(40)


@settings(max_examples=100, deadline=None)
@given(worlds(sent=True), st.data())
def test_what_is_done_and_asked_again_answers_nothing(world, data):
    for _ in range(data.draw(st.integers(0, 15))):
        steer(world, data, data.draw(st.sampled_from(STEERED)))
        for _ in range(3):
            if world.act().look_again != world.now:
                break  # else another deployment is current now, which is looked at next
        again = world.reconcile()
        assert (again.service, again.deployments, again.judged) == (None, (), ()), again
