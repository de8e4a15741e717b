"""The authority of this installation: shown, rotated, and put to use; for the operator."""

from moorage.ground.record import Record
from moorage.shapes.scalar import Timestamp


class TrustedCertificate(Record, rename="camel"):
    """A certificate that clients are to trust; `role` is signing, coming, leaving or given.

    `hash` is the SHA-256 of its public key, as join tokens carry it; `certificate` is PEM.
    """

    role: str | None = None
    subject: str | None = None
    hash: str | None = None
    not_before: Timestamp | None = None
    not_after: Timestamp | None = None
    certificate: str | None = None


class WaitedForHost(Record, rename="camel"):
    """A connected host that has not confirmed the newest certificates."""

    container_instance_arn: str | None = None
    name: str | None = None


class DescribeAuthorityRequest(Record, rename="camel"):
    """Nothing is to be said."""


class DescribeAuthorityResponse(Record, rename="camel"):
    """Who signs the server's certificate, and where a rotation stands.

    `source` is own, given, system or none; `stage` steady, rotating or leaving. `leavesAt` is when
    the authority that is leaving will have left. `waitingFor` are the hosts that hold a rotation up.
    """

    source: str | None = None
    stage: str | None = None
    certificates: list[TrustedCertificate] | None = None
    waiting_for: list[WaitedForHost] | None = None
    leaves_at: Timestamp | None = None


class RotateAuthorityRequest(Record, rename="camel"):
    """Nothing is to be said."""


class RotateAuthorityResponse(Record, rename="camel"):
    """How it stands after the step."""

    authority: DescribeAuthorityResponse | None = None


class FinishAuthorityRotationRequest(Record, rename="camel"):
    """`force` goes on although connected hosts have not confirmed."""

    force: bool | None = None


class FinishAuthorityRotationResponse(Record, rename="camel"):
    """How it stands after the step."""

    authority: DescribeAuthorityResponse | None = None
