"""A place where everything of Moorage runs: one server, some hosts on one engine, and its clients.

Tests speak to it as users do: by boto3, the AWS CLI and docker. What they ask often has a name
here.
"""

import base64
import http.client
import itertools
import json
import time
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from tests.clients.processes import ROOT, Host, Server, clean_environment, run, until
from tests.engine import BUSYBOX, Engine

AWS = str(ROOT / ".venv" / "bin" / "aws")
SAMPLE = ROOT / "sample"
CONNECT_SECONDS_MAX = 40.0
SETTLED_SECONDS_MAX = 60.0
FETCH_SECONDS_MAX = 2.0
EVENTS_SHOWN = 12
# Small, and soon killed: a test that ends waits for no shell that ignores SIGTERM.
PAGE = 100  # tasks that one call lists or describes
ORDINARY = {"name": "main", "memory": 32, "cpu": 16, "stopTimeout": 2}
HOST_CPU, HOST_MEMORY_MIB = 2048, 2048
Json = dict[str, Any]


class Place:
    """A server, its hosts on `engine`, and one boto3 client for each service."""

    def __init__(self, server: Server, engine: Engine) -> None:
        self.server = server
        self.engine = engine
        self.hosts: list[Host] = []
        self._numbers = itertools.count(1)  # never one again: its folder holds who it was
        self.images: dict[str, str] = {}
        self._clients: Json = {}

    def add_hosts(self, count: int, cluster: str = "default", *flags: str) -> list[Host]:
        """Start that many hosts, and wait until they are connected."""
        token = self.server.token(cluster, count)
        sizes = ("--cpu", str(HOST_CPU), "--memory", str(HOST_MEMORY_MIB))
        added = []
        for _ in range(count):
            host = Host(self.server, self.engine.socket, next(self._numbers), *sizes, *flags)
            host.start(token)
            self.hosts.append(host)
            added.append(host)
        self.await_connected(count, cluster)
        return added

    def await_connected(self, count: int, cluster: str = "default") -> None:
        """Wait until so many hosts of a cluster are connected."""

        def enough() -> bool:
            for host in self.hosts:
                assert not host.ended(), f"{host.name} ended:\n{host.tail()}"
            return sum(one["agentConnected"] for one in self.instances(cluster)) >= count

        until(enough, CONNECT_SECONDS_MAX, f"{count} hosts connected", self.tails)

    def close(self) -> None:
        """End every process; the containers are the engine's to remove."""
        for client in self._clients.values():
            client.close()
        for host in self.hosts:
            host.stop()
        self.server.stop()

    def tails(self) -> str:
        """The ends of all logs."""
        parts = [f"--- {one.name}\n{one.tail()}" for one in (self.server, *self.hosts)]
        return "\n".join(parts)

    def story(self) -> str:
        """What became of the newest tasks, and what services say."""
        lines = []
        for cluster in self.ecs.list_clusters()["clusterArns"]:
            for arn in self.ecs.list_services(cluster=cluster)["serviceArns"]:
                lines += [arn, *self.messages(arn, cluster)[:EVENTS_SHOWN]]
            for status in ("RUNNING", "STOPPED"):
                found = self.tasks(cluster, desiredStatus=status)
                found.sort(key=lambda task: task["createdAt"], reverse=True)
                lines += [
                    f"{task['taskArn']} {task['lastStatus']} {task.get('stopCode', '')} "
                    f"{task.get('stoppedReason', '')} "
                    f"{[(one.get('exitCode'), one.get('reason')) for one in task['containers']]}"
                    for task in found[:EVENTS_SHOWN]
                ]
        return "\n".join(lines)

    # -- clients ---------------------------------------------------------------------------------

    def client(self, service: str, key: Json | None = None, **config: object) -> Any:
        """A boto3 client, signing as the first account's root unless a key is given."""
        key = key or self.server.key()
        return boto3.session.Session().client(
            service,
            endpoint_url=self.server.url,
            region_name=key.get("region", "us-east-1"),
            aws_access_key_id=key["access_key_id"],
            aws_secret_access_key=key["secret_access_key"],
            config=Config(retries={"total_max_attempts": 1}, read_timeout=30, **config),
        )

    def _kept(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self.client(service)
        return self._clients[service]

    @property
    def ecs(self) -> Any:
        """The ECS client."""
        return self._kept("ecs")

    @property
    def ecr(self) -> Any:
        """The ECR client."""
        return self._kept("ecr")

    def aws_environment(self) -> dict[str, str]:
        """What `moorage env` would export."""
        key = self.server.key()
        return clean_environment(
            AWS_ACCESS_KEY_ID=key["access_key_id"],
            AWS_SECRET_ACCESS_KEY=key["secret_access_key"],
            AWS_DEFAULT_REGION=key["region"],
            AWS_ENDPOINT_URL=self.server.url,
            AWS_CONFIG_FILE="/dev/null",
            AWS_PAGER="",
        )

    def aws(self, *words: str) -> Any:
        """What the AWS CLI answers, as JSON."""
        done = run([AWS, *words, "--output", "json"], env=self.aws_environment())
        return json.loads(done.stdout) if done.stdout.strip() else None

    def docker(self, *words: str, **options: object) -> str:
        """What the docker command prints, on the tests' engine."""
        command = ["docker", "--host", f"unix://{self.engine.socket}", *words]
        return run(command, env=clean_environment(HOME=str(self.engine.home)), **options).stdout

    # -- images ----------------------------------------------------------------------------------

    def build(self, name: str, folder: Path, dockerfile: str, **files: str) -> str:
        """Build an image with docker from a Dockerfile; busybox lies beside it."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "busybox").write_bytes(BUSYBOX.read_bytes())
        (folder / "busybox").chmod(0o755)
        (folder / "Dockerfile").write_text(dockerfile)
        for path, text in files.items():
            (folder / path).write_text(text)
        self.docker("build", "--quiet", "--tag", name, str(folder))
        return name

    def sample(self, name: str, folder: Path, version: str = "1") -> str:
        """Build the sample web application, showing a version."""
        dockerfile = (SAMPLE / "Dockerfile").read_text() + f"\nENV VERSION={version}\n"
        return self.build(
            name, folder, dockerfile, **{"serve.sh": (SAMPLE / "serve.sh").read_text()}
        )

    def repository(self, name: str, **options: object) -> str:
        """Make a repository; its URI."""
        made = self.ecr.create_repository(repositoryName=name, **options)
        return str(made["repository"]["repositoryUri"])

    def password(self) -> str:
        """The password that `aws ecr get-login-password` prints."""
        given = self.ecr.get_authorization_token()["authorizationData"][0]
        return base64.b64decode(given["authorizationToken"]).decode().partition(":")[2]

    def login(self) -> None:
        """Log docker in to the registry."""
        words = ("login", "--username", "AWS", "--password-stdin", self.server.address)
        self.docker(*words, input=self.password())

    def push(self, local: str, uri: str) -> str:
        """Tag and push an image with docker; the URI that was pushed."""
        self.docker("tag", local, uri)
        self.docker("push", uri)
        return uri

    # -- ECS -------------------------------------------------------------------------------------

    def register(self, family: str, *containers: Json, **members: object) -> str:
        """Register a task definition; `family:revision`."""
        given = [{**ORDINARY, **one} for one in containers]
        answer = self.ecs.register_task_definition(
            family=family, containerDefinitions=given, **members
        )
        made = answer["taskDefinition"]
        return f"{made['family']}:{made['revision']}"

    def instances(self, cluster: str = "default") -> list[Json]:
        """All container instances of a cluster."""
        arns = self.ecs.list_container_instances(cluster=cluster)["containerInstanceArns"]
        if not arns:
            return []
        told = self.ecs.describe_container_instances(cluster=cluster, containerInstances=arns)
        found: list[Json] = told["containerInstances"]
        return found

    def service(self, name: str, cluster: str = "default") -> Json:
        """A service as it is described."""
        found: Json = self.ecs.describe_services(cluster=cluster, services=[name])["services"][0]
        return found

    def messages(self, name: str, cluster: str = "default") -> list[str]:
        """The sentences of a service's events, newest first."""
        return [event["message"] for event in self.service(name, cluster)["events"]]

    def tasks(self, cluster: str = "default", **query: str) -> list[Json]:
        """Tasks that a query of ListTasks finds, described."""
        arns = self._task_arns(cluster, **query)
        parts = (arns[first : first + PAGE] for first in range(0, len(arns), PAGE))
        return [task for part in parts for task in self.describe(*part, cluster=cluster)]

    def _task_arns(self, cluster: str, **query: str) -> list[str]:
        """All of them, page after page: the tests before leave more than fit into one."""
        pages = self.ecs.get_paginator("list_tasks").paginate(cluster=cluster, **query)
        return [arn for page in pages for arn in page["taskArns"]]

    def describe(self, *arns: str, cluster: str = "default") -> list[Json]:
        """Tasks by their ARNs."""
        found: list[Json] = self.ecs.describe_tasks(cluster=cluster, tasks=list(arns))["tasks"]
        return found

    def running(self, service: str, cluster: str = "default") -> list[Json]:
        """The tasks of a service that run and shall run."""
        found = self.tasks(cluster, serviceName=service)
        return [task for task in found if task["lastStatus"] == "RUNNING"]

    def steady(
        self, name: str, cluster: str = "default", seconds: float = SETTLED_SECONDS_MAX
    ) -> Json:
        """Wait until a service has one deployment, completed, with all its tasks."""

        def look() -> Json | None:
            now = self.service(name, cluster)
            done = (
                len(now["deployments"]) == 1
                and now["runningCount"] == now["desiredCount"]
                and now["pendingCount"] == 0
                and now["deployments"][0].get("rolloutState") == "COMPLETED"
            )
            return now if done else None

        def seen() -> object:
            now = self.service(name, cluster)
            return now["deployments"], [event["message"] for event in now["events"]][:8]

        return until(look, seconds, f"{name} is steady", seen) or {}

    def stopped(self, arn: str, cluster: str = "default", seconds: float = 60) -> Json:
        """Wait until a task is STOPPED."""

        def look() -> Json | None:
            task = self.describe(arn, cluster=cluster)[0]
            return task if task["lastStatus"] == "STOPPED" else None

        return until(look, seconds, f"{arn} is STOPPED", lambda: self.describe(arn)[0]) or {}

    def started(self, arn: str, cluster: str = "default", seconds: float = 30) -> Json:
        """Wait until a task is RUNNING; a task that stops first is a failure."""

        def look() -> Json | None:
            task = self.describe(arn, cluster=cluster)[0]
            assert task["lastStatus"] != "STOPPED", task
            return task if task["lastStatus"] == "RUNNING" else None

        return until(look, seconds, f"{arn} is RUNNING", lambda: self.describe(arn)[0]) or {}

    def run_task(self, definition: str, **members: object) -> str:
        """Run one task; its ARN."""
        answer = self.ecs.run_task(taskDefinition=definition, **members)
        assert not answer["failures"], answer["failures"]
        return str(answer["tasks"][0]["taskArn"])

    def finished(self, definition: str, **members: object) -> Json:
        """Run one task to its end, and describe it."""
        return self.stopped(self.run_task(definition, **members))

    def clear(self) -> None:
        """Delete all services, stop all tasks, take all hosts back; leaves the place as new."""
        for cluster in self.ecs.list_clusters()["clusterArns"]:
            for arn in self.ecs.list_services(cluster=cluster, maxResults=100)["serviceArns"]:
                self.ecs.delete_service(cluster=cluster, service=arn, force=True)
            for arn in self._task_arns(cluster):
                self.ecs.stop_task(cluster=cluster, task=arn, reason="the test is over")
            hosts = [one["containerInstanceArn"] for one in self.instances(cluster)]
            if hosts:
                self.ecs.update_container_instances_state(
                    cluster=cluster, containerInstances=hosts, status="ACTIVE"
                )
            until(
                lambda cluster=cluster: not self._busy(cluster),
                60,
                f"nothing runs in {cluster}",
                lambda cluster=cluster: self._busy(cluster),
            )

    def _busy(self, cluster: str) -> list[str]:
        return [
            f"{task['taskArn']} {task['lastStatus']} {task.get('stoppedReason', '')}"
            for status in ("RUNNING", "STOPPED")
            for task in self.tasks(cluster, desiredStatus=status)
            if task["lastStatus"] != "STOPPED"
        ]

    # -- containers ------------------------------------------------------------------------------

    def container(self, task: Json | str, name: str = "main") -> Json:
        """What the engine says of a task's container."""
        arn = task if isinstance(task, str) else task["taskArn"]
        filters = (f"label=com.amazonaws.ecs.task-arn={arn}",
                   f"label=com.amazonaws.ecs.container-name={name}")  # fmt: skip
        words = [word for text in filters for word in ("--filter", text)]
        found = self.docker("ps", "--all", "--quiet", "--no-trunc", *words).split()
        assert len(found) == 1, f"{arn} {name}: {found}"
        told: list[Json] = json.loads(self.docker("inspect", found[0]))
        return told[0]

    def containers(self) -> dict[str, str]:
        """Every container that runs for a task: its id, and when it was started."""
        label = "label=com.amazonaws.ecs.task-arn"
        ids = self.docker("ps", "--quiet", "--no-trunc", "--filter", label).split()
        if not ids:
            return {}
        told = json.loads(self.docker("inspect", *ids))
        return {one["Id"]: one["State"]["StartedAt"] for one in told}


def bindings(task: Json, name: str = "main") -> list[Json]:
    """The network bindings of a task's container."""
    return next(one["networkBindings"] for one in task["containers"] if one["name"] == name)


def only(task: Json, name: str = "main") -> Json:
    """A task's container by its name."""
    return next(one for one in task["containers"] if one["name"] == name)


def fetch(address: str, port: int) -> str | None:
    """A page, or None where nobody serves it."""
    try:
        return served(address, port)
    except (OSError, http.client.HTTPException):
        return None


def served(address: str, port: int) -> str:
    """A page; raises OSError or HTTPException where nobody serves it."""
    connection = http.client.HTTPConnection(address, port, timeout=FETCH_SECONDS_MAX)
    try:
        connection.request("GET", "/")
        answer = connection.getresponse()
        text = answer.read().decode()
    finally:
        connection.close()
    assert answer.status == 200, text
    return text


def page(task: Json) -> str | None:
    """The page that a task serves at its first binding."""
    found = bindings(task)
    return fetch(found[0]["bindIP"], found[0]["hostPort"]) if found else None


def now() -> float:
    """Seconds for measuring how long something took."""
    return time.monotonic()
