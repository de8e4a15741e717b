"""The commands that the demo types, and the surroundings that they are typed in."""

import os
import subprocess
import sys
from pathlib import Path

import engine
from demo_story import DemoRefused
from moorage.cli.engine import DEFAULT_SOCKET
from moorage.cli.env import exports
from moorage.cli.place import Place
from prepare import has_command, has_static_busybox, install

BIN = Path(sys.executable).parent


def moorage(*words: str) -> tuple[str, ...]:
    """A call of this project's own command."""
    return (str(BIN / "moorage"), *words)


def aws(*words: str) -> tuple[str, ...]:
    """A call of the AWS CLI of this project's own environment."""
    return (str(BIN / "aws"), *words)


def docker(place: Path, socket: Path, *words: str) -> tuple[str, ...]:
    """A call of docker that leaves the user's own logins alone and names the engine if it must."""
    default = socket == DEFAULT_SOCKET
    named = () if default else ("--host", f"unix://{socket}")
    return ("docker", "--config", str(place / "docker"), *named, *words)


def surroundings(server: Place, place: Path) -> dict[str, str]:
    """The environment for aws and docker: this server's, nothing of the user's own AWS settings."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("AWS_") and name not in {"DOCKER_CONFIG", "DOCKER_CONTEXT"}
    }
    nowhere = str(place / "run" / "none")
    own = {
        "AWS_CONFIG_FILE": nowhere,
        "AWS_SHARED_CREDENTIALS_FILE": nowhere,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
        "NO_PROXY": "127.0.0.0/8,127.0.0.1,localhost",
        "no_proxy": "127.0.0.0/8,127.0.0.1,localhost",
        "MOORAGE_DATA": str(place),
    }
    return {**kept, **own, **exports(server)}


def need_commands(place: Path, say: engine.Say) -> None:
    """See to docker's command line and to the busybox that the sample is made of."""
    packages = {"docker-cli": has_command("docker"), "busybox-static": has_static_busybox()}
    missing = [name for name, present in packages.items() if not present]
    if not missing:
        return
    listed = " ".join(missing)
    if os.geteuid() != 0 or not has_command("apt-get"):
        raise DemoRefused(f"Missing here; on Debian: apt-get install {listed}")
    say(f"Installing with apt: {listed}")
    try:
        install(missing, place / engine.APT_LOG_FILE)
    except subprocess.CalledProcessError as error:
        raise DemoRefused(engine.refusal_of_apt(place, error)) from error
