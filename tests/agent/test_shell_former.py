"""Which host a machine was, by its containers' labels."""

import pytest

from moorage.agent.former import former_instance, host_label
from moorage.agent.options import OptionsRefused
from moorage.agent.runtime.port import Container, Status

PREFIX = "arn:aws:ecs:us-east-1:000000000001:container-instance/default/"
A, B = PREFIX + "a" * 32, PREFIX + "b" * 32


def container(instance: str, name: str = "h1", status: Status = "running") -> Container:
    labels = {"moorage.host": host_label(name, instance), "moorage.instance": instance}
    return Container(id="c", name="c", labels=labels, status=status)


def test_the_label_of_a_host() -> None:
    assert host_label("h1", A) == "h1-aaaaaaaa"
    assert host_label("", A) == "host-aaaaaaaa"


@pytest.mark.parametrize(
    ("containers", "former"),
    [
        ([], ""),
        ([container(A), container(A, status="created")], A),
        ([container(A, "h2")], ""),
        ([container(A), container(B, "h2")], A),
        ([container(A), container(B, status="exited"), container(B, status="dead")], A),
        ([container(A, status="exited")], ""),
        ([container(A, status="paused")], A),
        ([Container(id="c", name="c", labels={}, status="running")], ""),
        # A label that somebody else has made up, or cut short.
        (
            [
                Container(id="c", name="c", labels={"moorage.host": "h1-"}, status="running"),
                Container(
                    id="c",
                    name="c",
                    labels={"moorage.host": "h1-bbbbbbbb", "moorage.instance": A},
                    status="running",
                ),
            ],
            "",
        ),
    ],
)
def test_who_lived_here(containers: list[Container], former: str) -> None:
    assert former_instance("h1", containers) == former


def test_of_two_only_a_person_can_say_which() -> None:
    with pytest.raises(OptionsRefused) as refused:
        former_instance("h1", [container(A), container(B)])
    assert A in str(refused.value)
    assert B in str(refused.value)
    assert "--new-host" in str(refused.value)
