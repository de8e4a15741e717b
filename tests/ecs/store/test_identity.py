"""Names, ids and ARNs as callers write them."""

import pytest

from moorage.ecs.store.identity import member_of, name_of, own_arn
from moorage.shapes.ecs.faults import InvalidParameterException
from tests.house import ACCOUNT, OTHER, REGION


class Home:
    account = ACCOUNT
    region = REGION


ARN = f"arn:aws:ecs:{REGION}:{ACCOUNT}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("web", "web"),
        (f"{ARN}:service/default/web", "web"),
        ("default/web", "web"),
        ("other/web", None),
        (f"{ARN}:service/other/web", None),
        ("", ""),
    ],
)
def test_a_member_of_a_cluster(text, expected):
    assert member_of(Home, "service", text, "default") == expected


def test_a_name_may_be_an_arn():
    assert name_of(Home, "cluster", "web") == "web"
    assert name_of(Home, "cluster", f"{ARN}:cluster/web") == "web"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (f"arn:aws:ecs:{REGION}:{OTHER}:cluster/web", f"Your accountId is {ACCOUNT}"),
        (f"arn:aws:ecs:eu-west-1:{ACCOUNT}:cluster/web", f"Your region is {REGION}"),
        (f"{ARN}:service/default/web", "no ARN of a cluster"),
        ("arn:aws:ecs", "no ARN of a cluster"),
        (f"{ARN}:cluster/a/b", "no ARN of a cluster"),
        ("arn:" + "x" * 5000, "no ARN of a cluster"),
    ],
)
def test_foreign_and_malformed_arns_are_refused(text, sentence):
    with pytest.raises(InvalidParameterException, match=sentence):
        own_arn(Home, "cluster", text)
