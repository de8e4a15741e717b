"""What tests of the lab do and ask again and again, in words of their own."""

import importlib
import time
from collections.abc import Callable
from typing import Any

from typer.testing import CliRunner

from moorage.cli.main import COMMANDS
from tests.clients.processes import until
from tests.lab.host import Host
from tests.lab.invariants import Watch
from tests.lab.lab import Lab

Json = dict[str, Any]
Where = dict[str, set[str]]
ROLLING = {"minimumHealthyPercent": 100, "maximumPercent": 200}
NEVER_TWO = {"minimumHealthyPercent": 0, "maximumPercent": 100}
MOVED_SECONDS_MAX = 30.0


class Scene:
    """A lab, and the watch over it."""

    def __init__(self, lab: Lab, watch: Watch) -> None:
        self.lab = lab
        self.watch = watch

    def service(
        self, name: str, count: int, bounds: Json | None = None, **members: object
    ) -> list[Json]:
        """Start a service of containers that wait, until it is steady; its tasks.

        `container` and `definition` are further members of these, `tags` a mapping.
        """
        container = {"image": self.lab.images["shell"], **dict(members.pop("container", {}))}  # type: ignore[call-overload]
        definition = self.lab.register(name, container, **dict(members.pop("definition", {})))  # type: ignore[call-overload]
        tags = dict(members.pop("tags", {}))  # type: ignore[call-overload]
        if tags:
            members["tags"] = [{"key": key, "value": value} for key, value in tags.items()]
        self.lab.ecs.create_service(
            serviceName=name,
            taskDefinition=definition,
            desiredCount=count,
            deploymentConfiguration=bounds or ROLLING,
            **members,
        )
        self.lab.steady(name)
        return self.lab.running(name)

    def where(self, name: str) -> Where:
        """The containers of a service that truly run, stopping ones too: host to ids."""
        arns = {
            task["taskArn"]
            for status in ("RUNNING", "STOPPED")
            for task in self.lab.tasks(serviceName=name, desiredStatus=status)
        }
        return {
            host.name: {x for x, arn in host.engine.tasks().items() if arn in arns}
            for host in self.lab.hosts
            if host.engine.lives()
        }

    def containers(self, *hosts: Host) -> dict[str, str]:
        """All containers of tasks that run on these hosts (default: all): id to task ARN."""
        found: dict[str, str] = {}
        for host in hosts or self.lab.hosts:
            found |= host.engine.tasks()
        return found

    def others(self, *hosts: Host) -> list[Host]:
        """The other hosts."""
        return [host for host in self.lab.hosts if host not in hosts]

    def elsewhere(self, name: str, *hosts: Host) -> int:
        """How many tasks of a service are RUNNING, and truly run, on other hosts than these."""
        live = {x for host in self.others(*hosts) for x in host.engine.tasks().values()}
        return sum(task["taskArn"] in live for task in self.lab.running(name))

    def await_elsewhere(self, name: str, count: int, *hosts: Host, seconds: float) -> None:
        """Wait until so many of a service's tasks run on other hosts than these."""
        until(
            lambda: self.elsewhere(name, *hosts) >= count,
            seconds,
            f"{count} tasks of {name} run elsewhere",
            lambda: (self.elsewhere(name, *hosts), self.lab.messages(name)[:5]),
        )

    def await_count(self, name: str, count: int, seconds: float = MOVED_SECONDS_MAX) -> None:
        """Wait until just so many containers of a service truly run on all engines together."""
        until(
            lambda: sum(map(len, self.where(name).values())) == count,
            seconds,
            f"{count} containers of {name}",
            lambda: (self.where(name), self.lab.messages(name)[:5]),
        )

    def says(self, name: str, words: str, seconds: float = 10.0) -> str:
        """Wait until an event of a service holds these words; the sentence."""

        def look() -> str | None:
            return next((said for said in self.lab.messages(name) if words in said), None)

        return until(look, seconds, f"{name} says '{words}'", lambda: self.lab.messages(name)) or ""

    def holds(self, look: Callable[[], bool], seconds: float, what: str) -> None:
        """Assert that something is so all the while."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert look(), f"no more: {what}"
            time.sleep(0.2)

    def ours(self, *words: str) -> str:
        """What a command of ours prints, run as the operator beside the server."""
        return self.lab.server.command(*words)

    def typed(self, *words: str, then: tuple[str, ...] = ()) -> str:
        """What a command of ours prints, run in this process; `then` follows two hyphens.

        A process of its own takes seconds on a busy machine, and what is asked is of this moment.
        """
        app = importlib.import_module(COMMANDS[words[0]][0]).app
        last = ("--", *then) if then else ()
        given = [*words[1:], "--data", str(self.lab.server.data), *last]
        done = CliRunner().invoke(app, given, env={"COLUMNS": "240"})
        assert done.exit_code == 0, done.output
        return done.stdout

    def tell_to_end(self, host: Host, container: str) -> None:
        """Have a container end by itself with 7, behind everybody's back."""
        status, said = host.engine.call("POST", f"/containers/{container}/kill?signal=USR1")
        assert status == 204, said
        until(lambda: container not in host.engine.tasks(), 10, "the container ended")


def since(began: float) -> float:
    """Seconds since a moment."""
    return time.monotonic() - began
