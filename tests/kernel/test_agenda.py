"""The agenda: no change is overlooked, no key runs beside itself, no key is held twice."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from moorage.ground.instant import Instant
from moorage.kernel.agenda import STALE_TIMERS_MAX, WOKEN_FOR_AN_UNSEEN, Agenda

KEYS = st.sampled_from([("service", "a"), ("service", "b"), ("task", "a")])


def test_a_woken_key_is_due_once():
    agenda = Agenda()
    agenda.wake([("service", "a"), ("service", "a")])
    assert agenda.take(Instant(0), 10) == [("service", "a")]
    assert agenda.take(Instant(0), 10) == []


def test_a_key_woken_while_it_runs_is_due_again():
    agenda = Agenda()
    agenda.wake([("service", "a")])
    agenda.take(Instant(0), 1)
    agenda.wake([("service", "a")])
    assert agenda.take(Instant(0), 1) == []
    agenda.finish(("service", "a"), None)
    assert agenda.take(Instant(0), 1) == [("service", "a")]


def test_a_timer_rings_when_it_is_time():
    agenda = Agenda()
    agenda.wake([("service", "a")])
    agenda.take(Instant(0), 1)
    agenda.finish(("service", "a"), Instant(100))
    assert agenda.next_look() == Instant(100)
    assert agenda.take(Instant(99), 1) == []
    assert agenda.take(Instant(100), 1) == [("service", "a")]
    assert agenda.next_look() is None


def test_a_change_before_the_timer_replaces_it():
    agenda = Agenda()
    agenda.wake([("service", "a")])
    agenda.take(Instant(0), 1)
    agenda.finish(("service", "a"), Instant(100))
    agenda.wake([("service", "a")])
    assert agenda.take(Instant(1), 1) == [("service", "a")]
    agenda.finish(("service", "a"), None)
    assert agenda.take(Instant(200), 1) == []
    assert agenda.is_idle


def test_a_bounded_bite_leaves_the_rest_in_order():
    agenda = Agenda()
    agenda.wake([("s", str(n)) for n in range(5)])
    assert agenda.take(Instant(0), 2) == [("s", "0"), ("s", "1")]
    assert agenda.take(Instant(0), 9) == [("s", "2"), ("s", "3"), ("s", "4")]


def test_what_was_woken_goes_before_what_nobody_has_looked_at_since_the_start():
    """A service that was changed once waited until a hundred thousand stopped tasks were seen."""
    agenda = Agenda()
    agenda.begin([("task", str(number)) for number in range(1000)])
    agenda.wake([("task", "500"), ("service", "a")])
    assert agenda.take(Instant(0), 3) == [("task", "500"), ("service", "a"), ("task", "0")]
    agenda.finish(("service", "a"), Instant(5))
    assert agenda.take(Instant(5), 2) == [("service", "a"), ("task", "1")]


def test_what_nobody_has_looked_at_has_its_turn_however_much_is_woken():
    agenda = Agenda()
    agenda.begin([("task", "a"), ("task", "b")])
    taken = []
    for number in range(2 * WOKEN_FOR_AN_UNSEEN + 2):
        agenda.wake([("service", str(2 * number)), ("service", str(2 * number + 1))])
        taken += agenda.take(Instant(0), 1)
    assert [taken.index(("task", name)) for name in "ab"] == [
        WOKEN_FOR_AN_UNSEEN,
        2 * WOKEN_FOR_AN_UNSEEN + 1,
    ]


def test_a_key_is_held_once_whether_it_was_woken_or_not():
    agenda = Agenda()
    agenda.wake([("task", "a"), ("task", "b")])
    agenda.take(Instant(0), 1)
    agenda.begin([("task", "a"), ("task", "b"), ("task", "c")])
    agenda.wake([("task", "c")])
    assert agenda.take(Instant(0), 9) == [("task", "b"), ("task", "c")]
    assert not agenda.is_due
    for name in "abc":
        agenda.finish(("task", name), None)
    assert agenda.is_idle


class AgendaLaws(RuleBasedStateMachine):
    """Held against the plainest model: what was woken and has not run since must run."""

    def __init__(self) -> None:
        super().__init__()
        self.agenda = Agenda()
        self.now = 0
        self.owed: set = set()
        self.running: set = set()

    @rule(key=KEYS)
    def wake(self, key):
        self.agenda.wake([key])
        self.owed.add(key)

    @rule(keys=st.lists(KEYS))
    def begin(self, keys):
        self.agenda.begin(keys)
        self.owed.update(set(keys) - self.running)

    @rule(limit=st.integers(1, 3))
    def take(self, limit):
        taken = self.agenda.take(Instant(self.now), limit)
        assert not self.running & set(taken)
        self.running |= set(taken)
        self.owed -= set(taken)

    @precondition(lambda self: self.running)
    @rule(again=st.none() | st.integers(1, 50))
    def finish(self, again):
        key = min(self.running)
        self.running.remove(key)
        self.agenda.finish(key, None if again is None else Instant(self.now + again))
        if again is not None:
            self.owed.add(key)

    @rule(step=st.integers(1, 60))
    def pass_time(self, step):
        self.now += step

    @invariant()
    def nothing_is_overlooked(self):
        waiting = {*self.agenda._due, *self.agenda._unseen, *self.agenda._timers}
        rung = {key for key, again in self.agenda._running.items() if again}
        assert self.owed <= waiting | rung


TestAgendaLaws = AgendaLaws.TestCase


def test_timers_that_are_set_anew_again_and_again_do_not_pile_up():
    """A key that is woken often and looks again in six hours once left an entry each time."""
    agenda = Agenda()
    for now in range(10_000):
        agenda.wake([("service", "a")])
        assert agenda.take(Instant(now), 1) == [("service", "a")]
        agenda.finish(("service", "a"), Instant(1_000_000 + now))
    assert len(agenda._heap) <= STALE_TIMERS_MAX + 2
    assert agenda.next_look() == Instant(1_009_999)
    assert agenda.take(Instant(1_009_998), 1) == []
    assert agenda.take(Instant(1_009_999), 1) == [("service", "a")]
