"""Which images and stopped tasks may go: tables."""

import pytest

from moorage.acs.task_messages import TaskExtras
from moorage.agent.engine import events as e
from moorage.agent.engine import instructions as i
from moorage.agent.engine.images import (
    IMAGES_REMOVED_MAX,
    STOPPED_TASKS_MAX,
    disposable,
    next_disposal,
    removable,
    vanished,
)
from moorage.agent.records.container import ContainerRecord, ContainerStatus
from moorage.agent.records.host import HostMemory
from moorage.agent.records.image import ImageRecord, ObservedImage
from moorage.agent.records.task import TaskRecord
from moorage.ground.instant import Instant, hours, later, minutes, seconds
from tests.agent.engine.builders import DIGEST, a_container, a_task, doings, kinds
from tests.agent.engine.world import START, arn, payload

NOW = later(START, hours(10))


def an_image(name: str, age: float = 2, digest: str | None = None) -> ImageRecord:
    used = Instant(NOW - hours(age))
    return ImageRecord(image=name, reference=name, last_used_at=used, digest=digest)


def listed(*names: str, image_id: str | None = None) -> ObservedImage:
    return ObservedImage(image_id=image_id or f"id-{names[0]}", references=names)


def a_record(image: str = "other", **extras) -> TaskRecord:
    task = a_task(a_container(image=image), moorage=TaskExtras(**extras) if extras else None)
    return TaskRecord(task=task, desired="RUNNING", containers=(), received_at=START)


@pytest.mark.parametrize(
    ("memory", "tasks", "goes"),
    [
        (HostMemory(claims_told=True, images=(an_image("a"),)), [], True),
        (HostMemory(claims_told=True, images=(an_image("a", 0.9),)), [], False),
        (HostMemory(claims_told=False, images=(an_image("a"),)), [], False),
        (HostMemory(claims_told=True, claimed_images=("a",), images=(an_image("a"),)), [], False),
        (
            HostMemory(
                claims_told=True, claimed_digests=("sha256:1",), images=(an_image("a@sha256:1"),)
            ),
            [],
            False,
        ),
        (
            HostMemory(
                claims_told=True,
                claimed_digests=("sha256:1",),
                images=(an_image("a", digest="sha256:1"),),
            ),
            [],
            False,
        ),
        (HostMemory(claims_told=True, images=(an_image("a"),)), [a_record("a")], False),
        (
            HostMemory(claims_told=True, images=(an_image("a", digest="sha256:1"),)),
            [a_record(claimed_digests=("sha256:1",))],
            False,
        ),
    ],
)
def test_an_image_goes_when_nobody_used_or_claims_it(memory, tasks, goes):
    name = memory.images[0].image
    found = removable(memory, tasks, [listed(name)], NOW)
    assert [record.image for record in found] == ([name] if goes else [])


def test_bytes_that_a_kept_image_shares_are_kept_under_both_names():
    images = (an_image("a"), an_image("b"))
    memory = HostMemory(claims_told=True, claimed_images=("b",), images=images)
    assert removable(memory, [], [listed("a", "b")], NOW) == []
    apart = [listed("a"), listed("b")]
    assert [r.image for r in removable(memory, [], apart, NOW)] == ["a"]


def test_five_go_in_a_cycle_the_longest_unused_first():
    images = tuple(an_image(f"i{n}", age=2 + n) for n in range(8))
    memory = HostMemory(claims_told=True, images=images)
    there = [listed(record.image) for record in images]
    found = [record.image for record in removable(memory, [], there, NOW)]
    assert found == ["i7", "i6", "i5", "i4", "i3"]
    assert len(found) == IMAGES_REMOVED_MAX


def test_what_is_not_on_the_host_is_forgotten():
    memory = HostMemory(images=(an_image("a"), an_image("b")))
    assert vanished(memory, [listed("x", "b")]) == ["a"]


def stopped(number: int, age_hours: float, service: str | None = None, **members) -> TaskRecord:
    return TaskRecord(
        **{
            "task": a_task(number=number, service_name=service),
            "desired": "STOPPED",
            "containers": (ContainerRecord(name="web", status=ContainerStatus.STOPPED),),
            "received_at": START,
            "stopped_at": Instant(NOW - hours(age_hours)),
            "settled": True,
            **members,
        }
    )


@pytest.mark.parametrize(
    ("tasks", "gone"),
    [
        ([stopped(1, 2.9)], set()),
        ([stopped(1, 3)], {1}),
        ([stopped(1, 9, settled=False)], set()),
        ([stopped(n, n / 10, "svc") for n in range(1, 6)], {4, 5}),
        ([stopped(n, n / 10) for n in range(1, 6)], set()),
        ([stopped(n, 0.1, f"svc{n}") for n in range(1, 6)], set()),
    ],
)
def test_stopped_tasks_go_when_they_are_old_or_too_many_of_a_service(tasks, gone):
    assert disposable(tasks, NOW) == {arn(number) for number in gone}


def test_a_host_keeps_so_many_stopped_tasks_and_no_more():
    tasks = [stopped(n, n / 1000) for n in range(1, STOPPED_TASKS_MAX + 3)]
    assert disposable(tasks, NOW) == {arn(STOPPED_TASKS_MAX + 1), arn(STOPPED_TASKS_MAX + 2)}


def test_the_next_disposal_is_known():
    assert next_disposal([stopped(1, 1), stopped(2, 2)]) == later(NOW, hours(1))
    assert next_disposal([stopped(1, 1, settled=False)]) is None


def test_a_cycle_of_images(world):
    """Every 30 minutes; an image by digest that was removed is not taken to be here any more."""
    world.feed(e.ImagesClaimed(message_id="i", images=(), digests=()))
    world.feed(payload(a_task()))
    world.run()
    world.feed(world.end(world.of(arn(1), "web"), 0))
    world.run()
    world.tick(3 * 3600)
    world.run()
    assert not world.engine.tasks()
    world.pending.clear()
    there = e.ImagesListed(images=(ObservedImage(image_id="x", references=(DIGEST,)),))
    world.tick(1800)
    assert doings(world.feed(there)) == [], "it was used an hour ago at most"
    answer = world.tick(1801)
    assert "ListImages" in kinds(answer)
    assert doings(world.feed(there)) == [i.RemoveImage(reference=DIGEST)]
    assert kinds(world.feed(payload(a_task(number=2)))) == ["PullImage", "SendMessage"]
    world.feed(e.ImagesListed(images=()))
    assert world.engine.memory().images == ()
    world.run()
    assert world.booked[arn(2)] == "RUNNING"


def test_an_image_in_use_is_marked_so_by_each_cycle(world):
    world.feed(payload(a_task()))
    world.run()
    world.tick(minutes(40) / seconds(1))
    world.feed(e.ImagesListed(images=(ObservedImage(image_id="x", references=(DIGEST,)),)))
    assert world.engine.memory().images[0].last_used_at == world.now
