"""A server that is spoken to by boto3 alone: no engine, hosts on paper, pools that never grow.

A host on paper has a key of its own and registers with it, by boto3 as well, and never connects: it
has a name, resources and attributes, and no task is placed on it. What a deployment, a provider or
a page is can be shown without a single container.
"""

import json
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError

from moorage.agent.trust import split_token
from tests.clients.place import Json, Place
from tests.clients.processes import Server, until
from tests.ecs.members import filled

HOSTS_MAX = 20
CPU, MEMORY_MIB = 1024, 2048
COMPLETED_SECONDS_MAX = 15.0
POOLS = """
[pools.spare]
source = "command"
create = ["/bin/false"]
destroy = ["/bin/false"]
max = 2

[pools.second]
source = "command"
create = ["/bin/false"]
destroy = ["/bin/false"]
max = 2

[pools.western]
source = "command"
cluster = "west"
create = ["/bin/false"]
destroy = ["/bin/false"]
max = 2
"""
PAUSED = {"lifecycleHooks": [{"targetType": "PAUSE", "lifecycleStages": ["PRE_SCALE_UP"]}]}
CONTAINER = {"name": "main", "image": "somewhere/image:1", "memory": 64, "cpu": 16}
VPC = {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}


class Desk(Place):
    """A place without an engine, and the names of what lies on it, for tables of requests."""

    def __init__(self, server: Server) -> None:
        super().__init__(server, None)  # type: ignore[arg-type]  # no engine is asked
        self.names: dict[str, str] = {}
        self.keys: dict[str, Json] = {}
        self._token = ""

    def open(self) -> None:
        """Start the server, with pools that nobody asks to grow."""
        self.server.data.mkdir(parents=True)
        (self.server.data / "moorage.toml").write_text(POOLS)
        self.server.start()
        self._token, _ = split_token(self.server.token(uses=HOSTS_MAX))

    def loose(self) -> Any:
        """An ECS client that sends whatever it is told to, without looking first."""
        if "loose" not in self._clients:
            self._clients["loose"] = self.client("ecs", parameter_validation=False)
        return self._clients["loose"]

    def paper_host(self, name: str, **members: object) -> str:
        """A host of the cluster `default` that joins, registers and never connects; its ARN."""
        body = json.dumps({"token": self._token, "name": name}).encode()
        headers = {
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": "Moorage_V1.Join",
        }
        asked = urllib.request.Request(f"{self.server.url}/", body, headers)
        with urllib.request.urlopen(asked, timeout=10) as answer:
            joined = json.load(answer)
        self.keys[name] = {
            "access_key_id": joined["accessKeyId"],
            "secret_access_key": joined["secretAccessKey"],
        }
        own = self.client("ecs", self.keys[name])
        try:
            shown = own.register_container_instance(totalResources=resources(), **members)
        finally:
            own.close()
        return str(shown["containerInstance"]["containerInstanceArn"])

    def refused(
        self, operation: str, code: str, said: str, /, by: Any = None, **members: object
    ) -> None:
        """A request that must be refused with a code and a sentence that says so much."""
        call = getattr(by or self.loose(), operation)
        with pytest.raises(ClientError) as caught:
            call(**filled(members, self.names))
        told = caught.value.response["Error"]
        assert (told["Code"], said in told["Message"]) == (code, True), told
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400

    def deployments(self, service: str) -> list[str]:
        """The ARNs of a service's deployments, the newest first."""
        listed = self.ecs.list_service_deployments(service=service)["serviceDeployments"]
        return [one["serviceDeploymentArn"] for one in listed]

    def deployment(self, arn: str) -> Json:
        """A deployment as it is described."""
        (found,) = self.ecs.describe_service_deployments(serviceDeploymentArns=[arn])[
            "serviceDeployments"
        ]
        return found  # type: ignore[no-any-return]

    def completed(self, service: str) -> str:
        """Wait until the newest deployment of a service is SUCCESSFUL; its ARN."""
        newest = self.deployments(service)[0]
        until(
            lambda: self.deployment(newest)["status"] == "SUCCESSFUL",
            COMPLETED_SECONDS_MAX,
            f"{newest} is SUCCESSFUL",
            lambda: self.deployment(newest),
        )
        return newest

    def paused(self, service: str, definition: str) -> tuple[str, str]:
        """A deployment that waits at a PAUSE hook, after one that completed: its ARN, its hook."""
        self.ecs.create_service(serviceName=service, taskDefinition=definition, desiredCount=0)
        self.completed(service)
        self.ecs.update_service(
            service=service,
            forceNewDeployment=True,
            deploymentConfiguration=PAUSED,
        )
        newest = self.deployments(service)[0]

        def hook() -> str:
            details = self.deployment(newest).get("lifecycleHookDetails", [])
            waiting = [one["hookId"] for one in details if one["status"] == "AWAITING_ACTION"]
            return str(waiting[0]) if waiting else ""

        found = until(hook, COMPLETED_SECONDS_MAX, "a hook waits", lambda: self.deployment(newest))
        return newest, found


def resources(cpu: int = CPU, memory: int = MEMORY_MIB) -> list[Json]:
    """What a host on paper has."""
    return [
        {"name": "CPU", "type": "INTEGER", "integerValue": cpu},
        {"name": "MEMORY", "type": "INTEGER", "integerValue": memory},
        {"name": "PORTS", "type": "STRINGSET", "stringSetValue": ["22"]},
        {"name": "PORTS_UDP", "type": "STRINGSET", "stringSetValue": []},
    ]


def furnish(desk: Desk) -> None:
    """Lay on it one of each thing that requests can name."""
    ecs = desk.ecs
    for cluster in ("side", "gone", "west"):
        ecs.create_cluster(clusterName=cluster)
    ecs.delete_cluster(cluster="gone")
    for family in ("web", "web", "old"):
        ecs.register_task_definition(family=family, containerDefinitions=[CONTAINER])
    ecs.deregister_task_definition(taskDefinition="old:1")
    ecs.register_task_definition(
        family="vpc", networkMode="awsvpc", containerDefinitions=[CONTAINER]
    )
    host = desk.paper_host("one", versionInfo={"agentVersion": "1.0.0"})
    other = desk.paper_host("two", attributes=[{"name": "ecs.os-type", "value": "linux"}])
    for name, pool in (("cp", "spare"), ("west-cp", "western")):
        ecs.create_capacity_provider(
            name=name, autoScalingGroupProvider={"autoScalingGroupArn": pool}
        )
    ecs.put_cluster_capacity_providers(
        cluster="default", capacityProviders=["cp"], defaultCapacityProviderStrategy=[]
    )
    made = ecs.create_service(
        serviceName="user",
        taskDefinition="web:1",
        desiredCount=0,
        capacityProviderStrategy=[{"capacityProvider": "cp", "weight": 1}],
    )["service"]
    paused, hook = desk.paused("held", "web:1")
    desk.names |= {
        "account": made["serviceArn"].split(":")[4],
        "cluster": made["clusterArn"],
        "done": desk.completed("user"),
        "first": desk.deployments("held")[-1],
        "hook": hook,
        "host": host,
        "id": host.rpartition("/")[2],
        "other": other,
        "paused": paused,
        "service": made["serviceArn"],
    }
