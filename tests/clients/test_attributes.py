"""Attributes, the query language, task protection and GPUs, as boto3 and the AWS CLI ask for them."""

import pytest
from botocore.exceptions import ClientError

from tests.clients.place import Place
from tests.clients.processes import until

pytestmark = [pytest.mark.clients, pytest.mark.engine]

FOREVER = ["/bin/sh", "-c", "trap 'exit 0' TERM; while true; do sleep 1; done"]


def test_attributes_are_put_listed_asked_for_and_deleted(place: Place, images):
    """They decide at once where tasks go, and which hosts a filter finds."""
    one, two = (host["containerInstanceArn"] for host in place.instances()[:2])
    put = place.ecs.put_attributes(
        attributes=[
            {"name": "stack", "value": "prod", "targetId": one},
            {"name": "stack", "value": "test", "targetId": two},
            {"name": "ssd", "targetId": one.rpartition("/")[2], "targetType": "container-instance"},
        ]
    )
    assert put["attributes"][2] == {"name": "ssd", "targetId": one}
    asked = {"targetType": "container-instance", "attributeName": "stack"}
    pages = place.ecs.get_paginator("list_attributes").paginate(
        **asked, PaginationConfig={"PageSize": 1}
    )
    found = [each for page in pages for each in page["attributes"]]
    assert sorted((each["targetId"], each["value"]) for each in found) == sorted(
        [(one, "prod"), (two, "test")]
    )
    expression = "attribute:stack =~ pr.* and attribute:ssd exists"
    listed = place.aws("ecs", "list-container-instances", "--filter", expression)
    assert listed["containerInstanceArns"] == [one]
    shell = place.register("placed", {"image": images["shell"], "command": FOREVER})
    constraint = [{"type": "memberOf", "expression": "attribute:stack == test"}]
    task = place.run_task(shell, placementConstraints=constraint)
    assert place.describe(task)[0]["containerInstanceArn"] == two
    for attribute, code in (
        ({"name": "x", "targetId": one[:-4] + "0000"}, "TargetNotFoundException"),
        ({"name": "x"}, "InvalidParameterException"),
        ({"name": "ecs.os-type", "targetId": one}, "InvalidParameterException"),
    ):
        with pytest.raises(ClientError, match=code):
            place.ecs.put_attributes(attributes=[attribute])
    full = [{"name": f"n{number}", "targetId": one} for number in range(9)]
    with pytest.raises(place.ecs.exceptions.AttributeLimitExceededException):
        place.ecs.put_attributes(attributes=full)
    gone = place.ecs.delete_attributes(
        attributes=[
            {"name": name, "targetId": target} for name in ("stack", "ssd") for target in (one, two)
        ]
    )
    assert len(gone["attributes"]) == 3
    assert place.ecs.list_attributes(**asked)["attributes"] == []


def test_a_protected_task_outlives_a_scale_in(place: Place, images):
    """Until its protection is ended; the service says why it keeps it."""
    shell = place.register("kept", {"image": images["shell"], "command": FOREVER})
    place.ecs.create_service(serviceName="kept", taskDefinition=shell, desiredCount=2)
    until(lambda: len(place.running("kept")) == 2, 30, "two run")
    kept, other = (task["taskArn"] for task in place.running("kept"))
    alone = place.run_task(shell)
    answer = place.ecs.update_task_protection(
        cluster="default", tasks=[kept, alone], protectionEnabled=True, expiresInMinutes=5
    )
    assert [one["taskArn"] for one in answer["protectedTasks"]] == [kept]
    assert [(one["arn"], one["reason"]) for one in answer["failures"]] == [
        (alone, "TASK_NOT_VALID")
    ]
    shown = place.ecs.get_task_protection(cluster="default", tasks=[kept, other])
    assert [one["protectionEnabled"] for one in shown["protectedTasks"]] == [True, False]
    place.ecs.update_service(service="kept", desiredCount=0)
    assert place.stopped(other)["stoppedReason"].startswith("Scaling activity")
    assert [task["taskArn"] for task in place.running("kept")] == [kept]
    assert any("protected from scale-in" in text for text in place.messages("kept"))
    place.aws(
        "ecs", "update-task-protection", "--cluster", "default", "--tasks", kept,
        "--no-protection-enabled",
    )  # fmt: skip
    place.stopped(kept)


def test_the_engine_is_asked_for_the_gpus_of_a_task(place: Place, images):
    """No engine here has one: it says so, which shows that it was asked."""
    place.ecs.create_cluster(clusterName="gpus")
    place.add_hosts(1, "gpus", "--gpu", "GPU-one", "--gpu", "GPU-two")
    (host,) = place.instances("gpus")
    by_name = {one["name"]: one for one in host["registeredResources"]}
    assert by_name["GPU"]["stringSetValue"] == ["GPU-one", "GPU-two"]
    wish = [{"type": "GPU", "value": "1"}]
    container = {"image": images["shell"], "command": FOREVER, "resourceRequirements": wish}
    definition = place.register("gpu", container)
    arn = place.run_task(definition, cluster="gpus")
    task = place.stopped(arn, cluster="gpus")
    assert task["containers"][0]["gpuIds"] == ["GPU-one"]
    assert task["stopCode"] == "TaskFailedToStart"
    told = f"{task['stoppedReason']} {task['containers'][0].get('reason', '')}"
    assert "could not select device driver" in told
