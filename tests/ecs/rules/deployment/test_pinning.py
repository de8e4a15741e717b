"""Which digest each image of a revision is pinned to."""

import pytest

from moorage.ecs.records.service_revision import RevisionImage
from moorage.ecs.rules.deployment.pinning import (
    digest_in,
    learn,
    pinned_image,
    revision_images,
    waits_for_pilot,
)
from moorage.ground.record import evolve
from moorage.shapes.ecs.container_definition import ContainerDefinition
from moorage.shapes.ecs.task_definition import TaskDefinition
from tests.ecs.rules.builders import NOW, a_container, a_revision, a_task, running

A, B = ("sha256:" + letter * 64 for letter in "ab")


def images(*names, **more):
    definition = TaskDefinition(
        container_definitions=[
            ContainerDefinition(name=f"c{n}", image=name, **more) for n, name in enumerate(names)
        ]
    )
    return revision_images(definition, {"r.test/x:1": A})


def test_what_is_known_when_a_deployment_is_made():
    assert [one.digest for one in images("r.test/x:1", f"y@{B}", "z:1")] == [A, B, None]
    disabled = images("r.test/x:1", f"y@{B}", version_consistency="disabled")
    assert [(one.digest, one.consistent) for one in disabled] == [(None, False), (B, False)]


@pytest.mark.parametrize(
    ("names", "more", "waits"),
    [
        (("r.test/x:1",), {}, False),
        ((f"y@{B}",), {}, False),
        (("z:1",), {}, True),
        (("z:1",), {"version_consistency": "disabled"}, False),
    ],
)
def test_one_task_goes_first_only_where_a_digest_is_not_known(names, more, waits):
    revision = a_revision(images=images(*names, **more))
    assert waits_for_pilot(revision) is waits
    assert not waits_for_pilot(evolve(revision, pinned_at=NOW))
    if not waits:
        assert learn(revision, [running(a_task())], NOW) is None


def two(**digests) -> tuple:
    return tuple(a_container(name, image_digest=digests.get(name)) for name in ("c0", "c1"))


def test_a_pilot_that_does_not_run_yet_must_tell_all():
    revision = a_revision(images=images("y:1", "z:1"))
    assert learn(revision, [a_task(containers=two(c0=A))], NOW) is None
    learned = learn(revision, [a_task(containers=two(c0=A, c1=B))], NOW)
    assert [one.digest for one in learned.images] == [A, B]
    assert learned.pinned_at == NOW
    assert learn(learned, [a_task(containers=two(c0=B))], NOW) is None


def test_a_pilot_that_runs_tells_all_it_knows():
    revision = a_revision(images=images("y:1", "z:1"))
    learned = learn(revision, [running(a_task(containers=two(c0=A)))], NOW)
    assert [one.digest for one in learned.images] == [A, None]
    assert not waits_for_pilot(learned)


def test_a_pilot_that_failed_without_a_word_teaches_nothing():
    revision = a_revision(images=images("y:1"))
    failed = a_task(last_status="STOPPED", containers=two())
    assert learn(revision, [failed], NOW) is None
    nonsense = running(a_task(containers=two(c0="latest")))
    assert learn(revision, [nonsense], NOW).images[0].digest is None


@pytest.mark.parametrize(
    ("image", "digest", "expected"),
    [
        ("demo:1", A, f"demo@{A}"),
        ("demo", A, f"demo@{A}"),
        ("r.test:4750/x/y:1", A, f"r.test:4750/x/y@{A}"),
        ("r.test:4750/x/y", A, f"r.test:4750/x/y@{A}"),
        (f"demo@{B}", B, None),
        ("demo:1", None, None),
    ],
)
def test_images_by_digest(image, digest, expected):
    assert pinned_image(image, digest) == expected


def test_digests_in_images():
    assert digest_in(f"demo:1@{A}") == A
    assert digest_in("demo:1") is None
    assert digest_in("demo@latest") is None
    assert RevisionImage(container_name="c", image="i").consistent
