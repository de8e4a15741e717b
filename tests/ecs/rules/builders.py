"""One readable builder a record, for the tests of the rules."""

from moorage.ecs.records.container_instance import ContainerInstance, InstanceAttribute
from moorage.ecs.records.resources import Resources
from moorage.ecs.records.service import Service
from moorage.ecs.records.service_deployment import ServiceDeployment
from moorage.ecs.records.service_revision import ServiceRevision
from moorage.ecs.records.task import Task, TaskContainer
from moorage.ground.instant import Instant
from moorage.ground.record import evolve
from moorage.shapes.ecs.deployment_configuration import (
    DeploymentCircuitBreaker,
    DeploymentConfiguration,
)

ACCOUNT, REGION, CLUSTER = "111122223333", "us-east-1", "c"
NOW = Instant(1_800_000_000_000_000)
ARN = f"arn:aws:ecs:{REGION}:{ACCOUNT}"
FIRST, SECOND = "ecs-svc/1", "ecs-svc/2"


def instance_arn(name: str) -> str:
    return f"{ARN}:container-instance/{CLUSTER}/{name}"


def an_instance(name: str = "h1", *, zone: str = "a", cpu: int = 4096, memory: int = 8192, **more):
    """A connected, ACTIVE host; `attributes` are given as a dict."""
    attributes = {"ecs.availability-zone": zone, **more.pop("attributes", {})}
    ports = more.pop("ports", (22,))
    return ContainerInstance(
        account=ACCOUNT,
        region=REGION,
        cluster=CLUSTER,
        id=name,
        arn=instance_arn(name),
        name=name,
        registered_at=NOW,
        resources=Resources(cpu=cpu, memory=memory, ports=ports),
        attributes=tuple(
            InstanceAttribute(name=key, value=value) for key, value in attributes.items()
        ),
        **{"status": "ACTIVE", "connected": True, "agent_version": "1.105.1", **more},
    )


def a_container(name: str = "web", **more) -> TaskContainer:
    return TaskContainer(
        name=name, arn=f"{ARN}:container/{CLUSTER}/x/{name}", image="demo:1", **more
    )


def a_task(identity: str = "t1", *, host: str = "h1", **more) -> Task:
    """A PENDING task of the service's first deployment."""
    given = {
        "last_status": "PENDING",
        "desired_status": "RUNNING",
        "created_at": NOW,
        "reserved": Resources(cpu=256, memory=512),
        "containers": (a_container(),),
        "group": "service:web",
        "service": f"{ARN}:service/{CLUSTER}/web",
        "deployment": FIRST,
        "zone": "a",
        "payload_sequence": 1,
        **more,
    }
    return Task(
        account=ACCOUNT,
        region=REGION,
        cluster=CLUSTER,
        id=identity,
        arn=f"{ARN}:task/{CLUSTER}/{identity}",
        task_definition=f"{ARN}:task-definition/web:1",
        family="web",
        revision=1,
        instance=instance_arn(host),
        **given,
    )


def running(task: Task, since: Instant = NOW) -> Task:
    return evolve(task, last_status="RUNNING", started_at=since)


def a_configuration(minimum: int = 100, maximum: int = 200, **breaker) -> DeploymentConfiguration:
    return DeploymentConfiguration(
        minimum_healthy_percent=minimum,
        maximum_percent=maximum,
        deployment_circuit_breaker=DeploymentCircuitBreaker(**breaker) if breaker else None,
    )


def a_deployment(identity: str = FIRST, **more) -> ServiceDeployment:
    number = identity.rpartition("/")[2]
    given = {
        "created_at": NOW,
        "updated_at": NOW,
        "status": "IN_PROGRESS",
        "deployment_configuration": a_configuration(),
        "desired_count": 3,
        "started_at": NOW,
        "rollout_reason": f"ECS deployment {identity} in progress.",
        **more,
    }
    return ServiceDeployment(
        account=ACCOUNT,
        region=REGION,
        cluster=CLUSTER,
        service=f"{ARN}:service/{CLUSTER}/web",
        id=identity,
        arn=f"{ARN}:service-deployment/{CLUSTER}/web/{number}",
        revision=f"{ARN}:service-revision/{CLUSTER}/web/{number}",
        task_definition=f"{ARN}:task-definition/web:{number}",
        **given,
    )


def a_revision(number: str = "1", **more) -> ServiceRevision:
    return ServiceRevision(
        account=ACCOUNT,
        region=REGION,
        cluster=CLUSTER,
        service=f"{ARN}:service/{CLUSTER}/web",
        arn=f"{ARN}:service-revision/{CLUSTER}/web/{number}",
        number=number,
        task_definition=f"{ARN}:task-definition/web:{number}",
        **{"created_at": NOW, **more},
    )


def a_service(desired: int = 3, **more) -> Service:
    given = {
        "status": "ACTIVE",
        "created_at": NOW,
        "created_by": "root",
        "task_definition": f"{ARN}:task-definition/web:1",
        "deployment": FIRST,
        "deployment_configuration": a_configuration(),
        **more,
    }
    return Service(
        account=ACCOUNT,
        region=REGION,
        cluster=CLUSTER,
        name="web",
        arn=f"{ARN}:service/{CLUSTER}/web",
        desired_count=desired,
        **given,
    )
