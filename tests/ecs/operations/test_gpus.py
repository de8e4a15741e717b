"""GPUs of hosts, from registration to the payload that tells the agent of them."""

from moorage.ecs.controllers.assignments import outgoing
from moorage.ecs.store import container_instances
from moorage.ground.instant import seconds
from moorage.ground.record import evolve
from tests.builders import CAPABILITIES, a_container, a_definition, bound, connect_host, resources
from tests.ecs.operations.pools_scene import a_house, a_provider

GPUS = ["GPU-a", "GPU-b", "GPU-c"]


def a_gpu_host(house, name="host-1"):
    key = house.host_key(name)
    answer = house.ask(
        "RegisterContainerInstance",
        by=key,
        totalResources=resources(),
        attributes=[{"name": one} for one in CAPABILITIES],
        platformDevices=[{"id": gpu, "type": "GPU"} for gpu in GPUS],
    )
    key = bound(key, answer["containerInstance"]["containerInstanceArn"])
    connect_host(house, key)
    return key


def asks(*values):
    return [
        a_container(name=f"c{n}", resourceRequirements=[{"type": "GPU", "value": value}])
        for n, value in enumerate(values)
    ]


def left(house, key):
    (shown,) = house.ask("DescribeContainerInstances", containerInstances=[key.instance])[
        "containerInstances"
    ]
    by_name = {one["name"]: one for one in shown["remainingResources"]}
    return by_name["GPU"]["stringSetValue"]


def told(house, key):
    """The associations of each payload that the host is to get."""
    sent = house.write(lambda call: outgoing(call, key.instance, False), principal=key)
    return [
        {(one.name, one.type, one.containers) for one in payload.tasks[0].associations or ()}
        for payload in sent.payloads
    ]


def test_each_container_gets_its_own_and_the_agent_is_told(house):
    key = a_gpu_host(house)
    definition = a_definition(house, containerDefinitions=asks("1", "1"))
    (task,) = house.ask("RunTask", taskDefinition=definition)["tasks"]
    assert [one["gpuIds"] for one in task["containers"]] == [["GPU-a"], ["GPU-b"]]
    assert left(house, key) == ["GPU-c"]
    assert told(house, key) == [{("GPU-a", "gpu", ("c0",)), ("GPU-b", "gpu", ("c1",))}]
    refused = house.ask("RunTask", taskDefinition=definition)
    assert [one["reason"] for one in refused["failures"]] == ["RESOURCE:GPU"]
    house.ask("StopTask", task=task["taskArn"])
    assert left(house, key) == ["GPU-c"], "held until it is STOPPED"
    (stopped,) = house.ask("DescribeTasks", tasks=[task["taskArn"]])["tasks"]
    assert stopped["containers"][0]["gpuIds"] == ["GPU-a"]


def test_tasks_of_one_batch_share_no_gpu(house):
    key = a_gpu_host(house)
    definition = a_definition(house, containerDefinitions=asks("1"))
    answer = house.ask("RunTask", taskDefinition=definition, count=4)
    assert sorted(task["containers"][0]["gpuIds"][0] for task in answer["tasks"]) == GPUS
    assert [one["reason"] for one in answer["failures"]] == ["RESOURCE:GPU"]
    assert left(house, key) == []


def test_all_means_what_is_free_and_overrides_may_ask(house):
    key = a_gpu_host(house)
    definition = a_definition(house, containerDefinitions=asks("1"))
    house.ask("RunTask", taskDefinition=definition)
    (task,) = house.ask(
        "RunTask",
        taskDefinition=definition,
        overrides={
            "containerOverrides": [
                {"name": "c0", "resourceRequirements": [{"type": "GPU", "value": "ALL"}]}
            ]
        },
    )["tasks"]
    assert task["containers"][0]["gpuIds"] == ["GPU-b", "GPU-c"]
    assert left(house, key) == []


def test_a_task_that_was_never_sent_gives_them_back_at_once(house):
    key = a_gpu_host(house)
    definition = a_definition(house, containerDefinitions=asks("2"))
    (task,) = house.ask("StartTask", taskDefinition=definition, containerInstances=[key.instance])[
        "tasks"
    ]
    assert task["containers"][0]["gpuIds"] == ["GPU-a", "GPU-b"]
    house.ask("StopTask", task=task["taskArn"])
    house.pass_time(seconds(1))
    assert left(house, key) == GPUS


def test_a_task_that_waited_for_room_gets_its_own_too():
    house = a_house()
    a_provider(house)
    definition = a_definition(house, containerDefinitions=asks("2"))
    strategy = [{"capacityProvider": "cp", "weight": 1}]
    (task,) = house.ask("RunTask", taskDefinition=definition, capacityProviderStrategy=strategy)[
        "tasks"
    ]
    assert task["lastStatus"] == "PROVISIONING"
    key = a_gpu_host(house)
    house.write(lambda call: provided(call, key.instance))
    house.settle()
    (placed,) = house.ask("DescribeTasks", tasks=[task["taskArn"]])["tasks"]
    assert placed["containers"][0]["gpuIds"] == ["GPU-a", "GPU-b"]
    assert left(house, key) == ["GPU-c"]
    house.close()


def provided(call, arn):
    """The host belongs to the capacity provider."""
    instance = container_instances.get(call.tx, arn)
    container_instances.write(call.tx, evolve(instance, capacity_provider="cp"))
