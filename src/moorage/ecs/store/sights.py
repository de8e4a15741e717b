"""All that one look at the balance of a cluster sees, and what should move there.

A look is made whenever a service has become steady, and mostly nothing is to be moved. So it counts
what lies where from the promises that the writer keeps in memory, and reads tasks, which are many,
only of services that would lie better elsewhere.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from moorage.ecs.records.freeze import Freeze
from moorage.ecs.records.resources import Resources
from moorage.ecs.records.service import Service
from moorage.ecs.records.task import Task
from moorage.ecs.rules.deployment.wants import wants_of_service
from moorage.ecs.rules.freeze import BRAKE, holds
from moorage.ecs.rules.placement.constraint import Wants
from moorage.ecs.rules.placement.view import ClusterView
from moorage.ecs.rules.rebalancing.case import Case, standstill
from moorage.ecs.rules.rebalancing.field import Field
from moorage.ecs.rules.rebalancing.plan import Outcome, Question, plan
from moorage.ecs.rules.rebalancing.tally import Tally, tally
from moorage.ecs.store import freezes, services, task_definitions, tasks
from moorage.ecs.store.view import for_others, projected
from moorage.ground.instant import Duration, Instant
from moorage.ground.record import Record, evolve
from moorage.sql.transaction import Transaction


class Sight(Record):
    """The services of a cluster that are asked of, still without their tasks, and its hosts.

    `totals` is each host's load; `elsewhere` are the moves of services that are not asked of.
    """

    cases: tuple[Case, ...]
    view: ClusterView
    totals: Mapping[str, int]
    elsewhere: int = 0


class Foreseen(Record):
    """What should move, why nothing else does, and the hosts as that leaves them."""

    outcome: Outcome
    field: Field


def foresee(
    tx: Transaction,
    cluster: str,
    question: Question,
    settling: Duration,
    only: Collection[str] = (),
) -> Foreseen:
    """Plan the moves of a cluster (an ARN); of some services alone, where they are named.

    A plan says whose tasks it needs, and is made anew with them: what one service moves may make
    another uneven that lay well. One that goes on until nothing is left to move has them all.
    """
    sight = look(tx, cluster, question, only)
    question = evolve(question, elsewhere=sight.elsewhere)
    wanted = {one.service.arn for one in sight.cases if question.whole}
    read = _read(tx, wanted)
    for _ in range(len(sight.cases) + 1):
        field = Field(sight.view, sight.totals, settling, question.now)
        cases = [evolve(one, tasks=read.get(one.service.arn)) for one in sight.cases]
        outcome = plan(cases, field, question)
        if not outcome.unread:
            return Foreseen(outcome=outcome, field=field)
        read.update(_read(tx, outcome.unread))
    raise AssertionError("each plan but the last needs the tasks of one service more")


def look(tx: Transaction, cluster: str, question: Question, only: Collection[str] = ()) -> Sight:
    """The services of a cluster (an ARN) and its hosts, counted."""
    kept = projected(tx, cluster)
    counted = tally(kept.claims)
    active = [one for one in services.live_of_cluster(tx, cluster) if one.status == "ACTIVE"]
    cases = [_case(one, counted) for one in active]
    asked = [one for one in cases if not only or one.service.name in only]
    others = [one for one in cases if only and one.service.name not in only]
    return Sight(
        cases=tuple(_completed(tx, asked, question)),
        view=for_others(tx, cluster, kept.view()),
        totals=counted.totals,
        elsewhere=sum(one.under_way for one in others),
    )


def _case(service: Service, counted: Tally) -> Case:
    group = f"service:{service.name}"
    return Case(
        service=service,
        wants=Wants(needs=Resources(), group=group),
        on=counted.on.get(group, {}),
        moves=counted.moves.get(group, 0),
    )


def _completed(tx: Transaction, cases: Sequence[Case], question: Question) -> list[Case]:
    """The cases with the freezes that hold them; definitions are read where something may move."""
    if not cases:
        return []
    home = cases[0].service
    known = freezes.of_cluster(tx, home.account, home.region, home.cluster)
    found: list[Case] = []
    for case in cases:
        service = case.service
        whole = evolve(case, freeze=_holding(known, service, tx.now))
        if _may_move(whole, question):
            definition = task_definitions.needed(tx, service, service.task_definition).definition
            wants = wants_of_service(service, definition, service.deployment, tx.now)
            whole = evolve(whole, wants=wants)
        found.append(whole)
    return found


def _may_move(case: Case, question: Question) -> bool:
    return standstill(case, question.moves_max, question.pause, question.now) is None


def _read(tx: Transaction, among: Iterable[str]) -> dict[str, tuple[Task, ...]]:
    """The live tasks of some services, by their ARNs."""
    found: dict[str, list[Task]] = {arn: [] for arn in sorted(among)}
    for task in tasks.live_of_services(tx, found):
        found[task.service].append(task)
    return {arn: tuple(mine) for arn, mine in found.items()}


def _holding(known: Iterable[Freeze], service: Service, now: Instant) -> Freeze | None:
    """The freeze under which nothing of a service moves: the brake's too, as long as it is there."""
    mine = [one for one in known if one.service in {"", service.name}]
    braked = next((one for one in mine if one.cause == BRAKE), None)
    return holds(mine, now) or braked
