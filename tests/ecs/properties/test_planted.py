"""How sharp the laws are: bugs as people make them, planted in what is judged, must be found."""

from functools import partial

import pytest

from moorage.ecs.rules.deployment.reconcile import reconcile
from moorage.ecs.rules.placement.place import Placements, Unplaced, place
from moorage.ground.record import evolve
from tests.ecs.properties import place_laws, service_laws
from tests.ecs.properties.drawing import Broken, judge
from tests.ecs.properties.table import PROPERTIES

# Each is found within so many cases.
CASES_MAX = 400


# --- bugs of place -----------------------------------------------------------------------------


def forgets_the_batch(batch, view):
    """Each task of a batch is placed as if it were the only one."""
    one = evolve(batch, count=1)
    found = [place(evolve(one, numbers=batch.numbers[at:]), view) for at in range(batch.count)]
    chosen = tuple(arn for placed in found for arn in placed.chosen)
    left = batch.count - len(chosen)
    hindrances = found[-1].unplaced.hindrances if left else ()
    return Placements(chosen=chosen, unplaced=Unplaced(count=left, hindrances=hindrances))


def without_udp(batch, view):
    """Ports of UDP are not looked at."""
    needs = evolve(batch.wants.needs, ports_udp=())
    return place(evolve(batch, wants=evolve(batch.wants, needs=needs)), view)


def gives_up_early(batch, view):
    """The last task of a larger batch is refused although there may be room."""
    return place(evolve(batch, count=batch.count - (batch.count > 3)), view)


def counts_nothing(batch, view):
    """Spreads know of no task that is there already."""
    return place(evolve(batch, counted={}), view)


def shuffles_the_chain(batch, view):
    """A chain of strategies is read backwards."""
    return place(evolve(batch, strategies=batch.strategies[::-1]), view)


def ignores_affinity(batch, view):
    """Expressions are not asked."""
    return place(evolve(batch, wants=evolve(batch.wants, members=())), view)


def first_come(batch, view):
    """Among equals the host that happens to come first is taken."""
    placed = place(batch, view)
    first = next(iter(view.hosts), "")
    last = placed.chosen[-1:]
    swapped = [first if (arn,) == last and batch.count == 2 else arn for arn in placed.chosen]
    return evolve(placed, chosen=tuple(swapped))


# --- bugs of reconcile -------------------------------------------------------------------------


def reads_others(change):
    """A rule that decides on a state other than the one it was given."""

    def rule(state, now, view):
        return reconcile(change(state), now, view)

    return rule


def with_percentages(minimum, maximum):
    def change(state):
        known = state.service.deployment_configuration
        wrong = evolve(
            known,
            minimum_healthy_percent=min(100, known.minimum_healthy_percent + minimum),
            maximum_percent=known.maximum_percent + maximum,
        )
        return evolve(state, service=evolve(state.service, deployment_configuration=wrong))

    return reads_others(change)


def without_minimum(state, now, view):
    known = evolve(state.service.deployment_configuration, minimum_healthy_percent=0)
    service = evolve(state.service, deployment_configuration=known)
    return reconcile(evolve(state, service=service), now, view)


def blind_to(keeps):
    """Some tasks are not seen."""
    return reads_others(lambda state: evolve(state, tasks=tuple(filter(keeps, state.tasks))))


def unprotected(state):
    return evolve(state, tasks=tuple(evolve(task, protected_until=None) for task in state.tasks))


def starts_one_more(state, now, view):
    plan = reconcile(state, now, view)
    return evolve(
        plan,
        start=tuple(evolve(one, count=one.count + 1) for one in plan.start),
        relies_on=plan.relies_on + bool(plan.start),
    )


def forgets_to_judge(state, now, view):
    return evolve(reconcile(state, now, view), judged=())


def never_again(state, now, view):
    plan = reconcile(state, now, view)
    return plan if plan.start or plan.stop else evolve(plan, look_again=None)


PLANTED = {
    "a batch forgets its own promises": partial(place_laws.holds, rule=forgets_the_batch),
    "ports of UDP are forgotten": partial(place_laws.holds, rule=without_udp),
    "the last of a batch is refused": partial(place_laws.holds, rule=gives_up_early),
    "spreads count nothing": partial(place_laws.holds, rule=counts_nothing),
    "a chain is read backwards": partial(place_laws.holds, rule=shuffles_the_chain),
    "expressions are not asked": partial(place_laws.holds, rule=ignores_affinity),
    "the order of the hosts decides": partial(place_laws.holds, rule=first_come),
    "an off-by-one in the maximum": partial(service_laws.holds, rule=with_percentages(0, 34)),
    "a minimum that is not kept": partial(service_laws.holds, rule=without_minimum),
    "what is stopping is not counted": partial(
        service_laws.holds, rule=blind_to(lambda task: task.desired_status == "RUNNING")
    ),
    "lost hosts are forgotten": partial(
        service_laws.holds, rule=blind_to(lambda task: task.connectivity == "CONNECTED")
    ),
    "protection is not heeded": partial(service_laws.holds, rule=reads_others(unprotected)),
    "one too many starts": partial(service_laws.holds, rule=starts_one_more),
    "ends are taken in again and again": partial(service_laws.holds, rule=forgets_to_judge),
    "time does not wake it": partial(service_laws.holds, rule=never_again),
}
OF_PLACE = 7


@pytest.mark.parametrize("name", list(PLANTED))
def test_a_planted_bug_is_found(name):
    kind = "place" if list(PLANTED).index(name) < OF_PLACE else "reconcile"
    planted = evolve(PROPERTIES[kind], law=PLANTED[name])
    with pytest.raises(Broken, match="does not hold for seed"):
        judge(planted, range(1, CASES_MAX), tries=0)
