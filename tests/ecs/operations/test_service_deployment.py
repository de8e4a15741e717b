"""ListServiceDeployments, DescribeServiceDeployments, DescribeServiceRevisions."""

import pytest

from moorage.ground.instant import seconds
from moorage.kernel.images import TagDigest, claims_of, point_tag
from tests.builders import ACCOUNT, IMAGE, OTHER, REGION, a_definition, a_service, root

DIGEST = f"sha256:{'a' * 64}"


@pytest.fixture
def history(house):
    """A service with three deployments, a minute apart."""
    a_service(house, count=0)
    house.settle()
    for _ in range(2):
        house.pass_time(seconds(60))
        house.ask("UpdateService", service="web", forceNewDeployment=True)
        house.settle()
    return house.ask("ListServiceDeployments", service="web")["serviceDeployments"]


def test_deployments_are_listed_newest_first(house, history):
    created = [one["createdAt"] for one in history]
    assert created == sorted(created, reverse=True)
    assert len(history) == 3
    first = house.ask("ListServiceDeployments", service="web", maxResults=2)
    token = first["nextToken"]
    rest = house.ask("ListServiceDeployments", service="web", maxResults=2, nextToken=token)
    assert first["serviceDeployments"] + rest["serviceDeployments"] == history
    since = {"after": created[1], "before": created[1]}
    found = house.ask("ListServiceDeployments", service="web", createdAt=since)
    assert found["serviceDeployments"] == [history[1]]
    found = house.ask("ListServiceDeployments", service="web", status=["SUCCESSFUL"])
    assert len(found["serviceDeployments"]) == 3
    found = house.ask("ListServiceDeployments", service="web", status=["PENDING"])
    assert found["serviceDeployments"] == []


def test_deployments_and_revisions_are_described(house, history):
    arns = [one["serviceDeploymentArn"] for one in history]
    unknown = f"{arns[0].rpartition('/')[0]}/unknown"
    answer = house.ask("DescribeServiceDeployments", serviceDeploymentArns=[*arns, unknown])
    assert [one["serviceDeploymentArn"] for one in answer["serviceDeployments"]] == arns
    assert answer["failures"] == [{"arn": unknown, "reason": "MISSING"}]
    newest = answer["serviceDeployments"][0]
    assert newest["status"] == "SUCCESSFUL"
    assert newest["finishedAt"] >= newest["startedAt"] >= newest["createdAt"]
    assert newest["deploymentCircuitBreaker"]["status"] == "DISABLED"
    assert newest["alarms"] == {"status": "DISABLED"}
    sources = [one["arn"] for one in newest["sourceServiceRevisions"]]
    assert sources == [history[1]["targetServiceRevisionArn"]]
    revision = newest["targetServiceRevision"]["arn"]
    answer = house.ask("DescribeServiceRevisions", serviceRevisionArns=[revision, sources[0]])
    assert answer["failures"] == []
    shown = answer["serviceRevisions"][0]
    assert shown["serviceRevisionArn"] == revision
    (image,) = shown["containerImages"]
    assert image["image"] == IMAGE
    assert image["imageDigest"] == IMAGE.partition("@")[2]
    assert shown["loadBalancers"] == []


def test_an_image_of_ours_is_pinned_and_claimed(house):
    image = "registry.test:4750/demo:1"
    tag = TagDigest(account=ACCOUNT, region=REGION, repository="demo", tag="1", digest=DIGEST)
    house.write(lambda call: point_tag(call.tx, tag))
    a_service(house, count=0, taskDefinition=a_definition(house, container={"image": image}))
    (listed,) = house.ask("ListServiceDeployments", service="web")["serviceDeployments"]
    arn = listed["targetServiceRevisionArn"]
    (shown,) = house.ask("DescribeServiceRevisions", serviceRevisionArns=[arn])["serviceRevisions"]
    assert shown["containerImages"] == [
        {"containerName": "web", "image": image, "imageDigest": DIGEST}
    ]

    def holders():
        found = house.read(lambda call: claims_of(call.tx, ACCOUNT, REGION, "demo", DIGEST))
        return [claim.holder for claim in found]

    assert holders() == [arn]
    house.ask("DeleteService", service="web")
    house.settle()
    assert holders() == []


def test_only_so_many_deployments_are_remembered(house):
    a_service(house, count=0)
    house.settle()
    for _ in range(102):
        house.clock.advance(seconds(1))
        house.ask("UpdateService", service="web", forceNewDeployment=True)
        house.settle()
    answer = house.ask("ListServiceDeployments", service="web", maxResults=100)
    assert len(answer["serviceDeployments"]) == 100
    assert "nextToken" not in answer


@pytest.mark.parametrize(
    ("action", "members", "code"),
    [
        ("ListServiceDeployments", {"service": "nothing"}, "ServiceNotFoundException"),
        ("ListServiceDeployments", {}, "InvalidParameterException"),
        ("ListServiceDeployments", {"service": "web", "status": ["GONE"]}, None),
        ("DescribeServiceDeployments", {"serviceDeploymentArns": []}, None),
        ("DescribeServiceDeployments", {"serviceDeploymentArns": ["a"]}, None),
        (
            "DescribeServiceDeployments",
            {
                "serviceDeploymentArns": [
                    f"arn:aws:ecs:{REGION}:{OTHER}:service-deployment/default/web/a"
                ]
            },
            None,
        ),
        ("DescribeServiceRevisions", {"serviceRevisionArns": ["a"] * 21}, None),
        ("DescribeServiceRevisions", {"serviceRevisionArns": "a"}, "SerializationException"),
    ],
)
def test_what_is_not_there_is_refused(house, history, action, members, code):
    house.refused(action, code or "InvalidParameterException", **members)


def test_another_account_sees_nothing(house, history):
    arn = history[0]["serviceDeploymentArn"]
    other = {"by": root(OTHER), "serviceDeploymentArns": [arn]}
    house.refused("DescribeServiceDeployments", "InvalidParameterException", **other)
