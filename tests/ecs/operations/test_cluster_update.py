"""UpdateCluster and UpdateClusterSettings."""

import pytest

from tests.builders import ACCOUNT, OTHER, REGION, a_host, root

ARN = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster"
ENHANCED = [{"name": "containerInsights", "value": "enhanced"}]
CONFIGURATION = {
    "executeCommandConfiguration": {
        "kmsKeyId": "key",
        "logging": "OVERRIDE",
        "logConfiguration": {
            "cloudWatchLogGroupName": "commands",
            "cloudWatchEncryptionEnabled": True,
            "s3BucketName": "commands",
            "s3EncryptionEnabled": False,
            "s3KeyPrefix": "x",
        },
    },
    "managedStorageConfiguration": {"kmsKeyId": "a", "fargateEphemeralStorageKmsKeyId": "b"},
}


def described(house, name):
    (found,) = house.ask(
        "DescribeClusters", clusters=[name], include=["SETTINGS", "CONFIGURATIONS", "TAGS"]
    )["clusters"]
    return found


def test_what_is_named_changes_and_the_rest_stays(house):
    tags = [{"key": "a", "value": "b"}]
    house.ask("CreateCluster", clusterName="web", tags=tags)
    a_host(house, cluster="web")
    changed = house.ask("UpdateCluster", cluster=f"{ARN}/web", configuration=CONFIGURATION)[
        "cluster"
    ]
    assert (changed["clusterArn"], changed["status"]) == (f"{ARN}/web", "ACTIVE")
    assert changed["configuration"] == CONFIGURATION
    assert changed["settings"] == [{"name": "containerInsights", "value": "disabled"}]
    assert (changed["tags"], changed["registeredContainerInstancesCount"]) == (tags, 1)
    assert {"name": "runningEC2TasksCount", "value": "0"} in changed["statistics"]
    assert changed["attachments"] == changed["capacityProviders"] == []
    changed = house.ask("UpdateCluster", cluster="web", settings=ENHANCED)["cluster"]
    assert (changed["settings"], changed["configuration"]) == (ENHANCED, CONFIGURATION)
    other = {"executeCommandConfiguration": {"logging": "NONE"}}
    changed = house.ask("UpdateCluster", cluster="web", configuration=other)["cluster"]
    assert changed["configuration"] == other
    found = described(house, "web")
    assert (found["settings"], found["configuration"], found["tags"]) == (ENHANCED, other, tags)
    assert house.ask("UpdateCluster", cluster="web")["cluster"] == changed


def test_settings_are_set(house):
    changed = house.ask("UpdateClusterSettings", cluster="default", settings=ENHANCED)["cluster"]
    assert changed["settings"] == ENHANCED
    assert described(house, "default")["settings"] == ENHANCED
    again = house.ask("UpdateClusterSettings", cluster="default", settings=ENHANCED)["cluster"]
    assert again == changed
    house.ask("PutAccountSettingDefault", name="containerInsights", value="enabled")
    assert described(house, "default")["settings"] == ENHANCED


def test_an_empty_namespace_asks_for_none(house):
    changed = house.ask(
        "UpdateCluster", cluster="default", serviceConnectDefaults={"namespace": ""}
    )["cluster"]
    assert changed.get("serviceConnectDefaults") is None


@pytest.mark.parametrize(
    ("action", "members", "code"),
    [
        ("UpdateCluster", {}, "InvalidParameterException"),
        ("UpdateCluster", {"cluster": "nowhere"}, "ClusterNotFoundException"),
        ("UpdateCluster", {"cluster": "gone"}, "ClusterNotFoundException"),
        (
            "UpdateCluster",
            {"cluster": f"arn:aws:ecs:{REGION}:{OTHER}:cluster/default"},
            "InvalidParameterException",
        ),
        (
            "UpdateCluster",
            {"cluster": "default", "serviceConnectDefaults": {"namespace": "mesh"}},
            "UnsupportedFeatureException",
        ),
        (
            "UpdateCluster",
            {"cluster": "default", "serviceConnectDefaults": {}},
            "InvalidParameterException",
        ),
        (
            "UpdateCluster",
            {
                "cluster": "default",
                "configuration": {"executeCommandConfiguration": {"logging": "OVERRIDE"}},
            },
            "InvalidParameterException",
        ),
        (
            "UpdateCluster",
            {
                "cluster": "default",
                "configuration": {"executeCommandConfiguration": {"logging": "MUCH"}},
            },
            "InvalidParameterException",
        ),
        ("UpdateClusterSettings", {"cluster": "default"}, "InvalidParameterException"),
        (
            "UpdateClusterSettings",
            {"cluster": "default", "settings": []},
            "InvalidParameterException",
        ),
        (
            "UpdateClusterSettings",
            {"cluster": "nowhere", "settings": ENHANCED},
            "ClusterNotFoundException",
        ),
        *(
            (action, {"cluster": "default", "settings": settings}, "InvalidParameterException")
            for action in ("UpdateCluster", "UpdateClusterSettings")
            for settings in (
                [{"name": "containerInsights", "value": "much"}],
                [{"name": "other", "value": "enabled"}],
                [{"name": "containerInsights"}],
                [*ENHANCED, *ENHANCED],
            )
        ),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(house, action, members, code):
    house.ask("CreateCluster", clusterName="gone")
    house.ask("DeleteCluster", cluster="gone")
    before = described(house, "default")
    house.refused(action, code, **members)
    assert described(house, "default") == before


def test_another_accounts_cluster_of_the_same_name_stays_as_it_is(house):
    house.ask("UpdateClusterSettings", cluster="default", settings=ENHANCED)
    (other,) = house.ask("DescribeClusters", by=root(OTHER), include=["SETTINGS"])["clusters"]
    assert other["settings"] == [{"name": "containerInsights", "value": "disabled"}]


def test_a_new_cluster_is_held_to_the_same_rules(house):
    wrong = {"executeCommandConfiguration": {"logging": "OVERRIDE"}}
    house.refused(
        "CreateCluster", "InvalidParameterException", clusterName="web", configuration=wrong
    )
