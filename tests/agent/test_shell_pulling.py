"""What is said of a pull that fails: the engine's words, about the name that people gave."""

import asyncio

import pytest

from moorage.agent.engine.events import PullFailed
from moorage.agent.engine.instructions import PullImage
from moorage.agent.proxy import RegistryProxy
from moorage.agent.pulling import Puller
from moorage.agent.runtime.memory import MemoryRuntime
from moorage.agent.runtime.memory_engine import MemoryEngine, plays
from moorage.agent.runtime.port import CannotPull
from moorage.agent.tokens import RegistryTokens
from moorage.ground.chance import SystemChance
from moorage.ground.clock import SystemClock

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
