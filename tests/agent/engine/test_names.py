"""Names that a task gives to things on its host."""

import pytest

from moorage.agent.engine.names import cgroup_name, docker_name, region, task_id
from tests.agent.engine.builders import a_task
from tests.agent.engine.world import arn


@pytest.mark.parametrize(
    ("members", "thing", "expected"),
    [
        ({}, "web", "ecs-fam-1-web-000000000001"),
        ({"family": None, "version": None}, "web", "ecs-task-0-web-000000000001"),
        ({}, "a b/c", "ecs-fam-1-abc-000000000001"),
        ({"family": "f" * 300}, "w", f"ecs-{'f' * 60}-1-w-000000000001"),
    ],
)
def test_docker_names(members, thing, expected):
    assert docker_name(a_task(**members), thing) == expected


def test_a_cgroup_is_named_by_the_whole_id():
    assert cgroup_name("/moorage/", a_task()) == f"/moorage/{task_id(arn(1))}"


@pytest.mark.parametrize(
    ("text", "expected"), [(arn(1), "us-east-1"), ("x", None), ("a:b:c::e", None)]
)
def test_the_region_of_an_arn(text, expected):
    assert region(text) == expected
