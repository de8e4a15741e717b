"""Clusters, capacity providers, settings, definitions and attributes: each member acts, by boto3."""

from typing import Any

import pytest

from tests.clients.desk import CONTAINER, Desk
from tests.clients.processes import until

pytestmark = [pytest.mark.clients]

HOST = {"targetType": "container-instance"}
INSIGHTS = {"name": "containerInsights", "value": "enhanced"}
TAGS = [{"key": "team", "value": "harbour"}]
GONE_SECONDS_MAX = 10.0


def cluster(desk: Desk, name: str, *include: str) -> dict[str, Any]:
    (found,) = desk.ecs.describe_clusters(clusters=[name], include=[*include])["clusters"]
    return found  # type: ignore[no-any-return]


def test_each_member_of_a_cluster_changes_alone_and_a_repeat_changes_nothing(desk):
    ecs = desk.ecs
    made = ecs.create_cluster(clusterName="shop", tags=TAGS)["cluster"]
    assert ecs.create_cluster(clusterName="shop", tags=TAGS)["cluster"] == made
    logging = {"executeCommandConfiguration": {"logging": "NONE"}}
    arn = made["clusterArn"]
    for _ in range(2):
        ecs.update_cluster(cluster=arn, configuration=logging)
    told = cluster(desk, "shop", "SETTINGS", "CONFIGURATIONS", "TAGS")
    assert told["configuration"] == logging
    assert told["settings"] == [{**INSIGHTS, "value": "disabled"}]
    for _ in range(2):
        ecs.update_cluster_settings(cluster=arn, settings=[INSIGHTS])
    told = cluster(desk, arn, "SETTINGS", "CONFIGURATIONS", "TAGS")
    assert (told["settings"], told["configuration"]) == ([INSIGHTS], logging)
    assert told["tags"] == TAGS
    ecs.update_cluster(cluster="shop", serviceConnectDefaults={"namespace": ""})
    ecs.update_cluster(cluster="shop", settings=[{**INSIGHTS, "value": "enabled"}])
    assert cluster(desk, "shop", "SETTINGS")["settings"][0]["value"] == "enabled"
    bare = cluster(desk, "shop")
    assert (bare["settings"], bare["tags"], "configuration" in bare) == ([], [], False)
    ecs.tag_resource(resourceArn=arn, tags=[{"key": "more", "value": "1"}])
    ecs.untag_resource(resourceArn=arn, tagKeys=["team"])
    assert ecs.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "more", "value": "1"}]
    ecs.delete_cluster(cluster="shop")
    assert cluster(desk, "shop")["status"] == "INACTIVE"
    for name, code in (("nowhere", "MISSING"), (arn.replace("shop", "nope"), "MISSING")):
        (failure,) = ecs.describe_clusters(clusters=[name])["failures"]
        assert failure["reason"] == code


def provider(desk: Desk, name: str, *include: str) -> dict[str, Any]:
    (found,) = desk.ecs.describe_capacity_providers(capacityProviders=[name], include=[*include])[
        "capacityProviders"
    ]
    return found  # type: ignore[no-any-return]


@pytest.fixture
def full(desk):
    """A provider with every member given, as it was asked for; deleted again by its test."""
    group = {
        "autoScalingGroupArn": "second",
        "managedScaling": {
            "status": "ENABLED",
            "targetCapacity": 90,
            "minimumScalingStepSize": 2,
            "maximumScalingStepSize": 5,
            "instanceWarmupPeriod": 7,
        },
        "managedTerminationProtection": "ENABLED",
        "managedDraining": "DISABLED",
    }
    made = desk.ecs.create_capacity_provider(
        name="full", autoScalingGroupProvider=group, tags=TAGS
    )["capacityProvider"]
    assert (made["autoScalingGroupProvider"], made["tags"]) == (group, TAGS)
    assert (made["status"], made["updateStatus"]) == ("ACTIVE", "CREATE_COMPLETE")
    return made


def test_each_member_of_a_capacity_provider_changes_alone(desk, full):
    """What is shown is what was asked, where it was asked for; a deleted one's name is free."""
    ecs, arn, group = desk.ecs, full["capacityProviderArn"], full["autoScalingGroupProvider"]
    assert provider(desk, arn, "TAGS") == full
    assert provider(desk, "full")["tags"] == []
    for change in (
        {"managedScaling": {"targetCapacity": 50}},
        {"managedTerminationProtection": "DISABLED"},
        {"managedDraining": "ENABLED"},
        {"managedScaling": {"status": "DISABLED"}},
    ):
        scaling = {**group["managedScaling"], **change.get("managedScaling", {})}
        group = {**group, **change, "managedScaling": scaling}
        changed = ecs.update_capacity_provider(name=arn, autoScalingGroupProvider=change)
        assert changed["capacityProvider"]["autoScalingGroupProvider"] == group
        assert changed["capacityProvider"]["updateStatus"] == "UPDATE_COMPLETE"
    gone = ecs.delete_capacity_provider(capacityProvider=arn)["capacityProvider"]
    assert (gone["status"], gone["updateStatus"]) == ("INACTIVE", "DELETE_COMPLETE")
    assert provider(desk, "full")["status"] == "INACTIVE"
    again = ecs.create_capacity_provider(name="full", autoScalingGroupProvider=group)
    assert again["capacityProvider"]["status"] == "ACTIVE", "name and pool are free again"
    ecs.delete_capacity_provider(capacityProvider="full")


def test_a_provider_that_is_used_stays_and_a_default_strategy_is_followed(desk, full):
    ecs = desk.ecs
    both = [{"capacityProvider": "cp", "weight": 1, "base": 2}, {"capacityProvider": "full"}]
    put = ecs.put_cluster_capacity_providers(
        cluster=desk.names["cluster"],
        capacityProviders=["cp", "full"],
        defaultCapacityProviderStrategy=both,
    )["cluster"]
    assert put["capacityProviders"] == ["cp", "full"]
    told = cluster(desk, "default")
    assert told["defaultCapacityProviderStrategy"] == put["defaultCapacityProviderStrategy"]
    listed = ecs.describe_capacity_providers(cluster="default")["capacityProviders"]
    assert [one["name"] for one in listed] == ["cp", "full"]
    asked = ecs.describe_capacity_providers(
        cluster="default", capacityProviders=["full", "west-cp", "none"]
    )
    assert [one["name"] for one in asked["capacityProviders"]] == ["full"]
    assert [one["reason"] for one in asked["failures"]] == ["MISSING", "MISSING"]
    with pytest.raises(ecs.exceptions.ClientException, match="cluster: default"):
        ecs.delete_capacity_provider(capacityProvider="full")
    for name, members, kept in (
        ("by-default", {}, put["defaultCapacityProviderStrategy"]),
        ("by-launch-type", {"launchType": "EC2"}, None),
    ):
        service = ecs.create_service(
            serviceName=name, taskDefinition="web", desiredCount=0, **members
        )["service"]
        assert service.get("capacityProviderStrategy") == kept
        assert ("launchType" in service) == (kept is None)
    alone = {"cluster": "default", "capacityProviders": ["cp"]}
    with pytest.raises(ecs.exceptions.ResourceInUseException, match="full"):
        ecs.put_cluster_capacity_providers(**alone, defaultCapacityProviderStrategy=[])
    for name in ("by-default", "by-launch-type"):
        ecs.delete_service(service=name)
    until(
        lambda: (
            ecs.describe_services(services=["by-default"])["services"][0]["status"] == "INACTIVE"
        ),
        GONE_SECONDS_MAX,
        "the service is INACTIVE",
    )
    ecs.put_cluster_capacity_providers(**alone, defaultCapacityProviderStrategy=[])
    ecs.delete_capacity_provider(capacityProvider="full")


def test_a_cluster_that_is_deleted_lets_its_providers_go(desk):
    """AWS: a provider leaves a cluster with PutClusterCapacityProviders, or with the cluster."""
    ecs = desk.ecs
    west = {"capacityProviders": ["west-cp"], "defaultCapacityProviderStrategy": []}
    ecs.put_cluster_capacity_providers(cluster="west", **west)
    ecs.put_cluster_capacity_providers(cluster="west", **west)
    assert cluster(desk, "west")["capacityProviders"] == ["west-cp"]
    ecs.delete_cluster(cluster="west")
    ecs.delete_capacity_provider(capacityProvider="west-cp")
    ecs.create_cluster(clusterName="west")
    assert cluster(desk, "west")["capacityProviders"] == []
    group = {"autoScalingGroupArn": "western"}
    ecs.create_capacity_provider(name="west-cp", autoScalingGroupProvider=group)


def test_account_settings_of_the_root_and_of_a_user(desk):
    ecs = desk.ecs
    account = desk.names["account"]
    root, user = f"arn:aws:iam::{account}:root", f"arn:aws:iam::{account}:user/dock/ann"
    name = {"name": "containerInsights"}

    def holds(principal: str) -> dict[str, Any]:
        (found,) = ecs.list_account_settings(
            **name, principalArn=principal, effectiveSettings=True
        )["settings"]
        return found  # type: ignore[no-any-return]

    shown = {**name, "type": "user"}
    assert holds(user) == {**shown, "value": "disabled", "principalArn": root}
    put = ecs.put_account_setting_default(**name, value="enabled")["setting"]
    assert put == ecs.put_account_setting(**name, value="enabled")["setting"]
    assert put == ecs.put_account_setting(**name, value="enabled", principalArn=root)["setting"]
    assert holds(user) == {**shown, "value": "enabled", "principalArn": root}
    own = ecs.put_account_setting(**name, value="enhanced", principalArn=user)["setting"]
    assert own == {**shown, "value": "enhanced", "principalArn": user} == holds(user)
    assert ecs.list_account_settings(principalArn=user)["settings"] == [own]
    assert ecs.list_account_settings(**name, value="disabled")["settings"] == []
    assert ecs.list_account_settings(**name, value="enabled")["settings"] == [put]
    made = ecs.create_cluster(clusterName="watched")["cluster"]
    assert made["settings"] == [{**name, "value": "enabled"}], "the caller is the root"
    ecs.delete_cluster(cluster="watched")
    gone = ecs.delete_account_setting(**name, principalArn=user)["setting"]
    assert (gone["value"], gone["principalArn"]) == ("enabled", user)
    assert ecs.delete_account_setting(**name)["setting"]["value"] == "disabled"
    assert ecs.delete_account_setting(**name)["setting"]["value"] == "disabled", "twice is no error"
    assert ecs.list_account_settings()["settings"] == []


def test_a_deleted_definition_stays_while_a_service_needs_it(desk):
    ecs = desk.ecs
    made = ecs.register_task_definition(family="needed", containerDefinitions=[CONTAINER])
    arn = made["taskDefinition"]["taskDefinitionArn"]
    ecs.create_service(serviceName="needs", taskDefinition=arn, desiredCount=0)
    ecs.deregister_task_definition(taskDefinition=arn)
    asked = [arn, "needed:1", "web:1", "none:1", "needed", "a b:1"]
    answer = ecs.delete_task_definitions(taskDefinitions=asked)
    (deleted,) = answer["taskDefinitions"]
    assert deleted["status"] == "DELETE_IN_PROGRESS"
    reasons = {one["arn"]: one["reason"] for one in answer["failures"]}
    assert list(reasons) == ["web:1", "none:1", "needed", "a b:1"]
    assert "still in ACTIVE status" in reasons["web:1"]
    assert "does not exist" in reasons["none:1"]
    assert "identifier is invalid" in reasons["needed"]
    assert reasons["a b:1"] == reasons["needed"]
    listed = ecs.list_task_definitions(status="DELETE_IN_PROGRESS")["taskDefinitionArns"]
    assert listed == [arn]
    for call in (
        lambda: ecs.run_task(taskDefinition=arn),
        lambda: ecs.create_service(serviceName="late", taskDefinition=arn, desiredCount=0),
        lambda: ecs.update_service(service="user", taskDefinition=arn),
        lambda: ecs.deregister_task_definition(taskDefinition=arn),
    ):
        with pytest.raises(ecs.exceptions.ClientException):
            call()
    assert ecs.update_service(service="needs", desiredCount=1)["service"]["desiredCount"] == 1
    kept = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
    assert (kept["status"], kept["deleteRequestedAt"]) == (
        "DELETE_IN_PROGRESS",
        deleted["deleteRequestedAt"],
    )
    ecs.delete_service(service="needs", force=True)


def test_attributes_by_id_and_arn_change_and_go_and_filters_follow(desk):
    ecs, host, other = desk.ecs, desk.names["host"], desk.names["other"]
    short = {"targetId": desk.names["id"], **HOST}
    arn = {"cluster": desk.names["cluster"]}
    for value in ("hdd", "ssd", "ssd"):
        put = ecs.put_attributes(**arn, attributes=[{"name": "disk", "value": value, **short}])
        assert put["attributes"] == [{"name": "disk", "value": value, "targetId": host}]
    ecs.put_attributes(attributes=[{"name": "new", "targetId": other}])

    def found(expression: str, **members: str) -> list[str]:
        answer = ecs.list_container_instances(filter=expression, **members)
        return answer["containerInstanceArns"]  # type: ignore[no-any-return]

    for expression, hosts in {
        "attribute:disk == ssd": {host},
        "attribute:disk exists or attribute:new exists": {host, other},
        "attribute:disk =~ ss.*": {host},
        "attribute:disk in [ssd, nvme] and agentConnected == false": {host},
        "!(attribute:disk exists) and attribute:new exists": {other},
        "attribute:ecs.os-type == linux": {other},
        "agentVersion == 1.0.0": {host},
        "runningTasksCount > 0": set(),
        "ec2InstanceId == one": {host},
    }.items():
        assert set(found(expression)) == hosts, expression
    assert found("attribute:disk == ssd", status="ACTIVE") == [host]
    assert found("attribute:disk == ssd", status="DRAINING") == []
    assert found("attribute:disk == ssd", cluster="side") == []
    many = [{"name": f"n{number}", "targetId": host} for number in range(10)]
    with pytest.raises(ecs.exceptions.AttributeLimitExceededException, match="DeleteAttributes"):
        ecs.put_attributes(attributes=many)
    listed = ecs.list_attributes(**HOST, **arn, attributeName="disk", attributeValue="ssd")[
        "attributes"
    ]
    assert listed == [{"name": "disk", "value": "ssd", "targetId": host}]
    kept = ecs.delete_attributes(attributes=[{"name": "disk", "value": "hdd", **short}])
    assert kept["attributes"] == [], "it has another value"
    gone = ecs.delete_attributes(
        **arn, attributes=[{"name": "disk", **short}, {"name": "new", "targetId": other}]
    )
    assert len(gone["attributes"]) == 2
    assert ecs.delete_attributes(attributes=[{"name": "disk", **short}])["attributes"] == []
    assert ecs.list_attributes(**HOST, attributeName="disk")["attributes"] == []


@pytest.mark.parametrize("kind", ["cluster", "host", "service", "provider", "definition"])
def test_whatever_carries_tags_is_tagged_and_shows_them_where_they_are_asked_for(desk, kind):
    ecs = desk.ecs
    (made,) = ecs.describe_capacity_providers(capacityProviders=["cp"])["capacityProviders"]
    definition = ecs.describe_task_definition(taskDefinition="web:2")["taskDefinition"]
    arn = {
        **desk.names,
        "provider": made["capacityProviderArn"],
        "definition": definition["taskDefinitionArn"],
    }[kind]
    many = [{"key": f"k{number}", "value": "v" * 256} for number in range(50)]
    ecs.tag_resource(resourceArn=arn, tags=many)
    ecs.tag_resource(resourceArn=arn, tags=[{"key": "k0", "value": "new"}])
    asked = {"resourceArn": arn}
    shown = {one["key"]: one["value"] for one in ecs.list_tags_for_resource(**asked)["tags"]}
    assert (len(shown), shown["k0"]) == (50, "new")
    describe = {
        "cluster": lambda **more: ecs.describe_clusters(clusters=["default"], **more)["clusters"],
        "host": lambda **more: ecs.describe_container_instances(containerInstances=[arn], **more)[
            "containerInstances"
        ],
        "service": lambda **more: ecs.describe_services(services=["user"], **more)["services"],
        "provider": lambda **more: ecs.describe_capacity_providers(
            capacityProviders=["cp"], **more
        )["capacityProviders"],
        "definition": lambda **more: [ecs.describe_task_definition(taskDefinition="web:2", **more)],
    }[kind]
    (plain,), (tagged,) = describe(), describe(include=["TAGS"])
    assert (plain.get("tags", []), len(tagged["tags"])) == ([], 50)
    invalid = "InvalidParameterException"
    for tags, said in (
        ([{"key": "one-more", "value": ""}], "50"),
        ([{"key": "aws:x", "value": ""}], "reserved"),
        ([{"key": "k" * 129, "value": ""}], "128"),
        ([{"key": "k1", "value": "v" * 257}], "256"),
        ([{"key": "k1"}, {"key": "k1"}], "given twice"),
    ):
        desk.refused("tag_resource", invalid, said, **asked, tags=tags)
    desk.refused("untag_resource", invalid, "reserved", **asked, tagKeys=["aws:x"])
    gone = {"resourceArn": f"{arn}9"}
    desk.refused("tag_resource", "ResourceNotFoundException", "not found", **gone, tags=TAGS)
    desk.refused("untag_resource", "ResourceNotFoundException", "not found", **gone, tagKeys=["a"])
    desk.refused("list_tags_for_resource", invalid, "not found", **gone)
    desk.refused("list_tags_for_resource", invalid, "Invalid identifier", resourceArn="web")
    ecs.untag_resource(**asked, tagKeys=[*shown, "none"])
    assert ecs.list_tags_for_resource(**asked)["tags"] == []
