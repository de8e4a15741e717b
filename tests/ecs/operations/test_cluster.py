"""CreateCluster, DescribeClusters, ListClusters, DeleteCluster."""

import pytest

from tests.builders import ACCOUNT, OTHER, REGION, a_definition, a_host, a_service, a_task, root

ARN = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster"


def test_a_cluster_is_made_described_and_deleted(house):
    made = house.ask("CreateCluster", clusterName="web", tags=[{"key": "a", "value": "b"}])
    cluster = made["cluster"]
    assert cluster["clusterArn"] == f"{ARN}/web"
    assert cluster["status"] == "ACTIVE"
    assert cluster["settings"] == [{"name": "containerInsights", "value": "disabled"}]
    assert cluster["tags"] == [{"key": "a", "value": "b"}]
    assert cluster["capacityProviders"] == []
    found = house.ask("DescribeClusters", clusters=["web", f"{ARN}/web"])["clusters"][0]
    assert found["tags"] == []
    assert found["statistics"] == []
    assert found["runningTasksCount"] == found["pendingTasksCount"] == 0
    gone = house.ask("DeleteCluster", cluster="web")["cluster"]
    assert gone["status"] == "INACTIVE"
    assert house.ask("DescribeClusters", clusters=["web"])["clusters"][0]["status"] == "INACTIVE"
    assert house.refused("DeleteCluster", "ClusterNotFoundException", cluster="web") == (
        "Cluster not found."
    )
    assert house.ask("CreateCluster", clusterName="web")["cluster"]["status"] == "ACTIVE"


def test_default_is_there_from_the_start(house):
    assert house.ask("ListClusters")["clusterArns"] == [f"{ARN}/default"]
    (cluster,) = house.ask("DescribeClusters")["clusters"]
    assert (cluster["clusterName"], cluster["status"]) == ("default", "ACTIVE")
    assert house.ask("CreateCluster")["cluster"]["clusterName"] == "default"
    assert house.ask("ListClusters")["clusterArns"] == [f"{ARN}/default"]
    house.ask("DeleteCluster", cluster="default")
    assert house.ask("ListClusters")["clusterArns"] == []


def test_a_create_that_comes_again_is_the_same_or_refused(house):
    first = house.ask("CreateCluster", clusterName="web", tags=[{"key": "a", "value": "b"}])
    assert house.ask("CreateCluster", clusterName="web") == first
    house.refused(
        "CreateCluster",
        "InvalidParameterException",
        clusterName="web",
        tags=[{"key": "a", "value": "c"}],
    )
    house.refused(
        "CreateCluster",
        "InvalidParameterException",
        clusterName="web",
        settings=[{"name": "containerInsights", "value": "enabled"}],
    )


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"clusterName": "no spaces"}, "InvalidParameterException"),
        ({"clusterName": "x" * 256}, "InvalidParameterException"),
        ({"clusterName": 7}, "SerializationException"),
        ({"tags": [{"key": "k"}] * 2}, "InvalidParameterException"),
        ({"tags": [{"key": f"k{n}"} for n in range(51)]}, "InvalidParameterException"),
        ({"tags": [{"key": "aws:mine"}]}, "InvalidParameterException"),
        ({"tags": [{"key": "k" * 129}]}, "InvalidParameterException"),
        ({"settings": [{"name": "other", "value": "on"}]}, "InvalidParameterException"),
        (
            {"settings": [{"name": "containerInsights", "value": "much"}]},
            "InvalidParameterException",
        ),
        ({"capacityProviders": ["FARGATE"]}, "UnsupportedFeatureException"),
        (
            {"defaultCapacityProviderStrategy": [{"capacityProvider": "FARGATE"}]},
            "UnsupportedFeatureException",
        ),
        ({"serviceConnectDefaults": {"namespace": "mesh"}}, "UnsupportedFeatureException"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(house, members, code):
    before = house.ask("ListClusters")
    house.refused("CreateCluster", code, **members)
    assert house.ask("ListClusters") == before


def test_what_only_observes_is_kept_and_echoed(house):
    configuration = {"executeCommandConfiguration": {"logging": "NONE"}}
    house.ask(
        "CreateCluster",
        clusterName="web",
        settings=[{"name": "containerInsights", "value": "enhanced"}],
        configuration=configuration,
        capacityProviders=[],
    )
    (found,) = house.ask(
        "DescribeClusters", clusters=["web"], include=["SETTINGS", "CONFIGURATIONS"]
    )["clusters"]
    assert found["settings"] == [{"name": "containerInsights", "value": "enhanced"}]
    assert found["configuration"] == configuration


def test_nothing_crosses_accounts_and_regions(house):
    house.ask("CreateCluster", clusterName="web")
    other = root(OTHER)
    missing = house.ask("DescribeClusters", by=other, clusters=["web"])
    assert missing["clusters"] == []
    assert missing["failures"] == [
        {"arn": f"arn:aws:ecs:{REGION}:{OTHER}:cluster/web", "reason": "MISSING"}
    ]
    message = house.refused(
        "DescribeClusters", "InvalidParameterException", by=other, clusters=[f"{ARN}/web"]
    )
    assert message == f"Identifier is for {ACCOUNT}. Your accountId is {OTHER}"
    house.refused("DeleteCluster", "InvalidParameterException", by=other, cluster=f"{ARN}/web")
    house.refused("DeleteCluster", "ClusterNotFoundException", by=other, cluster="web")
    elsewhere = house.ask("ListClusters", by=other)["clusterArns"]
    assert elsewhere == [f"arn:aws:ecs:{REGION}:{OTHER}:cluster/default"]
    assert house.ask("DescribeClusters", clusters=["web"], in_region="eu-west-1")["failures"]
    wrong = f"arn:aws:ecs:eu-west-1:{ACCOUNT}:cluster/web"
    assert "Your region is us-east-1" in house.refused(
        "DescribeClusters", "InvalidParameterException", clusters=[wrong]
    )
    service = f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/web/web"
    house.refused("DescribeClusters", "InvalidParameterException", clusters=[service])


def test_lists_come_in_pages(house):
    names = sorted(["default", *(f"c{number}" for number in range(7))])
    for name in names:
        house.ask("CreateCluster", clusterName=name)
    seen, token = [], None
    while token is not None or not seen:
        page = house.ask("ListClusters", maxResults=3, **({"nextToken": token} if token else {}))
        assert len(page["clusterArns"]) <= 3
        seen += page["clusterArns"]
        token = page.get("nextToken")
    assert seen == [f"{ARN}/{name}" for name in names]
    house.refused("ListClusters", "InvalidParameterException", nextToken="made-up")
    house.refused("ListClusters", "InvalidParameterException", maxResults=0)
    house.refused("ListClusters", "InvalidParameterException", maxResults=101)
    house.refused("DescribeClusters", "InvalidParameterException", clusters=["c"] * 101)


def test_what_is_in_a_cluster_keeps_it(house):
    house.ask("CreateCluster", clusterName="web")
    key = a_host(house, cluster="web")
    a_service(house, cluster="web", count=0)
    house.refused("DeleteCluster", "ClusterContainsContainerInstancesException", cluster="web")
    a_task(house, cluster="web")
    house.ask(
        "DeregisterContainerInstance", cluster="web", containerInstance=key.instance, force=True
    )
    house.refused("DeleteCluster", "ClusterContainsServicesException", cluster="web")
    house.ask("DeleteService", cluster="web", service="web")
    house.turn("deployments", f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/web/web")
    house.refused("DeleteCluster", "ClusterContainsTasksException", cluster="web")
    house.settle()
    assert house.ask("DeleteCluster", cluster="web")["cluster"]["status"] == "INACTIVE"


def test_what_is_in_a_cluster_is_counted(house):
    a_host(house)
    definition = a_definition(house)
    a_service(house, count=2, taskDefinition=definition)
    house.settle()
    a_task(house, taskDefinition=definition)
    (found,) = house.ask("DescribeClusters", include=["STATISTICS", "TAGS"])["clusters"]
    assert found["registeredContainerInstancesCount"] == 1
    assert found["activeServicesCount"] == 1
    assert found["pendingTasksCount"] == 3
    statistics = {one["name"]: one["value"] for one in found["statistics"]}
    assert statistics["pendingEC2TasksCount"] == "3"
    assert statistics["activeEC2ServiceCount"] == "1"
    assert statistics["runningFargateTasksCount"] == "0"
