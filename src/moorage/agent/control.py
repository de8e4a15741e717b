"""The server as the agent calls it: the operations of the ECS API that are an agent's, and two more.

Signed with the host's own key by `wire.client`; joining is the one call without a key.
"""

import ssl
from collections.abc import Callable

import aiohttp
import msgspec

from moorage.agent.identity import Identity
from moorage.agent.options import OptionsRefused
from moorage.agent.records.report import ContainerReport, TaskReport
from moorage.agent.trust import Trust
from moorage.ground.chance import Chance
from moorage.ground.clock import Clock
from moorage.ground.instant import maybe_epoch
from moorage.ground.record import Record
from moorage.shapes.ecr.authorization import (
    GetAuthorizationTokenRequest,
    GetAuthorizationTokenResponse,
)
from moorage.shapes.ecs.agent import (
    ContainerStateChange,
    DiscoverPollEndpointRequest,
    DiscoverPollEndpointResponse,
    SubmitTaskStateChangeRequest,
    SubmitTaskStateChangeResponse,
)
from moorage.shapes.ecs.attribute import Attribute
from moorage.shapes.ecs.container_instance import (
    PlatformDevice,
    RegisterContainerInstanceRequest,
    RegisterContainerInstanceResponse,
    Resource,
)
from moorage.shapes.ecs.network import NetworkBinding
from moorage.shapes.moorage.host import (
    JoinRequest,
    JoinResponse,
    RotateHostKeyRequest,
    RotateHostKeyResponse,
)
from moorage.wire import json11
from moorage.wire.canonical import Credentials
from moorage.wire.client import AwsClient, RemoteFault, Untrusted, remote_fault, unreached
from moorage.wire.request import Response

ECS_TARGET = "AmazonEC2ContainerServiceV20141113"
ECR_TARGET = "AmazonEC2ContainerRegistry_V20150921"
OWN_TARGET = "Moorage_V1"
JOIN_SECONDS_MAX = 60.0
REASON_LENGTH_MAX = 1024  # as Amazon's agent cuts them
DIGEST_LENGTH_MAX = 255
# Refused for good: another try of the same would be refused again (agent-protocol 2.1).
FINAL_CODES = frozenset(("ClientException", "InvalidParameterException"))


class Registration(Record):
    """What a host registers with."""

    attributes: tuple[Attribute, ...]
    resources: tuple[Resource, ...]
    client_token: str
    container_instance_arn: str = ""
    platform_devices: tuple[PlatformDevice, ...] = ()


class ControlPlane:
    """The server, for one host."""

    def __init__(
        self,
        endpoint: str,
        identity: Identity,
        session: aiohttp.ClientSession,
        clock: Clock,
        chance: Chance,
    ) -> None:
        """Call `endpoint` with the host's key; the session is the caller's to close."""
        credentials = Credentials(
            access_key_id=identity.access_key_id, secret_access_key=identity.secret_access_key
        )
        self.cluster = identity.cluster
        self.endpoint = endpoint
        self.context: ssl.SSLContext | bool = True
        self.client_token = ""
        self.client = AwsClient(endpoint, credentials, identity.region, session, clock, chance)
        self._make: Callable[[Credentials], AwsClient] = lambda key: AwsClient(
            endpoint, key, identity.region, session, clock, chance
        )

    def believe(self, trust: Trust) -> None:
        """Verify the server by this from now on."""
        self.context = self.client.context = trust.context
        self.client.trusted = trust.believed

    def sign_with(self, access_key_id: str, secret_access_key: str) -> None:
        """Sign with another key from now on; calls that are under way keep theirs."""
        key = Credentials(access_key_id=access_key_id, secret_access_key=secret_access_key)
        before = self.client
        self.client = self._make(key)
        self.client.context, self.client.trusted = before.context, before.trusted

    async def rotate_key(self) -> RotateHostKeyResponse:
        """A new key for this host; the old one is good until it is used. Raises RemoteFault."""
        return await self.client.call(
            "moorage", OWN_TARGET, "RotateHostKey", RotateHostKeyRequest(), RotateHostKeyResponse
        )

    async def register(self, registration: Registration) -> str:
        """Register, for the first time or again; the instance's ARN. Raises RemoteFault."""
        answer = await self.client.call(
            "ecs",
            ECS_TARGET,
            "RegisterContainerInstance",
            RegisterContainerInstanceRequest(
                cluster=self.cluster,
                container_instance_arn=registration.container_instance_arn or None,
                attributes=list(registration.attributes),
                total_resources=list(registration.resources),
                platform_devices=list(registration.platform_devices) or None,
                client_token=registration.client_token,
                # Ours cannot be running on EC2; Amazon's agent says it so too.
                instance_identity_document="",
                instance_identity_document_signature="",
            ),
            RegisterContainerInstanceResponse,
        )
        instance = answer.container_instance
        arn = (instance.container_instance_arn if instance else None) or ""
        if not arn:
            raise RemoteFault("ServerException", 500, "registered without an ARN")
        self.client_token = registration.client_token
        return arn

    async def discover(self, container_instance_arn: str) -> DiscoverPollEndpointResponse:
        """Where the websockets are. Raises RemoteFault."""
        request = DiscoverPollEndpointRequest(
            cluster=self.cluster, container_instance=container_instance_arn
        )
        return await self.client.call(
            "ecs", ECS_TARGET, "DiscoverPollEndpoint", request, DiscoverPollEndpointResponse
        )

    async def submit(self, report: TaskReport) -> None:
        """Report a task's state. Raises RemoteFault."""
        await self.client.call(
            "ecs",
            ECS_TARGET,
            "SubmitTaskStateChange",
            submission(report, self.cluster),
            SubmitTaskStateChangeResponse,
        )

    async def registry_token(self) -> GetAuthorizationTokenResponse:
        """A token for pulls from the registry. Raises RemoteFault."""
        return await self.client.call(
            "ecr",
            ECR_TARGET,
            "GetAuthorizationToken",
            GetAuthorizationTokenRequest(),
            GetAuthorizationTokenResponse,
        )


class Application(Record):
    """What a machine joins with: the token's secret, its name, and the instance that it was."""

    token: str
    name: str
    previous_instance: str = ""


async def join(
    endpoint: str, wanted: Application, trust: Trust, session: aiohttp.ClientSession
) -> Identity:
    """Become a host, with a token that is good for it.

    Raises OptionsRefused where the token is refused or the server is not believed, Unreachable
    where no server answers, and RemoteFault where the server is in trouble.
    """
    headers = {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": f"{OWN_TARGET}.Join",
    }
    request = JoinRequest(
        token=wanted.token, name=wanted.name, previous_instance=wanted.previous_instance or None
    )
    body = msgspec.json.encode(request)
    timeout = aiohttp.ClientTimeout(total=JOIN_SECONDS_MAX)
    url = f"{endpoint.rstrip('/')}/"
    try:
        async with session.post(
            url,
            data=body,
            headers=headers,
            timeout=timeout,
            ssl=trust.context,
            allow_redirects=False,  # the token is for this server, and for no other address
        ) as answer:
            response = Response(status=answer.status, body=await answer.read())
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        failure = unreached(endpoint, error, trust.believed)
        if isinstance(failure, Untrusted):
            raise OptionsRefused(f"{failure.message} Nothing was sent.") from error
        raise failure from error
    if response.status >= 500:  # noqa: PLR2004 - HTTP's own border
        raise remote_fault(response)
    if response.status != 200:  # noqa: PLR2004
        raise OptionsRefused(f"The server does not let this host join: {remote_fault(response)}")
    given = json11.decode(response.body, JoinResponse)
    return Identity(
        access_key_id=given.access_key_id or "",
        secret_access_key=given.secret_access_key or "",
        account=given.account_id or "",
        region=given.region or "",
        cluster=given.cluster or "default",
        name=wanted.name,
        endpoint=endpoint,
        names=tuple(given.names or ()),
    )


def submission(report: TaskReport, cluster: str) -> SubmitTaskStateChangeRequest:
    """The report as the ECS API spells it; what is too long is cut as Amazon's agent cuts it."""
    return SubmitTaskStateChangeRequest(
        cluster=cluster,
        task=report.task,
        status=report.status,
        reason=_cut(report.reason, REASON_LENGTH_MAX),
        containers=[_container(each) for each in report.containers] or None,
        pull_started_at=maybe_epoch(report.pull_started_at),
        pull_stopped_at=maybe_epoch(report.pull_stopped_at),
        execution_stopped_at=maybe_epoch(report.execution_stopped_at),
    )


def _container(report: ContainerReport) -> ContainerStateChange:
    bindings = [
        NetworkBinding(
            bind_ip=binding.bind_ip,
            container_port=binding.container_port,
            host_port=binding.host_port,
            protocol=binding.protocol,
        )
        for binding in report.network_bindings
    ]
    return ContainerStateChange(
        container_name=report.container_name,
        image_digest=_cut(report.image_digest, DIGEST_LENGTH_MAX),
        runtime_id=_cut(report.runtime_id, DIGEST_LENGTH_MAX),
        exit_code=report.exit_code,
        network_bindings=bindings or None,
        reason=_cut(report.reason, REASON_LENGTH_MAX),
        status=report.status,
    )


def _cut(text: str | None, length: int) -> str | None:
    return None if text is None else text[:length]
