"""Daemons run on every host of a pool, keep none of them, and are counted where tasks need room."""

from moorage.ground.instant import minutes
from tests.builders import a_definition
from tests.ecs.operations.pools_scene import a_house, a_provider, known_machines, make

STRATEGY = [{"capacityProvider": "cp", "weight": 1}]


def crowded():
    """A pool whose hosts (1024 units) each give 512 to a daemon."""
    house = a_house()
    a_provider(house)
    definition = a_definition(house, "log", container={"cpu": 512, "memory": 64})
    house.ask(
        "CreateService", serviceName="log", taskDefinition=definition, schedulingStrategy="DAEMON"
    )
    return house


def run(house, cpu, count):
    definition = a_definition(house, f"job{cpu}", container={"cpu": cpu, "memory": 64})
    tasks = house.ask(
        "RunTask", taskDefinition=definition, count=count, capacityProviderStrategy=STRATEGY
    )["tasks"]
    house.settle()
    return [one["taskArn"] for one in tasks]


def grown(house):
    """Make hosts for as long as more are asked for."""
    while make(house):
        house.settle()
    return len(known_machines(house))


def placed(house, arns):
    found = house.ask("DescribeTasks", tasks=arns)["tasks"]
    return sum(one["lastStatus"] != "PROVISIONING" for one in found)


def test_the_pool_grows_for_what_daemons_leave():
    house = crowded()
    tasks = run(house, 400, 3)
    assert grown(house) == 3
    assert placed(house, tasks) == 3


def test_it_does_not_grow_for_what_fits_beside_no_daemon():
    house = crowded()
    tasks = run(house, 600, 3)
    assert grown(house) == 2, "the two that are made from nothing tell that it is of no use"
    assert placed(house, tasks) == 0


def test_daemons_keep_no_host():
    house = crowded()
    (task,) = run(house, 400, 1)
    assert grown(house) == 2
    house.ask("StopTask", task=task)
    house.settle()
    house.pass_time(minutes(16))
    make(house)
    for _ in range(3):
        house.pass_time(minutes(1))
        make(house)
    statuses = {one.status for one in known_machines(house)}
    assert statuses <= {"RETIRING", "DESTROYING"}
