"""Tasks that wait for room on the hosts of a capacity provider: how they come, wait, and give up."""

from collections import Counter
from collections.abc import Mapping, Sequence

from moorage.ecs.records.task import Provisioning, Task
from moorage.ecs.rules.capacity.sharing import Shared
from moorage.ecs.rules.capacity.waiting import FAILED, gave_up, limit_reached
from moorage.ecs.rules.placement.explain import PROVIDER, closest_match
from moorage.ecs.rules.placement.place import Placements
from moorage.ecs.rules.placement.view import ClusterView
from moorage.ecs.rules.task.stop import ask_to_stop
from moorage.ecs.store import capacity, drafts, freezes, images, tasks
from moorage.ground.instant import Duration, Instant, later, seconds
from moorage.ground.record import Record, evolve
from moorage.kernel.call import Call, Turn
from moorage.shapes.ecs.faults import ClientException, InvalidParameterException
from moorage.shapes.ecs.task import RunTaskRequest
from moorage.sql.transaction import Transaction

# Woken by the ARN of a cluster in whose pools there may be room.
KIND = "provisioning"
# How often a task that was frozen at its end looks whether it is so no longer.
FROZEN_LOOK: Duration = seconds(15)


class Wanting(Record):
    """What found no room: the provider and the reason of each task that waits; and what does not."""

    waits: tuple[tuple[str, str], ...] = ()
    refused: tuple[Placements, ...] = ()


def wanting(call: Call, shared: Shared, view: ClusterView) -> Wanting:
    """Part those that wait from those that are refused.

    Raises InvalidParameterException for a provider that has no host and does not grow, and
    ClientException where too many of the cluster wait already.
    """
    growing = capacity.scaled(call, list(shared.placements))
    waits: list[tuple[str, str]] = []
    refused: list[Placements] = []
    for name, placed in shared.placements.items():
        if name in growing:
            reason = closest_match(placed.unplaced, PROVIDER)
            waits += [(name, reason)] * placed.unplaced.count
        elif placed.unplaced.count and not view.of_provider(name).hosts:
            raise InvalidParameterException(
                "No Container Instances were found in your capacity provider."
            )
        else:
            refused.append(placed)
    return Wanting(waits=tuple(waits), refused=tuple(refused))


def wait(
    call: Call,
    draft: drafts.Draft,
    waits: Sequence[tuple[str, str]],
    request: RunTaskRequest,
) -> list[Task]:
    """Write the tasks that wait; raises ClientException where the cluster has too many already."""
    if not waits:
        return []
    tx, most = call.tx, call.site.provisioning_tasks
    cluster = drafts.cluster_of(draft)
    if len(tasks.provisioning(tx, cluster)) + len(waits) > most:
        raise ClientException(limit_reached(most))
    until = later(call.now, call.site.provisioning_timeout)
    return [
        task
        for name, reason in waits
        for task in drafts.wait(
            tx,
            draft,
            (name,),
            Provisioning(
                until=until,
                reason=reason,
                placement_constraints=request.placement_constraints or [],
                placement_strategy=request.placement_strategy or [],
            ),
        )
    ]


def positions(tx: Transaction, cluster: str) -> Mapping[str, int]:
    """Where each waiting task of a cluster stands among those of its provider, from 1 on, by ARN."""
    before: Counter[str] = Counter()
    found: dict[str, int] = {}
    for task in tasks.provisioning(tx, cluster):
        before[task.capacity_provider] += 1
        found[task.arn] = before[task.capacity_provider]
    return found


def give_up(turn: Turn, task: Task) -> Instant | None:
    """End a task that has waited for too long, not while its cluster is frozen; else when."""
    waited = task.provisioning
    assert waited is not None, "only what waits gives up"
    if turn.now < waited.until:
        return waited.until
    if freezes.is_frozen(turn.tx, task):
        # After the thaw whoever finds room comes first.
        longer = evolve(waited, until=later(turn.now, Duration(2 * FROZEN_LOOK)))
        tasks.note(turn.tx, evolve(task, provisioning=longer))
        return later(turn.now, FROZEN_LOOK)
    timeout = Duration(waited.until - task.created_at)
    reason = gave_up(task.capacity_provider, timeout, waited.reason)
    tasks.write(turn.tx, ask_to_stop(task, FAILED, reason, turn.now))
    images.release(turn.tx, task.arn)
    return None
