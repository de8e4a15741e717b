"""Many callers place at once, and the service's controller beside them: no host is over-promised."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from moorage.ecs.store import tasks
from tests.builders import EcsHouse, a_definition, a_host, a_service

HOSTS, CPU, TASK_CPU = 3, 1024, 256
CALLS, COUNT = 8, 2
ROOM = HOSTS * CPU // TASK_CPU


def run_together(house):
    """Everybody at once; answers how many tasks RunTask started."""
    keys = [a_host(house, f"h{number}", cpu=CPU) for number in range(HOSTS)]
    definition = a_definition(house)
    service = a_service(house, count=3, taskDefinition=definition)

    def call(_):
        answer = house.ask("RunTask", taskDefinition=definition, count=COUNT)
        assert len(answer["tasks"]) == COUNT or answer["failures"]
        return len(answer["tasks"])

    with ThreadPoolExecutor(CALLS + 1) as pool:
        turn = pool.submit(house.turn, "deployments", service["serviceArn"])
        started = sum(pool.map(call, range(CALLS)))
        turn.result()
    for key in keys:
        held = house.read(lambda call, key=key: tasks.live_of_instance(call.tx, key.instance))
        assert sum(task.reserved.cpu for task in held) <= CPU
    return started, len(house.ask("ListTasks")["taskArns"])


def test_on_sqlite():
    house = EcsHouse()
    try:
        started, live = run_together(house)
        assert live == ROOM
        assert started >= ROOM - 3
    finally:
        house.close()


@pytest.mark.postgres
def test_on_postgresql(postgres_url):
    house = EcsHouse(postgres_url)
    try:
        started, live = run_together(house)
        assert live == ROOM
        assert started >= ROOM - 3
    finally:
        house.close()
