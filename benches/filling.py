"""Rows as a server would have written them: a definition, hosts, services with their tasks."""

from moorage.ecs.records.container_instance import ContainerInstance, InstanceAttribute
from moorage.ecs.records.resources import Resources
from moorage.ecs.records.service import Service
from moorage.ecs.records.task_definition import TaskDefinition
from moorage.ecs.rules.definition.defaults import normal_form
from moorage.ecs.rules.deployment.configuration import full_configuration
from moorage.ecs.store import (
    container_instances,
    drafts,
    rollouts,
    services,
    task_definitions,
    tasks,
)
from moorage.ecs.store.drafts import Draft
from moorage.ground.arn import make_arn
from moorage.ground.record import evolve
from moorage.shapes.ecs.container_definition import ContainerDefinition
from moorage.shapes.ecs.deployment_configuration import DeploymentConfiguration
from moorage.shapes.ecs.task_definition import RegisterTaskDefinitionRequest
from moorage.sql.transaction import Transaction

REGION = "us-east-1"


def definition(tx: Transaction, account: str) -> TaskDefinition:
    """An ACTIVE definition of 32 CPU units and 32 MiB."""
    shape = normal_form(
        RegisterTaskDefinitionRequest(
            family="bench",
            container_definitions=[
                ContainerDefinition(name="main", image="demo:1", cpu=32, memory=32)
            ],
        )
    )
    made = TaskDefinition(
        account=account,
        region=REGION,
        family="bench",
        revision=1,
        arn=make_arn("task-definition", REGION, account, "bench:1"),
        status="ACTIVE",
        registered_at=tx.now,
        definition=shape,
    )
    task_definitions.create(tx, made)
    return made


def hosts(tx: Transaction, account: str, count: int) -> tuple[str, ...]:
    """Connected hosts of the cluster default; their ARNs."""
    arns = []
    for number in range(count):
        identity = tx.chance.hex(32)
        arn = make_arn("container-instance", REGION, account, "default", identity)
        container_instances.create(
            tx,
            ContainerInstance(
                account=account,
                region=REGION,
                cluster="default",
                id=identity,
                arn=arn,
                name=f"host-{number}",
                status="ACTIVE",
                registered_at=tx.now,
                connected=True,
                resources=Resources(cpu=16384, memory=65536),
                attributes=(InstanceAttribute(name="moorage.capability.agent"),),
            ),
        )
        arns.append(arn)
    return tuple(arns)


def service(
    tx: Transaction, made: TaskDefinition, name: str, desired: int, arns: tuple[str, ...] = ()
) -> Service:
    """A service that wants `desired` tasks, and runs one for each of `arns`."""
    number = rollouts.new_number(tx.chance)
    wanted = Service(
        account=made.account,
        region=REGION,
        cluster="default",
        name=name,
        arn=make_arn("service", REGION, made.account, "default", name),
        status="ACTIVE",
        created_at=tx.now,
        created_by=f"arn:aws:iam::{made.account}:root",
        desired_count=desired,
        task_definition=made.arn,
        deployment=rollouts.deployment_id(number),
        deployment_configuration=full_configuration(DeploymentConfiguration()),
    )
    services.create(tx, wanted)
    rollouts.begin(tx, (), wanted, made, number)
    run(tx, made, wanted, arns)
    return wanted


def run(
    tx: Transaction,
    made: TaskDefinition,
    wanted: Service,
    arns: tuple[str, ...],
    *,
    stopped: bool = False,
) -> None:
    """Tasks of a service on those hosts, RUNNING or STOPPED."""
    draft = Draft(
        account=wanted.account,
        region=REGION,
        cluster="default",
        definition=made,
        group=f"service:{wanted.name}",
        started_by=wanted.deployment,
        service=wanted.arn,
        deployment=wanted.deployment,
    )
    for task in drafts.start(tx, draft, [(arn, "") for arn in arns]):
        began = evolve(
            task,
            last_status="RUNNING",
            started_at=tx.now,
            payload_sequence=1,
            acknowledged_at=tx.now,
        )
        if stopped:
            began = evolve(
                began,
                last_status="STOPPED",
                desired_status="STOPPED",
                stopped_at=tx.now,
                stopping_at=tx.now,
                execution_stopped_at=tx.now,
                stop_code="ServiceSchedulerInitiated",
                stopped_reason="Scaling activity",
                judged=True,
            )
        tasks.note(tx, began)
