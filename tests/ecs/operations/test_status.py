"""DescribeStatus and FindLogs, our own questions."""

from tests.builders import ACCOUNT, OTHER, REGION, a_definition, a_host, a_service, a_task, root


def test_the_state_at_a_glance(house):
    key = a_host(house, "one")
    a_host(house, "two", connect=False)
    a_service(house, count=2)
    house.settle()
    a_task(house)
    told = house.ask("DescribeStatus")
    one, two = told["hosts"]
    assert (one["name"], one["arn"], one["connected"]) == ("one", key.instance, True)
    assert (one["cpuTotal"], one["cpuFree"]) == (4096, 4096 - 3 * 256)
    assert (one["memoryTotal"], one["memoryFree"], one["tasks"]) == (8192, 8192 - 3 * 512, 3)
    assert (two["name"], two["connected"], two["lost"]) == ("two", False, False)
    (service,) = told["services"]
    assert (service["name"], service["desiredCount"], service["pendingCount"]) == ("web", 2, 2)
    assert (service["taskDefinition"], service["failedStarts"]) == ("web:1", 0)
    assert "nextStartAt" not in service
    assert len(told["tasks"]) == 3
    assert {task["host"] for task in told["tasks"]} == {"one"}
    assert told["events"][0]["service"] == "web"
    assert house.ask("DescribeStatus", cluster="default") == told
    assert house.ask("DescribeStatus", by=root(OTHER))["hosts"] == []
    house.refused("DescribeStatus", "ClusterNotFoundException", cluster="nowhere")
    house.refused("DescribeStatus", "AccessDeniedException", by=key)


def test_the_next_start_is_told(house):
    key = a_host(house)
    a_service(house)
    house.settle()
    for _ in range(2):
        (task,) = house.ask("ListTasks", serviceName="web")["taskArns"]
        house.ask("SubmitTaskStateChange", by=key, cluster="default", task=task, status="STOPPED")
        house.settle()
    (service,) = house.ask("DescribeStatus")["services"]
    assert service["failedStarts"] == 2
    assert service["nextStartAt"] > house.clock.now() / 1_000_000


def test_output_is_found_newest_task_first(house):
    a_host(house)
    containers = [{"name": name, "image": "demo:1", "memory": 64} for name in ("web", "side")]
    definition = a_definition(house, containerDefinitions=containers)
    task = a_task(house, taskDefinition=definition)
    found = house.ask("FindLogs", task=task["taskArn"])["sources"]
    assert [one["containerName"] for one in found] == ["web", "side"]
    assert {one["taskArn"] for one in found} == {task["taskArn"]}
    assert {one["instanceArn"] for one in found} == {task["containerInstanceArn"]}
    only = house.ask("FindLogs", task=task["taskArn"], container="side")["sources"]
    assert only == found[1:]
    a_service(house, count=2)
    house.settle()
    assert house.ask("FindLogs", service="web")["sources"]
    house.refused("FindLogs", "InvalidParameterException")
    house.refused("FindLogs", "InvalidParameterException", task="a", service="web")
    house.refused("FindLogs", "InvalidParameterException", task="a" * 32)
    house.refused("FindLogs", "ServiceNotFoundException", service="nothing")
    foreign = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/default/{'a' * 32}"
    house.refused("FindLogs", "InvalidParameterException", by=root(OTHER), task=foreign)
