"""One call from checked request to answer: authorize, heed the client's token, run the body.

Everything here happens inside the call's one transaction, so an answer that was kept for a token
is durable together with what the call did.
"""

import hashlib
from collections.abc import Callable
from typing import Any

import msgspec

from moorage.ground.instant import Instant, hours, later
from moorage.ground.record import Record
from moorage.kernel.api import Api
from moorage.kernel.call import Call
from moorage.kernel.operation import Idempotency, Operation
from moorage.shapes.constraint import message, violations
from moorage.sql.document import Table
from moorage.sql.transaction import Transaction

Authorize = Callable[[Call, Operation[Any, Any], Any], None]

# AWS keeps a client token for a day; ours is forgotten as late.
TOKEN_KEPT = hours(24)
TOKENS_SWEPT_AT_ONCE = 100


class KeptAnswer(Record):
    """What was answered to a client token, and the digest of the request that carried it."""

    account: str
    region: str
    operation: str
    token: str
    request: str
    answer: str
    forgotten_at: Instant


KEPT_ANSWERS = Table(
    "kept_answers",
    KeptAnswer,
    keys=("account", "region", "operation", "token"),
    columns=("forgotten_at",),
    indices=(("forgotten_at",),),
)
_OLD = KEPT_ANSWERS.query(order=("forgotten_at",))


def check(api: Api, request: msgspec.Struct) -> None:
    """Hold a request against its model's constraints; raises the service's own fault."""
    found = violations(request, api.constraints)
    if found:
        raise api.invalid(message(found))


def perform(
    call: Call, operation: Operation[Any, Any], request: Any, authorize: Authorize
) -> msgspec.Struct:
    """Authorize and run `operation`; a client token that returns gets the first answer again.

    Raises the house's faults, among them the operation's conflict where a token returns with
    another request.
    """
    authorize(call, operation, request)
    call.tx.cause = f"{operation.name} by {call.principal.arn}"
    token = _token(operation.idempotency, request)
    if operation.idempotency is None or not token:
        return _run(call, operation, request)
    digest = hashlib.sha256(msgspec.json.encode(request)).hexdigest()
    kept = KEPT_ANSWERS.get(call.tx, call.account, call.region, operation.name, token)
    if kept is not None and kept.forgotten_at > call.now:
        if kept.request != digest:
            raise operation.idempotency.conflict(
                f"The {operation.idempotency.member} was used before with other parameters."
            )
        return _kept(operation, kept.answer)
    answer = _run(call, operation, request)
    KEPT_ANSWERS.put(
        call.tx,
        KeptAnswer(
            account=call.account,
            region=call.region,
            operation=operation.name,
            token=token,
            request=digest,
            answer=msgspec.json.encode(answer).decode(),
            forgotten_at=later(call.now, TOKEN_KEPT),
        ),
    )
    return answer


def sweep_tokens(tx: Transaction) -> int:
    """Forget client tokens that are older than a day, a bounded number at once; answers how many."""
    old = [kept for kept in _OLD.all(tx, limit=TOKENS_SWEPT_AT_ONCE) if kept.forgotten_at <= tx.now]
    for kept in old:
        KEPT_ANSWERS.delete(tx, kept.account, kept.region, kept.operation, kept.token)
    return len(old)


def _run(call: Call, operation: Operation[Any, Any], request: Any) -> msgspec.Struct:
    answer: msgspec.Struct = operation.body(call, request)
    return answer


def _token(idempotency: Idempotency | None, request: Any) -> str | None:
    return getattr(request, idempotency.member) if idempotency else None


def _kept(operation: Operation[Any, Any], answer: str) -> msgspec.Struct:
    kept: msgspec.Struct = msgspec.json.decode(answer, type=operation.answer)
    return kept
