"""How planned moves are shown, those under way, and why nothing moves."""

from collections.abc import Mapping, Sequence

from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.records.service import Service
from moorage.ecs.records.task import Task
from moorage.ecs.rules.deployment.relocation import under_way
from moorage.ecs.rules.rebalancing.field import Field
from moorage.ecs.rules.rebalancing.plan import Move, Outcome, Stay
from moorage.ground.instant import maybe_epoch
from moorage.shapes.moorage.rebalancing import (
    ClosedHost,
    PreviewRebalancingResponse,
    RebalancingMove,
    RebalancingStay,
    ServiceRebalancing,
    TaskMove,
)


def view(outcome: Outcome, field: Field, moves_max: int) -> PreviewRebalancingResponse:
    """A plan with the names of its hosts."""
    stays = sorted(outcome.stays, key=lambda one: one.case.service.name)
    return PreviewRebalancingResponse(
        moves=[_move(one, field) for one in outcome.moves],
        stays=[_stay(one) for one in stays],
        closed_hosts=[
            ClosedHost(host=field.name(arn), reason=why)
            for arn, why in sorted(field.closed.items())
        ],
        moves_max=moves_max,
    )


def progress(
    service: Service, live: Sequence[Task], hosts: Mapping[str, ContainerInstance]
) -> ServiceRebalancing:
    """How far the rebalancing of a service is; `live` are its tasks, `hosts` theirs by ARN."""

    def name(task: Task) -> str | None:
        host = hosts.get(task.instance)
        return (host.name or host.id) if host else None

    return ServiceRebalancing(
        service=service.name,
        since=maybe_epoch(service.rebalancing.since),
        moves=[
            TaskMove(
                task_arn=task.arn,
                from_host=name(task),
                successor_arn=successor.arn,
                to_host=name(successor),
            )
            for task, successor in sorted(under_way(live), key=lambda pair: pair[0].arn)
        ],
        planned=len(service.rebalancing.planned),
    )


def _move(move: Move, field: Field) -> RebalancingMove:
    return RebalancingMove(
        service=move.case.service.name,
        task_arn=move.step.task.arn,
        from_host=field.name(move.source),
        from_zone=field.zone(move.source) or None,
        to_host=field.name(move.step.target),
        to_zone=field.zone(move.step.target) or None,
        kind=move.step.kind,
        reason=move.step.why,
    )


def _stay(stay: Stay) -> RebalancingStay:
    return RebalancingStay(
        service=stay.case.service.name,
        mode=stay.case.mode.name,
        balanced=stay.balanced,
        reason=stay.why,
        until=maybe_epoch(stay.until),
    )
