"""ARNs: what one is, and that printing and parsing are each other's inverse."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.ground.arn import ARN_LENGTH_MAX, KINDS, Arn, is_arn, make_arn, parse_arn

ECS = "arn:aws:ecs:us-east-1:000000000000"
TASK = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("text", "kind", "path", "name"),
    [
        (f"{ECS}:cluster/web", "cluster", ("web",), "web"),
        (f"{ECS}:task/web/{TASK}", "task", ("web", TASK), TASK),
        (f"{ECS}:service/web/front", "service", ("web", "front"), "front"),
        (f"{ECS}:task-definition/app:12", "task-definition", ("app:12",), "app:12"),
        (f"{ECS}:service-deployment/w/s/x", "service-deployment", ("w", "s", "x"), "x"),
        (
            "arn:aws:ecr:eu-west-1:111122223333:repository/team/app",
            "repository",
            ("team", "app"),
            "team/app",
        ),
    ],
)
def test_an_arn_is_taken_apart(text, kind, path, name):
    arn = parse_arn(text)
    assert arn is not None
    assert (arn.kind, arn.path, arn.name, str(arn)) == (kind, path, name, text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "web",
        "arn:aws:ecs",
        f"{ECS}:cluster",  # no name
        f"{ECS}:cluster/",
        f"{ECS}:cluster/a/b",
        f"{ECS}:task/{TASK}",  # the short form of old
        f"{ECS}:task//x",
        f"{ECS}:vessel/web",  # no such kind
        "arn:aws:ecr:us-east-1:000000000000:cluster/web",  # another service's kind
        "arn:aws:ecs:us-east-1:12:cluster/web",  # an account has twelve digits
        "arn:aws:ecs:us-east-1:00000000000\u0661:cluster/web",  # a digit, but no ASCII digit
        "arn:aws-cn:ecs:us-east-1:000000000000:cluster/web",
        "ARN:AWS:ECS:us-east-1:000000000000:cluster/web",
        f"{ECS}:cluster/{'a' * ARN_LENGTH_MAX}",
    ],
)
def test_what_is_no_arn(text):
    assert parse_arn(text) is None


@pytest.mark.parametrize(
    ("text", "claims"), [("arn:", True), (f"{ECS}:cluster/a", True), ("arnold", False), ("", False)]
)
def test_what_claims_to_be_one(text, claims):
    assert is_arn(text) is claims


@pytest.mark.parametrize(("kind", "path"), [("cluster", ("a", "b")), ("task", ("a",))])
def test_a_kind_has_its_number_of_segments(kind, path):
    with pytest.raises(AssertionError, match="segments"):
        make_arn(kind, "us-east-1", "000000000000", *path)


SEGMENT = st.from_regex(r"[A-Za-z0-9_-]{1,40}", fullmatch=True)


@given(st.sampled_from(sorted(KINDS)), st.lists(SEGMENT, min_size=3, max_size=3))
def test_parse_undoes_make(kind, segments):
    path = segments[: KINDS[kind][2] or 2]
    arn = parse_arn(make_arn(kind, "us-east-1", "123456789012", *path))
    assert arn is not None
    assert (arn.service, arn.region, arn.account) == (KINDS[kind][0], "us-east-1", "123456789012")
    assert (arn.kind, arn.path) == (kind, tuple(path))


@given(st.text(max_size=200))
def test_any_text_is_an_arn_or_none(text):
    arn = parse_arn(text)
    assert arn is None or str(arn) == text


def test_an_arn_may_have_no_account():
    assert parse_arn("arn:aws:ecs:us-east-1::cluster/web") == Arn(
        service="ecs", region="us-east-1", account="", resource="cluster/web"
    )
