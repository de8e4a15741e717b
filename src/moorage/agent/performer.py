"""The hands of the agent: performs what concerns the container engine, and says how it went.

Each instruction ends in one event, its failure included. Where the engine itself is away nothing is
said of the instruction: the vigil says that the engine is lost, and the instruction is given again
when it is back. So a failure is believed only of an engine that answers after it; a call that alone
hangs, or fails in a way that no call should, is then a failure of that call.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from moorage.agent.cgroups import CgroupRefused, Cgroups
from moorage.agent.engine import events as ev
from moorage.agent.engine import instructions as to
from moorage.agent.engine.labels import (
    LABEL_ATTEMPT,
    LABEL_CONTAINER,
    LABEL_HOST,
    LABEL_TASK_ARN,
)
from moorage.agent.observed import bindings_of, exit_of, observe, observe_image
from moorage.agent.pulling import Puller, discard
from moorage.agent.runtime.port import (
    CannotCreate,
    CannotRemove,
    CannotStart,
    CannotStop,
    ContainerRuntime,
    ContainerSpec,
    EngineUnavailable,
    ImageMissing,
    ImageStore,
    NameTaken,
    NotThere,
    VolumeSpec,
)
from moorage.agent.vigil import Vigil
from moorage.ground.clock import Clock
from moorage.ground.instant import seconds
from moorage.ground.record import Record

CREATES_AT_ONCE = 4
_IDENTITY = (LABEL_HOST, LABEL_TASK_ARN, LABEL_CONTAINER)
NO_CGROUPS = "limits of whole tasks cannot be enforced on this host"


class StartSlots(Protocol):
    """The right to start a container now."""

    def hold(self) -> AbstractAsyncContextManager[bool]:
        """Wait for it, and give it back."""
        ...


class Tools(Record):
    """What the performer works with."""

    runtime: ContainerRuntime
    images: ImageStore
    puller: Puller
    slots: StartSlots
    vigil: Vigil
    clock: Clock
    cgroups: Cgroups | None = None


Handler = Callable[[Any], Awaitable[ev.Event | None]]


class Performer:
    """Performs the instructions of `HANDLED`; each may run beside the others."""

    def __init__(self, tools: Tools, host: str) -> None:
        """Work for the host of this name."""
        self._tools = tools
        self._runtime = tools.runtime
        self._host = host
        self._creates = asyncio.Semaphore(CREATES_AT_ONCE)
        self.handlers: Mapping[type[object], Handler] = {
            to.PullImage: tools.puller.have,
            to.CreateVolume: self._create_volume,
            to.RemoveVolume: self._remove_volume,
            to.CreateCgroup: self._create_cgroup,
            to.RemoveCgroup: self._remove_cgroup,
            to.ListImages: self._list_images,
            to.RemoveImage: self._remove_image,
            to.CreateContainer: self._create,
            to.StartContainer: self._start,
            to.StopContainer: self._stop,
            to.RemoveContainer: self._remove,
            to.ObserveContainers: self._observe,
        }

    async def perform(self, instruction: to.Instruction) -> ev.Event | None:
        """Do it; the answer is its completion, or None where it has none."""
        vigil = self._tools.vigil
        losses = vigil.losses
        try:
            event = await self.handlers[type(instruction)](instruction)
            reason = getattr(event, "reason", "") if isinstance(event, _FAILED) else None
        except EngineUnavailable as failure:
            reason, event = failure.reason, _failed(instruction, failure.reason)
            if failure.exhausted:
                return event  # this process has no connection left, which says nothing of it
        if reason is None:
            return event
        if vigil.lost or vigil.losses != losses:
            return None  # void: it is given again after the look that follows a return
        if await vigil.answers():
            return event
        vigil.doubt(reason)
        return None

    async def _create_volume(self, wanted: to.CreateVolume) -> ev.Event:
        spec = VolumeSpec(
            name=wanted.name,
            labels=wanted.labels or {},
            driver=wanted.driver or "local",
            options=wanted.driver_options or {},
        )
        try:
            await self._runtime.create(spec)
        except NameTaken:
            pass  # a volume of this name serves as it is
        except CannotCreate as failure:
            return ev.ResourceFailed(
                task_arn=wanted.task_arn, name=wanted.name, reason=failure.reason
            )
        return ev.ResourceCreated(task_arn=wanted.task_arn, name=wanted.name)

    async def _remove_volume(self, wanted: to.RemoveVolume) -> ev.Event:
        try:
            await self._runtime.remove("volume", wanted.name)
        except CannotRemove as failure:
            return ev.ResourceRemoveFailed(
                task_arn=wanted.task_arn, name=wanted.name, reason=failure.reason
            )
        return ev.ResourceRemoved(task_arn=wanted.task_arn, name=wanted.name)

    async def _create_cgroup(self, wanted: to.CreateCgroup) -> ev.Event:
        if self._tools.cgroups is None:
            return ev.ResourceFailed(task_arn=wanted.task_arn, name=wanted.name, reason=NO_CGROUPS)
        try:
            await self._tools.cgroups.create(wanted.name, wanted.cpu, wanted.memory_mebibytes)
        except CgroupRefused as refusal:
            return ev.ResourceFailed(
                task_arn=wanted.task_arn, name=wanted.name, reason=str(refusal)
            )
        return ev.ResourceCreated(task_arn=wanted.task_arn, name=wanted.name)

    async def _remove_cgroup(self, wanted: to.RemoveCgroup) -> ev.Event:
        try:
            if self._tools.cgroups is not None:
                await self._tools.cgroups.remove(wanted.name)
        except CgroupRefused as refusal:
            return ev.ResourceRemoveFailed(
                task_arn=wanted.task_arn, name=wanted.name, reason=str(refusal)
            )
        return ev.ResourceRemoved(task_arn=wanted.task_arn, name=wanted.name)

    async def _list_images(self, wanted: to.ListImages) -> ev.Event:
        del wanted
        found = await self._tools.images.images()
        return ev.ImagesListed(images=tuple(observe_image(facts) for facts in found))

    async def _remove_image(self, wanted: to.RemoveImage) -> None:
        await discard(self._runtime, self._tools.images, wanted.reference)

    async def _create(self, wanted: to.CreateContainer) -> ev.Event:
        labels = {name: wanted.spec.labels.get(name, "") for name in (*_IDENTITY, LABEL_ATTEMPT)}
        spec = ContainerSpec(name=wanted.spec.name, labels=labels, body=self._body(wanted))
        try:
            async with self._creates:
                try:
                    made = await self._runtime.create(spec)
                except NameTaken:
                    if not await self._clear_away(spec):
                        raise
                    made = await self._runtime.create(spec)
        except CannotCreate as failure:
            return ev.CreateFailed(
                task_arn=wanted.task_arn,
                container=wanted.container,
                attempt=wanted.attempt,
                reason=failure.reason,
                image_missing=isinstance(failure, ImageMissing),
            )
        return ev.ContainerCreated(
            task_arn=wanted.task_arn,
            container=wanted.container,
            attempt=wanted.attempt,
            runtime_id=made.id,
        )

    def _body(self, wanted: to.CreateContainer) -> dict[str, Any]:
        body: dict[str, Any] = dict(wanted.spec.body)
        host_config = body.get("HostConfig")
        if isinstance(host_config, dict) and host_config.get("CgroupParent"):
            cgroups = self._tools.cgroups
            parent = str(host_config["CgroupParent"])
            if cgroups is not None:
                body["HostConfig"] = {**host_config, "CgroupParent": cgroups.parent(parent)}
        return body

    async def _clear_away(self, spec: ContainerSpec) -> bool:
        """Remove the container of an earlier attempt that has the name; False for any other."""
        twin = await self._runtime.inspect(spec.name)
        if twin is None:
            return True
        if any(twin.labels.get(name) != spec.labels[name] for name in _IDENTITY):
            return False
        await self._runtime.remove("container", twin.id)
        return True

    async def _start(self, wanted: to.StartContainer) -> ev.Event:
        name = (wanted.task_arn, wanted.container, wanted.attempt)
        try:
            async with self._tools.slots.hold():
                await self._runtime.start(wanted.runtime_id)
            found = await self._runtime.inspect(wanted.runtime_id)
        except CannotStart as failure:
            return _start_failed(name, failure.reason, port_clash=failure.port_clash)
        except NotThere as failure:
            return _start_failed(name, failure.reason, missing=True)
        if found is None:
            return _start_failed(name, "the container is gone", missing=True)
        return ev.ContainerStarted(
            task_arn=wanted.task_arn,
            container=wanted.container,
            attempt=wanted.attempt,
            runtime_id=wanted.runtime_id,
            started_at=found.started_at or self._tools.clock.now(),
            bindings=bindings_of(found),
        )

    async def _stop(self, wanted: to.StopContainer) -> ev.Event:
        found = None
        try:
            await self._runtime.stop(wanted.runtime_id, seconds(wanted.timeout_seconds))
            found = await self._runtime.inspect(wanted.runtime_id)
        except CannotStop as failure:
            return ev.StopFailed(
                task_arn=wanted.task_arn,
                container=wanted.container,
                attempt=wanted.attempt,
                reason=failure.reason,
            )
        except NotThere:
            pass
        return ev.StopFinished(
            task_arn=wanted.task_arn,
            container=wanted.container,
            attempt=wanted.attempt,
            exit=None if found is None else exit_of(found),
        )

    async def _remove(self, wanted: to.RemoveContainer) -> ev.Event:
        try:
            await self._runtime.remove("container", wanted.runtime_id)
        except CannotRemove as failure:
            return ev.RemoveFailed(
                task_arn=wanted.task_arn,
                container=wanted.container,
                attempt=wanted.attempt,
                reason=failure.reason,
            )
        return ev.ContainerRemoved(
            task_arn=wanted.task_arn, container=wanted.container, attempt=wanted.attempt
        )

    async def _observe(self, wanted: to.ObserveContainers) -> ev.Event:
        found = await self._runtime.containers({LABEL_HOST: self._host})
        seen = tuple(each for each in map(observe, found) if each is not None)
        return ev.ContainersObserved(look=wanted.look, containers=seen)


def _start_failed(
    name: tuple[str, str, int], reason: str, *, port_clash: bool = False, missing: bool = False
) -> ev.StartFailed:
    task_arn, container, attempt = name
    return ev.StartFailed(
        task_arn=task_arn,
        container=container,
        attempt=attempt,
        reason=reason,
        port_clash=port_clash,
        missing=missing,
    )


_FAILURES: Mapping[type[object], type[Any]] = {
    to.CreateVolume: ev.ResourceFailed,
    to.RemoveVolume: ev.ResourceRemoveFailed,
    to.StartContainer: ev.StartFailed,
    to.StopContainer: ev.StopFailed,
    to.RemoveContainer: ev.RemoveFailed,
}


_FAILED = (
    ev.PullFailed,
    ev.ResourceFailed,
    ev.ResourceRemoveFailed,
    ev.CreateFailed,
    ev.StartFailed,
    ev.StopFailed,
    ev.RemoveFailed,
    ev.LookFailed,
)


def _failed(instruction: Any, reason: str) -> ev.Event | None:
    """The completion of an instruction whose call hung alone; None where it has none."""
    if isinstance(instruction, to.ObserveContainers):
        return ev.LookFailed(look=instruction.look, reason=reason)
    if isinstance(instruction, to.PullImage):
        return ev.PullFailed(image=instruction.image, reason=reason, transient=True)
    if isinstance(instruction, to.CreateContainer):
        return ev.CreateFailed(
            task_arn=instruction.task_arn,
            container=instruction.container,
            attempt=instruction.attempt,
            reason=reason,
            transient=True,
        )
    kind = _FAILURES.get(type(instruction))
    if kind is None:
        return None
    members = set(kind.__struct_fields__) & set(instruction.__struct_fields__)
    told: dict[str, Any] = {name: getattr(instruction, name) for name in members}
    if kind is ev.StartFailed:
        told["unclear"] = True
    event: ev.Event = kind(reason=reason, **told)
    return event
