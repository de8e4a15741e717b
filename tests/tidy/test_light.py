"""A process imports only what its work needs: an agent has no database, a client no server."""

import subprocess
import sys
from pathlib import PurePath

import pytest

from tests.tidy.tree import SOURCE, module_name, python_files

SERVER = ("sqlalchemy", "psycopg", "uvicorn", "moorage.sql", "moorage.gateway", "moorage.kernel")
HOUSES = ("moorage.iam", "moorage.ecr", "moorage.ecs", "moorage.blob")
CLIENT = ("botocore", "boto3")
# For each room: what none of its modules may load, directly or not.
HEAVY = {
    "agent": (*SERVER, *HOUSES, *CLIENT),
    "acs": (*SERVER, *HOUSES, *CLIENT, "aiohttp"),
    "wire": (*SERVER, *HOUSES, *CLIENT),
    "shapes": (*SERVER, *HOUSES, *CLIENT, "moorage.wire"),
    "ecs": ("uvicorn", "aiohttp", "moorage.gateway", "moorage.ecr", *CLIENT),
    "ecr": ("uvicorn", "aiohttp", "moorage.gateway", "moorage.ecs", *CLIENT),
    "gateway": ("moorage.agent", "moorage.cli", *CLIENT),
}
PROBE = """
import importlib, sys
for name in sys.argv[1].split(","):
    importlib.import_module(name)
print("\\n".join(sys.modules))
"""


def loaded(modules: list[str]) -> set[str]:
    """Every module that a process holds once it has imported these."""
    command = [sys.executable, "-c", PROBE, ",".join(modules)]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, env={"PYTHONPATH": str(SOURCE)}
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("room", HEAVY)
def test_a_room_is_light(room):
    names = [n for n in python_files("src") if PurePath(n).parts[2] == room]
    if names:
        found = loaded([module_name(name) for name in names])
        assert not [
            name
            for name in sorted(found)
            if any(name == heavy or name.startswith(f"{heavy}.") for heavy in HEAVY[room])
        ]


def test_the_command_line_starts_without_a_server():
    if (SOURCE / "moorage/cli/main.py").is_file():
        found = loaded(["moorage.cli.main"])
        assert not found & {*SERVER, *HOUSES, *CLIENT, "aiohttp"}
