"""A daemon service on real hosts: one each, the last on a host that is drained, back with it."""

import pytest

from tests.clients.place import Place
from tests.clients.processes import until

pytestmark = [pytest.mark.clients, pytest.mark.engine]

FOREVER = ["/bin/sh", "-c", "trap 'exit 0' TERM; while true; do sleep 1; done"]
# It takes a moment to end.
SLOWLY = ["/bin/sh", "-c", "trap 'sleep 1; exit 0' TERM; while true; do sleep 1; done"]


def test_a_daemon_runs_everywhere_and_is_drained_last(place: Place, images):
    logs = place.register("logs", {"image": images["shell"], "command": FOREVER})
    web = place.register("slow", {"image": images["shell"], "command": SLOWLY})
    service = place.ecs.create_service(
        serviceName="logs", taskDefinition=logs, schedulingStrategy="DAEMON"
    )["service"]
    assert service["deploymentConfiguration"]["maximumPercent"] == 100
    place.ecs.create_service(serviceName="web", taskDefinition=web, desiredCount=3)
    arns = sorted(one["containerInstanceArn"] for one in place.instances())

    def everywhere() -> bool:
        return sorted(one["containerInstanceArn"] for one in place.running("logs")) == arns

    until(everywhere, 20, "one on each host", lambda: place.messages("logs"))
    until(lambda: len(place.running("web")) == 3, 20, "the replicas run")
    there = place.ecs.list_tasks(containerInstance=arns[0])["taskArns"]
    place.ecs.update_container_instances_state(containerInstances=arns[:1], status="DRAINING")

    def emptied() -> bool:
        left = place.ecs.list_tasks(containerInstance=arns[0])["taskArns"]
        return not left

    until(emptied, 30, "the host is empty", lambda: place.messages("logs"))

    def ended() -> bool:
        return all(task["lastStatus"] == "STOPPED" for task in place.describe(*there))

    until(ended, 20, "all that ran there has stopped")
    told = {task["group"]: task for task in place.describe(*there)}
    assert told["service:web"]["stoppedAt"] <= told["service:logs"]["stoppingAt"]
    shown = place.ecs.describe_services(services=["logs"])["services"][0]
    assert (shown["desiredCount"], shown["runningCount"]) == (2, 2)
    place.ecs.update_container_instances_state(containerInstances=arns[:1], status="ACTIVE")
    until(everywhere, 20, "it is back with the host", lambda: place.messages("logs"))
    place.ecs.delete_service(service="logs")
    until(lambda: not place.running("logs"), 20, "it needs no force to go")
