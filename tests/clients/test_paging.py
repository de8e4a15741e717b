"""Every list of ECS in pages, by boto3's paginators where there are some and by nextToken."""

from itertools import chain
from typing import Any

import pytest

from tests.clients.desk import Desk

pytestmark = [pytest.mark.clients]

PAGES_MAX = 50
INVALID = "InvalidParameterException"
HOST = {"targetType": "container-instance"}
# Operation, members, what the answer lists, the longest page, how many there are at least.
LISTS: list[tuple[str, dict[str, Any], str, int, int]] = [
    ("describe_capacity_providers", {}, "capacityProviders", 10, 2),
    ("list_account_settings", {"effectiveSettings": True}, "settings", 10, 11),
    ("list_attributes", {**HOST}, "attributes", 100, 6),
    ("list_attributes", {**HOST, "attributeName": "rack"}, "attributes", 100, 3),
    ("list_clusters", {}, "clusterArns", 100, 3),
    ("list_container_instances", {}, "containerInstanceArns", 100, 3),
    ("list_container_instances", {"filter": "attribute:rack != 8"}, "containerInstanceArns", 100, 2),
    ("list_service_deployments", {"service": "held"}, "serviceDeployments", 100, 2),
    ("list_services", {}, "serviceArns", 100, 2),
    ("list_task_definition_families", {}, "families", 100, 2),
    ("list_task_definitions", {"sort": "DESC"}, "taskDefinitionArns", 100, 3),
    ("list_task_definitions", {"status": "INACTIVE"}, "taskDefinitionArns", 100, 1),
]  # fmt: skip
IDS = [f"{operation}-{'-'.join(members)}" for operation, members, *_ in LISTS]


@pytest.fixture(scope="module", autouse=True)
def racks(desk: Desk) -> None:
    """A third host; each has attributes of its own."""
    hosts = [desk.names["host"], desk.names["other"], desk.paper_host("three")]
    desk.ecs.put_attributes(
        attributes=[
            {"name": name, "value": str(7 + place), "targetId": host}
            for place, host in enumerate(hosts)
            for name in ("rack", "row")
        ]
    )


def asked(desk: Desk, operation: str, **members: Any) -> dict[str, Any]:
    answer: dict[str, Any] = getattr(desk.ecs, operation)(**members)
    return answer


def by_token(desk: Desk, operation: str, members: dict[str, Any], key: str) -> list[list[Any]]:
    """The pages of one thing each, by nextToken, until there is none."""
    pages, token = [], {}
    for _ in range(PAGES_MAX):
        answer = asked(desk, operation, maxResults=1, **members, **token)
        pages.append(answer[key])
        if "nextToken" not in answer:
            return pages
        token = {"nextToken": answer["nextToken"]}
    raise AssertionError(f"{operation} has no end")


@pytest.mark.parametrize(("operation", "members", "key", "most", "least"), LISTS, ids=IDS)
def test_pages_together_are_the_whole(desk, operation, members, key, most, least):
    whole = asked(desk, operation, maxResults=most, **members)
    listed = whole[key]
    if "nextToken" in whole:
        listed += asked(desk, operation, nextToken=whole["nextToken"], **members)[key]
    assert len(listed) >= least
    pages = by_token(desk, operation, members, key)
    assert {len(page) for page in pages} <= {1, 0}, "a page is longer than was asked for"
    assert list(chain(*pages)) == listed
    if desk.ecs.can_paginate(operation):
        found = desk.ecs.get_paginator(operation).paginate(
            **members, PaginationConfig={"PageSize": 2}
        )
        assert list(chain(*(page[key] for page in found))) == listed


@pytest.mark.parametrize(("operation", "members", "key", "most", "least"), LISTS, ids=IDS)
def test_a_token_is_of_its_own_question(desk, operation, members, key, most, least):
    """One of ours for another call or another filter is as good as none; so is half of one."""
    for length in (0, -1, most + 1):
        said = f"between 1 and {most}"
        desk.refused(operation, INVALID, said, maxResults=length, **members)
    desk.refused(operation, INVALID, "Invalid token", nextToken="x", **members)
    if least < 2:
        return
    token = asked(desk, operation, maxResults=1, **members)["nextToken"]
    desk.refused(operation, INVALID, "Invalid token", nextToken=token[:-2], **members)
    other = "list_clusters" if operation != "list_clusters" else "list_services"
    desk.refused(other, INVALID, "Invalid token", nextToken=token)
    narrower = {
        "list_services": {"launchType": "EXTERNAL"},
        "list_service_deployments": {"status": ["SUCCESSFUL"]},
        "list_container_instances": {"status": "DRAINING"},
        "list_attributes": {"attributeValue": "7", "attributeName": "rack"},
        "list_task_definitions": {"sort": "ASC"},
        "list_task_definition_families": {"status": "INACTIVE"},
        "describe_capacity_providers": {"cluster": "default"},
        "list_account_settings": {"name": "containerInsights"},
    }.get(operation)
    if narrower:
        changed = {**members, **narrower}
        desk.refused(operation, INVALID, "Invalid token", nextToken=token, **changed)


def test_a_page_that_was_left_is_found_again_though_others_came_between(desk):
    """What is made or deleted between two pages neither repeats nor skips what stays."""
    names = [f"page-{number}" for number in range(4)]
    for name in names:
        desk.ecs.create_cluster(clusterName=name)
    first = asked(desk, "list_clusters", maxResults=3)
    desk.ecs.create_cluster(clusterName="aaa")
    desk.ecs.delete_cluster(cluster="page-3")
    rest = asked(desk, "list_clusters", nextToken=first["nextToken"])
    seen = [arn.rpartition("/")[2] for arn in first["clusterArns"] + rest["clusterArns"]]
    assert len(seen) == len(set(seen))
    assert {"page-0", "page-1", "page-2", "side", "west"} <= set(seen)
    assert not {"aaa", "page-3"} & set(seen)
    for name in ("aaa", *names[:3]):
        desk.ecs.delete_cluster(cluster=name)
