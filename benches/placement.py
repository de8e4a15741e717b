"""How many placements a second are decided: pure code, in one process, nothing written.

Clusters of 100, 1,000 and 5,000 hosts in three zones and three sizes; twenty tasks a host in a
hundred services, each of which asks for a fixed port, an attribute and a memberOf constraint. Each
service is one batch, as its controller places it; the promises of one are there for the next.
Seconds are those of a core that the process got: nothing here waits, and others on the machine do
not count.
"""

import gc
import time

from moorage.ecs.records.container_instance import ContainerInstance, InstanceAttribute
from moorage.ecs.records.resources import Resources
from moorage.ecs.rules.placement.constraint import Wants
from moorage.ecs.rules.placement.place import Batch, place
from moorage.ecs.rules.placement.view import ClusterView, cluster_view
from moorage.ground.arn import make_arn
from moorage.ground.instant import Instant
from moorage.shapes.ecs.placement import PlacementStrategy
from stage import record, spread, table

HOSTS = (100, 1000, 5000)
TASKS_A_HOST = 20
SERVICES = 100
SIZES = ((8192, 32_768), (16_384, 65_536), (32_768, 131_072))
PER_SECOND_MIN = 150_000
STRATEGIES = {
    "spread over zones and hosts": (
        PlacementStrategy(type="spread", field="attribute:ecs.availability-zone"),
        PlacementStrategy(type="spread", field="instanceId"),
    ),
    "binpack by memory": (PlacementStrategy(type="binpack", field="memory"),),
}


def measure(rounds: int) -> None:
    """Run the benchmark and print its figures."""
    rows, figures = [], {}
    for name, strategies in STRATEGIES.items():
        for hosts in HOSTS:
            found = [_once(hosts, strategies) for _ in range(rounds)]
            target = f">= {PER_SECOND_MIN}" if hosts == max(HOSTS) else ""
            rows.append([name, hosts, hosts * TASKS_A_HOST, spread(found, 0), target])
            figures[f"{name.split()[0]}_{hosts}"] = round(sorted(found)[rounds // 2])
    table(
        "Decisions of placement",
        ["strategies", "hosts", "tasks", "placements/s", "target"],
        rows,
    )
    record("placement", {"rounds": rounds, **figures})


def _once(hosts: int, strategies: tuple[PlacementStrategy, ...]) -> float:
    view = _cluster(hosts)
    batches = [_batch(number, hosts * TASKS_A_HOST // SERVICES, strategies)
               for number in range(SERVICES)]  # fmt: skip
    gc.collect()
    gc.freeze()  # as the server does with what is there at its start
    placed, began = 0, time.process_time()
    for batch in batches:
        chosen = place(batch, view).chosen
        view = view.with_promises(batch.wants.needs, batch.wants.group, chosen)
        placed += len(chosen)
    took = time.process_time() - began
    assert placed == hosts * TASKS_A_HOST, placed
    return placed / took


def _cluster(hosts: int) -> ClusterView:
    return cluster_view([_host(number) for number in range(hosts)], [])


def _host(number: int) -> ContainerInstance:
    cpu, memory = SIZES[number % len(SIZES)]
    name = f"{number:032x}"
    return ContainerInstance(
        account="1" * 12,
        region="us-east-1",
        cluster="default",
        id=name,
        arn=make_arn("container-instance", "us-east-1", "1" * 12, "default", name),
        name=name,
        status="ACTIVE",
        registered_at=Instant(0),
        connected=True,
        resources=Resources(cpu=cpu, memory=memory),
        attributes=(
            InstanceAttribute(name="ecs.availability-zone", value=f"zone-{number // 3 % 3}"),
            InstanceAttribute(name="ecs.os-type", value="linux"),
            InstanceAttribute(name="disk", value="ssd"),
        ),
    )


def _batch(number: int, count: int, strategies: tuple[PlacementStrategy, ...]) -> Batch:
    wants = Wants(
        needs=Resources(cpu=128, memory=512, ports=(20_000 + number,)),
        group=f"service:s{number}",
        attributes=(InstanceAttribute(name="ecs.os-type", value="linux"),),
        members=("attribute:disk == ssd",),
    )
    return Batch(wants=wants, count=count, strategies=strategies)
