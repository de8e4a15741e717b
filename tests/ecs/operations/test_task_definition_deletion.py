"""DeleteTaskDefinitions, and the controller that finishes it."""

import pytest

from moorage.ecs.store import task_definitions
from moorage.ground.instant import hours, minutes
from tests.builders import ACCOUNT, OTHER, REGION, a_definition, a_host, a_service, a_task, root

ARN = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition"


def deregistered(house, family="web", **members):
    """A definition that is INACTIVE; answers `family:revision`."""
    name = a_definition(house, family, **members)
    house.ask("DeregisterTaskDefinition", taskDefinition=name)
    return name


def status(house, name):
    """What DescribeTaskDefinition says, or None where it knows the revision no more."""
    found = house.read(lambda call: task_definitions.find(call.tx, call, name))
    if found is None:
        house.refused("DescribeTaskDefinition", "ClientException", taskDefinition=name)
        return None
    return house.ask("DescribeTaskDefinition", taskDefinition=name)["taskDefinition"]["status"]


def delete(house, *names):
    answer = house.ask("DeleteTaskDefinitions", taskDefinitions=list(names))
    assert answer["failures"] == []
    return answer["taskDefinitions"]


def ended(house, key, task):
    house.ask("StopTask", task=task)
    house.ask("SubmitTaskStateChange", by=key, cluster="default", task=task, status="STOPPED")


def test_a_deleted_revision_that_nothing_uses_is_soon_gone(house):
    name = deregistered(house)
    kept = a_definition(house)
    (shown,) = delete(house, f"{ARN}/{name}")
    assert (shown["taskDefinitionArn"], shown["status"]) == (f"{ARN}/{name}", "DELETE_IN_PROGRESS")
    assert shown["deregisteredAt"] <= shown["deleteRequestedAt"] == house.clock.now() / 1_000_000
    assert shown["containerDefinitions"][0]["name"] == "web"
    assert status(house, name) == "DELETE_IN_PROGRESS"
    listed = house.ask("ListTaskDefinitions", status="DELETE_IN_PROGRESS")["taskDefinitionArns"]
    assert listed == [f"{ARN}/{name}"]
    assert house.ask("ListTaskDefinitions", status="INACTIVE")["taskDefinitionArns"] == []
    house.settle()
    assert status(house, name) is None
    assert status(house, kept) == "ACTIVE"
    assert house.ask("ListTaskDefinitions", status="DELETE_IN_PROGRESS")[
        "taskDefinitionArns"
    ] == []  # fmt: skip
    house.refused("DeregisterTaskDefinition", "ClientException", taskDefinition=name)
    house.refused("RunTask", "ClientException", taskDefinition=name)


def test_asked_again_the_answer_is_the_same(house):
    name = deregistered(house)
    first = delete(house, name)
    house.clock.advance(minutes(1))
    assert delete(house, name, f"{ARN}/{name}") == first


def test_nothing_new_may_use_what_is_being_deleted(house):
    a_host(house)
    name = a_definition(house)
    a_task(house, taskDefinition=name)
    a_service(house, "other", taskDefinition=a_definition(house, "other"))
    house.ask("DeregisterTaskDefinition", taskDefinition=name)
    delete(house, name)
    house.settle()
    said = house.refused("RunTask", "ClientException", taskDefinition=name)
    assert "DELETE_IN_PROGRESS" in said
    house.refused("StartTask", "ClientException", taskDefinition=name, containerInstances=["x"])
    house.refused(
        "CreateService", "ClientException", serviceName="web", taskDefinition=name, desiredCount=1
    )
    house.refused("UpdateService", "ClientException", service="other", taskDefinition=name)
    house.refused("DeregisterTaskDefinition", "ClientException", taskDefinition=name)
    assert status(house, name) == "DELETE_IN_PROGRESS"


def test_it_stays_while_a_task_runs_it(house):
    key = a_host(house)
    name = a_definition(house)
    task = a_task(house, taskDefinition=name)["taskArn"]
    twin = a_task(house, taskDefinition=a_definition(house))["taskArn"]
    house.ask("DeregisterTaskDefinition", taskDefinition=name)
    delete(house, name)
    house.pass_time(hours(2))
    assert status(house, name) == "DELETE_IN_PROGRESS"
    ended(house, key, task)
    house.pass_time(minutes(1))
    assert status(house, name) is None
    shown = house.ask("DescribeTasks", tasks=[task, twin])["tasks"]
    assert shown[0]["taskDefinitionArn"] == f"{ARN}/{name}"


def test_a_task_in_another_cluster_counts_too(house):
    house.ask("CreateCluster", clusterName="batch")
    a_host(house, cluster="batch")
    name = a_definition(house)
    a_task(house, taskDefinition=name, cluster="batch")
    house.ask("DeregisterTaskDefinition", taskDefinition=name)
    delete(house, name)
    house.settle()
    assert status(house, name) == "DELETE_IN_PROGRESS"


def report(house, key, wanted):
    """Its host says of all tasks that should be so that they are."""
    house.settle()
    for task in house.ask("ListTasks", desiredStatus=wanted)["taskArns"]:
        house.ask("SubmitTaskStateChange", by=key, cluster="default", task=task, status=wanted)
    house.settle()


def test_it_stays_while_a_service_may_start_it(house):
    key = a_host(house)
    name = a_definition(house)
    a_service(house, taskDefinition=name, count=0)
    house.settle()
    house.ask("DeregisterTaskDefinition", taskDefinition=name)
    delete(house, name)
    house.pass_time(minutes(5))
    assert status(house, name) == "DELETE_IN_PROGRESS"
    house.ask("UpdateService", service="web", desiredCount=2)
    report(house, key, "RUNNING")
    assert len(house.ask("ListTasks", serviceName="web")["taskArns"]) == 2
    house.pass_time(minutes(1))
    assert status(house, name) == "DELETE_IN_PROGRESS"
    house.ask("DeleteService", service="web", force=True)
    report(house, key, "STOPPED")
    house.pass_time(minutes(1))
    assert status(house, name) is None


def test_it_goes_with_the_deployment_to_which_nothing_goes_back(house):
    key = a_host(house)
    first, second = a_definition(house), a_definition(house)

    a_service(house, taskDefinition=first)
    report(house, key, "RUNNING")
    house.pass_time(minutes(1))
    house.ask("UpdateService", service="web", taskDefinition=second)
    house.ask("DeregisterTaskDefinition", taskDefinition=first)
    delete(house, first)
    house.settle()
    assert status(house, first) == "DELETE_IN_PROGRESS"  # a rollback would go back to it
    report(house, key, "RUNNING")
    report(house, key, "STOPPED")
    house.pass_time(minutes(2))
    assert status(house, first) is None
    assert status(house, second) == "ACTIVE"
    (service,) = house.ask("DescribeServices", services=["web"])["services"]
    assert len(service["deployments"]) == 1
    found = house.ask("ListServiceDeployments", service="web")["serviceDeployments"]
    assert len(found) == 2


def test_a_deleted_service_lets_go(house):
    name = a_definition(house)
    a_service(house, taskDefinition=name, count=0)
    house.settle()
    house.ask("DeregisterTaskDefinition", taskDefinition=name)
    delete(house, name)
    house.ask("DeleteService", service="web")
    house.settle()
    house.pass_time(minutes(1))
    assert status(house, name) is None


def test_numbers_are_never_used_again(house):
    deleted = [deregistered(house) for _ in range(3)]
    delete(house, *deleted)
    house.settle()
    assert a_definition(house) == "web:4"


def test_a_family_is_listed_while_a_revision_is_there(house):
    key = a_host(house)

    def families(status):
        return house.ask("ListTaskDefinitionFamilies", status=status)["families"]

    name = a_definition(house)
    task = a_task(house, taskDefinition=name)["taskArn"]
    house.ask("DeregisterTaskDefinition", taskDefinition=name)
    delete(house, name)
    house.settle()
    assert (families("ACTIVE"), families("INACTIVE"), families("ALL")) == ([], ["web"], ["web"])
    ended(house, key, task)
    house.pass_time(minutes(1))
    assert (families("ACTIVE"), families("INACTIVE"), families("ALL")) == ([], [], [])
    assert house.ask("ListTaskDefinitionFamilies")["families"] == []
    assert a_definition(house) == "web:2"
    assert (families("ACTIVE"), families("INACTIVE"), families("ALL")) == (["web"], [], ["web"])


def test_a_deleted_revisions_tags_and_settings_stay_readable(house):
    tags = [{"key": "a", "value": "b"}]
    name = deregistered(house, tags=tags)
    delete(house, name)
    shown = house.ask("DescribeTaskDefinition", taskDefinition=name, include=["TAGS"])
    assert shown["tags"] == tags
    assert house.ask("ListTagsForResource", resourceArn=f"{ARN}/{name}")["tags"] == tags


def test_each_that_cannot_be_deleted_says_why(house):
    gone, active = deregistered(house), a_definition(house)
    other = f"arn:aws:ecs:{REGION}:{OTHER}:task-definition/web:1"
    elsewhere = f"arn:aws:ecs:eu-west-1:{ACCOUNT}:task-definition/web:1"
    cluster = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/default"
    invalid = ["web", f"{ARN}/web", "web:x", "web:", ":1", "", "a b:1", "web:1:2", cluster]
    for start in range(0, len(invalid), 5):
        answer = house.ask("DeleteTaskDefinitions", taskDefinitions=invalid[start : start + 5])
        assert answer["taskDefinitions"] == []
        assert {one["arn"]: one["reason"] for one in answer["failures"]} == dict.fromkeys(
            invalid[start : start + 5],
            "The specified task definition identifier is invalid. "
            "Specify a valid name or ARN and try again.",
        )
    answer = house.ask(
        "DeleteTaskDefinitions", taskDefinitions=[active, gone, "web:99", other, elsewhere]
    )
    assert [one["taskDefinitionArn"] for one in answer["taskDefinitions"]] == [f"{ARN}/{gone}"]
    missing = (
        "The specified task definition does not exist. "
        "Specify a valid account, family, revision and try again."
    )
    assert answer["failures"] == [
        {
            "arn": active,
            "reason": "The specified task definition is still in ACTIVE status. "
            "Please deregister the target and try again.",
        },
        {"arn": "web:99", "reason": missing},
        {"arn": other, "reason": missing},
        {"arn": elsewhere, "reason": missing},
    ]
    assert status(house, active) == "ACTIVE"


@pytest.mark.parametrize(
    "members", [{}, {"taskDefinitions": []}, {"taskDefinitions": [f"web:{n}" for n in range(11)]}]
)
def test_one_to_ten_are_named(house, members):
    house.refused("DeleteTaskDefinitions", "InvalidParameterException", **members)


def test_another_accounts_namesake_stays(house):
    name = deregistered(house)
    theirs = house.ask(
        "RegisterTaskDefinition",
        by=root(OTHER),
        family="web",
        containerDefinitions=[{"name": "web", "image": "demo", "memory": 128}],
    )["taskDefinition"]["taskDefinitionArn"]
    delete(house, name)
    house.settle()
    shown = house.ask("DescribeTaskDefinition", by=root(OTHER), taskDefinition=theirs)
    assert shown["taskDefinition"]["status"] == "ACTIVE"
