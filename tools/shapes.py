"""Generates the wire structs of `moorage.shapes` from botocore's models.

python tools/shapes.py            writes src/moorage/shapes/{ecs,ecr,sts}
python tools/shapes.py --check    fails where writing would change anything
"""

import difflib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from shaping.homes import PACKAGES, Package
from shaping.model import load
from shaping.placing import placed
from shaping.structs import fault_file, package_file, struct_file
from shaping.tables import constraint_file, operation_file

SHAPES = Path(__file__).resolve().parent.parent / "src" / "moorage" / "shapes"
LINE_LENGTH = 100


def texts(package: Package) -> dict[str, str]:
    """The text of each file of a package, not formatted yet."""
    model = load(package.name, package.version, package.operations)
    files = placed(model, package.homes)
    home_of = {name: file for file, names in files.items() for name in names}
    homes = {home.file: home for home in package.homes}
    made = {file: struct_file(model, homes[file], names, home_of) for file, names in files.items()}
    made["faults"] = fault_file(model, package)
    made["operations"] = operation_file(model, package, home_of)
    made["constraints"] = constraint_file(model, package, home_of)
    made["__init__"] = package_file(package)
    return {f"{package.name}/{file}.py": text for file, text in made.items()}


def formatted(made: dict[str, str]) -> dict[str, str]:
    """The same files as ruff writes them."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in made.items():
            path = Path(folder, name)
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        settings = ["--isolated", "--line-length", str(LINE_LENGTH), "--target-version", "py311"]
        ours = ["--config", "lint.isort.known-first-party=['moorage']"]
        ruff = [sys.executable, "-m", "ruff"]
        sort = ["check", *settings, *ours, "--select", "I", "--fix", "--quiet", "--no-cache", "."]
        subprocess.run([*ruff, *sort], check=True, cwd=folder)
        form = ["format", *settings, "--quiet", "--no-cache", "."]
        subprocess.run([*ruff, *form], check=True, cwd=folder)
        return {name: Path(folder, name).read_text() for name in made}


def present() -> dict[str, str]:
    """The generated files as they are in the tree."""
    paths = [path for package in PACKAGES for path in (SHAPES / package.name).glob("*.py")]
    return {str(path.relative_to(SHAPES)): path.read_text() for path in sorted(paths)}


def write(made: dict[str, str]) -> None:
    """Replace the generated packages."""
    for package in PACKAGES:
        shutil.rmtree(SHAPES / package.name, ignore_errors=True)
        (SHAPES / package.name).mkdir()
    for name, text in made.items():
        (SHAPES / name).write_text(text)


def check(made: dict[str, str]) -> int:
    """Print how the tree differs from what would be written; 1 where it does."""
    found = present()
    for name in sorted(made.keys() | found.keys()):
        old, new = found.get(name, "").splitlines(True), made.get(name, "").splitlines(True)
        sys.stdout.writelines(difflib.unified_diff(old, new, name, f"{name} (generated)"))
    return int(made != found)


def main() -> int:
    """Write or check, as the command line says; the exit code."""
    made = formatted({name: text for package in PACKAGES for name, text in texts(package).items()})
    if "--check" in sys.argv[1:]:
        return check(made)
    write(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
