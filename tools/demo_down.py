"""`make down`: takes away what the demo brought, and only that.

The service is deleted and its containers removed, Moorage is stopped, and a dockerd that the demo
itself started ends too unless other containers run on it. The data stays, so that the next demo is
quick; with PURGE=1 it goes as well.
"""

import os
from pathlib import Path

import engine
from demo_clients import aws, moorage, surroundings
from demo_service import CLUSTER, SERVICE, WebService
from demo_story import Commands, DemoRefused, Step, Story
from moorage.agent.engine.labels import LABEL_FAMILY, LABEL_INSTANCE
from moorage.cli import plan
from moorage.cli.engine import EngineAway, containers_of, remove_container
from moorage.cli.place import find
from moorage.cli.processes import alive

GONE_SECONDS_MAX = 90.0
STOPPED_SECONDS_MAX = 120.0
CONTAINER_GRACE_SECONDS = 2
FAMILY_LABEL = f"{LABEL_FAMILY}={SERVICE}"


def take_down(story: Story, place: Path, *, purge: bool) -> None:
    """All steps of `make down`; raises DemoFailed and EngineRefused."""
    made = plan.read(place) if place.exists() else None
    dockerd = engine.own_dockerd(place)
    pid = alive(place / plan.PID_FILE)
    if pid is not None:
        _refuse_other_user(pid)
        with story.step(f"Service {SERVICE} deleted") as step:
            _delete_service(place, step)
    with story.step("Moorage stopped") as step:
        here = Commands({**os.environ, "MOORAGE_DATA": str(place)})
        words = ("down", "--purge") if purge and made is not None else ("down",)
        printed = here.run(step, moorage(*words), seconds_max=STOPPED_SECONDS_MAX)
        step.title = printed.strip().splitlines()[0]
    if made is not None and not purge:
        with story.step("Containers of the service") as step:
            step.title = f"{_remove_containers(made)} container(s) of the service removed"
    if dockerd is not None:
        with story.step("The demo's own dockerd") as step:
            step.title = engine.end_own(dockerd)
    if place.exists():
        story.now(f"{place} is kept, with its images; make down PURGE=1 removes it too.")


def _refuse_other_user(pid: int) -> None:
    owner = Path(f"/proc/{pid}").stat().st_uid
    if os.geteuid() not in {0, owner}:
        advice = "sudo make down" if owner == 0 else "run this as the user who did"
        raise DemoRefused(f"Moorage (pid {pid}) was started by another user: {advice}.")


def _delete_service(place: Path, step: Step) -> None:
    server = find(place, None, key="root")
    web = WebService(server)
    service = web.found()
    if service is None or service.status == "INACTIVE":
        step.title = f"No service {SERVICE} is there"
        return
    if service.status == "ACTIVE":
        where = ("--cluster", CLUSTER, "--service", SERVICE, "--force")
        quiet = ("--query", "service.status", "--output", "text")
        commands = Commands(surroundings(server, place))
        commands.run(step, aws("ecs", "delete-service", *where, *quiet))
    web.await_gone(GONE_SECONDS_MAX)


def _remove_containers(made: plan.Plan) -> int:
    """Remove what is left of the service's containers on the hosts of this plan; how many."""
    socket = Path(made.docker_socket)
    try:
        family = set(containers_of(socket, FAMILY_LABEL))
        own = {
            container
            for host in made.hosts
            for container in containers_of(socket, f"{LABEL_INSTANCE}={instance(made, host)}")
        }
        for container in sorted(family & own):
            remove_container(socket, container, grace_seconds=CONTAINER_GRACE_SECONDS)
    except EngineAway:
        return 0  # without an engine no container runs
    return len(family & own)


def instance(made: plan.Plan, host: plan.HostPlan) -> str:
    """The container instance that a host is; `none`, which no container carries, before it is one."""
    return plan.instance_of(Path(made.data), host) or "none"
