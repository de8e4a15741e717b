"""How one authority follows another: whoever verified before a step, verifies after it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.ground.instant import Instant, hours, later
from moorage.ground.record import evolve
from moorage.iam.records.trust import Authority, Trust
from moorage.iam.rules import trust as rules

NOW = Instant(1_800_000_000_000_000)
MADE = [
    Authority(
        certificate=f"CERTIFICATE {number}\n", hash=str(number), sealed_key=f"sealed {number}"
    )
    for number in range(9)
]


def own(number=0):
    return rules.begun(Trust(), lambda: MADE[number])


def following(number):
    return lambda old: evolve(MADE[number], cross_certificate=f"{number} BY {old.hash}")


def rotating():
    return rules.rotated(own(), following(1))


def leaving():
    return rules.finished(rotating(), NOW)


def names(trust):
    return [one.split()[1] for one in rules.bundle(trust)]


@pytest.mark.parametrize(
    ("trust", "stage", "bundle", "chain"),
    [
        (own(), "steady", ["0"], ()),
        (rotating(), "rotating", ["0", "1"], ()),
        (leaving(), "leaving", ["1", "0"], ("1 BY 0",)),
        (rules.finished(leaving(), NOW), "steady", ["1"], ()),
        (rules.settled(leaving(), later(NOW, rules.OVERLAP)), "steady", ["1"], ()),
        (
            rules.settled(leaving(), later(NOW, rules.OVERLAP - 1)),
            "leaving",
            ["1", "0"],
            ("1 BY 0",),
        ),
        (rules.taken(own(), "given", ("GIVEN 7",)), "steady", ["7"], ()),
        (rules.taken(own(), "system"), "steady", [], ()),
        (rules.taken(own(), "none"), "steady", [], ()),
    ],
)
def test_each_stage_says_whom_to_trust_and_what_is_shown(trust, stage, bundle, chain):
    assert rules.stage(trust) == stage
    assert names(trust) == bundle
    assert rules.chain(trust) == chain


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (rules.rotated(rotating(), following(2)), "under way already"),
        (rules.rotated(leaving(), following(2)), "has not left yet"),
        (rules.finished(own(), NOW), "No rotation"),
        (rules.rotated(rules.taken(own(), "given", ("GIVEN 7",)), following(1)), "nothing here"),
        (rules.finished(rules.taken(own(), "system"), NOW), "nothing here"),
    ],
)
def test_a_step_that_cannot_be_taken_says_why(outcome, reason):
    assert isinstance(outcome, str)
    assert reason in outcome.replace("\n", " ")


def test_what_is_told_is_numbered_anew_when_it_changes_and_only_then():
    versions = [one.version for one in (own(), rotating(), leaving())]
    assert versions == [1, 2, 3]
    again = rules.begun(leaving(), lambda: MADE[5])
    assert again == leaving()


def test_ours_is_kept_while_others_serve():
    given_away = rules.taken(own(3), "given", ("GIVEN 7",))
    assert names(rules.begun(given_away, lambda: MADE[5])) == ["3"]


@given(st.lists(st.sampled_from(["rotate", "finish", "settle"]), max_size=20))
def test_whoever_was_told_before_a_step_verifies_after_it(steps):
    """Law: what signs after a step was in the bundle before it, or is vouched for by one that was."""
    trust, number, now = own(), 1, NOW
    for step in steps:
        before = rules.bundle(trust)
        outcome = {
            "rotate": lambda: rules.rotated(trust, following(number)),  # noqa: B023 - called at once
            "finish": lambda: rules.finished(trust, now),  # noqa: B023
            "settle": lambda: rules.settled(trust, now),  # noqa: B023
        }[step]()
        now = later(now, hours(24 * 20))
        if isinstance(outcome, str):
            continue
        number = min(number + (step == "rotate"), len(MADE) - 1)
        assert outcome.signing.certificate in before
        assert rules.bundle(outcome)[0] == outcome.signing.certificate
        assert outcome.version == trust.version + (rules.bundle(outcome) != before)
        trust = outcome
