"""`make demo`: from nothing to a service of three replicas on three hosts that heals itself.

python tools/demo.py            tells the story; may be run again and again
python tools/demo.py --down     `make down`: see demo_down.py

Everything is done with the commands that a person would type, and they are shown. The data lies in
$MOORAGE_DATA, else in .moorage here; the server has port 4750 unless $MOORAGE_DEMO_PORT says otherwise
(make demo MOORAGE_DEMO_PORT=4760).
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import typer
from rich.console import Console

import engine
from demo_clients import aws, docker, moorage, need_commands, surroundings
from demo_down import GONE_SECONDS_MAX, take_down
from demo_service import CLUSTER, SERVICE, Replica, WebService, page_of
from demo_story import Commands, DemoFailed, DemoRefused, Story, last_lines
from moorage.cli import plan
from moorage.cli.engine import EngineAway, engine_socket
from moorage.cli.fleet import connected
from moorage.cli.place import data_folder, find
from moorage.cli.ports import holder_of
from moorage.cli.processes import alive, wait_until
from moorage.gateway import folder
from moorage.ground.clock import SystemClock
from moorage.ground.fault import Fault
from moorage.ground.instant import Duration, in_seconds
from moorage.shapes.ecs.task_definition import TaskDefinition

SAMPLE = Path(__file__).resolve().parent.parent / "sample"
SAMPLE_FILES = ("Dockerfile", "serve.sh")
BUSYBOX = Path("/bin/busybox")
REPOSITORY = "demo/web"
REPLICAS = 3
PORT = "MOORAGE_DEMO_PORT"
CONTAINER_PORT = 8080
# The same port on each host's own address; the first that nothing else listens on.
HOST_PORTS = range(8080, 8100)
PAGE_MEMORY_MIB = 64
PAGE_STOP_SECONDS = 5
UP_SECONDS_MAX = 200.0
CONNECTED_SECONDS_MAX = 40.0
STEADY_SECONDS_MAX = 120.0
PAGE_SECONDS_MAX = 15.0
REPLACED_SECONDS_MAX = 60.0
TAG_LENGTH = 12
LOGS = ("server.log", "server.out", "supervisor.out", "host-1.out", "host-2.out", "host-3.out")


class Demo:
    """The story, and what its steps hand on."""

    def __init__(self, story: Story, place: Path) -> None:
        """Tell `story` with the data folder `place`."""
        self._story = story
        self._data = place
        self._socket = engine_socket(None)
        self._clock = SystemClock()

    def run(self) -> None:
        """All steps, in order; raises DemoFailed and EngineRefused."""
        self._engine()
        self._up()
        server = find(self._data, None, key="root")
        commands = Commands(surroundings(server, self._data))
        web = WebService(server)
        repository = self._repository(commands)
        image = self._image(commands, f"{repository}:{tag_of(SAMPLE)}")
        self._push(commands, image)
        definition = self._definition(commands, web, image)
        self._service(commands, web, definition)
        with self._story.step("Waiting until the service is steady") as step:
            replicas = web.await_steady(REPLICAS, definition, STEADY_SECONDS_MAX)
            step.title = f"{len(replicas)} replicas run on {REPLICAS} hosts: the service is steady"
        self._pages(web, replicas)
        self._heal(commands, web, replicas, definition)
        self._story.end("all in all")
        self._story.console.print(farewell(replicas), highlight=False, soft_wrap=True)

    def _engine(self) -> None:
        with self._story.step("Looking for Docker Engine") as step:
            folder.prepare(self._data)
            size = engine.ensure(self._data, self._socket, self._story.now)
            need_commands(self._data, self._story.now)
            step.title = (
                f"Docker Engine {size.version}: {size.cores} cores, {size.memory} MiB of memory"
            )

    def _up(self) -> None:
        with self._story.step("Starting Moorage and its hosts") as step:
            if alive(self._data / plan.PID_FILE) is not None:
                made = plan.read(self._data)
                if made is None or len(made.hosts) < REPLICAS:
                    raise DemoRefused(
                        f"Moorage runs with fewer than {REPLICAS} hosts. Stop it first: moorage down"
                    )
            port = ("--port", os.environ[PORT]) if os.environ.get(PORT) else ()
            command = moorage("up", "--hosts", str(REPLICAS), *port)
            commands = Commands({**os.environ, "MOORAGE_DATA": str(self._data)})
            printed = commands.run(step, command, seconds_max=UP_SECONDS_MAX)
            here = find(self._data, None)
            if not wait_until(lambda: connected(here) >= REPLICAS, CONNECTED_SECONDS_MAX):
                raise DemoFailed(f"Only {connected(here)} of {REPLICAS} hosts are connected.")
            step.title = printed.strip().splitlines()[0]

    def _repository(self, commands: Commands) -> str:
        query = ("--query", "repositories[0].repositoryUri", "--output", "text")
        with self._story.step(f"Repository {REPOSITORY}") as step:
            try:
                return commands.run(
                    step,
                    aws("ecr", "describe-repositories", "--repository-names", REPOSITORY, *query),
                ).strip()
            except DemoFailed as failed:
                if "RepositoryNotFoundException" not in str(failed):
                    raise
            step.lines.clear()
            query = ("--query", "repository.repositoryUri", "--output", "text")
            return commands.run(
                step, aws("ecr", "create-repository", "--repository-name", REPOSITORY, *query)
            ).strip()

    def _image(self, commands: Commands, image: str) -> str:
        title = f"Image {image.partition('/')[2]} built from sample/Dockerfile"
        with self._story.step(title) as step, tempfile.TemporaryDirectory() as context:
            for name in SAMPLE_FILES:
                shutil.copy(SAMPLE / name, context)
            shutil.copy(BUSYBOX, context)
            step.say(f"(build folder: sample/ and {BUSYBOX})")
            commands.run(step, self._docker("build", "--quiet", "--tag", image, context))
        return image

    def _push(self, commands: Commands, image: str) -> None:
        registry = image.partition("/")[0]
        with self._story.step("Logged in with an ECR token, and pushed") as step:
            token = commands.run(step, aws("ecr", "get-login-password")).strip()
            login = ("login", "--username", "AWS", "--password-stdin", registry)
            commands.run(step, self._docker(*login), hidden_input=token)
            pushed = commands.run(step, self._docker("push", image))
            step.say(pushed.strip().splitlines()[-1])

    def _definition(self, commands: Commands, web: WebService, image: str) -> str:
        with self._story.step(f"Task definition {SERVICE}") as step:
            service = web.found()
            active = service if service and service.status == "ACTIVE" else None
            known = web.definition(active.task_definition or "" if active else SERVICE)
            port = port_of(known) if active and known else None
            if known and image_of(known) == image and (active or port_is_free(port_of(known))):
                step.title = f"Task definition {name_of(known)} is there already"
                return name_of(known)
            text = json.dumps(container(image, port or free_port()))
            arguments = ("--family", SERVICE, "--container-definitions", f"[{text}]")
            query = ("--query", "taskDefinition.taskDefinitionArn", "--output", "text")
            arn = commands.run(step, aws("ecs", "register-task-definition", *arguments, *query))
            step.title = f"Task definition {arn.strip().rpartition('/')[2]} registered"
            return arn.strip().rpartition("/")[2]

    def _service(self, commands: Commands, web: WebService, definition: str) -> None:
        wanted = ("--task-definition", definition, "--desired-count", str(REPLICAS))
        quiet = ("--query", "service.status", "--output", "text")
        with self._story.step(f"Service {SERVICE} with {REPLICAS} replicas") as step:
            service = web.found()
            if service is not None and service.status == "DRAINING":
                web.await_gone(GONE_SECONDS_MAX)
            if service is not None and service.status == "ACTIVE":
                same = (service.task_definition or "").endswith(f"/{definition}")
                step.title = (
                    f"Service {SERVICE} is there already"
                    if same
                    else f"Service {SERVICE} changes to {definition}, one replica after the other"
                )
                where = ("--cluster", CLUSTER, "--service", SERVICE)
                commands.run(step, aws("ecs", "update-service", *where, *wanted, *quiet))
                return
            where = ("--cluster", CLUSTER, "--service-name", SERVICE)
            # A host has the port once: an update stops one replica before it starts the next.
            bounds = "minimumHealthyPercent=50,maximumPercent=100"
            bounds += ",deploymentCircuitBreaker={enable=true,rollback=true}"
            spread = ("--placement-strategy", "type=spread,field=instanceId")
            shape = ("--deployment-configuration", bounds, *spread)
            commands.run(step, aws("ecs", "create-service", *where, *wanted, *shape, *quiet))

    def _pages(self, web: WebService, replicas: list[Replica]) -> None:
        with self._story.step("A page from each replica") as step:
            for replica in replicas:
                texts: list[str] = []

                def holds(replica: Replica = replica, texts: list[str] = texts) -> bool:
                    texts[:] = [text for text in (page_of(replica),) if text is not None]
                    return bool(texts)

                web.await_that(holds, PAGE_SECONDS_MAX, f"{replica.url} does not answer")
                step.say(f"{replica.url}  task {replica.short}  {texts[0]}")

    def _heal(
        self, commands: Commands, web: WebService, replicas: list[Replica], definition: str
    ) -> None:
        victim = replicas[-1]
        with self._story.step("One container killed, and replaced") as step:
            began = self._clock.monotonic()
            commands.run(step, self._docker("kill", victim.container[:TAG_LENGTH]))
            arrived = web.await_replacement(replicas, REPLACED_SECONDS_MAX)
            took = in_seconds(Duration(self._clock.monotonic() - began))
            step.title = f"One container killed; its replacement served after {took:.2f} s"
            step.say(f"task {victim.short} is gone, task {arrived.short} serves {arrived.url}")
            web.await_steady(REPLICAS, definition, REPLACED_SECONDS_MAX)

    def _docker(self, *words: str) -> tuple[str, ...]:
        return docker(self._data, self._socket, *words)


def tag_of(sample: Path) -> str:
    """A tag that changes with the sample, so that an edit is a new image and a new deployment."""
    digest = hashlib.sha256()
    for name in SAMPLE_FILES:
        digest.update((sample / name).read_bytes())
    return digest.hexdigest()[:TAG_LENGTH]


def container(image: str, host_port: int) -> Mapping[str, object]:
    """The container definition of the sample."""
    return {
        "name": SERVICE,
        "image": image,
        "essential": True,
        "memory": PAGE_MEMORY_MIB,
        "portMappings": [{"containerPort": CONTAINER_PORT, "hostPort": host_port}],
        "stopTimeout": PAGE_STOP_SECONDS,
    }


def image_of(definition: TaskDefinition) -> str:
    """The image of a definition's first container."""
    return next((one.image or "" for one in definition.container_definitions or ()), "")


def name_of(definition: TaskDefinition) -> str:
    """A definition as `family:revision`."""
    return f"{definition.family}:{definition.revision}"


def port_of(definition: TaskDefinition) -> int | None:
    """The first fixed host port of a definition."""
    containers = definition.container_definitions or ()
    ports = (port.host_port for one in containers for port in one.port_mappings or ())
    return next((port for port in ports if port), None)


def port_is_free(port: int | None) -> bool:
    """Whether nothing that can be seen listens on a port of this machine."""
    return port is not None and holder_of(port) is None


def free_port() -> int:
    """The first port of HOST_PORTS on which nothing listens; raises DemoFailed."""
    for port in HOST_PORTS:
        if port_is_free(port):
            return port
    raise DemoRefused(f"All ports from {HOST_PORTS.start} to {HOST_PORTS.stop - 1} are taken.")


def farewell(replicas: list[Replica]) -> str:
    """What to try next, and how to stop."""
    lines = (
        ("moorage status", ".venv/bin/moorage status"),
        ("what the pages log", f".venv/bin/moorage logs {SERVICE}"),
        ("the AWS CLI here", 'eval "$(.venv/bin/moorage env)"; .venv/bin/aws ecs list-services'),
        ("a page", f"curl {replicas[0].url}" if replicas else ""),
        ("a rolling update", "set VERSION=2 in sample/Dockerfile, then: make demo"),
        ("stop", "make down   (make down PURGE=1 removes the data too)"),
    )
    return "\n".join(["", "Try next:", *(f"  {what:<20}{how}" for what, how in lines if how)])


def report(story: Story, place: Path) -> None:
    """What the logs and the service say, for whoever must find out why a step failed."""
    try:
        events = WebService(find(place, None, key="root")).events() if place.exists() else []
    except (typer.Exit, Fault):
        events = []
    named = ((place / "log" / name, last_lines(place / "log" / name)) for name in LOGS)
    parts = [("the service's newest events", events), *named]
    for name, lines in parts:
        if lines:
            text = "\n".join(["", f"{name}:", *lines])
            story.console.print(text, markup=False, highlight=False, soft_wrap=True)


def say_why(story: Story, reason: Exception) -> None:
    """The last word on a story that does not go on."""
    text = f"\n{reason}"
    story.console.print(text, style="red", markup=False, highlight=False, soft_wrap=True)


def main() -> int:
    """Tell the story, or take it down; the exit code."""
    story, place = Story(Console(), SystemClock()), data_folder(None)
    down = "--down" in sys.argv[1:] or "down" in sys.argv[1:]
    try:
        if down:
            take_down(story, place, purge=os.environ.get("PURGE", "") not in {"", "0"})
        else:
            Demo(story, place).run()
    except (engine.EngineRefused, folder.FolderRefused, DemoRefused) as refused:
        say_why(story, refused)
        return 1
    except (DemoFailed, EngineAway, Fault, OSError, subprocess.SubprocessError) as failed:
        report(story, place)
        say_why(story, failed)
        return 1
    except typer.Exit as ended:
        return ended.exit_code
    except KeyboardInterrupt:
        story.console.print("Stopped half way. Go on with: make demo; or end it: make down")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
