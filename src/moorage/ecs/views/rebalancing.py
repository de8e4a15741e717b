"""How planned moves are shown, and why nothing moves."""

from moorage.ecs.rules.rebalancing.field import Field
from moorage.ecs.rules.rebalancing.plan import Move, Outcome, Stay
from moorage.ground.instant import maybe_epoch
from moorage.shapes.moorage.rebalancing import (
    ClosedHost,
    PreviewRebalancingResponse,
    RebalancingMove,
    RebalancingStay,
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
