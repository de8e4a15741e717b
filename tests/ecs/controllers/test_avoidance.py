"""Whole stories of a host on which a service fails again and again."""

from moorage.ground.instant import seconds
from tests.ecs.controllers.rig import Rig


def test_a_host_where_it_fails_is_left_and_tried_again_later(rig: Rig):
    """The emptiest host fails at once, so placement would choose it for ever."""
    bad = next(iter(rig.hosts.values()))
    bad.ill = True
    service = rig.serve("web", 3, rig.define("web"))
    rig.advance(120)
    assert len(rig.running(service)) == 3
    assert bad.arn not in {task.instance for task in rig.running(service)}
    failed = [task for task in rig.tasks(service) if task.is_stopped]
    assert {task.instance for task in failed} == {bad.arn}
    assert len(failed) == 5
    said = [one for one in rig.events(service) if one.startswith("avoids the host a until ")]
    (only,) = said
    assert only.endswith(
        ", where another can take its tasks: 5 of them failed there within 5 minutes."
    )
    bad.ill = False
    rig.advance(900)
    rig.update(service, desired_count=6)
    rig.settle()
    assert bad.arn in {task.instance for task in rig.running(service)}, "it is tried again"


def test_a_host_without_an_alternative_is_tried_all_the_same(bare: Rig):
    only = bare.host("a")
    only.ill = True
    service = bare.serve("web", 1, bare.define("web"))
    bare.advance(120)
    failed = len(bare.tasks(service))
    assert failed > 5, "the back-off alone holds it"
    assert any(
        one == "starts a task on the host a, which it avoids, because no other container instance "
        "can take it."
        for one in bare.events(service)
    )
    other = bare.host("b")
    bare.advance(300)
    (task,) = bare.running(service)
    assert task.instance == other.arn


def test_trouble_of_the_host_knows_no_back_off_and_is_left_by_this(rig: Rig):
    """Each failure is replaced at once; after five of them the host is not chosen any more."""
    bad = next(iter(rig.hosts.values()))
    bad.ill, bad.trouble = True, "DockerTimeoutError: could not create the container"
    service = rig.serve("web", 3, rig.define("web"))
    rig.settle()
    assert len(rig.running(service)) == 3
    assert len([task for task in rig.tasks(service) if task.instance == bad.arn]) == 5
    assert rig.service(service).backoff.failures == 0


def test_the_settings_rule_it():
    rig = Rig(avoid_failures=2, avoid_rest=seconds(60))
    try:
        bad, _ = rig.host("a"), rig.host("b")
        bad.ill = True
        service = rig.serve("web", 2, rig.define("web"))
        rig.advance(30)
        assert len(rig.running(service)) == 2
        assert len([task for task in rig.tasks(service) if task.instance == bad.arn]) == 2
    finally:
        rig.house.close()


def test_a_new_deployment_forgets_it(rig: Rig):
    bad = next(iter(rig.hosts.values()))
    bad.ill = True
    service = rig.serve("web", 3, rig.define("web"))
    rig.advance(120)
    assert rig.service(service).avoidance.hosts
    bad.ill = False
    rig.update(service, rig.define("web", "demo:2"))
    rig.advance(120)
    assert bad.arn in {task.instance for task in rig.running(service)}
