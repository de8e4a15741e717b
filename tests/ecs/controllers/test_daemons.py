"""Whole stories of daemon services: hosts that join, return, are drained and lost."""

import pytest

from moorage.ecs.records.container_instance import InstanceAttribute
from moorage.shapes.ecs.deployment_configuration import DeploymentConfiguration
from tests.ecs.controllers.host import ScriptedHost
from tests.ecs.controllers.rig import CAPABILITIES, Rig


def daemon(rig: Rig, name: str = "logs", image: str = "demo:1", minimum: int = 0, **members) -> str:
    asked = DeploymentConfiguration(minimum_healthy_percent=minimum, maximum_percent=100)
    definition = rig.define(name, image, **members.pop("definition", {}))
    return rig.serve(
        name, 0, definition, scheduling_strategy="DAEMON", configuration=asked, **members
    )


def on(rig: Rig, service: str) -> list[str]:
    """The names of the hosts on which it runs, one for each task."""
    return sorted(rig.hosts[task.instance].name for task in rig.running(service))


def one_each(rig: Rig) -> None:
    """No host ever holds two tasks of one daemon that are not at their end."""
    for host in rig.hosts.values():
        families = [
            held.order.family for held in host.tasks.values() if held.status != "STOPPED"
        ]
        assert families.count("logs") <= 1


@pytest.fixture
def strict(rig: Rig) -> Rig:
    rig.laws.append(one_each)
    return rig


def labelled(rig: Rig, one: ScriptedHost, **attributes: str) -> None:
    names = [InstanceAttribute(name=name) for name in CAPABILITIES]
    names += [InstanceAttribute(name=name, value=value) for name, value in attributes.items()]
    rig.change_host(one, attributes=tuple(names))


def test_one_task_on_each_host_and_the_count_follows(strict: Rig):
    service = daemon(strict)
    strict.settle()
    assert on(strict, service) == ["a", "b", "c"]
    assert strict.service(service).desired_count == 3
    strict.host("d")
    strict.advance(60)
    assert on(strict, service) == ["a", "b", "c", "d"]
    assert strict.service(service).desired_count == 4
    assert strict.primary(service).rollout_state == "COMPLETED"
    assert strict.events(service)[-1] == "has reached a steady state."


def test_a_killed_one_starts_again_on_its_own_host(strict: Rig):
    service = daemon(strict)
    strict.advance(60)
    (victim, *_) = strict.running(service)
    strict.hosts[victim.instance].kill(victim.arn, strict)
    strict.settle()
    assert on(strict, service) == ["a", "b", "c"]
