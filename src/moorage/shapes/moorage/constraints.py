"""What our own operations demand of the members of requests."""

from moorage.shapes.constraint import Constraint, Constraints, Rule
from moorage.shapes.moorage.account import CreateAccountRequest
from moorage.shapes.moorage.check import CheckDefinitionRequest
from moorage.shapes.moorage.explanation import (
    ExplainDeploymentRequest,
    ExplainHostRequest,
    ExplainServiceRequest,
)
from moorage.shapes.moorage.freeze import FreezeSchedulingRequest
from moorage.shapes.moorage.host import (
    CreateJoinTokenRequest,
    JoinRequest,
    RequestHostKeyRotationRequest,
)
from moorage.shapes.moorage.host_state import (
    ConfirmHostLostRequest,
    DescribeHostsRequest,
    DrainHostRequest,
)
from moorage.shapes.moorage.post_mortem import ExplainTaskRequest, SubmitPostMortemRequest

NAME_LENGTH_MAX = 128
ARN_LENGTH_MAX = 512
TOKEN_LENGTH_MAX = 256
TOKEN_USES_MAX = 10_000
TOKEN_TTL_SECONDS_MAX = 7 * 24 * 3600
REASON_LENGTH_MAX = 255
FREEZE_SECONDS_MAX = 365 * 24 * 3600
DEADLINE_SECONDS_MAX = 7 * 24 * 3600
HOSTS_NAMED_MAX = 100
CONTAINERS_MAX = 100
DOCUMENT_LENGTH_MAX = 262_144
_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]*"

_HOST = Constraint(member="host", wire="host", required=True, minimum=1, maximum=ARN_LENGTH_MAX)

CONSTRAINTS: Constraints = {
    CheckDefinitionRequest: (
        Constraint(
            member="document",
            wire="document",
            required=True,
            minimum=2,
            maximum=DOCUMENT_LENGTH_MAX,
            sensitive=True,
        ),
    ),
    ConfirmHostLostRequest: (_HOST,),
    DescribeHostsRequest: (
        Constraint(
            member="hosts",
            wire="hosts",
            maximum=HOSTS_NAMED_MAX,
            each=Rule(minimum=1, maximum=ARN_LENGTH_MAX),
        ),
    ),
    DrainHostRequest: (
        _HOST,
        Constraint(
            member="deadline_seconds",
            wire="deadlineSeconds",
            minimum=1,
            maximum=DEADLINE_SECONDS_MAX,
        ),
        Constraint(member="on_timeout", wire="onTimeout", enum=("abandon", "force")),
    ),
    CreateAccountRequest: (
        Constraint(member="name", wire="name", minimum=1, maximum=NAME_LENGTH_MAX),
    ),
    CreateJoinTokenRequest: (
        Constraint(member="uses", wire="uses", minimum=1, maximum=TOKEN_USES_MAX),
        Constraint(
            member="ttl_seconds", wire="ttlSeconds", minimum=1, maximum=TOKEN_TTL_SECONDS_MAX
        ),
    ),
    ExplainDeploymentRequest: (
        Constraint(
            member="deployment",
            wire="deployment",
            required=True,
            minimum=1,
            maximum=ARN_LENGTH_MAX,
        ),
    ),
    ExplainHostRequest: (_HOST,),
    ExplainServiceRequest: (
        Constraint(
            member="service", wire="service", required=True, minimum=1, maximum=ARN_LENGTH_MAX
        ),
    ),
    ExplainTaskRequest: (
        Constraint(member="task", wire="task", required=True, minimum=1, maximum=ARN_LENGTH_MAX),
    ),
    FreezeSchedulingRequest: (
        Constraint(
            member="reason", wire="reason", required=True, minimum=1, maximum=REASON_LENGTH_MAX
        ),
        Constraint(
            member="duration_seconds",
            wire="durationSeconds",
            minimum=1,
            maximum=FREEZE_SECONDS_MAX,
        ),
    ),
    JoinRequest: (
        Constraint(
            member="token", wire="token", required=True, maximum=TOKEN_LENGTH_MAX, sensitive=True
        ),
        Constraint(member="name", wire="name", maximum=NAME_LENGTH_MAX, pattern=_NAME),
        Constraint(member="previous_instance", wire="previousInstance", maximum=ARN_LENGTH_MAX),
    ),
    RequestHostKeyRotationRequest: (
        Constraint(member="host", wire="host", required=True, minimum=1, maximum=ARN_LENGTH_MAX),
    ),
    SubmitPostMortemRequest: (
        Constraint(member="task", wire="task", required=True, minimum=1, maximum=ARN_LENGTH_MAX),
        Constraint(member="containers", wire="containers", maximum=CONTAINERS_MAX),
    ),
}
