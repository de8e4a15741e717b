"""Room that is kept for daemons: on each host that lacks one, nobody else is placed in its stead.

Amazon ECS reserves CPU, memory and ports for the tasks of daemon services and starts them first.
"""

from collections.abc import Iterable

from moorage.ecs.records.resources import Resources
from moorage.ecs.rules.placement.constraint import Wants, mismatch
from moorage.ecs.rules.placement.view import ClusterView, HostLoad, promised
from moorage.ground.record import evolve


def reserve(view: ClusterView, claims: Iterable[Wants]) -> ClusterView:
    """The view as others than daemons see it; each claim is one daemon service's.

    It is kept free on every ACTIVE host where such a task belongs and none is, and that is large
    enough for it: nothing is kept for what can never come. The tasks are not counted:
    `task:group == service:DAEMON` is true only where the daemon is. Where nothing is to be kept, as
    mostly, it is the same view, with the orders that come with it.
    """
    less: dict[str, HostLoad] = {}
    for claim in claims:
        for arn, load in view.hosts.items():
            lacks = not load.groups.get(claim.group) and load.instance.status == "ACTIVE"
            if lacks and _is_large_enough(load, claim.needs) and mismatch(claim, load) is None:
                less[arn] = _without(less.get(arn, load), claim)
    return ClusterView({**view.hosts, **less}, view.kept) if less else view


def _is_large_enough(load: HostLoad, needs: Resources) -> bool:
    """Whether such a task would have room if the host were empty."""
    has = load.instance.resources
    return (
        needs.cpu <= has.cpu
        and needs.memory <= has.memory
        and needs.gpus <= has.gpus
        and not set(needs.ports).intersection(has.ports)
        and not set(needs.ports_udp).intersection(has.ports_udp)
    )


def _without(load: HostLoad, claim: Wants) -> HostLoad:
    promise = promised(load, claim.needs, claim.group)
    kept_for = (*load.kept_for, claim.group)
    return evolve(promise, groups=load.groups, tasks=load.tasks, kept_for=kept_for)
