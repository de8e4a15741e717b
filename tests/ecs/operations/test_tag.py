"""TagResource, UntagResource, ListTagsForResource."""

import pytest

from tests.builders import ACCOUNT, OTHER, REGION, a_definition, a_host, a_service, a_task, root

ARN = f"arn:aws:ecs:{REGION}:{ACCOUNT}"


KINDS = ("cluster", "container-instance", "service", "task", "task-definition")


def a_bearer(house, kind):
    """The ARN of something of a kind that bears tags."""
    key = a_host(house)
    makers = {
        "cluster": lambda: f"{ARN}:cluster/default",
        "container-instance": lambda: key.instance,
        "service": lambda: a_service(house)["serviceArn"],
        "task": lambda: a_task(house)["taskArn"],
        "task-definition": lambda: f"{ARN}:task-definition/{a_definition(house)}",
    }
    return makers[kind]()


def tags(house, arn, **members):
    found = house.ask("ListTagsForResource", resourceArn=arn, **members)["tags"]
    return {tag["key"]: tag["value"] for tag in found}


@pytest.mark.parametrize("kind", KINDS)
def test_tags_are_given_listed_and_taken(house, kind):
    arn = a_bearer(house, kind)
    assert tags(house, arn) == {}
    house.ask("TagResource", resourceArn=arn, tags=[{"key": "a", "value": "1"}, {"key": "b"}])
    house.ask("TagResource", resourceArn=arn, tags=[{"key": "a", "value": "2"}])
    assert tags(house, arn) == {"a": "2", "b": ""}
    house.ask("UntagResource", resourceArn=arn, tagKeys=["a", "never"])
    assert tags(house, arn) == {"b": ""}
    house.refused(
        "ListTagsForResource", "InvalidParameterException", by=root(OTHER), resourceArn=arn
    )
    more = [{"key": f"k{number}"} for number in range(50)]
    house.refused("TagResource", "InvalidParameterException", resourceArn=arn, tags=more)
    assert tags(house, arn) == {"b": ""}


def test_an_agent_reads_its_own_tags(house):
    key, other = a_host(house, "one"), a_host(house, "two")
    house.ask("TagResource", resourceArn=key.instance, tags=[{"key": "a", "value": "1"}])
    assert tags(house, key.instance, by=key) == {"a": "1"}
    task = a_task(house)
    mine, their = (key, other) if task["containerInstanceArn"] == key.instance else (other, key)
    assert tags(house, task["taskArn"], by=mine) == {}
    for arn in (task["taskArn"], mine.instance, f"{ARN}:cluster/default"):
        house.refused("ListTagsForResource", "AccessDeniedException", by=their, resourceArn=arn)
    house.refused("TagResource", "AccessDeniedException", by=key, resourceArn=key.instance, tags=[])


@pytest.mark.parametrize(
    ("arn", "code"),
    [
        (f"{ARN}:cluster/nowhere", "ResourceNotFoundException"),
        (f"{ARN}:task/default/{'a' * 32}", "ResourceNotFoundException"),
        (f"{ARN}:service/default/web", "ResourceNotFoundException"),
        (f"{ARN}:container-instance/default/{'a' * 32}", "ResourceNotFoundException"),
        (f"{ARN}:task-definition/web:9", "ResourceNotFoundException"),
        (f"{ARN}:service-deployment/default/web/1", "InvalidParameterException"),
        ("nonsense", "InvalidParameterException"),
        (f"arn:aws:ecs:{REGION}:{OTHER}:cluster/default", "InvalidParameterException"),
        (f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/web", "InvalidParameterException"),
        (None, "InvalidParameterException"),
    ],
)
def test_what_bears_no_tags_is_refused(house, arn, code):
    members = {"resourceArn": arn} if arn else {}
    house.refused("TagResource", code, tags=[{"key": "a"}], **members)
    house.refused("UntagResource", code, tagKeys=["a"], **members)
    house.refused("ListTagsForResource", "InvalidParameterException", **members)


@pytest.mark.parametrize(
    "given",
    [
        [{"key": "aws:x", "value": "1"}],
        [{"key": ""}],
        [{"key": "a"}, {"key": "a"}],
        [{"key": "a", "value": "x" * 257}],
    ],
)
def test_bad_tags_are_refused(house, given):
    arn = f"{ARN}:cluster/default"
    house.refused("TagResource", "InvalidParameterException", resourceArn=arn, tags=given)
    assert tags(house, arn) == {}
