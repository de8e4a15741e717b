"""Every room has a door plate and nobody lives in a room that no road leads to."""

import ast

from tests.tidy.tree import ROOT, module_name, parsed, python_files, text, tracked

PLATE_LINES = range(3, 16)
# Modules that run by themselves, or that only tests and the simulator put in an adapter's place.
ENTRIES = frozenset({"moorage.cli.main", "moorage.__main__"})
PEERS = frozenset(
    {
        "moorage.agent.runtime.memory",
        "moorage.blob.memory",
        "moorage.ecr.distribution.memory",
        "moorage.gateway.machines.memory",
    }
)
MIGRATIONS = "moorage.sql.migrations"
# Faults of a service are generated as a whole, before all its operations are there to raise them.
GENERATED = ("moorage.shapes.sts.faults",)
ROOM_OF_COMPOSITION = ROOT / "src/moorage/gateway/compose.py"


def test_a_package_says_what_it_is_for_and_nothing_else():
    wrong = []
    for name in python_files("src"):
        if name.endswith("__init__.py"):
            plate = ast.get_docstring(parsed(name)) or ""
            alone = len(parsed(name).body) == 1
            if not alone or len(plate.splitlines()) not in PLATE_LINES:
                wrong.append(name)
    assert not wrong


def test_every_folder_of_modules_is_a_package():
    folders = {name.rpartition("/")[0] for name in tracked() if name.startswith("src/moorage/")}
    missing = {
        folder
        for folder in folders
        if any(name.startswith(f"{folder}/") and name.endswith(".py") for name in tracked())
        and not (ROOT / folder / "__init__.py").is_file()
    }
    assert not missing


def roads(name: str) -> set[str]:
    """The modules that a file leads to: by import, or by name where a table loads them late."""
    found: set[str] = set()
    for node in ast.walk(parsed(name)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value.partition(":")[0])
    return found


def test_every_module_is_used():
    """Until the composition root stands, what only a test reaches is still on its way."""
    whole = ROOM_OF_COMPOSITION.is_file()
    files = [n for n in tracked() if n.endswith(".py") and n.startswith("src/")]
    users = files if whole else [*files, *python_files("tests", "tools")]
    reached = {road for name in users for road in roads(name) if text(name)}
    dead = {
        module_name(name)
        for name in files
        if not name.endswith("__init__.py") and module_name(name) not in reached
    }
    assert not {m for m in dead - ENTRIES - PEERS if not m.startswith((MIGRATIONS, *GENERATED))}
