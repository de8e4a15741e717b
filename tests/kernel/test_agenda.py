"""The agenda: no change is overlooked, no key runs beside itself, no key is held twice."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from moorage.ground.instant import Instant
from moorage.kernel.agenda import STALE_TIMERS_MAX, Agenda

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
        waiting = set(self.agenda._due) | set(self.agenda._timers)
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
