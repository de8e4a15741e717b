"""Our own operations: request and response of each."""

import msgspec

from moorage.shapes.moorage.account import CreateAccountRequest, CreateAccountResponse
from moorage.shapes.moorage.authority import (
    DescribeAuthorityRequest,
    DescribeAuthorityResponse,
    FinishAuthorityRotationRequest,
    FinishAuthorityRotationResponse,
    RotateAuthorityRequest,
    RotateAuthorityResponse,
)
from moorage.shapes.moorage.check import CheckDefinitionRequest, CheckDefinitionResponse
from moorage.shapes.moorage.explanation import (
    ExplainDeploymentRequest,
    ExplainDeploymentResponse,
    ExplainHostRequest,
    ExplainHostResponse,
    ExplainServiceRequest,
    ExplainServiceResponse,
)
from moorage.shapes.moorage.freeze import (
    FreezeSchedulingRequest,
    FreezeSchedulingResponse,
    ListFreezesRequest,
    ListFreezesResponse,
    ThawSchedulingRequest,
    ThawSchedulingResponse,
)
from moorage.shapes.moorage.host import (
    CreateJoinTokenRequest,
    CreateJoinTokenResponse,
    JoinRequest,
    JoinResponse,
    RequestHostKeyRotationRequest,
    RequestHostKeyRotationResponse,
    RotateHostKeyRequest,
    RotateHostKeyResponse,
)
from moorage.shapes.moorage.host_state import (
    ConfirmHostLostRequest,
    ConfirmHostLostResponse,
    DescribeHostsRequest,
    DescribeHostsResponse,
    DrainHostRequest,
    DrainHostResponse,
)
from moorage.shapes.moorage.pool import DescribePoolsRequest, DescribePoolsResponse
from moorage.shapes.moorage.post_mortem import (
    ExplainTaskRequest,
    ExplainTaskResponse,
    SubmitPostMortemRequest,
    SubmitPostMortemResponse,
)
from moorage.shapes.moorage.rebalancing import (
    ListRebalancingsRequest,
    ListRebalancingsResponse,
    PreviewRebalancingRequest,
    PreviewRebalancingResponse,
    StartRebalancingRequest,
    StartRebalancingResponse,
)
from moorage.shapes.moorage.timeline import ListTimelineRequest, ListTimelineResponse

TARGET = "Moorage_V1"
API_VERSION = "2026-11-01"

OPERATIONS: dict[str, tuple[type[msgspec.Struct], type[msgspec.Struct]]] = {
    "CheckDefinition": (CheckDefinitionRequest, CheckDefinitionResponse),
    "ConfirmHostLost": (ConfirmHostLostRequest, ConfirmHostLostResponse),
    "CreateAccount": (CreateAccountRequest, CreateAccountResponse),
    "CreateJoinToken": (CreateJoinTokenRequest, CreateJoinTokenResponse),
    "DescribeAuthority": (DescribeAuthorityRequest, DescribeAuthorityResponse),
    "DescribeHosts": (DescribeHostsRequest, DescribeHostsResponse),
    "DescribePools": (DescribePoolsRequest, DescribePoolsResponse),
    "DrainHost": (DrainHostRequest, DrainHostResponse),
    "ExplainDeployment": (ExplainDeploymentRequest, ExplainDeploymentResponse),
    "ExplainHost": (ExplainHostRequest, ExplainHostResponse),
    "ExplainService": (ExplainServiceRequest, ExplainServiceResponse),
    "ExplainTask": (ExplainTaskRequest, ExplainTaskResponse),
    "FinishAuthorityRotation": (FinishAuthorityRotationRequest, FinishAuthorityRotationResponse),
    "FreezeScheduling": (FreezeSchedulingRequest, FreezeSchedulingResponse),
    "Join": (JoinRequest, JoinResponse),
    "ListFreezes": (ListFreezesRequest, ListFreezesResponse),
    "ListRebalancings": (ListRebalancingsRequest, ListRebalancingsResponse),
    "ListTimeline": (ListTimelineRequest, ListTimelineResponse),
    "PreviewRebalancing": (PreviewRebalancingRequest, PreviewRebalancingResponse),
    "RequestHostKeyRotation": (RequestHostKeyRotationRequest, RequestHostKeyRotationResponse),
    "RotateAuthority": (RotateAuthorityRequest, RotateAuthorityResponse),
    "RotateHostKey": (RotateHostKeyRequest, RotateHostKeyResponse),
    "StartRebalancing": (StartRebalancingRequest, StartRebalancingResponse),
    "SubmitPostMortem": (SubmitPostMortemRequest, SubmitPostMortemResponse),
    "ThawScheduling": (ThawSchedulingRequest, ThawSchedulingResponse),
}
