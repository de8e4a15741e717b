"""CreateCapacityProvider, Update, Delete, Describe; PutClusterCapacityProviders; CreateCluster."""

import pytest

from moorage.ecs.operations.capacity_provider import PROVIDERS_MAX
from moorage.ecs.store import capacity_providers
from moorage.ground.instant import hours
from moorage.ground.record import evolve
from tests.builders import EcsHouse, a_definition, a_service
from tests.ecs.operations.pools_scene import POOL, a_house, a_provider, a_rule
from tests.house import ACCOUNT, OTHER, REGION, root

ARN = f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:autoScalingGroup:f00:autoScalingGroupName/{POOL}"


@pytest.fixture
def house():
    made = a_house(a_rule(), a_rule(name="other"), a_rule(name="west", cluster="west"))
    yield made
    made.close()


def created(house: EcsHouse, name: str = "cp", **group):
    given = {"autoScalingGroupArn": POOL} | group
    answer = house.ask("CreateCapacityProvider", name=name, autoScalingGroupProvider=given)
    return answer["capacityProvider"]


def test_a_provider_has_the_defaults_of_ecs(house):
    assert created(house) == {
        "capacityProviderArn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:capacity-provider/cp",
        "name": "cp",
        "status": "ACTIVE",
        "updateStatus": "CREATE_COMPLETE",
        "type": "EC2_AUTOSCALING",
        "tags": [],
        "autoScalingGroupProvider": {
            "autoScalingGroupArn": POOL,
            "managedScaling": {
                "status": "DISABLED",
                "targetCapacity": 100,
                "minimumScalingStepSize": 1,
                "maximumScalingStepSize": 10000,
                "instanceWarmupPeriod": 300,
            },
            "managedTerminationProtection": "DISABLED",
            "managedDraining": "ENABLED",
        },
    }


def test_every_member_is_kept_and_tags_are_shown_where_asked_for(house):
    scaling = {
        "status": "ENABLED",
        "targetCapacity": 80,
        "minimumScalingStepSize": 2,
        "maximumScalingStepSize": 7,
        "instanceWarmupPeriod": 0,
    }
    group = {
        "autoScalingGroupArn": ARN,
        "managedScaling": scaling,
        "managedTerminationProtection": "ENABLED",
        "managedDraining": "DISABLED",
    }
    tags = [{"key": "team", "value": "web"}]
    house.ask("CreateCapacityProvider", name="cp", autoScalingGroupProvider=group, tags=tags)
    (shown,) = house.ask("DescribeCapacityProviders", capacityProviders=["cp"])["capacityProviders"]
    assert shown["autoScalingGroupProvider"] == group
    assert shown["tags"] == []
    (shown,) = house.ask(
        "DescribeCapacityProviders",
        capacityProviders=[shown["capacityProviderArn"]],
        include=["TAGS"],
    )["capacityProviders"]
    assert shown["tags"] == tags


def test_a_status_left_out_means_enabled(house):
    shown = created(house, managedScaling={"targetCapacity": 50})
    assert shown["autoScalingGroupProvider"]["managedScaling"]["status"] == "ENABLED"


GROUP = {"autoScalingGroupArn": POOL}


@pytest.mark.parametrize(
    ("members", "code", "said"),
    [
        ({"name": "no spaces"}, "InvalidParameterException", "255"),
        ({"name": "x" * 256}, "InvalidParameterException", "255"),
        ({"name": "aws-cp"}, "InvalidParameterException", "prefixed"),
        ({"name": "ECS"}, "InvalidParameterException", "prefixed"),
        ({"name": "FARGATE"}, "InvalidParameterException", "prefixed"),
        ({"autoScalingGroupProvider": None}, "InvalidParameterException", "must be specified"),
        ({"cluster": "default"}, "InvalidParameterException", "managed instances"),
        ({"tags": [{"key": "aws:x"}]}, "InvalidParameterException", ""),
        (
            {
                "autoScalingGroupProvider": None,
                "managedInstancesProvider": {
                    "infrastructureRoleArn": "r",
                    "instanceLaunchTemplate": {
                        "ec2InstanceProfileArn": "p",
                        "networkConfiguration": {"subnets": ["s"]},
                    },
                },
            },
            "UnsupportedFeatureException",
            "managedInstancesProvider is not supported",
        ),
        (
            {"autoScalingGroupProvider": GROUP | {"managedScaling": {"targetCapacity": 101}}},
            "InvalidParameterException",
            "targetCapacity",
        ),
        (
            {"autoScalingGroupProvider": GROUP | {"managedTerminationProtection": "ENABLED"}},
            "InvalidParameterException",
            "you must enable managed scaling",
        ),
        (
            {
                "autoScalingGroupProvider": GROUP
                | {"managedScaling": {"minimumScalingStepSize": 3, "maximumScalingStepSize": 2}}
            },
            "InvalidParameterException",
            "must not be greater",
        ),
        (
            {"autoScalingGroupProvider": {"autoScalingGroupArn": "none"}},
            "ClientException",
            "there are other, spare, west",
        ),
        (
            {"autoScalingGroupProvider": {"autoScalingGroupArn": ARN.replace(ACCOUNT, OTHER)}},
            "ClientException",
            "not valid",
        ),
        (
            {"autoScalingGroupProvider": {"autoScalingGroupArn": "arn:aws:s3:::spare"}},
            "ClientException",
            "not valid",
        ),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(house, members, code, said):
    given = {"name": "cp", "autoScalingGroupProvider": GROUP} | members
    given = {name: value for name, value in given.items() if value is not None}
    assert said in house.refused("CreateCapacityProvider", code, **given)
    assert house.ask("DescribeCapacityProviders")["capacityProviders"] == []


def test_names_and_pools_are_used_once(house):
    created(house)
    assert "already exists" in house.refused(
        "CreateCapacityProvider",
        "ClientException",
        name="cp",
        autoScalingGroupProvider={"autoScalingGroupArn": "other"},
    )
    assert "another capacity provider" in house.refused(
        "CreateCapacityProvider", "ClientException", name="two", autoScalingGroupProvider=GROUP
    )


def test_an_update_changes_what_it_names(house):
    created(house, managedScaling={"targetCapacity": 50})
    shown = house.ask(
        "UpdateCapacityProvider",
        name="cp",
        autoScalingGroupProvider={
            "managedScaling": {"maximumScalingStepSize": 3},
            "managedTerminationProtection": "ENABLED",
        },
    )["capacityProvider"]
    assert shown["updateStatus"] == "UPDATE_COMPLETE"
    group = shown["autoScalingGroupProvider"]
    assert group["managedScaling"]["targetCapacity"] == 50
    assert group["managedScaling"]["maximumScalingStepSize"] == 3
    assert group["managedTerminationProtection"] == "ENABLED"
    assert group["managedDraining"] == "ENABLED"
    assert "you must enable managed scaling" in house.refused(
        "UpdateCapacityProvider",
        "InvalidParameterException",
        name="cp",
        autoScalingGroupProvider={"managedScaling": {"status": "DISABLED"}},
    )
    house.refused(
        "UpdateCapacityProvider", "ClientException", name="none", autoScalingGroupProvider={}
    )
    house.refused("UpdateCapacityProvider", "InvalidParameterException", name="cp")
    house.refused(
        "UpdateCapacityProvider",
        "InvalidParameterException",
        name="cp",
        cluster="default",
        autoScalingGroupProvider={},
    )


def test_a_provider_that_a_cluster_has_is_not_deleted(house):
    a_provider(house)
    said = house.refused("DeleteCapacityProvider", "ClientException", capacityProvider="cp")
    assert "associated with cluster: default" in said
    house.ask(
        "PutClusterCapacityProviders",
        cluster="default",
        capacityProviders=[],
        defaultCapacityProviderStrategy=[],
    )
    shown = house.ask("DeleteCapacityProvider", capacityProvider="cp")["capacityProvider"]
    assert (shown["status"], shown["updateStatus"]) == ("INACTIVE", "DELETE_COMPLETE")
    house.refused("DeleteCapacityProvider", "ClientException", capacityProvider="cp")
    assert created(house)["status"] == "ACTIVE", "the name and the pool are free again"
    house.refused(
        "DeleteCapacityProvider", "InvalidParameterException", capacityProvider="cp", cluster="x"
    )


def test_providers_are_listed_ten_a_page_and_by_cluster(house):
    rules = tuple(a_rule(name=f"pool-{number:02}") for number in range(12))
    many = a_house(*rules)
    for number, rule in enumerate(rules):
        many.ask(
            "CreateCapacityProvider",
            name=f"cp-{number:02}",
            autoScalingGroupProvider={"autoScalingGroupArn": rule.name},
        )
    first = many.ask("DescribeCapacityProviders")
    assert len(first["capacityProviders"]) == 10
    second = many.ask("DescribeCapacityProviders", nextToken=first["nextToken"])
    names = [one["name"] for one in (*first["capacityProviders"], *second["capacityProviders"])]
    assert names == [f"cp-{number:02}" for number in range(12)]
    assert "nextToken" not in second
    many.refused("DescribeCapacityProviders", "InvalidParameterException", maxResults=11)
    many.refused("DescribeCapacityProviders", "InvalidParameterException", nextToken="x")
    many.ask(
        "PutClusterCapacityProviders",
        cluster="default",
        capacityProviders=["cp-03"],
        defaultCapacityProviderStrategy=[],
    )
    found = many.ask("DescribeCapacityProviders", cluster="default")["capacityProviders"]
    assert [one["name"] for one in found] == ["cp-03"]
    missing = many.ask(
        "DescribeCapacityProviders",
        cluster="default",
        capacityProviders=["cp-04", "cp-03", "FARGATE"],
    )
    assert [one["name"] for one in missing["capacityProviders"]] == ["cp-03"]
    assert [one["reason"] for one in missing["failures"]] == ["MISSING", "MISSING"]
    many.refused(
        "DescribeCapacityProviders",
        "InvalidParameterException",
        capacityProviders=["cp"] * 101,
    )
    many.close()


@pytest.mark.parametrize(
    ("providers", "strategy", "code", "said"),
    [
        (["FARGATE"], [], "UnsupportedFeatureException", "FARGATE is not supported"),
        (["none"], [], "InvalidParameterException", "not in an ACTIVE state"),
        (["cp", "cp"], [], "InvalidParameterException", "duplicates"),
        (["cp-west"], [], "InvalidParameterException", "join the cluster west"),
        ([f"p{n}" for n in range(21)], [], "InvalidParameterException", "at most 20"),
        (
            [],
            [{"capacityProvider": "cp", "weight": 1}],
            "InvalidParameterException",
            "not associated",
        ),
    ],
)
def test_what_a_cluster_cannot_have_is_refused(house, providers, strategy, code, said):
    created(house)
    created(house, "cp-west", autoScalingGroupArn="west")
    members = {"capacityProviders": providers, "defaultCapacityProviderStrategy": strategy}
    for action, named in (
        ("PutClusterCapacityProviders", {"cluster": "default"}),
        ("CreateCluster", {"clusterName": "default"}),
    ):
        assert said in house.refused(action, code, **named, **members)


def test_both_lists_are_wanted(house):
    for given in ({"capacityProviders": []}, {"defaultCapacityProviderStrategy": []}):
        house.refused(
            "PutClusterCapacityProviders", "InvalidParameterException", cluster="default", **given
        )


def test_a_cluster_is_created_with_its_providers_and_shows_them(house):
    created(house, "cp-west", autoScalingGroupArn="west")
    strategy = [{"capacityProvider": "cp-west", "weight": 1, "base": 2}]
    asked = {
        "clusterName": "west",
        "capacityProviders": ["cp-west"],
        "defaultCapacityProviderStrategy": strategy,
    }
    shown = house.ask("CreateCluster", **asked)["cluster"]
    assert shown["capacityProviders"] == ["cp-west"]
    assert shown["defaultCapacityProviderStrategy"] == strategy
    assert house.ask("CreateCluster", **asked)["cluster"]["capacityProviders"] == ["cp-west"]
    house.ask("DeleteCluster", cluster="west")
    house.ask("DeleteCapacityProvider", capacityProvider="cp-west")


def test_a_provider_in_use_stays(house):
    a_provider(house)
    strategy = [{"capacityProvider": "cp", "weight": 1}]
    emptied = {
        "cluster": "default",
        "capacityProviders": [],
        "defaultCapacityProviderStrategy": [],
    }
    service = a_service(house, count=0, capacityProviderStrategy=strategy)
    assert "in use" in house.refused(
        "PutClusterCapacityProviders", "ResourceInUseException", **emptied
    )
    house.ask("UpdateService", service=service["serviceName"], capacityProviderStrategy=[])
    house.ask("PutClusterCapacityProviders", **emptied)
    house.ask(
        "PutClusterCapacityProviders",
        cluster="default",
        capacityProviders=["cp"],
        defaultCapacityProviderStrategy=strategy,
    )
    definition = a_definition(house, "job")
    (task,) = house.ask("RunTask", taskDefinition=definition)["tasks"]
    assert task["capacityProviderName"] == "cp", "by the cluster's default"
    house.refused("PutClusterCapacityProviders", "ResourceInUseException", **emptied)
    house.ask("StopTask", task=task["taskArn"])
    house.ask("PutClusterCapacityProviders", **emptied)


def test_a_provider_carries_tags(house):
    arn = created(house)["capacityProviderArn"]
    house.ask("TagResource", resourceArn=arn, tags=[{"key": "a", "value": "1"}])
    assert house.ask("ListTagsForResource", resourceArn=arn)["tags"] == [{"key": "a", "value": "1"}]
    house.ask("UntagResource", resourceArn=arn, tagKeys=["a"])
    assert house.ask("ListTagsForResource", resourceArn=arn)["tags"] == []


def test_nothing_crosses_accounts(house):
    created(house)
    stranger = root(OTHER)
    found = house.ask("DescribeCapacityProviders", by=stranger)
    assert found["capacityProviders"] == []
    said = house.refused(
        "CreateCapacityProvider",
        "ClientException",
        by=stranger,
        name="cp",
        autoScalingGroupProvider=GROUP,
    )
    assert "there is none" in said


def test_names_that_come_and_go_are_forgotten_and_bounded(house):
    """A deleted one is described for a day; nobody fills the table by making and deleting."""
    created(house, "old")
    house.ask("DeleteCapacityProvider", capacityProvider="old")
    (gone,) = house.read(lambda call: capacity_providers.page(call.tx, call, None, 9))

    def fill(call):
        for number in range(PROVIDERS_MAX - 1):
            capacity_providers.CAPACITY_PROVIDERS.put(
                call.tx, evolve(gone, name=f"n{number}", arn=f"{gone.arn}-{number}")
            )

    house.write(fill)
    said = house.refused(
        "CreateCapacityProvider",
        "LimitExceededException",
        name="new",
        autoScalingGroupProvider={"autoScalingGroupArn": POOL},
    )
    assert f"at most {PROVIDERS_MAX}" in said
    assert created(house, "old")["status"] == "ACTIVE", "a name that is kept takes no more room"
    house.ask("DeleteCapacityProvider", capacityProvider="old")
    house.clock.advance(hours(24))
    assert created(house, "new")["status"] == "ACTIVE"
    listed = house.ask("DescribeCapacityProviders")["capacityProviders"]
    assert [one["name"] for one in listed] == ["new"]
