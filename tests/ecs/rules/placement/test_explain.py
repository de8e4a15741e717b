"""Why tasks found no host: the entries of failures[], and the sentence of the event."""

import pytest

from moorage.ecs.rules.placement.constraint import Obstacle
from moorage.ecs.rules.placement.explain import (
    PROVIDER,
    failures,
    room_helps,
    sentence,
    tally,
)
from moorage.ecs.rules.placement.place import Hindrance, Unplaced
from tests.ecs.rules.builders import instance_arn

START = (
    "(service web) was unable to place a task because no container instance met all of its "
    "requirements."
)


def unplaced(**reasons) -> Unplaced:
    return Unplaced(
        count=1,
        hindrances=tuple(
            Hindrance(
                instance=instance_arn(name), obstacle=Obstacle(reason=reason, detail=f"of {name}")
            )
            for name, reason in sorted(reasons.items())
        ),
    )


@pytest.mark.parametrize(
    ("reason", "phrase"),
    [
        ("AGENT", 'encountered error "AGENT"'),
        ("ATTRIBUTE", "is missing an attribute required by your task"),
        (
            "MemberOf placement constraint unsatisfied.",
            "does not satisfy a memberOf placement constraint of your task",
        ),
        (
            "DistinctInstance placement constraint unsatisfied.",
            "is already running a task that your task must not share it with",
        ),
        ("RESOURCE:GPU", "has insufficient GPU available"),
        ("RESOURCE:CPU", "has insufficient CPU units available"),
        ("RESOURCE:MEMORY", "has insufficient memory available"),
        ("RESOURCE:PORTS", "is already using a port required by your task"),
    ],
)
def test_each_reason_has_its_sentence(reason, phrase):
    assert sentence("web", unplaced(h1=reason)) == (
        f"{START} The closest matching (container-instance h1) {phrase}."
    )


def test_the_closest_host_is_the_one_that_came_farthest_through_the_checks():
    found = unplaced(h1="AGENT", h2="RESOURCE:MEMORY", h3="RESOURCE:CPU", h4="RESOURCE:MEMORY")
    assert "(container-instance h2) has insufficient memory" in sentence("web", found)


@pytest.mark.parametrize("found", [Unplaced(count=1), unplaced(h1="DRAINING")])
def test_a_cluster_without_hosts_says_so(found):
    assert sentence("web", found) == (
        f"{START} Reason: No Container Instances were found in your cluster."
    )
    assert sentence("web", found, PROVIDER) == (
        f"{START} Reason: No Container Instances were found in your capacity provider."
    )


def test_failures_are_one_a_host_the_commonest_reason_first():
    found = unplaced(h1="AGENT", h2="RESOURCE:CPU", h3="RESOURCE:CPU", h4="DRAINING")
    assert [(one.arn.rpartition("/")[2], one.reason) for one in failures(found)] == [
        ("h2", "RESOURCE:CPU"),
        ("h3", "RESOURCE:CPU"),
        ("h1", "AGENT"),
    ]
    assert failures(found)[0].detail == "of h2"
    assert list(tally(found).items()) == [("RESOURCE:CPU", 2), ("AGENT", 1)]


def test_drained_hosts_are_named_only_where_there_is_no_other():
    assert [one.reason for one in failures(unplaced(h1="DRAINING"))] == ["DRAINING"]
    assert failures(Unplaced(count=0)) == []


def test_giving_up_a_task_helps_only_where_it_gives_back_what_is_short():
    assert room_helps(unplaced(h1="AGENT", h2="RESOURCE:PORTS"))
    assert not room_helps(unplaced(h1="AGENT", h2="ATTRIBUTE"))
