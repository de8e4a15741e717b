"""The walk over the models' demands, and the sentences it refuses with."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.ground.record import Record
from moorage.shapes.constraint import (
    SHOWN_LENGTH_MAX,
    VIOLATIONS_MAX,
    Constraint,
    Rule,
    message,
    violations,
)
from moorage.shapes.ecr.constraints import CONSTRAINTS as ECR
from moorage.shapes.ecr.image import BatchGetImageRequest, ImageIdentifier
from moorage.shapes.ecr.layer import CompleteLayerUploadRequest, UploadLayerPartRequest
from moorage.shapes.ecr.repository import CreateRepositoryRequest, DescribeRepositoriesRequest
from moorage.shapes.ecr.tag import Tag as EcrTag
from moorage.shapes.ecs.cluster import CreateClusterRequest
from moorage.shapes.ecs.constraints import CONSTRAINTS as ECS
from moorage.shapes.ecs.tag import Tag, TagResourceRequest
from moorage.shapes.ecs.task import DescribeTasksRequest, RunTaskRequest
from moorage.shapes.sts.assume_role import AssumeRoleRequest
from moorage.shapes.sts.constraints import CONSTRAINTS as STS

FAILED = "failed to satisfy constraint:"
NAME = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*"
ALL_RULES = sorted(
    {
        rule.pattern: rule
        for table in (ECR, ECS, STS)
        for constraints in table.values()
        for constraint in constraints
        for rule in (constraint, constraint.each, constraint.keys)
        if rule is not None and rule.pattern
    }.items()
)
TAG_TEXT_PATTERN = r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)"


class Part(Record):
    texts: list[str] | None = None
    labels: dict[str, str] | None = None
    ratio: float | None = None
    secret: str | None = None
    blob: bytes | None = None


PART = {
    Part: (
        Constraint(member="texts", wire="texts", each=Rule(minimum=2, pattern="[a-z]+")),
        Constraint(member="labels", wire="labels", keys=Rule(maximum=2), each=Rule(enum=("a",))),
        Constraint(member="ratio", wire="ratio", minimum=0, maximum=100.5),
        Constraint(member="secret", wire="secret", maximum=3, sensitive=True),
        Constraint(member="blob", wire="blob", maximum=2),
    )
}


@pytest.mark.parametrize(
    ("request_", "table", "sentences"),
    [
        (CreateRepositoryRequest(repository_name="team/app"), ECR, []),
        (
            CreateRepositoryRequest(),
            ECR,
            [f"Value null at 'repositoryName' {FAILED} Member must not be null"],
        ),
        (
            CreateRepositoryRequest(repository_name="app", image_tag_mutability="MAYBE"),
            ECR,
            [
                (
                    f"Value 'MAYBE' at 'imageTagMutability' {FAILED} Member must satisfy enum value "
                    "set: [MUTABLE, IMMUTABLE, IMMUTABLE_WITH_EXCLUSION, MUTABLE_WITH_EXCLUSION]"
                )
            ],
        ),
        (
            CreateRepositoryRequest(repository_name="A"),
            ECR,
            [
                (
                    f"Value 'A' at 'repositoryName' {FAILED} Member must have length greater than or "
                    "equal to 2"
                ),
                (
                    f"Value 'A' at 'repositoryName' {FAILED} Member must satisfy regular expression "
                    f"pattern: {NAME}"
                ),
            ],
        ),
        (
            CreateRepositoryRequest(repository_name="a" * 257),
            ECR,
            [
                (
                    f"Value '{'a' * 257}' at 'repositoryName' {FAILED} Member must have length less "
                    "than or equal to 256"
                )
            ],
        ),
        (
            CreateRepositoryRequest(repository_name="app", tags=[EcrTag(key="k", value="")] * 2),
            ECR,
            [],
        ),
        (
            CreateRepositoryRequest(
                repository_name="app", tags=[EcrTag(key="k"), EcrTag(value="")]
            ),
            ECR,
            [
                f"Value null at 'tags.1.member.Value' {FAILED} Member must not be null",
                f"Value null at 'tags.2.member.Key' {FAILED} Member must not be null",
            ],
        ),
        (
            DescribeRepositoriesRequest(max_results=0),
            ECR,
            [
                f"Value '0' at 'maxResults' {FAILED} Member must have value greater than or equal to 1"
            ],
        ),
        (
            DescribeRepositoriesRequest(max_results=1001),
            ECR,
            [
                (
                    f"Value '1001' at 'maxResults' {FAILED} Member must have value less than or equal "
                    "to 1000"
                )
            ],
        ),
        (
            BatchGetImageRequest(repository_name="app", image_ids=[]),
            ECR,
            [
                (
                    f"Value '[]' at 'imageIds' {FAILED} Member must have length greater than or equal "
                    "to 1"
                )
            ],
        ),
        (
            BatchGetImageRequest(
                repository_name="app",
                image_ids=[ImageIdentifier(image_tag="a"), ImageIdentifier(image_tag="")],
            ),
            ECR,
            [
                (
                    f"Value '' at 'imageIds.2.member.imageTag' {FAILED} Member must have length "
                    "greater than or equal to 1"
                )
            ],
        ),
        (DescribeTasksRequest(tasks=["x"], include=["TAGS"]), ECS, []),
        (
            DescribeTasksRequest(tasks=["x"], include=["TAGS", "TAG"]),
            ECS,
            [
                (
                    f"Value '[TAGS, TAG]' at 'include' {FAILED} Member must satisfy constraint: "
                    "[Member must satisfy enum value set: [TAGS]]"
                )
            ],
        ),
        (RunTaskRequest(task_definition="web", cluster="x"), ECS, []),
        (CreateClusterRequest(tags=[Tag(key="größe 1", value="a\u00a0b@c")]), ECS, []),
        (
            TagResourceRequest(resource_arn="x", tags=[Tag(key="tab\t", value="v")]),
            ECS,
            [
                (
                    f"Value 'tab\t' at 'tags.1.member.key' {FAILED} Member must satisfy regular "
                    f"expression pattern: {TAG_TEXT_PATTERN}"
                )
            ],
        ),
        (
            AssumeRoleRequest(
                role_arn="arn:aws:iam::000000000000:role/r", role_session_name="session"
            ),
            STS,
            [],
        ),
        (
            Part(
                texts=["ab", "B"], labels={"abc": "x"}, ratio=100.75, secret="four", blob=b"\0" * 3
            ),
            PART,
            [
                (
                    f"Value '[ab, B]' at 'texts' {FAILED} Member must satisfy constraint: [Member must "
                    "have length greater than or equal to 2, Member must satisfy regular expression "
                    "pattern: [a-z]+]"
                ),
                (
                    f"Value '{{abc=x}}' at 'labels' {FAILED} Map keys must satisfy constraint: [Member "
                    "must have length less than or equal to 2]"
                ),
                (
                    f"Value '{{abc=x}}' at 'labels' {FAILED} Map value must satisfy constraint: [Member "
                    "must satisfy enum value set: [a]]"
                ),
                (
                    f"Value '100.75' at 'ratio' {FAILED} Member must have value less than or equal to "
                    "100.5"
                ),
                f"Value at 'secret' {FAILED} Member must have length less than or equal to 3",
                (
                    f"Value '(3 bytes)' at 'blob' {FAILED} Member must have length less than or equal "
                    "to 2"
                ),
            ],
        ),
        (Part(), {}, []),
    ],
)
def test_what_is_wrong_is_said_as_amazon_says_it(request_, table, sentences):
    assert violations(request_, table) == sentences


def test_every_missing_member_is_named_in_the_models_order():
    found = violations(UploadLayerPartRequest(repository_name="app"), ECR)
    assert [sentence.split("'")[1] for sentence in found] == [
        "uploadId",
        "partFirstByte",
        "partLastByte",
        "layerPartBlob",
    ]


@pytest.mark.parametrize(
    ("sentences", "whole"),
    [
        (["A"], "1 validation error detected: A"),
        (["A", "B"], "2 validation errors detected: A; B"),
    ],
)
def test_one_message_for_all(sentences, whole):
    assert message(sentences) == whole


def test_what_is_said_has_a_bound():
    tags = [EcrTag()] * 10_000
    found = violations(CreateRepositoryRequest(repository_name="app", tags=tags), ECR)
    assert len(found) == VIOLATIONS_MAX
    long = violations(CreateRepositoryRequest(repository_name="x" * 100_000), ECR)
    assert len(long[0]) < SHOWN_LENGTH_MAX + 200


@pytest.mark.parametrize(("pattern", "rule"), ALL_RULES, ids=[p for p, _ in ALL_RULES])
def test_no_text_makes_a_pattern_slow(pattern, rule):
    """Once a scan filter of forty letters and a comma would have held a thread for hours."""
    table = {Part: (Constraint(member="secret", wire="secret", pattern=pattern),)}
    length = int(rule.maximum or 2048)
    begun = time.process_time()
    for unit in ("a", "a-", "a/", "0", "-", "a.", "a*", "_", "aa/", "arn:aws:a"):
        text = (unit * length)[: length - 1]
        violations(Part(secret=f"{text}\n"), table)
        violations(Part(secret=f"{text},"), table)
    assert time.process_time() - begun < 1.0


@given(st.text(alphabet="a0*._-/,", max_size=9))
def test_the_quick_pattern_is_the_models(text):
    slow = r"^[a-z0-9*](?:[._\-/a-z0-9*]?[a-z0-9*]+)*$"
    table = {Part: (Constraint(member="secret", wire="secret", pattern=slow),)}
    assert (re.fullmatch(slow, text) is None) == bool(violations(Part(secret=text), table))


def test_a_list_of_texts_that_must_match():
    request = CompleteLayerUploadRequest(
        repository_name="app",
        upload_id="00000000-0000-0000-0000-000000000000",
        layer_digests=["sha256:00", "no digest"],
    )
    (sentence,) = violations(request, ECR)
    assert sentence.startswith("Value '[sha256:00, no digest]' at 'layerDigests'")
