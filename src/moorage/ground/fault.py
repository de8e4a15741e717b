"""Refusals that are part of an API: the caller did, or asked, something that is refused.

    Fault                        code, message, status; carries what the wire needs
    ├─ (generated)               one class for each AWS code, in moorage.shapes.*.faults
    └─ common, below
       ├─ AccessDenied           400 AccessDeniedException
       ├─ ReplacedKey            400 ReplacedKeyException
       ├─ MissingAuthentication  400 MissingAuthenticationTokenException
       ├─ IncompleteSignature    400 IncompleteSignatureException
       ├─ InvalidSignature       400 InvalidSignatureException
       ├─ UnrecognizedClient     400 UnrecognizedClientException
       ├─ ExpiredToken           400 ExpiredTokenException
       ├─ Throttling             400 ThrottlingException
       ├─ Validation             400 ValidationException
       ├─ Serialization          400 SerializationException
       ├─ UnknownOperation       400 UnknownOperationException
       ├─ Unsupported            400 UnsupportedFeatureException
       ├─ TooLarge               413 RequestEntityTooLargeException
       ├─ TooSlow                408 RequestTimeoutException
       ├─ Unavailable            503 ServiceUnavailableException
       └─ Internal               500 ServerException

A Conflict (sql) is transient and retried below; a broken invariant is an AssertionError.
"""

from typing import ClassVar


class Fault(Exception):  # noqa: N818 - a fault is the field's word for a refusal on the wire
    """A refusal with AWS's code, a message that says what to do, and an HTTP status.

    `members` are further members of the error's body that the model gives to its code.
    """

    code: ClassVar[str] = "ServerException"
    status: ClassVar[int] = 400

    def __init__(self, message: str = "", **members: object) -> None:
        """Refuse with `message`, a sentence for the caller."""
        super().__init__(message)
        self.message = message
        self.members = members


class AccessDenied(Fault):
    """The caller is known, and may not do this."""

    code = "AccessDeniedException"


class ReplacedKey(Fault):
    """The key was good once; another one speaks for its holder now."""

    code = "ReplacedKeyException"


class MissingAuthentication(Fault):
    """The request carries no credentials."""

    code = "MissingAuthenticationTokenException"


class IncompleteSignature(Fault):
    """The credentials of the request are malformed, or lack a part."""

    code = "IncompleteSignatureException"


class InvalidSignature(Fault):
    """The signature does not match, or its time is too far from ours."""

    code = "InvalidSignatureException"


class UnrecognizedClient(Fault):
    """No such access key."""

    code = "UnrecognizedClientException"


class ExpiredToken(Fault):
    """The credentials were good once."""

    code = "ExpiredTokenException"


class Throttling(Fault):
    """Too much at once; try again later."""

    code = "ThrottlingException"


class Validation(Fault):
    """The request breaks a constraint of the model."""

    code = "ValidationException"


class Serialization(Fault):
    """The body is not JSON, or a member has another type than the model's."""

    code = "SerializationException"


class UnknownOperation(Fault):
    """No operation has this name."""

    code = "UnknownOperationException"


class Unsupported(Fault):
    """Amazon has it and Moorage has not, yet."""

    code = "UnsupportedFeatureException"


class TooLarge(Fault):
    """The body is longer than its bound."""

    code = "RequestEntityTooLargeException"
    status = 413


class TooSlow(Fault):
    """The client stopped in the middle of its request."""

    code = "RequestTimeoutException"
    status = 408


class Unavailable(Fault):
    """The server cannot do this now: its disk is full, or it is stopping."""

    code = "ServiceUnavailableException"
    status = 503


class Internal(Fault):
    """Our own mistake; the request id leads to the log."""

    code = "ServerException"
    status = 500
