"""Each instruction ends in its completion, whatever the engine answers."""

import asyncio
from pathlib import Path

import pytest

from moorage.agent.cgroups import CgroupRefused
from moorage.agent.engine import events as ev
from moorage.agent.engine import instructions as to
from moorage.agent.engine.labels import (
    LABEL_ATTEMPT,
    LABEL_CONTAINER,
    LABEL_HOST,
    LABEL_TASK_ARN,
)
from moorage.agent.observer import Observer
from moorage.agent.performer import Performer
from moorage.agent.records.container import ContainerSpec, Health
from moorage.agent.runtime.memory_engine import Script, plays
from moorage.agent.runtime.port import (
    CannotCreate,
    CannotRemove,
    CannotStart,
    CannotStop,
    EngineUnavailable,
    ImageMissing,
    NotThere,
)
from moorage.ground.instant import seconds
from moorage.ground.record import evolve
from tests.agent.rig import IMAGE, Rig, stocked

ARN = "arn:aws:ecs:us-east-1:000000000001:task/default/" + "e" * 32
SLOW = EngineUnavailable("slow", timed_out=True)
GONE = EngineUnavailable("gone")


class Cgroups:
    """Cgroups that remember, or refuse."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.refuses = refuses
        self.made: dict[str, tuple[float | None, int | None]] = {}

    async def create(self, name: str, cpu: float | None, memory_mebibytes: int | None) -> None:
        if self.refuses:
            raise CgroupRefused("no")
        self.made[name] = (cpu, memory_mebibytes)

    async def remove(self, name: str) -> None:
        if self.refuses:
            raise CgroupRefused("no")
        self.made.pop(name, None)

    def parent(self, name: str) -> str:
        return f"{name}.slice"


def create(attempt: int = 1, host: str = "h1", **host_config: object) -> to.CreateContainer:
    labels = {
        LABEL_HOST: host,
        LABEL_TASK_ARN: ARN,
        LABEL_CONTAINER: "web",
        LABEL_ATTEMPT: str(attempt),
    }
    spec = ContainerSpec(
        name="ecs-web-1-web-e",
        image=IMAGE,
        labels=labels,
        body={"Image": IMAGE, "Labels": labels, "HostConfig": host_config},
    )
    return to.CreateContainer(task_arn=ARN, container="web", attempt=attempt, spec=spec)


def named(kind, runtime_id: str = "absent", **more: object):
    return kind(task_arn=ARN, container="web", attempt=1, runtime_id=runtime_id, **more)


def perform(tmp_path: Path, *steps, fail=(), cgroups=None, engine=None, down=False):
    """What comes of these instructions, one after the other; `fail`: (method, failure) first."""

    async def story() -> list[ev.Event | None]:
        rig = Rig(tmp_path, engine or stocked(plays(Script(deaf=True))))
        tools = evolve(rig.performer._tools, cgroups=cgroups)
        performer = Performer(tools, "h1")
        for method, failure in fail:
            rig.runtime.fail(method, failure)
        if down:
            await rig.runtime.take_down()
        found = [await performer.perform(step) for step in steps]
        await rig.runtime.aclose()
        return found

    return asyncio.run(story())


VOLUME = to.CreateVolume(task_arn=ARN, name="v", labels={"a": "b"})
FAILURES = [
    (VOLUME, "create", CannotCreate("full"), ev.ResourceFailed),
    (VOLUME, "create", SLOW, ev.ResourceFailed),
    (to.RemoveVolume(task_arn=ARN, name="v"), "remove", CannotRemove("x"), ev.ResourceRemoveFailed),
    (to.RemoveVolume(task_arn=ARN, name="v"), "remove", SLOW, ev.ResourceRemoveFailed),
    (create(), "create", CannotCreate("bad"), ev.CreateFailed),
    (create(), "create", SLOW, ev.CreateFailed),
    (named(to.StartContainer), "start", NotThere("x"), ev.StartFailed),
    (named(to.StartContainer), "start", SLOW, ev.StartFailed),
    (named(to.StopContainer, timeout_seconds=1), "stop", CannotStop("x"), ev.StopFailed),
    (named(to.StopContainer, timeout_seconds=1), "stop", SLOW, ev.StopFailed),
    (named(to.StopContainer, timeout_seconds=1), "stop", NotThere("x"), ev.StopFinished),
    (named(to.RemoveContainer), "remove", CannotRemove("x"), ev.RemoveFailed),
    (named(to.RemoveContainer), "remove", SLOW, ev.RemoveFailed),
    (to.PullImage(image="r:1/x:1"), "pull", SLOW, ev.PullFailed),
    (to.ListImages(), "images", SLOW, type(None)),
    (to.ObserveContainers(look=1), "containers", SLOW, ev.LookFailed),
]


@pytest.mark.parametrize(("instruction", "method", "failure", "expected"), FAILURES)
def test_a_failure_is_a_completion(tmp_path, instruction, method, failure, expected) -> None:
    (found,) = perform(tmp_path, instruction, fail=[(method, failure)])
    assert type(found) is expected


@pytest.mark.parametrize(("instruction", "method", "_failure", "_expected"), FAILURES)
def test_an_engine_that_is_away_is_none(tmp_path, instruction, method, _failure, _expected) -> None:
    (found,) = perform(tmp_path, instruction, fail=[(method, GONE)], down=True)
    assert found is None


@pytest.mark.parametrize(("instruction", "method", "failure", "_expected"), FAILURES)
def test_no_failure_is_believed_of_an_engine_that_went(
    tmp_path, instruction, method, failure, _expected
) -> None:
    """What a stopping engine says of calls that were under way is not the container's fault."""
    (found,) = perform(tmp_path, instruction, fail=[(method, failure), ("ping", GONE)])
    assert found is None or isinstance(found, ev.StopFinished)


def test_a_start_that_may_have_happened_is_told_apart(tmp_path: Path) -> None:
    (slow,) = perform(tmp_path, named(to.StartContainer), fail=[("start", SLOW)])
    (bad,) = perform(tmp_path, named(to.StartContainer), fail=[("start", CannotStart("no"))])
    assert (slow.unclear, bad.unclear) == (True, False)


def test_a_process_without_descriptors_doubts_only_itself(tmp_path: Path) -> None:
    full = EngineUnavailable("Too many open files", exhausted=True)
    (found,) = perform(tmp_path, create(), fail=[("create", full), ("ping", GONE)])
    assert isinstance(found, ev.CreateFailed)
    assert found.transient


def test_transient_and_lasting_failures_are_told_apart(tmp_path: Path) -> None:
    (slow,) = perform(tmp_path, create(), fail=[("create", SLOW)])
    (bad,) = perform(tmp_path, create(), fail=[("create", CannotCreate("bad"))])
    (missing,) = perform(tmp_path, create(), fail=[("create", ImageMissing("no"))])
    assert isinstance(slow, ev.CreateFailed)
    assert isinstance(bad, ev.CreateFailed)
    assert isinstance(missing, ev.CreateFailed)
    assert [slow.transient, bad.transient, missing.transient] == [True, False, False]
    assert [slow.image_missing, bad.image_missing, missing.image_missing] == [False, False, True]


def test_a_repeated_create_adopts_and_a_new_attempt_replaces(tmp_path: Path) -> None:
    first, again, anew = perform(tmp_path, create(1), create(1), create(2))
    assert isinstance(first, ev.ContainerCreated)
    assert isinstance(again, ev.ContainerCreated)
    assert isinstance(anew, ev.ContainerCreated)
    assert again.runtime_id == first.runtime_id
    assert anew.runtime_id != first.runtime_id


def test_a_container_of_another_host_is_never_replaced(tmp_path: Path) -> None:
    _, refused = perform(tmp_path, create(1, host="h2"), create(1))
    assert isinstance(refused, ev.CreateFailed)
    assert not refused.transient


def test_the_parent_is_named_as_the_engines_driver_wants_it(tmp_path: Path) -> None:
    engine = stocked()
    perform(tmp_path, create(CgroupParent="/moorage/t"), cgroups=Cgroups(), engine=engine)
    (spec,) = engine.specs.values()
    assert spec.body["HostConfig"] == {"CgroupParent": "/moorage/t.slice"}


def test_cgroups_are_made_and_removed_or_told(tmp_path: Path) -> None:
    make = to.CreateCgroup(task_arn=ARN, name="/m/t", cpu=0.5, memory_mebibytes=64)
    end = to.RemoveCgroup(task_arn=ARN, name="/m/t")
    good = Cgroups()
    assert [type(e) for e in perform(tmp_path, make, cgroups=good)] == [ev.ResourceCreated]
    assert good.made == {"/m/t": (0.5, 64)}
    assert [type(e) for e in perform(tmp_path, end, cgroups=good)] == [ev.ResourceRemoved]
    found = perform(tmp_path, make, end, cgroups=Cgroups(refuses=True))
    assert [type(e) for e in found] == [ev.ResourceFailed, ev.ResourceRemoveFailed]
    found = perform(tmp_path, make, end)
    assert [type(e) for e in found] == [ev.ResourceFailed, ev.ResourceRemoved]


def test_a_volume_of_the_name_serves_as_it_is(tmp_path: Path) -> None:
    other = evolve(VOLUME, labels={"c": "d"})
    end = to.RemoveVolume(task_arn=ARN, name="v")
    found = perform(tmp_path, VOLUME, other, end, end)
    assert [type(e) for e in found] == [
        ev.ResourceCreated,
        ev.ResourceCreated,
        ev.ResourceRemoved,
        ev.ResourceRemoved,
    ]


def test_a_life_is_told_step_by_step(tmp_path: Path) -> None:
    engine = stocked(plays(Script(deaf=True)))
    (made,) = perform(tmp_path, create(), engine=engine)
    assert isinstance(made, ev.ContainerCreated)
    start = named(to.StartContainer, made.runtime_id)
    stop = named(to.StopContainer, made.runtime_id, timeout_seconds=0)
    end = named(to.RemoveContainer, made.runtime_id)
    look = to.ObserveContainers(look=7)
    started, before, stopped, after, removed, gone = perform(
        tmp_path, start, look, stop, look, end, start, engine=engine
    )
    assert isinstance(started, ev.ContainerStarted)
    assert isinstance(before, ev.ContainersObserved)
    assert before.look == 7
    assert [c.running for c in before.containers] == [True]
    assert isinstance(stopped, ev.StopFinished)
    assert stopped.exit is not None
    assert stopped.exit.exit_code == 137
    assert stopped.exit.started_at == started.started_at
    assert isinstance(after, ev.ContainersObserved)
    assert [c.exit for c in after.containers] == [stopped.exit]
    assert isinstance(removed, ev.ContainerRemoved)
    assert isinstance(gone, ev.StartFailed)
    assert gone.missing


def test_images_are_listed_with_all_their_names(tmp_path: Path) -> None:
    listed, removed, left = perform(
        tmp_path, to.ListImages(), to.RemoveImage(reference=IMAGE), to.ListImages()
    )
    assert isinstance(listed, ev.ImagesListed)
    assert [image.references for image in listed.images] == [(IMAGE,)]
    assert removed is None
    assert isinstance(left, ev.ImagesListed)
    assert left.images == ()


def test_what_happens_unasked_is_told_from_an_inspection(tmp_path: Path) -> None:
    told: list[ev.Event] = []
    script = Script(health=((seconds(0.05), "unhealthy"),))

    async def story() -> None:
        rig = Rig(tmp_path, stocked(plays(script)))
        observer = Observer(rig.runtime, rig.vigil, "h1", told.append)
        since = rig.clock.now()
        watching = asyncio.ensure_future(observer.run(since))
        made = await rig.performer.perform(create())
        assert isinstance(made, ev.ContainerCreated)
        await rig.performer.perform(named(to.StartContainer, made.runtime_id))
        await rig.until(lambda: len(told) == 1)
        await rig.runtime.exit(made.runtime_id, 4)
        await rig.until(lambda: len(told) == 2)
        await rig.performer.perform(named(to.StartContainer, made.runtime_id))
        rig.runtime.fail("ping", GONE)
        await rig.runtime.exit(made.runtime_id, 5)
        await rig.until(lambda: rig.vigil.lost)
        await rig.runtime.take_down()
        await rig.runtime.bring_up()
        await asyncio.sleep(0.05)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await rig.runtime.aclose()

    asyncio.run(story())
    changed, exited = told[:2]
    assert isinstance(changed, ev.HealthChanged)
    assert changed.health is Health.UNHEALTHY
    assert isinstance(exited, ev.ContainerExited)
    assert exited.exit.exit_code == 4
    assert exited.exit.started_at is not None
