"""Which hosts may go, in which order, and when."""

import pytest

from moorage.ecs.records.container_instance import Drain
from moorage.ecs.records.machine import Machine
from moorage.ecs.rules.capacity.retirement import Member, chosen, gone_by, is_ready, pause
from moorage.ground.instant import Duration, Instant, earlier, later, minutes
from tests.ecs.rules.builders import ACCOUNT, NOW, REGION, a_task, an_instance

HOUR = minutes(60)


def member(name, *, tasks=0, joined=HOUR, connected=True):
    at = earlier(NOW, joined)
    machine = Machine(
        account=ACCOUNT,
        region=REGION,
        cluster="c",
        pool="p",
        id=name,
        name=f"p-{name}",
        status="JOINED",
        created_at=at,
        due_at=at,
        joined_at=at,
    )
    return Member(
        machine=machine,
        instance=an_instance(name, connected=connected),
        tasks=tasks,
    )


MEMBERS = [
    member("old", joined=Duration(2 * HOUR)),
    member("new"),
    member("away", connected=False, joined=Duration(3 * HOUR)),
    member("fresh", joined=minutes(1)),
    member("busy", tasks=2),
    member("used", tasks=1),
]


@pytest.mark.parametrize(
    ("count", "used_too", "warmup", "names"),
    [
        (9, False, minutes(5), "away new old"),
        (2, False, minutes(5), "away new"),
        (9, False, Duration(0), "away fresh new old"),
        (9, True, Duration(0), "away fresh new old used busy"),
        (0, True, Duration(0), ""),
    ],
)
def test_who_goes_first(count, used_too, warmup, names):
    found = chosen(MEMBERS, count, warmup=warmup, used_too=used_too, now=NOW)
    assert " ".join(one.machine.id for one in found) == names


def test_a_drained_host_is_ready_when_it_is_empty_or_its_time_is_over():
    drained = an_instance("h", status="DRAINING", drain=Drain(deadline=NOW))
    task = a_task("t")
    assert is_ready(drained, [], Instant(0))
    assert not is_ready(drained, [task], NOW)
    assert gone_by(drained) == later(NOW, minutes(2))
    assert is_ready(drained, [task], later(NOW, minutes(2)))
    for_ever = an_instance("h", status="DRAINING")
    assert gone_by(for_ever) is None
    assert not is_ready(for_ever, [task], later(NOW, HOUR))


@pytest.mark.parametrize(
    ("failures", "length"), [(1, 1), (2, 2), (3, 4), (5, 16), (6, 30), (99, 30)]
)
def test_a_pool_pauses_longer_each_time(failures, length):
    assert pause(failures) == minutes(length)
