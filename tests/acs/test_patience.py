"""How long a host may be silent, away or without its engine: tables, and that nobody is lost early."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.acs.patience import ENGINE_WORD_WITHIN, GAP_COUNTED_MAX, Patience, Watch
from moorage.ground.instant import Duration, Moment, minutes, seconds

PATIENCE = Patience()
ZERO = Moment(0)
LIMITS = {"closed": PATIENCE.closed_grace, "goodbye": PATIENCE.goodbye_grace}


def at(count: float) -> Moment:
    return Moment(seconds(count))


def a_watch(engine_gone: bool = False) -> Watch:
    return Watch(PATIENCE, ZERO, engine_gone=engine_gone)


def pass_by(watch: Watch, start: int, end: int) -> list[int]:
    """Let seconds pass; the one in which the host was lost, if it was."""
    found = []
    for second in range(start + 1, end + 1):
        before = watch.loss
        watch.passed(at(second))
        watch.judge()
        found += [second] if watch.loss != before else []
    return found


@pytest.mark.parametrize(
    ("how", "lost", "why"),
    [("closed", 70, "away"), ("goodbye", 310, "away"), ("silent", 14, "silent")],
)
def test_each_ending_has_its_own_patience(how, lost, why):
    watch = a_watch()
    pass_by(watch, 0, 10)
    watch.heard(answer=True)
    watch.closed(how)
    assert pass_by(watch, 10, 400) == [lost]
    assert watch.loss == why


def test_silence_before_a_close_does_not_count_against_the_grace():
    """It once did: an agent that was upgraded late in its heartbeat was lost within seconds."""
    watch = a_watch()
    pass_by(watch, 0, 11)
    assert watch.suspect
    watch.closed("closed")
    assert not watch.suspect
    assert pass_by(watch, 11, 100) == [71]


@pytest.mark.parametrize(
    ("stood_still", "ran_since", "lost"),
    [(30, 0, [100]), (30, 7, [107]), (30, 8, [52]), (3, 0, [73]), (2, 0, [16])],
)
def test_agents_that_gave_up_a_server_that_stood_still_have_time_to_return(
    stood_still, ran_since, lost
):
    """It once took all hosts for lost seconds after it woke: each had closed for its silence."""
    watch = a_watch()
    pass_by(watch, 0, 10)
    watch.heard(answer=True)
    woke = 10 + stood_still
    watch.passed(at(woke))
    pass_by(watch, woke, woke + ran_since)
    watch.heard(answer=True)
    watch.closed("silent")
    watch.judge()
    assert pass_by(watch, woke + ran_since, woke + 400) == lost


@pytest.mark.parametrize(
    ("grace", "lost"), [(seconds(60), 60), (minutes(5), 300), (Duration(0), 1)]
)
def test_a_starting_server_waits_for_those_it_knew(grace, lost):
    watch = a_watch()
    watch.expect(grace)
    assert pass_by(watch, 0, 400) == [lost]


def test_the_engine_counts_from_when_it_was_first_missed():
    watch = a_watch()
    watch.opened()
    watch.engine_seen(gone=True)
    for second in range(0, 59, 5):
        assert pass_by(watch, second, second + 5 if second < 55 else 59) == []
        watch.heard(answer=True)
        watch.engine_seen(gone=True)
    assert pass_by(watch, 59, 60) == [60]
    assert watch.loss == "engine"
    watch.engine_seen(gone=False)
    assert watch.loss is None


def test_a_returning_agent_has_time_to_speak_of_its_engine():
    watch = a_watch(engine_gone=True)
    watch.expect(minutes(10))
    pass_by(watch, 0, 500)
    watch.opened()
    assert watch.loss is None
    for second in range(500, 520, 5):
        pass_by(watch, second, second + 5)
        watch.heard(answer=True)
    assert watch.loss is None
    pass_by(watch, 520, 500 + ENGINE_WORD_WITHIN // 1_000_000)
    assert watch.loss == "engine"


def test_a_host_that_lost_its_engine_may_fall_silent_as_well():
    """It once could not: its dead connection was kept, and nobody could confirm its loss."""
    watch = a_watch(engine_gone=True)
    for second in range(0, 60, 5):
        pass_by(watch, second, second + 5)
        watch.heard(answer=True)
    assert watch.loss == "engine"
    assert pass_by(watch, 60, 100) == [72]
    assert watch.loss == "silent"
    watch.opened()
    assert watch.loss == "engine", "what is known of its engine has not changed"


STEPS = st.one_of(
    st.tuples(st.just("tick"), st.integers(-3_000_000, 30_000_000)),
    st.tuples(st.just("heard"), st.booleans()),
    st.tuples(st.just("closed"), st.sampled_from(["closed", "goodbye", "silent"])),
    st.tuples(st.just("opened"), st.none()),
    st.tuples(st.just("engine"), st.booleans()),
)


@given(st.lists(STEPS, max_size=80), st.booleans())
def test_no_host_is_lost_early_and_none_twice_without_a_word_between(steps, engine_gone):
    """`ran` is what a server that slept through every gap has lived through since it last knew."""
    watch = a_watch(engine_gone)
    now, latest, woke = 0, 0, None
    ran = {"heard": 0, "answered": 0, "away": 0, "engine": 0}
    away_as = ""
    for step, value in steps:
        before = watch.loss
        if step == "tick":
            now += value
            gap = min(max(now - latest, 0), GAP_COUNTED_MAX)
            if now - latest > GAP_COUNTED_MAX:
                woke = 0
            elif woke is not None:
                woke += gap
            latest = max(latest, now)
            ran = {name: count + gap for name, count in ran.items()}
            watch.passed(Moment(now))
            watch.judge()
            if watch.loss != before:
                assert before is None or (before, watch.loss) == ("engine", "silent")
                due = {
                    "silent": ran["heard"] >= PATIENCE.lost_after - PATIENCE.suspect_after
                    or ran["answered"] >= PATIENCE.lost_after * 2,
                    "away": away_as and ran["away"] >= LIMITS[away_as],
                    "engine": ran["engine"] >= ENGINE_WORD_WITHIN,
                }
                assert due[watch.loss]
            continue
        if step == "heard" and not away_as:
            ran["heard"] = 0
            ran["answered"] = 0 if value else ran["answered"]
            watch.heard(answer=value)
        elif step == "closed":
            if value == "silent" and woke is not None and woke < PATIENCE.suspect_after:
                value = "closed"  # noqa: PLW2901 - so it counts after the server stood still
                watch.closed("silent")
            else:
                watch.closed(value)
            away_as = value if value != "silent" else away_as
            ran["away"] = 0 if value != "silent" else ran["away"]
        elif step == "opened":
            away_as = ""
            ran["heard"] = ran["answered"] = 0
            watch.opened()
        elif step == "engine":
            ran["engine"] = ran["engine"] if watch.engine is not None and value else 0
            watch.engine_seen(gone=value)
        assert before is not None or watch.loss is None, "only time loses a host"


@given(st.lists(st.integers(0, 20_000_000), max_size=60))
def test_a_silent_host_is_lost_as_soon_as_the_server_ran_long_enough(gaps):
    watch = a_watch()
    watch.opened()
    now, ran = 0, 0
    for gap in gaps:
        now += gap
        ran += min(gap, GAP_COUNTED_MAX)
        watch.passed(Moment(now))
        watch.judge()
        assert (watch.loss == "silent") == (ran >= PATIENCE.lost_after)
        assert watch.suspect == (ran >= PATIENCE.suspect_after)
