"""A cluster's counts: those of the rule, counted without reading a task."""

import itertools

from moorage.ecs.rules.deployment.counts import counts
from moorage.ecs.store import holdings, tasks
from moorage.ground.record import evolve
from tests.builders import a_host, a_service

CLUSTER = "arn:aws:ecs:us-east-1:111122223333:cluster/default"
STANDINGS = tuple(
    itertools.product(
        ("PROVISIONING", "PENDING", "RUNNING", "STOPPING", "STOPPED"),
        ("RUNNING", "STOPPED"),
        ("CONNECTED", "DISCONNECTED"),
    )
)


def test_a_cluster_is_counted_as_its_tasks_are(house):
    a_host(house, cpu=65536, memory=65536)
    a_service(house, count=len(STANDINGS))
    house.settle()

    def scatter(call):
        made = tasks.live_of_cluster(call.tx, CLUSTER)
        for number, (task, standing) in enumerate(zip(made, STANDINGS, strict=True)):
            last, desired, connectivity = standing
            kind = ("EC2", "EXTERNAL")[number % 5 == 0]
            changed = evolve(
                task,
                last_status=last,
                desired_status=desired,
                connectivity=connectivity,
                launch_type=kind,
            )
            tasks.write(call.tx, changed)

    house.write(scatter)
    live = house.read(lambda call: tasks.live_of_cluster(call.tx, CLUSTER))
    found = house.read(lambda call: holdings.of_cluster(call.tx, CLUSTER)).tasks
    for kind in ("EC2", "EXTERNAL"):
        wanted = counts(task for task in live if task.launch_type == kind)
        assert found.get(("RUNNING", kind), 0) == wanted.running > 0
        assert found.get(("PENDING", kind), 0) == wanted.pending > 0
