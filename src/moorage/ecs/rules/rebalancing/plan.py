"""The one question of rebalancing: which tasks of a cluster should move now, and why no others."""

from collections.abc import Sequence

from moorage.ecs.rules.deployment.state import soonest
from moorage.ecs.rules.rebalancing.balance import Balance, Step
from moorage.ecs.rules.rebalancing.case import Case, at_once, standstill
from moorage.ecs.rules.rebalancing.field import Field
from moorage.ground.instant import Duration, Instant, later, minutes
from moorage.ground.record import Record

# After that long it is looked again whether what could not move can: nobody tells of all that
# might help it.
RETRY_AFTER: Duration = minutes(5)
# So many moves are planned ahead at the most, for those who only want to see.
PLANNED_MAX = 1000
_BALANCED = "its tasks are spread: no host has two of them more than another that could take one"


class Question(Record):
    """What is asked: at most `moves_max` moves at once in the cluster, `pause` between waves.

    `whole`: all moves until nothing is left to move, as if each were done before the next; else
    those that may begin now. `elsewhere` are the moves under way of services that are not asked of.
    """

    now: Instant
    moves_max: int
    pause: Duration
    whole: bool = False
    elsewhere: int = 0


class Move(Record):
    """One move of a service's task, from the host `source` to `target` (ARNs)."""

    case: Case
    step: Step
    source: str


class Stay(Record):
    """A service of which nothing (more) moves now, and why.

    `balanced`: there is nothing to be moved. `looked`: its balance was looked at, so that nothing
    but hosts and room stands in the way. `short_zones` are zones without room for it,
    `held_zones` those with too many of its tasks, all of which are protected.
    """

    case: Case
    why: str
    balanced: bool = False
    looked: bool = False
    until: Instant | None = None
    short_zones: tuple[str, ...] = ()
    held_zones: tuple[str, ...] = ()
    zones: tuple[tuple[str, int], ...] = ()


class Outcome(Record):
    """What should move, in order; why nothing more does; when to look again, where time may help.

    `unread` are the services (ARNs) whose tasks are needed and were not read: the rest holds only
    where there is none.
    """

    moves: tuple[Move, ...] = ()
    stays: tuple[Stay, ...] = ()
    look_again: Instant | None = None
    unread: frozenset[str] = frozenset()


def plan(cases: Sequence[Case], field: Field, question: Question) -> Outcome:
    """The moves of a cluster, one service after the other in turn, within the budget.

    A service moves at most a tenth of its tasks at once, and never more than its maximumPercent
    allows: each successor starts before the task that it replaces stops.
    """
    planner = _Planner(field, question)
    for case in sorted(cases, key=lambda one: one.service.arn):
        still = standstill(case, question.moves_max, question.pause, question.now)
        if still is None:
            planner.open.append(case)
        else:
            planner.stays.append(Stay(case=case, why=still.why, until=still.until))
    planner.left -= question.elsewhere
    planner.left -= sum(case.under_way for case in cases)
    while planner.open:
        planner.open = [case for case in planner.open if planner.advance(case)]
    return planner.outcome()


class _Planner:
    """Goes round the services until none of them has a move, or none is left of the budget."""

    def __init__(self, field: Field, question: Question) -> None:
        self.field = field
        self.question = question
        self.left = PLANNED_MAX if question.whole else question.moves_max
        self.open: list[Case] = []
        self.moves: list[Move] = []
        self.stays: list[Stay] = []
        self.unread: set[str] = set()
        self._balances: dict[str, Balance] = {}
        self._taken: dict[str, int] = {}

    def advance(self, case: Case) -> bool:
        """Plan one move of a service; False where it has no more."""
        service = case.service
        taken = self._taken.get(service.arn, 0)
        if not self.question.whole and taken >= at_once(service, self.question.moves_max):
            return False
        # Whether a rebalancing is over is looked at even where nothing more may begin.
        if self.left <= 0 and service.rebalancing.since is None:
            return self._exhausted(case)
        balance = self._balance(case)
        if case.tasks is None and not balance.is_even():
            self.unread.add(service.arn)
            return False
        step = balance.next()
        if step is None:
            return self._stay(balance)
        if self.left <= 0:
            return self._exhausted(case)
        move = Move(case=case, step=step, source=step.task.instance)
        balance.apply(step)
        self.field.start(step.target, case.wants.needs, case.wants.group)
        if self.question.whole:
            self.field.leave(step.task)
        self.moves.append(move)
        self._taken[service.arn] = taken + 1
        self.left -= 1
        return True

    def outcome(self) -> Outcome:
        """All that was found."""
        return Outcome(
            moves=tuple(self.moves),
            stays=tuple(self.stays),
            look_again=soonest([self.field.opens_at, *(one.until for one in self.stays)]),
            unread=frozenset(self.unread),
        )

    @property
    def _retry(self) -> Instant:
        return later(self.question.now, RETRY_AFTER)

    def _balance(self, case: Case) -> Balance:
        """How a service lies, counted once."""
        known = self._balances.get(case.service.arn)
        if known is None:
            known = Balance(case, self.field, self.question.now)
            self._balances[case.service.arn] = known
        return known

    def _exhausted(self, case: Case) -> bool:
        why = f"as many tasks of the cluster as may are moving: {self.question.moves_max} at once"
        self.stays.append(Stay(case=case, why=why, until=self._retry))
        return False

    def _stay(self, balance: Balance) -> bool:
        blocks = [f"{name}: {why}" for name, why in sorted(balance.blocks.items())]
        self.stays.append(
            Stay(
                case=balance.case,
                why="; ".join(blocks[:3]) if blocks else _BALANCED,
                balanced=not blocks,
                looked=True,
                until=self._retry if blocks else None,
                short_zones=tuple(sorted(balance.short_zones)),
                held_zones=tuple(sorted(balance.held_zones)),
                zones=tuple(balance.in_zones()),
            )
        )
        return False
