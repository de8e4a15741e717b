"""A dry run: a write is done, its controllers run in the same transaction, and all is rolled back.

What would be done is told by the transaction itself, so that a plan cannot differ from the deed. A
work that raises leaves no row and wakes nobody (`sql`): that is how nothing gets out. Agents are
sent only what is committed, so no order and no number of one is given away.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NoReturn

import msgspec

from moorage.ground.clock import Clock
from moorage.ground.fault import Validation
from moorage.ground.instant import seconds
from moorage.ground.record import Record, evolve
from moorage.kernel.agenda import Agenda
from moorage.kernel.call import Turn
from moorage.kernel.controller import Controller
from moorage.kernel.site import Site
from moorage.shapes.moorage.dry_run import DryRun
from moorage.sql.transaction import Transaction
from moorage.wire import json11
from moorage.wire.request import Request, Response

HEADER = "x-moorage-dry-run"
MEMBER = "dryRun"
# Other writes wait meanwhile (on SQLite): a plan of more than this says that it is not complete.
TURNS_MAX = 2000
SPENT_MAX = seconds(2)
_WANTED = {"true": True, "false": False}


class Outcome(Record):
    """What the write would have answered, and what it would have done."""

    answer: msgspec.Struct
    plan: DryRun


class RolledBack(Exception):  # noqa: N818 - it carries an outcome and tells of no error
    """Ends a work so that the database rolls it back; `outcome` is what it came to."""

    def __init__(self, outcome: Outcome) -> None:
        """Carry the outcome out of the transaction."""
        super().__init__()
        self.outcome = outcome


class Stage:
    """What a dry run is played on: the controllers, which writes it takes, and who tells of it."""

    def __init__(
        self,
        site: Site,
        clock: Clock,
        controllers: Sequence[Controller],
        foresee: Callable[[Turn], DryRun],
        covered: Mapping[str, Collection[str]],
    ) -> None:
        """Take them; `covered` are the names of operations by their service."""
        self._site = site
        self._clock = clock
        self._controllers = {one.name: one for one in controllers}
        self._foresee = foresee
        self._covered = covered

    def covers(self, service: str, operation: str) -> bool:
        """Whether a dry run of this write tells all that it would do."""
        return operation in self._covered.get(service, ())

    def play(
        self, tx: Transaction, operation: str, write: Callable[[], msgspec.Struct]
    ) -> NoReturn:
        """Do a write and all that follows at once; raises RolledBack, or the write's own fault."""
        answer = write()
        turn = Turn(tx=tx, site=self._site)
        turns, complete = self._converge(turn)
        plan = evolve(self._foresee(turn), operation=operation, turns=turns, complete=complete)
        raise RolledBack(Outcome(answer=answer, plan=plan))

    def _converge(self, turn: Turn) -> tuple[int, bool]:
        """Run the controllers that were woken, and those that these wake; timers do not ring."""
        tx, agenda = turn.tx, Agenda()
        until = self._clock.monotonic() + SPENT_MAX
        for turns in range(TURNS_MAX):
            agenda.wake(self._woken(tx))
            taken = agenda.take(tx.now, 1)
            if not taken:
                return turns, True
            if self._clock.monotonic() > until:
                return turns, False
            ((name, key),) = taken
            agenda.finish((name, key), self._controllers[name](turn, key))
        return TURNS_MAX, False

    def _woken(self, tx: Transaction) -> list[tuple[str, str]]:
        return [
            (one.name, key)
            for kind, key in tx.take_woken()
            for one in self._controllers.values()
            if one.kind == kind
        ]


def is_wanted(request: Request) -> bool:
    """Whether a request asks for a dry run; raises Validation where that cannot be told.

    One that is misspelled must never become a real write.
    """
    given = request.getall(HEADER)
    if not given:
        return False
    wanted = _WANTED.get(given[0].strip().lower())
    if wanted is None or len(given) > 1:
        raise Validation("X-Moorage-Dry-Run is true or false, and given once.")
    return wanted


def render(outcome: Outcome, request_id: str) -> Response:
    """The answer that the write would have given, with the plan as a member of its own."""
    members = msgspec.json.decode(json11.encode(outcome.answer), type=dict[str, msgspec.Raw])
    plan = msgspec.Raw(json11.encode(outcome.plan))
    return marked(json11.render({**members, MEMBER: plan}, request_id))


def marked(response: Response) -> Response:
    """The response, saying that nothing was done for it."""
    return evolve(response, headers=(*response.headers, (HEADER, "true")))
