"""Container output for people: a signed GET that streams what an agent sends over its link.

`GET /moorage/logs?taskArn=...&container=...&follow=1&tail=200`, signed as the service `moorage`.
Each piece of output is one line of JSON (`stream`, base64 `data`); the last may carry `error`.
"""

import asyncio
from urllib.parse import parse_qsl

import msgspec

from moorage.acs.messages import LogsChunk
from moorage.gateway.agents import AgentsDoor
from moorage.gateway.aws import OWN_SERVICE, Door
from moorage.gateway.exchange import Receive, Send, send_response
from moorage.gateway.output import HostAway, Pieces
from moorage.ground.arn import parse_arn
from moorage.ground.fault import AccessDenied, Fault, Unavailable, Validation
from moorage.ground.principal import Principal
from moorage.ground.record import Record
from moorage.wire import json11
from moorage.wire.request import Request

TAIL_LINES_MAX = 100_000
QUERY_PARAMETERS_MAX = 16


class LogsWanted(Record):
    """Whose output is wanted, from which host."""

    instance: str
    task: str
    container: str
    follow: bool = False
    tail_lines: int | None = None


class LogsDoor:
    """Where people's requests for output come in."""

    def __init__(self, aws: Door, agents: AgentsDoor) -> None:
        """Take the door that verifies callers, and the one that knows the hosts."""
        self._aws = aws
        self._agents = agents

    async def answer(self, request: Request, receive: Receive, send: Send) -> None:
        """Stream the output until its end, or until the client goes away."""
        request_id = self._aws.new_request_id()
        try:
            principal, _ = await self._aws.verified(request, OWN_SERVICE)
            wanted = _wanted(request, principal)
            pieces = self._agents.logs(wanted.instance, wanted)
        except HostAway as away:
            await send_response(send, json11.render_fault(Unavailable(str(away)), request_id))
            return
        except Fault as fault:
            await send_response(send, json11.render_fault(fault, request_id))
            return
        leaving = asyncio.create_task(_left(receive, pieces))
        try:
            await _stream(pieces, send)
        finally:
            leaving.cancel()
            pieces.close()


async def _left(receive: Receive, pieces: Pieces) -> None:
    """End the pieces when the client goes away: what is sent to it then says nothing of that."""
    while (await receive())["type"] != "http.disconnect":
        pass
    pieces.close()


async def _stream(pieces: Pieces, send: Send) -> None:
    headers = [(b"content-type", b"application/x-ndjson")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    async for chunk in pieces:
        await send({"type": "http.response.body", "body": _line(chunk), "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _wanted(request: Request, principal: Principal) -> LogsWanted:
    try:
        members = dict(parse_qsl(request.query, max_num_fields=QUERY_PARAMETERS_MAX))
    except ValueError as error:
        raise Validation("The query has too many parameters.") from error
    task, instance = parse_arn(members.get("taskArn", "")), parse_arn(members.get("instance", ""))
    if task is None or instance is None or not members.get("container"):
        raise Validation("taskArn, instance and container are needed.")
    if principal.kind == "host" or {task.account, instance.account} != {principal.account}:
        raise AccessDenied("This output belongs to another account.")
    tail = members.get("tail", "")
    digits = len(str(TAIL_LINES_MAX))
    if tail and not (tail.isdecimal() and len(tail) <= digits and int(tail) <= TAIL_LINES_MAX):
        raise Validation(f"tail must be a number up to {TAIL_LINES_MAX}.")
    return LogsWanted(
        instance=str(instance),
        task=str(task),
        container=members["container"],
        follow=members.get("follow") == "1",
        tail_lines=int(tail) if tail else None,
    )


def _line(chunk: LogsChunk) -> bytes:
    return (
        msgspec.json.encode(
            {
                name: value
                for name, value in (
                    ("stream", chunk.stream),
                    ("data", chunk.data),
                    ("error", chunk.error),
                )
                if value is not None
            }
        )
        + b"\n"
    )
