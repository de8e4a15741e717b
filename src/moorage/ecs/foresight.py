"""What a transaction that will be rolled back would have done, told from what it noted.

Run by the gateway within that transaction, when its controllers have come to rest: it reads the
rows as they would be, and tells starts, stops, hosts and what services would wait for then.
"""

from collections.abc import Sequence

from moorage.ecs.records.happening import Happening
from moorage.ecs.records.task import Task
from moorage.ecs.rules.explanation.waits import waits
from moorage.ecs.store import cases, container_instances, services, tasks
from moorage.ecs.store.view import cluster_view
from moorage.ecs.views import explanation as views
from moorage.ground.arn import make_arn, parse_arn
from moorage.ground.instant import maybe_epoch
from moorage.kernel.call import Turn
from moorage.shapes.moorage import dry_run as shapes

SERVICES_EXPLAINED_MAX = 20
_STARTS = frozenset({"task-started", "task-waiting"})
_STOPS = frozenset({"task-stopping", "task-stopped"})


def foresee(turn: Turn) -> shapes.DryRun:
    """What the transaction has done so far, as a plan."""
    noted: Sequence[Happening] = turn.tx.noted
    named = container_instances.named(turn.tx, {one.instance for one in noted if one.instance})
    hosts = {arn: one.name or one.id for arn, one in named.items()}
    known = tasks.named(turn.tx, {_task_arn(one) for one in noted if one.kind in _STARTS})
    waiting, outlooks = _services(turn, noted)
    return shapes.DryRun(
        starts=[
            _start(one, known.get(_task_arn(one)), hosts) for one in noted if one.kind in _STARTS
        ],
        stops=[
            shapes.ForeseenStop(
                task=one.task,
                service=one.service or None,
                host=hosts.get(one.instance),
                reason=one.text,
            )
            for one in noted
            if one.kind in _STOPS
        ],
        changes=[
            shapes.ForeseenChange(
                kind=one.kind,
                subject=one.deployment or one.service or hosts.get(one.instance) or None,
                text=one.text,
            )
            for one in noted
            if one.subject != "task"
        ],
        waits=waiting,
        outlooks=outlooks,
    )


def _services(
    turn: Turn, noted: Sequence[Happening]
) -> tuple[list[shapes.ForeseenWait], list[shapes.ForeseenOutlook]]:
    """What the services that are concerned would wait for, and why those without room find none."""
    tx = turn.tx
    concerned = {_service_arn(one) for one in noted if one.service}
    found = sorted(services.named(tx, concerned).values(), key=lambda one: one.name)
    waiting: list[shapes.ForeseenWait] = []
    outlooks: list[shapes.ForeseenOutlook] = []
    view = None
    for service in found[:SERVICES_EXPLAINED_MAX]:
        if service.status == "INACTIVE":
            continue
        view = view or cluster_view(tx, service.cluster_arn)
        case = cases.of_service(tx, turn.site, service, view)
        waiting += [
            shapes.ForeseenWait(service=service.name, text=one.text, until=maybe_epoch(one.until))
            for one in waits(case)
        ]
        if service.waits_for_room and not case.room.takers:
            outlooks.append(
                shapes.ForeseenOutlook(service=service.name, placement=views.outlook(case.room))
            )
    return waiting, outlooks


def _start(one: Happening, task: Task | None, hosts: dict[str, str]) -> shapes.ForeseenStart:
    return shapes.ForeseenStart(
        service=one.service or None,
        task_definition=f"{task.family}:{task.revision}" if task else None,
        deployment=one.deployment or None,
        host=hosts.get(one.instance),
        container_instance_arn=one.instance or None,
        cpu=task.reserved.cpu if task else None,
        memory=task.reserved.memory if task else None,
    )


def _task_arn(one: Happening) -> str:
    return _member(one, "task", one.task)


def _service_arn(one: Happening) -> str:
    return _member(one, "service", one.service)


def _member(one: Happening, kind: str, name: str) -> str:
    cluster = parse_arn(one.cluster)
    assert cluster is not None, f"{one.cluster} has a timeline"
    return make_arn(kind, cluster.region, cluster.account, cluster.name, name)
