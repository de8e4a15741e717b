"""Two accounts behind one door, in memory: requests are signed, answers are read, as on the wire.

The first account owns one of everything, each with a canary in what only its owner may read. `Names`
is how its things are called; a twin of it names things of the same account that do not exist.
"""

import asyncio
import json
from typing import Any

from moorage.ecr import api as ecr
from moorage.ecs import api as ecs
from moorage.ecs.operations.session import Hello
from moorage.gateway.aws import Door, Ground
from moorage.gateway.compose import TABLES, own_api
from moorage.gateway.keyring import Keyring
from moorage.ground.principal import Kind
from moorage.ground.record import Record
from moorage.iam import api as iam
from moorage.iam.keys import Holder, issue
from moorage.iam.store import access_keys
from moorage.kernel.site import PoolRule
from moorage.shapes.oci.index import INDEX_OCI
from moorage.wire.canonical import Credentials
from moorage.wire.request import Request
from moorage.wire.sigv4 import sign
from tests.builders import CAPABILITIES, resources
from tests.house import ACCOUNT, OTHER, REGION, House

CANARY = "canary-7f3a"
TARGETS = {"ecs": ecs.ECS.target, "ecr": ecr.ECR.target, "moorage": "Moorage_V1"}
PREFIX = f"arn:aws:ecs:{REGION}:{ACCOUNT}"


class Names(Record):
    """What things of the first account are called."""

    cluster: str
    service: str
    family: str
    task: str
    instance: str
    deployment: str
    revision: str
    repository: str
    digest: str
    provider: str
    pool: str

    def arn(self, kind: str) -> str:
        """The ARN of the thing of a kind, such as `task`."""
        path = {
            "capacity-provider": self.provider,
            "cluster": self.cluster,
            "service": f"{self.cluster}/{self.service}",
            "task-definition": f"{self.family}:1",
            "task": f"{self.cluster}/{self.task}",
            "container-instance": f"{self.cluster}/{self.instance}",
            "service-deployment": f"{self.cluster}/{self.service}/{self.deployment}",
            "service-revision": f"{self.cluster}/{self.service}/{self.revision}",
        }
        return f"{PREFIX}:{kind}/{path[kind]}"

    @property
    def repository_arn(self) -> str:
        """The repository's ARN."""
        return f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{self.repository}"


GHOST = Names(
    cluster="ghost-cluster",
    service="ghost-service",
    family="ghost-family",
    task="0" * 32,
    instance="1" * 32,
    deployment="g" * 21,
    revision="9" * 19,
    repository="ghost/repository",
    digest=f"sha256:{'0' * 64}",
    provider="ghost-provider",
    pool="ghost-pool",
)


def index(secret: str) -> str:
    """A manifest that needs no layers."""
    members = {"schemaVersion": 2, "mediaType": INDEX_OCI, "manifests": []}
    return json.dumps({**members, "annotations": {"secret": secret}})


class Answer(Record):
    """An answer: its status, its JSON, its text."""

    status: int
    body: Any
    text: str

    @property
    def code(self) -> str:
        """The fault's code, without its namespace."""
        return str(self.body.get("__type", "")).rpartition("#")[2]


class World:
    """The door, two accounts, three hosts of the first and one of the second."""

    def __init__(self) -> None:
        pools = tuple(
            PoolRule(name=name, account=ACCOUNT, region=REGION, cluster="vault")
            for name in ("used-pool", "spare-pool")
        )
        self.house = House(TABLES, pools=pools)
        self.runner = asyncio.Runner()
        house = self.house
        ring = Keyring(house.vault)
        house.database.watch(ring.changed)
        self.ground = Ground(
            database=house.database,
            clock=house.clock,
            chance=house.chance,
            site=house.site,
            vault=house.vault,
            keyring=ring,
        )
        self.door = Door(self.ground, (ecs.ECS, ecr.ECR, iam.STS, own_api()))
        self.owner = self.key("root", ACCOUNT)
        self.stranger = self.key("root", OTHER)
        self.names = self._furnish()

    def close(self) -> None:
        self.runner.close()
        self.house.close()

    def key(self, kind: Kind, account: str, name: str = "", cluster: str = "") -> Credentials:
        """A key of an account."""
        holder = Holder(account=account, kind=kind, name=name, region=REGION, cluster=cluster)
        made, secret = self.house.write(lambda call: issue(call.tx, call.vault, holder))
        return Credentials(access_key_id=made.id, secret_access_key=secret)

    def ask(self, who: Credentials | None, service: str, action: str, /, **members: Any) -> Answer:
        """Send one request; unsigned where nobody sends it."""
        request = Request(
            method="POST",
            path="/",
            headers=(
                ("host", "registry.test:4750"),
                ("content-type", "application/x-amz-json-1.1"),
                ("x-amz-target", f"{TARGETS[service]}.{action}"),
            ),
            body=json.dumps(members).encode(),
        )
        if who is not None:
            request = sign(request, who, service, REGION, self.house.clock.now())
        answer = self.runner.run(self.door.answer(request))
        text = answer.body.decode()
        return Answer(status=answer.status, body=json.loads(text or "{}"), text=text)

    def do(self, who: Credentials, service: str, action: str, /, **members: Any) -> Any:
        """`ask` what must be granted."""
        answer = self.ask(who, service, action, **members)
        assert answer.status == 200, answer.text
        return answer.body

    def rows(self, account: str = "") -> list[str]:
        """Every row, or every one that names an account, as text."""
        found = []
        for table in TABLES:
            every = self.house.read(lambda call, table=table: table.query().all(call.tx))
            found += [f"{table.name}: {row!r}" for row in every]
        return [row for row in found if account in row]

    def host(self, name: str, account: str = ACCOUNT, cluster: str = "vault") -> Credentials:
        """A host that has joined, registered and connected."""
        key = self.key("host", account, name, cluster)
        made = self.do(
            key,
            "ecs",
            "RegisterContainerInstance",
            cluster=cluster,
            totalResources=resources(),
            attributes=[
                *({"name": one} for one in CAPABILITIES),
                {"name": "secret", "value": CANARY},
            ],
        )
        arn = made["containerInstance"]["containerInstanceArn"]
        self.house.write(
            lambda call: ecs.AGENT.connected(call, arn, Hello(agent_version=CANARY)),
            account=account,
        )
        return key

    def instance_of(self, key: Credentials) -> str:
        """The ARN that a host's key is bound to."""
        row = self.house.read(lambda call: access_keys.get(call.tx, key.access_key_id))
        return str(row.instance)

    def _define(self, tags: list[dict[str, str]]) -> None:
        """Register the next revision of the owner's one family."""
        container = {
            "name": "main",
            "image": f"demo/{CANARY}@sha256:{'1' * 64}",
            "memory": 64,
            "environment": [{"name": "PASSWORD", "value": CANARY}],
        }
        self.do(
            self.owner,
            "ecs",
            "RegisterTaskDefinition",
            family="heirloom",
            containerDefinitions=[container],
            tags=tags,
        )

    def _furnish(self) -> Names:
        tags = [{"key": "secret", "value": CANARY}]
        for name in ("vault", "edge"):
            self.do(self.owner, "ecs", "CreateCluster", clusterName=name, tags=tags)
        self.one = self.host("one")
        self._define(tags)
        started = self.do(
            self.owner, "ecs", "RunTask", cluster="vault", taskDefinition="heirloom", tags=tags
        )
        self.do(
            self.owner,
            "ecs",
            "CreateService",
            cluster="vault",
            serviceName="guard",
            taskDefinition="heirloom",
            desiredCount=1,
            tags=tags,
        )
        self._define(tags)
        self.do(self.owner, "ecs", "DeregisterTaskDefinition", taskDefinition="heirloom:2")
        # Placed elsewhere than on the first host, which therefore has the task.
        self.two = self.host("two")
        self.edge = self.host("edge", cluster="edge")
        self.do(self.stranger, "ecs", "CreateCluster", clusterName="yard")
        self.foreign = self.host("one", OTHER, "yard")
        self._provide(tags)
        rollout = self.do(
            self.owner, "ecs", "ListServiceDeployments", cluster="vault", service="guard"
        )["serviceDeployments"][0]
        labels = [{"Key": "secret", "Value": CANARY}]
        self.do(self.owner, "ecr", "CreateRepository", repositoryName="team/app", tags=labels)
        pushed = {"repositoryName": "team/app", "imageTag": "v1", "imageManifest": index(CANARY)}
        image = self.do(self.owner, "ecr", "PutImage", **pushed)["image"]
        (task,) = started["tasks"]
        return Names(
            cluster="vault",
            service="guard",
            family="heirloom",
            task=task["taskArn"].rpartition("/")[2],
            instance=self.instance_of(self.one).rpartition("/")[2],
            deployment=rollout["serviceDeploymentArn"].rpartition("/")[2],
            revision=rollout["targetServiceRevisionArn"].rpartition("/")[2],
            repository="team/app",
            digest=image["imageId"]["imageDigest"],
            provider="vault-provider",
            pool="spare-pool",
        )

    def _provide(self, tags: list[dict[str, str]]) -> None:
        """A capacity provider of one of the two pools."""
        self.do(
            self.owner,
            "ecs",
            "CreateCapacityProvider",
            name="vault-provider",
            autoScalingGroupProvider={"autoScalingGroupArn": "used-pool"},
            tags=tags,
        )
