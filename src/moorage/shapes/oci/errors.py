"""The error codes of the OCI distribution specification 1.1, section "Error Codes", and their bodies.

The specification gives codes and sentences; the statuses are those that its sections on the single
requests demand. TOOMANYREQUESTS, UNSUPPORTED, UNKNOWN and Docker's PAGINATION_NUMBER_INVALID are codes that
clients know besides.
"""

import msgspec

from moorage.ground.record import Record


class ErrorCode(Record):
    """A code: the HTTP status it is answered with, and its sentence."""

    status: int
    sentence: str


class Error(Record):
    """One error of a body; `detail` is unstructured."""

    code: str
    message: str | None = None
    detail: msgspec.Raw | None = None


class ErrorBody(Record):
    """What every refusal of the registry answers."""

    errors: list[Error]


ERROR_CODES: dict[str, ErrorCode] = {
    "BLOB_UNKNOWN": ErrorCode(status=404, sentence="blob unknown to registry"),
    "BLOB_UPLOAD_INVALID": ErrorCode(status=400, sentence="blob upload invalid"),
    "BLOB_UPLOAD_UNKNOWN": ErrorCode(status=404, sentence="blob upload unknown to registry"),
    "DENIED": ErrorCode(status=403, sentence="requested access to the resource is denied"),
    "DIGEST_INVALID": ErrorCode(
        status=400, sentence="provided digest did not match uploaded content"
    ),
    "MANIFEST_BLOB_UNKNOWN": ErrorCode(
        status=404, sentence="manifest references a manifest or blob unknown to registry"
    ),
    "MANIFEST_INVALID": ErrorCode(status=400, sentence="manifest invalid"),
    "MANIFEST_UNKNOWN": ErrorCode(status=404, sentence="manifest unknown to registry"),
    "NAME_INVALID": ErrorCode(status=400, sentence="invalid repository name"),
    "NAME_UNKNOWN": ErrorCode(status=404, sentence="repository name not known to registry"),
    "PAGINATION_NUMBER_INVALID": ErrorCode(
        status=400, sentence="invalid number of results requested"
    ),
    "RANGE_INVALID": ErrorCode(status=416, sentence="requested range not satisfiable"),
    "SIZE_INVALID": ErrorCode(status=400, sentence="provided length did not match content length"),
    "TAG_INVALID": ErrorCode(status=400, sentence="invalid tag"),
    "TOOMANYREQUESTS": ErrorCode(status=429, sentence="too many requests"),
    "UNAUTHORIZED": ErrorCode(status=401, sentence="authentication required"),
    "UNAVAILABLE": ErrorCode(status=503, sentence="registry cannot do this now"),
    "UNKNOWN": ErrorCode(status=500, sentence="unknown error"),
    "UNSUPPORTED": ErrorCode(status=405, sentence="the operation is unsupported"),
}
