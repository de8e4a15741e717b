"""Clusters that change, account settings and deleted definitions, by boto3 and the AWS CLI."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.clients.place import Place
from tests.clients.processes import Server, until

pytestmark = [pytest.mark.clients]

GONE_SECONDS_MAX = 10.0
ENHANCED = [{"name": "containerInsights", "value": "enhanced"}]


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A server without hosts."""
    folder: Path = tmp_path_factory.mktemp("account")
    made = Place(Server(folder / "data"), None)  # type: ignore[arg-type]  # no engine is asked
    try:
        made.server.start()
        yield made
    finally:
        made.close()


def test_a_cluster_is_changed(bare: Place) -> None:
    ecs = bare.ecs
    ecs.create_cluster(clusterName="web")
    logging = {"executeCommandConfiguration": {"logging": "NONE"}}
    changed = ecs.update_cluster(cluster="web", settings=ENHANCED, configuration=logging)["cluster"]
    assert (changed["settings"], changed["configuration"]) == (ENHANCED, logging)
    shown = bare.aws(
        "ecs", "update-cluster-settings", "--cluster", "web",
        "--settings", "name=containerInsights,value=disabled",
    )["cluster"]  # fmt: skip
    assert shown["settings"] == [{"name": "containerInsights", "value": "disabled"}]
    (found,) = ecs.describe_clusters(clusters=["web"], include=["SETTINGS", "CONFIGURATIONS"])[
        "clusters"
    ]
    assert (found["settings"], found["configuration"]) == (shown["settings"], logging)
    with pytest.raises(ecs.exceptions.ClusterNotFoundException):
        ecs.update_cluster(cluster="nowhere")


def test_settings_are_put_listed_in_pages_and_taken_back(bare: Place) -> None:
    ecs = bare.ecs
    put = ecs.put_account_setting_default(name="containerInsights", value="enhanced")["setting"]
    assert (put["value"], put["type"]) == ("enhanced", "user")
    assert ecs.create_cluster(clusterName="new")["cluster"]["settings"] == ENHANCED
    pages = ecs.get_paginator("list_account_settings").paginate(
        effectiveSettings=True, PaginationConfig={"PageSize": 4}
    )
    lengths, found = [], {}
    for page in pages:
        lengths.append(len(page["settings"]))
        found |= {one["name"]: one["value"] for one in page["settings"]}
    assert (lengths, len(found)) == ([4, 4, 3], 11)
    assert (found["containerInsights"], found["taskLongArnFormat"]) == ("enhanced", "enabled")
    listed = bare.aws("ecs", "list-account-settings", "--name", "containerInsights")["settings"]
    assert listed == [put]
    gone = ecs.delete_account_setting(name="containerInsights")["setting"]
    assert gone["value"] == "disabled"
    assert ecs.list_account_settings()["settings"] == []
    with pytest.raises(ecs.exceptions.InvalidParameterException, match="You can no longer disable"):
        ecs.put_account_setting(name="taskLongArnFormat", value="disabled")


def test_a_definition_is_deleted(bare: Place) -> None:
    ecs = bare.ecs
    container = {"name": "main", "image": "somewhere/image:1", "memory": 64}
    for _ in range(2):
        ecs.register_task_definition(family="old", containerDefinitions=[container])
    ecs.deregister_task_definition(taskDefinition="old:1")
    answer = ecs.delete_task_definitions(taskDefinitions=["old:1", "old:2", "old:3"])
    (deleted,) = answer["taskDefinitions"]
    assert (deleted["revision"], deleted["status"]) == (1, "DELETE_IN_PROGRESS")
    assert deleted["deleteRequestedAt"] >= deleted["deregisteredAt"] >= deleted["registeredAt"]
    assert [one["arn"] for one in answer["failures"]] == ["old:2", "old:3"]

    def is_gone() -> bool:
        try:
            ecs.describe_task_definition(taskDefinition="old:1")
        except ClientError as error:
            return error.response["Error"]["Code"] == "ClientException"
        return False

    until(is_gone, GONE_SECONDS_MAX, "the definition is gone", bare.server.tail)
    again = ecs.register_task_definition(family="old", containerDefinitions=[container])
    assert again["taskDefinition"]["revision"] == 3


def test_there_is_no_update_of_an_unknown_host(bare: Place) -> None:
    with pytest.raises(bare.ecs.exceptions.InvalidParameterException, match="not found"):
        bare.ecs.update_container_agent(containerInstance="a" * 32)
