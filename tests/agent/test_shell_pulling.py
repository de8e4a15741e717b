"""Images that are here, or pulled; a pull that fails is told by the name that people gave."""

import asyncio

import pytest

from moorage.agent.engine.events import PullFailed, PullFinished
from moorage.agent.engine.instructions import PullImage
from moorage.agent.proxy import RegistryProxy
from moorage.agent.pulling import Puller, discard
from moorage.agent.runtime.memory import MemoryRuntime
from moorage.agent.runtime.memory_engine import MemoryEngine, plays
from moorage.agent.runtime.port import CannotPull, ImageFacts
from moorage.agent.tokens import RegistryTokens
from moorage.ground.chance import SystemChance
from moorage.ground.clock import SystemClock
from tests.agent.rig import DIGEST, IMAGE, stocked

ACCOUNT, REGION = "000000000001", "us-east-1"
PROXY = "127.9.9.9:36387"


async def nobody():
    raise AssertionError("nothing is pulled here")


@pytest.mark.parametrize(
    ("image", "said", "told"),
    [
        (
            "moor:4750/web:2",
            f"manifest for {PROXY}/{ACCOUNT}/{REGION}/web:2 not found: manifest unknown",
            "manifest for moor:4750/web:2 not found: manifest unknown",
        ),
        (
            f"moor:4750/{ACCOUNT}/{REGION}/web:2",
            f"manifest for {PROXY}/{ACCOUNT}/{REGION}/web:2 not found",
            f"manifest for moor:4750/{ACCOUNT}/{REGION}/web:2 not found",
        ),
        ("moor:4750/web:2", "no space left on device", "no space left on device"),
        ("elsewhere/web:2", "manifest for elsewhere/web:2 not found", None),
    ],
)
def test_a_reason_names_the_image_as_people_do(image, said, told):
    proxy = RegistryProxy(
        "http://x", RegistryTokens(nobody, SystemClock()), "127.0.0.1", SystemChance()
    )
    proxy.host = PROXY
    runtime = MemoryRuntime(MemoryEngine(plays()), SystemClock())
    puller = Puller(runtime, SystemClock(), proxy, (ACCOUNT, REGION))
    puller.add_names({"moor:4750"})
    runtime.fail("pull", CannotPull(said))
    answer = asyncio.run(puller.have(PullImage(image=image)))
    assert isinstance(answer, PullFailed)
    assert answer.reason == (told or said)


def pulling(runtime: MemoryRuntime) -> Puller:
    return Puller(runtime, SystemClock(), None, ("000000000001", "us-east-1"))


def test_a_tag_is_asked_for_each_time_and_served_from_here_when_its_registry_is_away() -> None:
    async def story() -> None:
        runtime = MemoryRuntime(stocked(), SystemClock())
        puller = pulling(runtime)
        wanted = PullImage(image="r:1/web:1")
        absent = await puller.have(wanted)
        assert isinstance(absent, PullFailed)
        assert not absent.transient
        found = ImageFacts(
            id="sha256:" + "7" * 64, references=("r:1/web:1",), digests=(f"r:1/web@{DIGEST}",)
        )
        runtime.registry["r:1/web:1"] = found
        pulled = await puller.have(wanted)
        assert isinstance(pulled, PullFinished)
        assert (pulled.pulled, pulled.reference, pulled.digest) == (True, "r:1/web:1", DIGEST)
        runtime.fail("pull", CannotPull("connection refused", transient=True))
        again = await puller.have(wanted)
        assert isinstance(again, PullFinished)
        assert (again.pulled, again.reference, again.digest) == (False, "r:1/web:1", DIGEST)
        assert len(runtime.pulled) == 3

    asyncio.run(story())


def test_a_digest_that_is_here_is_not_pulled() -> None:
    async def story() -> None:
        runtime = MemoryRuntime(stocked(), SystemClock())
        found = await pulling(runtime).have(PullImage(image=IMAGE))
        assert isinstance(found, PullFinished)
        assert (found.pulled, found.reference, found.digest) == (False, IMAGE, DIGEST)
        assert runtime.pulled == []

    asyncio.run(story())


def test_removing_an_image_takes_what_stands_for_it_and_leaves_other_tags() -> None:
    async def story() -> None:
        runtime = MemoryRuntime(stocked(), SystemClock())
        names = ("r:1/web:1", f"r:1/web:sha256-{'d' * 64}", "r:1/web:2")
        facts = ImageFacts(id="sha256:" + "8" * 64, references=names)
        runtime.engine.add_image(facts)
        await discard(runtime, runtime, "r:1/web:1")
        left = await runtime.image(facts.id)
        assert left is not None
        assert left.references == ("r:1/web:2",)
        await discard(runtime, runtime, "r:1/web:2")
        assert await runtime.image(facts.id) is None
        await discard(runtime, runtime, "r:1/web:2")

    asyncio.run(story())
