"""`moorage logs`: what containers print, while they run and after they have stopped."""

import subprocess

import pytest

from tests.clients.place import Place
from tests.clients.processes import MOORAGE, ROOT, clean_environment, until

pytestmark = [pytest.mark.clients, pytest.mark.engine]


def talker(text: str) -> list[str]:
    return ["/bin/sh", "-c", text]


@pytest.mark.parametrize("driver", ["json-file", "local"])
def test_output_of_a_running_and_of_a_stopped_task(place: Place, images, driver):
    """Both streams are shown, while the task runs and when it has ended."""
    definition = place.register(
        "talker",
        {
            "image": images["shell"],
            "command": talker("echo out; echo err >&2; trap 'echo bye; exit 0' TERM; "
                              "while true; do sleep 1; done"),
            "logConfiguration": {"logDriver": driver},
        },
    )  # fmt: skip
    arn = place.run_task(definition)
    place.started(arn)
    until(lambda: "out" in place.server.command("logs", arn), 10, "output of a running task")
    assert "err" in place.server.command("logs", arn)
    place.ecs.stop_task(task=arn)
    place.stopped(arn)
    text = place.server.command("logs", arn)
    assert [word for word in ("out", "err", "bye") if word not in text] == []


def test_output_of_a_service_is_followed(place: Place, images):
    """`moorage logs SERVICE -f` shows lines of all its tasks as they are printed."""
    script = "i=0; while true; do echo tick $(hostname) $i; i=$((i+1)); sleep 1; done"
    definition = place.register("ticker", {"image": images["shell"], "command": talker(script)})
    place.ecs.create_service(serviceName="ticker", taskDefinition=definition, desiredCount=2)
    until(lambda: len(place.running("ticker")) == 2, 20, "two run")
    command = [*MOORAGE, "logs", "ticker", "-f", "--data", str(place.server.data)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=clean_environment()
    ) as following:
        seen: set[str] = set()
        assert following.stdout is not None
        for line in following.stdout:
            words = line.partition("tick ")[2].split()
            seen.update(words[:1])
            if len(seen) == 2 and words[1:] and int(words[1]) > 2:
                break
        following.kill()
    assert len(seen) == 2


def test_output_that_is_not_kept_is_said_to_be_missing(place: Place, images):
    """With the driver `none` there is nothing to show, and that is what is said."""
    definition = place.register(
        "mute",
        {
            "image": images["shell"],
            "command": talker("echo nobody hears"),
            "logConfiguration": {"logDriver": "none"},
        },
    )
    task = place.finished(definition)
    command = [*MOORAGE, "logs", task["taskArn"], "--data", str(place.server.data)]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env=clean_environment(), check=False
    )
    assert done.returncode != 0
    assert "nobody hears" not in done.stdout
    assert "does not support reading" in done.stdout + done.stderr
