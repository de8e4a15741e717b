"""Capacity provider strategies: which may be asked for, and which provider gets which task.

The base is satisfied first, on the one provider that has it; what comes after is shared out by
weight (ECS API reference, CapacityProviderStrategyItem).
"""

from collections.abc import Collection, Mapping, Sequence

from moorage.ecs.rules.refusal import Refusal, invalid, unsupported
from moorage.shapes.ecs.capacity_provider import CapacityProviderStrategyItem

PROVIDERS_MAX = 20
FARGATE = frozenset({"FARGATE", "FARGATE_SPOT"})
NO_FARGATE = (
    "The capacity provider {} is not supported: tasks run on hosts that joined the cluster. "
    "Create a capacity provider of a pool of hosts, or leave it out."
)
BOTH = (
    "Specifying both a launch type and capacity provider strategy is not supported. "
    "Remove one and try again."
)


def refuse_strategy(
    strategy: Sequence[CapacityProviderStrategyItem], associated: Collection[str]
) -> Refusal | None:
    """Why a strategy cannot be used in a cluster with these providers associated, or None."""
    names = [item.capacity_provider or "" for item in strategy]
    if len(names) > PROVIDERS_MAX:
        return invalid(
            f"A capacity provider strategy has at most {PROVIDERS_MAX} capacity providers."
        )
    fargate = next((name for name in names if name in FARGATE), None)
    if fargate:
        return unsupported(NO_FARGATE.format(fargate))
    if len(set(names)) < len(names):
        return invalid(
            "The capacity provider strategy cannot contain duplicate capacity providers."
        )
    if any(name not in associated for name in names):
        return invalid(
            "The specified capacity provider strategy cannot contain a capacity provider that is "
            "not associated with the cluster. Associate the capacity provider with the cluster and "
            "try again."
        )
    return _refuse_numbers(strategy)


def _refuse_numbers(strategy: Sequence[CapacityProviderStrategyItem]) -> Refusal | None:
    if sum((item.base or 0) > 0 for item in strategy) > 1:
        return invalid(
            "Only one capacity provider in a capacity provider strategy can have a base defined."
        )
    if len(strategy) > 1 and not any(item.weight for item in strategy):
        return invalid(
            "At least one capacity provider in the strategy must have a weight greater than zero."
        )
    return None


def shares(
    strategy: Sequence[CapacityProviderStrategyItem], counted: Mapping[str, int], count: int
) -> tuple[str, ...]:
    """The provider of each of `count` more tasks, in order.

    `counted` are the tasks that each provider has already. The one item of a strategy without a
    weight gets everything: there is nobody to share with.
    """
    assert strategy, "a strategy names a provider"
    have = {item.capacity_provider or "": 0 for item in strategy}
    have |= {name: counted.get(name, 0) for name in have}
    if len(strategy) == 1:
        return (strategy[0].capacity_provider or "",) * count
    chosen: list[str] = []
    for _ in range(count):
        name = _next(strategy, have)
        have[name] += 1
        chosen.append(name)
    return tuple(chosen)


def _next(strategy: Sequence[CapacityProviderStrategyItem], have: Mapping[str, int]) -> str:
    for item in strategy:
        if have[item.capacity_provider or ""] < (item.base or 0):
            return item.capacity_provider or ""
    weighed = [(item.capacity_provider or "", item) for item in strategy if item.weight]

    def filled(pair: tuple[str, CapacityProviderStrategyItem]) -> float:
        name, item = pair
        beyond = have[name] - (item.base or 0)
        return (beyond + 1) / (item.weight or 1)

    # Among equals the first of the strategy: the same question has the same answer.
    return min(weighed, key=filled)[0]
