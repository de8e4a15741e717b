"""`moorage plan`, `explain` and `timeline` as people type them: a real server and the AWS CLI."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from moorage.cli.env import exports
from moorage.cli.place import find
from tests.clients.place import AWS
from tests.clients.processes import COMMAND_SECONDS_MAX, MOORAGE, Server, clean_environment

pytestmark = pytest.mark.clients
CONTAINERS = '[{"name":"web","image":"demo:1","memory":64,"cpu":16}]'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server without hosts."""
    made = Server(tmp_path_factory.mktemp("plan") / "data")
    try:
        made.start()
        yield made
    finally:
        made.stop()


def typed(*words: str) -> subprocess.CompletedProcess[str]:
    """A command as it is typed in a shell that knows nothing of the server."""
    return subprocess.run(
        words,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS_MAX,
        check=False,
        env={**clean_environment(), "COLUMNS": "160"},
    )


def moorage(server: Server, *words: str) -> subprocess.CompletedProcess[str]:
    return typed(*MOORAGE, *words, "--data", str(server.data))


def plan(server: Server, *command: str) -> subprocess.CompletedProcess[str]:
    return typed(*MOORAGE, "plan", "--data", str(server.data), "--", *command)


def test_a_plan_of_the_aws_cli_changes_nothing_and_tells_what_would_be(server: Server):
    made = plan(server, AWS, "ecs", "register-task-definition", "--family", "web",
                "--container-definitions", CONTAINERS)  # fmt: skip
    assert made.returncode == 0, made.stdout + made.stderr
    assert "RegisterTaskDefinition would do this:" in made.stdout
    definitions = plan(server, AWS, "ecs", "list-task-definitions")
    assert "It asked for no write" in definitions.stdout
    missing = plan(server, AWS, "ecs", "create-service", "--service-name", "web",
                   "--task-definition", "web:1", "--desired-count", "2")  # fmt: skip
    assert missing.returncode != 0
    assert "TaskDefinition not found" in missing.stderr
    assert "It would be refused. Nothing was changed." in missing.stdout


def test_a_service_without_hosts_is_foretold_made_and_explained(server: Server):
    place = find(server.data, None, key="root")
    env = {**clean_environment(), **exports(place)}
    words = ("ecs", "register-task-definition", "--family", "job", "--container-definitions")
    subprocess.run([AWS, *words, CONTAINERS], env=env, check=True, stdout=subprocess.DEVNULL)
    create = ("ecs", "create-service", "--service-name", "job", "--task-definition", "job",
              "--desired-count", "2")  # fmt: skip
    foretold = plan(server, AWS, *create)
    assert foretold.returncode == 0, foretold.stdout + foretold.stderr
    assert "CreateService would do this:" in foretold.stdout
    assert "No task is started or stopped." in foretold.stdout
    assert "The cluster has no host at all." in foretold.stdout
    assert "Nothing was changed." in foretold.stdout
    unknown = moorage(server, "explain", "service", "job")
    assert unknown.returncode == 1
    assert "Service not found." in unknown.stderr
    subprocess.run([AWS, *create], env=env, check=True, stdout=subprocess.DEVNULL)
    explained = moorage(server, "explain", "service", "job")
    assert "Service job is ACTIVE and wants 2 tasks of job:1." in explained.stdout
    assert "explain deployment" not in explained.stderr
    told = moorage(server, "timeline", "--service", "job", "--since", "1h")
    assert "service-made" in told.stdout
    assert "[CreateService by arn:aws:iam::" in told.stdout
    chain = moorage(server, "explain", "deployment", "job")
    assert "It was made, to bring out job:1 2 times." in chain.stdout


def test_a_file_is_checked_before_it_is_registered(server: Server, tmp_path: Path):
    file = tmp_path / "web.yaml"
    file.write_text(
        "family: checked\n"
        "executionRoleArn: arn:aws:iam::123456789012:role/x\n"
        "containerDefinitions:\n"
        "- name: web\n  image: demo:1\n  memory: 64\n  memry: 7\n"
    )
    sound = moorage(server, "check", str(file))
    assert sound.returncode == 0, sound.stdout + sound.stderr
    assert "It is sound, and only 0 of 1 task would find a host now." in sound.stdout
    assert "containerDefinitions[0].memry" in sound.stdout
    assert "only stored" in sound.stdout
    file.write_text('{"serviceName": "checked", "taskDefinition": "checked", "desiredCount": 1}')
    missing = moorage(server, "check", str(file))
    assert missing.returncode == 1
    assert "Register it first." in missing.stdout


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("aws", "ecs", "list-clusters", "--endpoint-url", "http://x"), "past the dry run"),
        (("aws", "ecs", "list-clusters", "--endpoint-url=http://x"), "past the dry run"),
        (("aws", "ecs", "list-clusters", "--endpoint-u", "http://x"), "past the dry run"),
        (("aws", "--e=http://x", "ecs", "list-clusters"), "past the dry run"),
        (("moorage", "host", "drain", "h1"), "find their server by themselves"),
        (("no-such-command-here",), "cannot be run"),
    ],
)
def test_what_would_go_past_the_dry_run_is_not_run(server: Server, command, words):
    done = plan(server, *command)
    assert done.returncode == 1
    assert words in done.stderr


def test_without_a_server_nothing_is_run(tmp_path: Path):
    done = typed(*MOORAGE, "plan", "--data", str(tmp_path), "--", AWS, "ecs", "list-clusters")
    assert done.returncode == 1
    assert "No server is known" in done.stderr
