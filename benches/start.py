"""How long a server takes from its start until it decides, with many tasks in its database.

Ten thousand STOPPED tasks and a thousand RUNNING ones, of twenty services on fifty hosts, are
written by the store's own functions. One service lacks a task: the event that says why it cannot
be placed (no host is connected) is the first decision.
"""

import tempfile
import time
from pathlib import Path

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
    service_events,
    services,
    task_definitions,
)
from moorage.ecs.store.drafts import Draft
from moorage.ecs.store.tasks import TASKS
from moorage.gateway.compose import TABLES
from moorage.ground.arn import make_arn
from moorage.ground.chance import SystemChance
from moorage.ground.clock import SystemClock
from moorage.ground.record import evolve
from moorage.shapes.ecs.container_definition import ContainerDefinition
from moorage.shapes.ecs.deployment_configuration import DeploymentConfiguration
from moorage.shapes.ecs.task_definition import RegisterTaskDefinitionRequest
from moorage.sql.sqlite import SQLiteDatabase
from moorage.sql.transaction import Transaction
from stage import record, seconds_until, spread, table
from tests.clients.place import Place
from tests.clients.processes import Server

HOSTS, SERVICES = 50, 20
RUNNING_EACH, STOPPED_EACH = 50, 500
START_SECONDS_MAX = 3.0
WANTING = "wanting"
REGION = "us-east-1"


def measure(rounds: int) -> None:
    """Run the benchmark and print its figures."""
    with tempfile.TemporaryDirectory(prefix="moorage-bench-") as folder:
        server = Server(Path(folder) / "data")
        server.start()  # makes the data folder and its keys
        account = server.key()["account_id"]
        server.stop()
        _fill(server.data / "moorage.db", account)
        size_mib = (server.data / "moorage.db").stat().st_size / 2**20
        answers, decisions = [], []
        for _ in range(rounds):
            healthy, decided = _once(server)
            answers.append(healthy)
            decisions.append(decided)
    count = SERVICES * (RUNNING_EACH + STOPPED_EACH)
    table(
        f"Start with {count} tasks ({SERVICES * RUNNING_EACH} RUNNING), {size_mib:.0f} MiB",
        ("until", "seconds", "target"),
        [
            ("it answers", spread(answers), ""),
            ("it decides", spread(decisions), f"<= {START_SECONDS_MAX:g}"),
        ],
    )
    record("start", {"tasks": count, "answers_s": answers, "decides_s": decisions})


def _once(server: Server) -> tuple[float, float]:
    """Seconds until it answers, and until a new service's first event is there."""
    place = Place(server, None)  # type: ignore[arg-type]  # no engine is asked
    began = time.perf_counter()
    server.start()
    healthy = time.perf_counter() - began
    try:
        before = len(place.messages(WANTING))

        def decided() -> bool:
            return len(place.messages(WANTING)) > 0

        spent = seconds_until(decided, began) if not before else time.perf_counter() - began
    finally:
        server.stop()
        _forget_events(server.data / "moorage.db")
    return round(healthy, 3), round(spent, 3)


def _opened(path: Path) -> SQLiteDatabase:
    return SQLiteDatabase(path, clock=SystemClock(), chance=SystemChance(), tables=TABLES)


def _forget_events(path: Path) -> None:
    database = _opened(path)

    def work(tx: Transaction) -> None:
        for arn in services.every(tx):
            found = services.get(tx, arn)
            if found is not None and found.name == WANTING:
                service_events.delete_of_service(tx, arn)
                services.note(tx, evolve(found, events_written=0))

    database.write(work).result()
    database.close()


def _fill(path: Path, account: str) -> None:
    database = _opened(path)
    definition = database.write(lambda tx: _definition(tx, account)).result()
    hosts = database.write(lambda tx: _hosts(tx, account)).result()
    for number in range(SERVICES):
        database.write(
            lambda tx, n=number: _service(tx, definition, f"s{n}", hosts, RUNNING_EACH)  # type: ignore[misc]
        ).result()
    database.write(lambda tx: _service(tx, definition, WANTING, (), 1)).result()
    database.close()


def _definition(tx: Transaction, account: str) -> TaskDefinition:
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


def _hosts(tx: Transaction, account: str) -> tuple[str, ...]:
    arns = []
    for number in range(HOSTS):
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


def _service(
    tx: Transaction, definition: TaskDefinition, name: str, hosts: tuple[str, ...], desired: int
) -> None:
    number = rollouts.new_number(tx.chance)
    service = Service(
        account=definition.account,
        region=REGION,
        cluster="default",
        name=name,
        arn=make_arn("service", REGION, definition.account, "default", name),
        status="ACTIVE",
        created_at=tx.now,
        created_by=f"arn:aws:iam::{definition.account}:root",
        desired_count=desired,
        task_definition=definition.arn,
        deployment=rollouts.deployment_id(number),
        deployment_configuration=full_configuration(DeploymentConfiguration()),
    )
    services.create(tx, service)
    rollouts.begin(tx, (), service, definition, number)
    if not hosts:
        return
    draft = Draft(
        account=service.account,
        region=REGION,
        cluster="default",
        definition=definition,
        group=f"service:{name}",
        started_by=service.deployment,
        service=service.arn,
        deployment=service.deployment,
    )
    for place in range(RUNNING_EACH + STOPPED_EACH):
        [task] = drafts.start(tx, draft, [(hosts[place % HOSTS], "")])
        began = evolve(
            task,
            last_status="RUNNING",
            started_at=tx.now,
            payload_sequence=1,
            acknowledged_at=tx.now,
            version=task.version + 1,
        )
        if place >= RUNNING_EACH:
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
        TASKS.put(tx, began)
