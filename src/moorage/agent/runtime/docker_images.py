"""Images on Docker Engine: looking them up under either spelling, fetching, naming, removing."""

import asyncio
import base64
from collections.abc import AsyncIterator
from urllib.parse import quote

import msgspec

from moorage.agent.runtime import docker_records
from moorage.agent.runtime.deadlines import (
    PULL_BEGIN_SECONDS,
    PULL_SECONDS_MAX,
    PULL_STALL_SECONDS,
    REMOVE_SECONDS,
)
from moorage.agent.runtime.docker_client import EngineClient, Refused, lines
from moorage.agent.runtime.port import (
    CannotPull,
    CannotRemove,
    EngineUnavailable,
    ImageFacts,
    Progress,
    PullProgress,
    PullRequest,
)
from moorage.agent.runtime.reference import DEFAULT_TAG, local_names, parse_reference, spellings

REASON_LENGTH_MAX = 1024
# What a registry says when no further try can help.
_FINAL = (
    "not found",
    "manifest unknown",
    "name unknown",
    "denied",
    "unauthorized",
    "authentication required",
    "no basic auth",
    "no matching manifest",
    "invalid reference",
    "unsupported",
)


class _Detail(msgspec.Struct):
    current: int | None = None
    total: int | None = None
    message: str = ""


class _Line(msgspec.Struct, rename="camel"):
    id: str = ""
    status: str = ""
    error: str = ""
    error_detail: _Detail | None = None
    progress_detail: _Detail | None = None


async def find(client: EngineClient, reference: str) -> ImageFacts | None:
    """The image that `reference` means here, under its own spelling or its alias."""
    for name in spellings(reference):
        try:
            answer = await client.call("GET", f"/images/{_path(name)}/json")
        except Refused as refused:
            if refused.status in {400, 404}:
                continue
            raise EngineUnavailable(refused.reason) from refused
        return docker_records.image(answer.content)
    return None


async def all_named(client: EngineClient) -> tuple[ImageFacts, ...]:
    """All images that have a name or a digest."""
    try:
        answer = await client.call("GET", "/images/json")
    except Refused as refused:
        raise EngineUnavailable(refused.reason) from refused
    return docker_records.images(answer.content)


async def pull(client: EngineClient, request: PullRequest, progress: Progress | None) -> ImageFacts:
    """Fetch, name, and forget the address it came from; the promise is ImageStore.pull's."""
    wanted = parse_reference(request.reference)
    if wanted is None:
        raise CannotPull(f"invalid reference format: {request.reference}")
    query = {"fromImage": wanted.repository, "tag": wanted.digest or wanted.tag or DEFAULT_TAG}
    try:
        async with (
            asyncio.timeout(PULL_SECONDS_MAX),
            client.stream(
                "POST", "/images/create", query, _authorization(request), PULL_BEGIN_SECONDS
            ) as reader,
        ):
            await _follow(lines(reader, PULL_STALL_SECONDS), progress)
    except Refused as refused:
        raise _cannot(refused.reason) from refused
    except TimeoutError as error:
        raise CannotPull("the pull made no progress", transient=True) from error
    source = f"{wanted.repository}@{wanted.digest}" if wanted.digest else request.reference
    facts = await find(client, source)
    if facts is None:
        raise CannotPull(f"{source} is not there after it was pulled", transient=True)
    if not request.name:
        return facts
    return await _rename(client, facts, wanted.repository, request.name)


async def discard(client: EngineClient, name: str) -> None:
    """Remove an image: by an id under all its names, by a name that name alone."""
    facts = await find(client, name)
    if facts is None:
        return
    known = [*facts.references, *facts.digests]
    written = [each for each in spellings(name) if each in known] or [name]
    for each in (known or [facts.id]) if name == facts.id else written:
        await _untag(client, each)


async def _rename(client: EngineClient, facts: ImageFacts, source: str, name: str) -> ImageFacts:
    digests = (each.partition("@") for each in facts.digests)
    digest = next((digest for repository, _, digest in digests if repository == source), "")
    names = local_names(name, digest)
    for each in names:
        repository, _, tag = each.rpartition(":")
        try:
            path = f"/images/{_path(facts.id)}/tag"
            await client.call("POST", path, {"repo": repository, "tag": tag})
        except Refused as refused:
            raise _cannot(refused.reason) from refused
    for each in (*facts.references, *facts.digests):
        reference = parse_reference(each)
        if reference is not None and reference.repository == source and each not in names:
            await _untag(client, each)
    renamed = await find(client, facts.id)
    return renamed or facts


async def _untag(client: EngineClient, name: str) -> None:
    try:
        await client.call("DELETE", f"/images/{_path(name)}", seconds=REMOVE_SECONDS)
    except Refused as refused:
        if refused.status != 404:  # noqa: PLR2004 - gone already
            raise CannotRemove(refused.reason) from refused


async def _follow(progress_lines: AsyncIterator[bytes], progress: Progress | None) -> None:
    """Read a pull's lines to the end; raises CannotPull where one tells of an error."""
    done: dict[str, int] = {}
    total: dict[str, int] = {}
    async for text in progress_lines:
        line = docker_records.decode(text, _Line)
        if line.error or line.error_detail:
            told = line.error_detail.message if line.error_detail else ""
            raise _cannot(told or line.error)
        detail = line.progress_detail
        if line.status != "Downloading" or detail is None or not detail.total:
            continue
        done[line.id], total[line.id] = detail.current or 0, detail.total
        if progress is not None:
            progress(PullProgress(done_bytes=sum(done.values()), total_bytes=sum(total.values())))


def _cannot(reason: str) -> CannotPull:
    final = any(text in reason.lower() for text in _FINAL)
    return CannotPull(reason[:REASON_LENGTH_MAX], transient=not final)


def _authorization(request: PullRequest) -> dict[str, str]:
    """Docker's X-Registry-Auth: the URL-safe base64 of a JSON object (Engine API, "Authentication")."""
    if not request.username:
        return {}
    wanted = parse_reference(request.reference)
    account = {
        "username": request.username,
        "password": request.password,
        "serveraddress": wanted.host if wanted else "",
    }
    return {"X-Registry-Auth": base64.urlsafe_b64encode(msgspec.json.encode(account)).decode()}


def _path(name: str) -> str:
    return quote(name, safe="/:@")
