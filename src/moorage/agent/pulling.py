"""Having an image: here already, through the proxy if it is one of ours, else by the engine itself.

An image by digest that is here is not asked for again. A tag is asked of its registry each time;
where that fails and one of the name is here, it serves, as with Amazon's agent. Whatever is pulled
through the proxy is known by the name that the task gave it.
"""

import asyncio
from collections.abc import Iterable

from moorage.agent.engine.events import PullFailed, PullFinished
from moorage.agent.engine.instructions import PullImage
from moorage.agent.proxy import USERNAME, RegistryProxy
from moorage.agent.runtime.port import (
    CannotPull,
    CannotRemove,
    ContainerRuntime,
    ImageFacts,
    ImageStore,
    PullRequest,
)
from moorage.agent.runtime.reference import (
    DEFAULT_TAG,
    Reference,
    named_digest,
    parse_reference,
    spellings,
)
from moorage.ground.clock import Clock

PULLS_AT_ONCE = 4


class Puller:
    """Has images on one engine for one host; `names` are the `HOST:PORT` of our registry."""

    def __init__(
        self,
        images: ImageStore,
        clock: Clock,
        proxy: RegistryProxy | None,
        home: tuple[str, str],
    ) -> None:
        """Pull ours through `proxy`, taking names without a place for `home`: account, region."""
        self._images = images
        self._clock = clock
        self._proxy = proxy
        self._home = home
        self._turn = asyncio.Semaphore(PULLS_AT_ONCE)
        self.names: frozenset[str] = frozenset()

    def add_names(self, names: Iterable[str]) -> None:
        """Take these for our registry too."""
        self.names |= frozenset(names)

    async def have(self, instruction: PullImage) -> PullFinished | PullFailed:
        """The image is here afterwards, or the answer says why not. Raises EngineUnavailable."""
        image, started_at = instruction.image, self._clock.now()
        reference = parse_reference(image)
        if reference is None:
            return PullFailed(image=image, reason=f"invalid reference format: {image}")
        if reference.digest:
            facts = await self._images.image(image)
            if facts is not None:
                return self._finished(image, reference, facts, pulled=False)
        request = self._request(image, reference)
        try:
            async with self._turn:
                started_at = self._clock.now()
                facts = await self._images.pull(request)
        except CannotPull as failure:
            facts = await self._images.image(image)
            if facts is not None:
                return self._finished(image, reference, facts, pulled=False)
            return PullFailed(
                image=image,
                reason=_named(failure.reason, request, reference),
                transient=failure.transient,
                started_at=started_at,
                finished_at=self._clock.now(),
            )
        finished = self._finished(image, reference, facts, pulled=True)
        return PullFinished(
            image=image,
            reference=finished.reference,
            started_at=started_at,
            finished_at=finished.finished_at,
            digest=finished.digest,
        )

    def _request(self, image: str, reference: Reference) -> PullRequest:
        if self._proxy is None or reference.host not in self.names:
            return PullRequest(reference=image)
        account, region = self._home
        return PullRequest(
            reference=self._proxy.locate(reference, account, region),
            name=image,
            username=USERNAME,
            password=self._proxy.password,
        )

    def _finished(
        self, image: str, reference: Reference, facts: ImageFacts, *, pulled: bool
    ) -> PullFinished:
        now = self._clock.now()
        return PullFinished(
            image=image,
            reference=_local(reference, facts),
            started_at=now,
            finished_at=now,
            digest=reference.digest or _digest(reference, facts),
            pulled=pulled,
        )


async def discard(runtime: ContainerRuntime, images: ImageStore, reference: str) -> None:
    """Remove a name of an image, and what stands for it in the same repository.

    The alias and the digest under which a pull left it would else keep its bytes for ever. Other
    tags stay, and so does everything while a container uses it.
    """
    facts = await images.image(reference)
    written = parse_reference(reference)
    if facts is None or written is None:
        return
    names = [reference] if reference in (*facts.references, *facts.digests) else []
    for each in (*facts.references, *facts.digests):
        parsed = parse_reference(each)
        stands_for = parsed is not None and (parsed.digest or named_digest(each))
        if stands_for and parsed and parsed.repository == written.repository:
            names.append(each)
    try:
        for name in dict.fromkeys(names or [facts.id]):
            await runtime.remove("image", name)
    except CannotRemove:
        return  # in use: the next cycle sees it again


def _named(reason: str, request: PullRequest, reference: Reference) -> str:
    """The engine's reason by the name that people gave, not by the address of our proxy."""
    located = parse_reference(request.reference) if request.name else None
    return reason.replace(located.repository, reference.repository) if located else reason


def _local(reference: Reference, facts: ImageFacts) -> str:
    """The name by which the engine knows the image, as near as can be to what was asked."""
    known = {*facts.references, *facts.digests}
    plain = f"{reference.repository}:{reference.tag or DEFAULT_TAG}"
    wanted = spellings(str(reference)) if reference.digest else (plain,)
    # A digest that only an alias stands for is no name that a container can be made from.
    usable = {*facts.references, *(known - {named_digest(name) for name in facts.references})}
    return next((name for name in wanted if name in usable), facts.id)


def _digest(reference: Reference, facts: ImageFacts) -> str | None:
    pairs = (each.partition("@") for each in facts.digests)
    found = {repository: digest for repository, _, digest in pairs}
    return found.get(reference.repository) or next(iter(found.values()), None)
