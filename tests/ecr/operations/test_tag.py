"""TagResource, UntagResource, ListTagsForResource."""

import pytest

from moorage.shapes.ecr import faults
from moorage.shapes.ecr.tag import Tag
from tests.ecr.rig import ACCOUNT, FAR, OTHER

ARN = f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/team/app"


def tags(rig):
    return {tag.key: tag.value for tag in rig.call("ListTagsForResource", resource_arn=ARN).tags}


def test_come_and_go(rig):
    rig.create()
    assert tags(rig) == {}
    rig.call("TagResource", resource_arn=ARN, tags=[Tag(key="a", value="1")])
    rig.call(
        "TagResource", resource_arn=ARN, tags=[Tag(key="a", value="2"), Tag(key="b", value="")]
    )
    assert tags(rig) == {"a": "2", "b": ""}
    rig.call("UntagResource", resource_arn=ARN, tag_keys=["a", "never"])
    assert tags(rig) == {"b": ""}


@pytest.mark.parametrize(
    ("members", "fault"),
    [
        ({"resource_arn": "junk"}, faults.InvalidParameterException),
        ({"resource_arn": None}, faults.InvalidParameterException),
        (
            {"resource_arn": f"arn:aws:ecs:us-east-1:{ACCOUNT}:cluster/c"},
            faults.InvalidParameterException,
        ),
        ({"resource_arn": ARN + "x"}, faults.RepositoryNotFoundException),
        ({"resource_arn": ARN.replace(ACCOUNT, OTHER)}, faults.RepositoryNotFoundException),
        ({"resource_arn": ARN.replace("us-east-1", FAR)}, faults.RepositoryNotFoundException),
    ],
)
@pytest.mark.parametrize("operation", ["TagResource", "UntagResource", "ListTagsForResource"])
def test_of_what_is_no_repository_of_the_callers(rig, operation, members, fault):
    rig.create()
    rig.create(account=OTHER)
    rig.create(region=FAR)
    more = {
        "TagResource": {"tags": [Tag(key="a", value="1")]},
        "UntagResource": {"tag_keys": ["a"]},
    }
    with pytest.raises(fault):
        rig.call(operation, **members, **more.get(operation, {}))


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ([Tag(key="a")], faults.InvalidParameterException),
        ([Tag(value="a")], faults.InvalidParameterException),
        ([Tag(key="aws:a", value="")], faults.InvalidTagParameterException),
        ([Tag(key="a", value=""), Tag(key="a", value="")], faults.InvalidTagParameterException),
        ([Tag(key=f"k{n}", value="") for n in range(50)], faults.TooManyTagsException),
    ],
)
def test_refuses(rig, given, fault):
    rig.create(tags=[Tag(key="there", value="")])
    with pytest.raises(fault):
        rig.call("TagResource", resource_arn=ARN, tags=given)
    assert tags(rig) == {"there": ""}
