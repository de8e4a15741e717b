"""A server that is away, on real containers: healed, fenced, left alone; then told, and explained."""

import time
from collections.abc import Iterator

import pytest

from moorage.gateway.settings import FILE_NAME
from tests.clients.place import Json, Place, only
from tests.clients.processes import MOORAGE, clean_environment, run, tell, until

pytestmark = [pytest.mark.clients, pytest.mark.engine]

HEAL_SECONDS, FENCE_SECONDS = 2, 15
# What is known of the host is up to two heartbeats old; the engine, and a look each second.
KNOWN_SECONDS_MAX, FENCED_SECONDS_MAX = 10, FENCE_SECONDS + 2 + 3
ENDS_WITH_7 = (
    "echo began; trap 'echo the last words >&2; exit 7' USR1; while true; do sleep 1; done"
)


@pytest.fixture
def hasty(place: Place) -> Iterator[Place]:
    """The place, with a server whose hosts lose patience within seconds."""
    file = place.server.data / FILE_NAME
    assert not file.exists()
    file.write_text(f"heal_after_seconds = {HEAL_SECONDS}\nfence_after_seconds = {FENCE_SECONDS}\n")
    restart(place)
    try:
        yield place
    finally:
        file.unlink()
        restart(place)


def restart(place: Place) -> None:
    place.server.stop()
    place.server.start()
    place.await_connected(3)


def explained(place: Place, task: str, *words: str) -> str:
    """What `moorage explain task` prints of it, without the breaks of lines."""
    command = [*MOORAGE, "explain", "task", task, "--data", str(place.server.data), *words]
    return " ".join(run(command, env=clean_environment(COLUMNS="200")).stdout.split())


def service(place: Place, name: str, image: str, **tags: str) -> Json:
    """A service of one task that ends with 7 on SIGUSR1; that task."""
    script = {"image": image, "command": ["/bin/sh", "-c", ENDS_WITH_7]}
    definition = place.register(name, {**script, "linuxParameters": {"initProcessEnabled": False}})
    place.ecs.create_service(
        serviceName=name,
        taskDefinition=definition,
        desiredCount=1,
        tags=[{"key": f"moorage:{key}", "value": value} for key, value in tags.items()],
    )
    place.steady(name)
    return place.running(name)[0]


def test_what_hosts_do_without_their_server_and_what_is_told_of_it(hasty: Place, images):
    place, shell = hasty, images["shell"]
    healed = service(place, "healed", shell)
    off = service(place, "unhealed", shell, heal="off")
    fenced = service(place, "fenced", shell, fence="true")
    alone = place.run_task(off["taskDefinitionArn"])
    place.started(alone)
    ids = {
        name: place.container(task)["Id"]
        for name, task in {"healed": healed, "off": off, "fenced": fenced, "alone": alone}.items()
    }
    before = place.containers()
    place.server.kill()
    lost = time.monotonic()
    place.docker("kill", "--signal", "USR1", ids["healed"], ids["off"], ids["alone"])
    until(
        lambda: (
            place.containers().get(ids["healed"], before[ids["healed"]]) != before[ids["healed"]]
        ),
        HEAL_SECONDS + 8,
        "the very same container runs again",
        place.tails,
    )
    tell(f"healed {time.monotonic() - lost:.1f} s after the server was lost")
    assert {ids["off"], ids["alone"]}.isdisjoint(place.containers())
    until(lambda: ids["fenced"] not in place.containers(), FENCED_SECONDS_MAX, "it is fenced")
    took = time.monotonic() - lost
    tell(f"fenced {took:.1f} s after the server was lost")
    assert FENCE_SECONDS - KNOWN_SECONDS_MAX <= took <= FENCED_SECONDS_MAX
    assert set(place.containers()) == {ids["healed"]}

    place.server.start()
    place.await_connected(3)
    place.steady("healed")
    assert [one["taskArn"] for one in place.running("healed")] == [healed["taskArn"]]
    until(
        lambda: any(
            "started ended containers again once" in one for one in place.messages("healed")
        ),
        15,
        "its healing is an event",
        lambda: place.messages("healed"),
    )
    for task in (off["taskArn"], alone):
        assert only(place.stopped(task))["exitCode"] == 7
    gone = place.stopped(fenced["taskArn"])
    assert gone["stoppedReason"].startswith("Fenced: this host had not reached the server for 15")
    for name in ("unhealed", "fenced"):
        place.steady(name)
        assert len(place.running(name)) == 1
    assert_explained(place, healed["taskArn"], off["taskArn"], fenced["taskArn"])


def assert_explained(place: Place, healed: str, off: str, fenced: str) -> None:
    """What `moorage explain task` says of each."""
    said = explained(place, healed[-32:][:8])
    assert "has been RUNNING on host" in said
    assert "its host started container main again once" in said
    assert "ended with exit code 7" in said
    until(
        lambda: "the last words" in explained(place, off),
        15,
        "its last words are kept",
        lambda: explained(place, off),
    )
    said = explained(place, off)
    assert "Container main (essential) ended with exit code 7" in said
    assert "The scheduler started task" in said
    assert "last 2 lines of main" in said
    assert "moorage:fence" in explained(place, fenced)


def test_a_host_that_was_given_up_by_force_stops_what_it_ran(place: Place, images):
    """Told so by a connection, and told so at the start of its agent, which was away meanwhile."""
    place.ecs.create_cluster(clusterName="leavers")
    hosts = place.add_hosts(2, "leavers")
    definition = place.register("leaver", {"image": images["shell"], "command": ["sleep", "600"]})
    try:
        tasks = {}
        for host in place.instances("leavers"):
            arn = host["containerInstanceArn"]
            (started,) = place.ecs.start_task(
                cluster="leavers", taskDefinition=definition, containerInstances=[arn]
            )["tasks"]
            place.started(started["taskArn"], "leavers")
            tasks[arn] = place.container(started["taskArn"])["Id"]
        assert set(tasks.values()) <= set(place.containers())
        hosts[1].kill()
        for arn in tasks:
            place.ecs.deregister_container_instance(
                cluster="leavers", containerInstance=arn, force=True
            )
        until(lambda: len(set(tasks.values()) & set(place.containers())) == 1, 15, "one stopped")
        hosts[1].start()
        until(lambda: not set(tasks.values()) & set(place.containers()), 15, "both stopped")
        for host in hosts:
            until(lambda host=host: "This host was deregistered" in host.tail(), 5, "advice")
            assert not host.ended(), host.tail()
    finally:
        for host in hosts:
            host.stop()
            place.hosts.remove(host)
        place.ecs.delete_cluster(cluster="leavers")
