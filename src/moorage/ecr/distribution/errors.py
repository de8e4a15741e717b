"""Refusals of the data plane: one table from every fault to the error of OCI.

    Refused                  an OCI error code and a sentence
    └─ Oversized             more bytes than a blob may have: the upload is given up
    Fault (ground)           what an operation refused, by its AWS code
    Refusal (blob)           what the blob store refused, by its class

OCI distribution specification 1.1, "Error Codes". A status that differs from the code's own in
`shapes.oci.errors` is given where it is decided.
"""

from collections.abc import Mapping

import msgspec

from moorage.blob import store
from moorage.ground.fault import Fault
from moorage.ground.record import Record
from moorage.shapes.oci.errors import ERROR_CODES, Error, ErrorBody

API_VERSION = {"docker-distribution-api-version": "registry/2.0"}

# AWS's codes of the faults that the data plane's operations raise.
FAULTS = {
    "AccessDeniedException": "DENIED",
    "RepositoryNotFoundException": "NAME_UNKNOWN",
    "RequestEntityTooLargeException": "SIZE_INVALID",
    "ServiceUnavailableException": "UNAVAILABLE",
    "ThrottlingException": "TOOMANYREQUESTS",
    "ValidationException": "MANIFEST_INVALID",
}


class Refused(Exception):  # noqa: N818 - the past tense of a request
    """A request is refused with an OCI error code."""

    def __init__(
        self,
        code: str,
        message: str = "",
        *,
        status: int = 0,
        headers: Mapping[str, str] | None = None,
        detail: object = None,
    ) -> None:
        """Refuse; `message` defaults to the code's sentence, `status` to the code's own."""
        known = ERROR_CODES[code]
        super().__init__(message or known.sentence)
        self.code = code
        self.message = message or known.sentence
        self.status = status or known.status
        self.headers = dict(headers or {})
        self.detail = detail


class Oversized(Refused):
    """More bytes than a blob may have."""


class Outcome(Record):
    """A status, an OCI code and a sentence for a refusal of the blob store."""

    status: int
    code: str
    sentence: str


# docker retries on 5xx, and goes on by itself as soon as there is room again.
REFUSALS: dict[type[store.Refusal], Outcome] = {
    store.StoreFull: Outcome(
        status=507,
        code="UNAVAILABLE",
        sentence="the registry's disk is full; nothing of this push was kept. Free some room "
        "under the data folder, then push again",
    ),
    store.StoreFailed: Outcome(
        status=503, code="UNAVAILABLE", sentence="the registry's disk fails; see the server's log"
    ),
    store.StageBusy: Outcome(
        status=409,
        code="BLOB_UPLOAD_INVALID",
        sentence="another request is writing this upload; ask for its status and go on from there",
    ),
    store.UploadUnknown: Outcome(
        status=404, code="BLOB_UPLOAD_UNKNOWN", sentence="blob upload unknown to registry"
    ),
}


def refused_by_fault(fault: Fault) -> Refused:
    """An operation's fault in OCI's words."""
    return Refused(FAULTS.get(fault.code, "UNKNOWN"), fault.message)


def refused_by_store(refusal: store.Refusal) -> Refused:
    """The blob store's refusal in OCI's words."""
    if isinstance(refusal, store.DigestMismatch):
        return Refused("DIGEST_INVALID", str(refusal))
    outcome = REFUSALS[type(refusal)]
    return Refused(outcome.code, outcome.sentence, status=outcome.status)


def body_of(refused: Refused) -> bytes:
    """The JSON body of a refusal."""
    detail = msgspec.Raw(msgspec.json.encode(refused.detail)) if refused.detail else None
    return msgspec.json.encode(
        ErrorBody(errors=[Error(code=refused.code, message=refused.message, detail=detail)])
    )
