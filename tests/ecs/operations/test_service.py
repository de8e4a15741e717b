"""CreateService, DeleteService, DescribeServices, ListServices."""

import pytest

from tests.builders import ACCOUNT, OTHER, REGION, a_definition, a_host, a_service, root

ARN = f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/default"
FOREIGN = f"arn:aws:ecs:{REGION}:{OTHER}:service/default/web"


def described(house, name="web", **members):
    return house.ask("DescribeServices", services=[name], **members)["services"][0]


def test_a_service_is_made_with_its_first_deployment(house):
    service = a_service(house, count=2, tags=[{"key": "a", "value": "b"}])
    assert service["serviceArn"] == f"{ARN}/web"
    assert (service["status"], service["desiredCount"]) == ("ACTIVE", 2)
    assert service["runningCount"] == service["pendingCount"] == 0
    assert (service["launchType"], service["schedulingStrategy"]) == ("EC2", "REPLICA")
    assert service["loadBalancers"] == service["serviceRegistries"] == service["events"] == []
    assert service["placementConstraints"] == service["placementStrategy"] == []
    assert service["deploymentController"] == {"type": "ECS"}
    assert service["propagateTags"] == "NONE"
    assert service["healthCheckGracePeriodSeconds"] == 0
    assert service["enableECSManagedTags"] is service["enableExecuteCommand"] is False
    configuration = service["deploymentConfiguration"]
    assert (configuration["minimumHealthyPercent"], configuration["maximumPercent"]) == (100, 200)
    assert service["createdBy"] == f"arn:aws:iam::{ACCOUNT}:root"
    assert service["tags"] == [{"key": "a", "value": "b"}]
    (deployment,) = service["deployments"]
    word, _, number = deployment["id"].partition("/")
    assert (word, len(number), number.isdigit()) == ("ecs-svc", 19, True)
    assert (deployment["status"], deployment["rolloutState"]) == ("PRIMARY", "IN_PROGRESS")
    assert deployment["desiredCount"] == 2
    assert deployment["taskDefinition"].endswith("task-definition/web:1")
    (revision,) = service["currentServiceRevisions"]
    assert revision["arn"].endswith(f"service-revision/default/web/{number}")
    assert described(house)["tags"] == []
    assert described(house, include=["TAGS"])["tags"] == [{"key": "a", "value": "b"}]


def test_its_tasks_are_counted(house):
    key = a_host(house)
    a_service(house, count=3, enableECSManagedTags=True, propagateTags="SERVICE",
              tags=[{"key": "a", "value": "b"}])  # fmt: skip
    house.settle()
    shown = described(house)
    assert (shown["runningCount"], shown["pendingCount"]) == (0, 3)
    assert shown["deployments"][0]["pendingCount"] == 3
    listed = house.ask("ListTasks", serviceName="web")["taskArns"]
    (task,) = house.ask("DescribeTasks", tasks=listed[:1], include=["TAGS"])["tasks"]
    assert (task["group"], task["startedBy"]) == ("service:web", shown["deployments"][0]["id"])
    assert {one["key"]: one["value"] for one in task["tags"]} == {
        "a": "b",
        "aws:ecs:clusterName": "default",
        "aws:ecs:serviceName": "web",
    }
    for arn in listed:
        house.ask("SubmitTaskStateChange", by=key, cluster="default", task=arn, status="RUNNING")
    house.settle()
    shown = described(house)
    assert (shown["runningCount"], shown["pendingCount"]) == (3, 0)
    assert shown["deployments"][0]["rolloutState"] == "COMPLETED"
    messages = [one["message"] for one in shown["events"]]
    assert messages[0] == "(service web) has reached a steady state."
    assert messages[-1].startswith("(service web) has started 3 tasks: (task ")


def test_a_create_that_comes_again_is_the_same_or_refused(house):
    definition = a_definition(house)
    first = a_service(house, taskDefinition=definition)
    assert a_service(house, taskDefinition=definition) == first
    message = house.refused(
        "CreateService",
        "InvalidParameterException",
        serviceName="web",
        taskDefinition=definition,
        desiredCount=9,
    )
    assert message == "Creation of service was not idempotent."


def test_a_deleted_services_name_is_free_when_it_is_inactive(house):
    definition = a_definition(house)
    a_host(house)
    first = a_service(house, taskDefinition=definition)
    house.settle()
    message = house.refused("DeleteService", "InvalidParameterException", service="web")
    assert message == "The service cannot be stopped while it is scaled above 0."
    gone = house.ask("DeleteService", service="web", force=True)["service"]
    assert (gone["status"], gone["desiredCount"]) == ("DRAINING", 0)
    message = house.refused(
        "CreateService",
        "InvalidParameterException",
        serviceName="web",
        taskDefinition=definition,
        desiredCount=1,
    )
    assert message == "Unable to Start a service that is still Draining."
    assert house.ask("DeleteService", service="web")["service"]["status"] == "DRAINING"
    house.settle()
    assert described(house)["status"] == "INACTIVE"
    house.refused("DeleteService", "ServiceNotFoundException", service="web")
    house.refused("UpdateService", "ServiceNotActiveException", service="web", desiredCount=1)
    assert house.ask("ListServices")["serviceArns"] == []
    again = a_service(house, taskDefinition=definition)
    assert again["deployments"][0]["id"] != first["deployments"][0]["id"]
    assert len(again["deployments"]) == 1
    assert again["events"] == []
    house.settle()
    assert described(house)["pendingCount"] == 1


def test_batches_answer_what_is_missing(house):
    a_service(house)
    answer = house.ask("DescribeServices", services=["web", f"{ARN}/web", "api", "other/web"])
    assert [one["serviceName"] for one in answer["services"]] == ["web"]
    assert answer["failures"] == [
        {"arn": f"{ARN}/api", "reason": "MISSING"},
        {"arn": f"{ARN}/web", "reason": "MISSING"},
    ]


def test_services_are_listed_ten_a_page(house):
    definition = a_definition(house)
    for number in range(12):
        a_service(house, f"s{number:02d}", 0, taskDefinition=definition)
    a_service(house, "x", 0, taskDefinition=definition, launchType="EXTERNAL")
    first = house.ask("ListServices")
    assert len(first["serviceArns"]) == 10
    rest = house.ask("ListServices", nextToken=first["nextToken"])
    assert [*first["serviceArns"], *rest["serviceArns"]] == [
        *(f"{ARN}/s{number:02d}" for number in range(12)),
        f"{ARN}/x",
    ]
    assert len(house.ask("ListServices", maxResults=100)["serviceArns"]) == 13
    external = house.ask("ListServices", launchType="EXTERNAL")["serviceArns"]
    assert external == [f"{ARN}/x"]
    assert house.ask("ListServices", schedulingStrategy="DAEMON")["serviceArns"] == []
    assert house.ask("ListServices", by=root(OTHER))["serviceArns"] == []
    house.refused("ListServices", "UnsupportedFeatureException", resourceManagementType="ECS")


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"serviceName": None}, "InvalidParameterException"),
        ({"serviceName": "no spaces"}, "InvalidParameterException"),
        ({"serviceName": "x" * 256}, "InvalidParameterException"),
        ({"desiredCount": None}, "InvalidParameterException"),
        ({"desiredCount": -1}, "InvalidParameterException"),
        ({"desiredCount": 5001}, "InvalidParameterException"),
        ({"desiredCount": "3"}, "SerializationException"),
        ({"taskDefinition": None}, "InvalidParameterException"),
        ({"taskDefinition": "nothing"}, "ClientException"),
        (
            {"taskDefinition": f"arn:aws:ecs:{REGION}:{OTHER}:task-definition/web:1"},
            "InvalidParameterException",
        ),
        ({"cluster": "nowhere"}, "ClusterNotFoundException"),
        ({"schedulingStrategy": "DAEMON"}, "InvalidParameterException"),
        ({"launchType": "FARGATE"}, "UnsupportedFeatureException"),
        ({"loadBalancers": [{"containerName": "web"}]}, "UnsupportedFeatureException"),
        ({"serviceRegistries": [{"registryArn": "r"}]}, "UnsupportedFeatureException"),
        ({"serviceConnectConfiguration": {"enabled": True}}, "UnsupportedFeatureException"),
        ({"capacityProviderStrategy": [{"capacityProvider": "x"}]}, "InvalidParameterException"),
        ({"deploymentController": {"type": "EXTERNAL"}}, "UnsupportedFeatureException"),
        ({"role": "r"}, "UnsupportedFeatureException"),
        ({"monitoring": {"metricConfigurations": [{"metricNames": ["SERVICE_CPU_UTILIZATION"],
          "resolutionSeconds": 20}]}}, "UnsupportedFeatureException"),
        ({"deploymentConfiguration": {"maximumPercent": 50}}, "InvalidParameterException"),
        ({"deploymentConfiguration": {"strategy": "BLUE_GREEN"}}, "UnsupportedFeatureException"),
        ({"placementConstraints": [{"type": "memberOf", "expression": "("}]},
         "InvalidParameterException"),
        ({"tags": [{"key": "aws:x"}]}, "InvalidParameterException"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_makes_nothing(house, members, code):
    a_definition(house)
    given = {"serviceName": "web", "taskDefinition": "web", "desiredCount": 1, **members}
    house.refused("CreateService", code, **{k: v for k, v in given.items() if v is not None})
    assert house.ask("ListServices")["serviceArns"] == []


def test_what_asks_for_nothing_is_fine(house):
    service = a_service(
        house,
        loadBalancers=[],
        serviceRegistries=[],
        serviceConnectConfiguration={"enabled": False},
        capacityProviderStrategy=[],
        deploymentController={"type": "ECS"},
        volumeConfigurations=[],
    )
    assert service["status"] == "ACTIVE"


@pytest.mark.parametrize(
    ("action", "members", "code"),
    [
        ("DeleteService", {"service": "nothing"}, "ServiceNotFoundException"),
        ("DeleteService", {"service": FOREIGN}, "InvalidParameterException"),
        ("DeleteService", {"service": "web", "cluster": "no"}, "ClusterNotFoundException"),
        ("DeleteService", {}, "InvalidParameterException"),
        ("DescribeServices", {"services": []}, "InvalidParameterException"),
        ("DescribeServices", {"services": ["a"] * 11}, "InvalidParameterException"),
        ("DescribeServices", {"services": [FOREIGN]}, "InvalidParameterException"),
        ("DescribeServices", {"services": "a"}, "SerializationException"),
        ("DescribeServices", {"services": ["a"], "cluster": "no"}, "ClusterNotFoundException"),
        ("ListServices", {"cluster": "no"}, "ClusterNotFoundException"),
        ("ListServices", {"maxResults": 101}, "InvalidParameterException"),
        ("ListServices", {"nextToken": "made-up"}, "InvalidParameterException"),
    ],
)
def test_what_is_not_there_is_refused(house, action, members, code):
    house.refused(action, code, **members)


def test_another_account_sees_nothing(house):
    a_service(house)
    missing = house.ask("DescribeServices", by=root(OTHER), services=["web"])
    assert missing["services"] == []
    house.refused(
        "DescribeServices", "InvalidParameterException", by=root(OTHER), services=[f"{ARN}/web"]
    )
