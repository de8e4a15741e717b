"""Signed calls that say what became of them: an answer, a refusal, or nothing at all."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from moorage.ground.chance import SystemChance
from moorage.ground.clock import SystemClock
from moorage.wire.canonical import Credentials
from moorage.wire.client import AwsClient

TARGETS = {"ecs": "AmazonEC2ContainerServiceV20141113", "moorage": "Moorage_V1"}
CALL_SECONDS_MAX = 10.0
RETRY_SECONDS = 0.02
TRIES_MAX = 500


@dataclass
class Outcome:
    """`status` is None where no answer came: then the call had all of its effect, or none."""

    status: int | None
    body: dict[str, Any]

    @property
    def acknowledged(self) -> bool:
        return self.status == 200


class Caller:
    """One access key; no call is tried twice."""

    def __init__(self, url: str, key: dict[str, str], session: aiohttp.ClientSession) -> None:
        self.url = url
        self.session = session
        credentials = (
            Credentials(
                access_key_id=key["access_key_id"], secret_access_key=key["secret_access_key"]
            )
            if key
            else None
        )
        self.client = AwsClient(
            url, credentials, "us-east-1", session, SystemClock(), SystemChance()
        )

    async def __call__(self, operation: str, target: str = "ecs", /, **members: Any) -> Outcome:
        """Call once."""
        body = json.dumps(members).encode()
        url = f"{self.url}/"
        headers = {
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": f"{TARGETS[target]}.{operation}",
        }
        signed = self.client.signed_headers("POST", url, target, headers, body)
        timeout = aiohttp.ClientTimeout(total=CALL_SECONDS_MAX)
        try:
            async with self.session.post(
                URL(url), data=body, headers=signed, timeout=timeout
            ) as answer:
                return Outcome(answer.status, json.loads(await answer.read()))
        except (aiohttp.ClientError, OSError, TimeoutError, json.JSONDecodeError):
            return Outcome(None, {})

    async def must(self, operation: str, target: str = "ecs", /, **members: Any) -> dict[str, Any]:
        """Call, and fail unless it is acknowledged."""
        outcome = await self(operation, target, **members)
        assert outcome.acknowledged, (operation, outcome)
        return outcome.body

    async def surely(
        self, operation: str, target: str = "ecs", /, **members: Any
    ) -> dict[str, Any]:
        """Call until there is an answer, and fail unless it acknowledges."""
        outcome = await self(operation, target, **members)
        for _ in range(TRIES_MAX):
            if outcome.status not in {None, 503}:
                break
            await asyncio.sleep(RETRY_SECONDS)
            outcome = await self(operation, target, **members)
        assert outcome.acknowledged, (operation, outcome)
        return outcome.body
