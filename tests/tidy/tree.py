"""The project's own files, read and parsed once for all tidy tests."""

import ast
import functools
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"
CODE = ("src", "tests", "tools", "benches")
# Written by tools/shapes.py: their size and their words are Amazon's.
GENERATED = tuple(f"src/moorage/shapes/{name}/" for name in ("ecs", "ecr", "sts", "iam"))


@functools.cache
def tracked() -> tuple[str, ...]:
    """Every file of the project, as git sees it: tracked, or new and not ignored."""
    listing = [
        "git",
        "-c",
        "safe.directory=*",
        "-C",
        str(ROOT),
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
    ]
    names = subprocess.run(listing, check=True, capture_output=True, text=True).stdout.split("\n")
    return tuple(sorted(name for name in set(names) if name and (ROOT / name).is_file()))


def python_files(*folders: str) -> list[str]:
    """The Python files under some of the folders of code, without the generated ones."""
    return [
        name
        for name in tracked()
        if name.endswith(".py")
        and name.split("/")[0] in (folders or CODE)
        and not name.startswith(GENERATED)
    ]


@functools.cache
def text(name: str) -> str:
    """A file's text."""
    return (ROOT / name).read_text(encoding="utf-8")


@functools.cache
def parsed(name: str) -> ast.Module:
    """A Python file's syntax tree."""
    return ast.parse(text(name), name)


Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(name: str) -> Iterator[Function]:
    """The functions and methods of a file."""
    return (node for node in ast.walk(parsed(name)) if isinstance(node, Function))


def classes(name: str) -> Iterator[ast.ClassDef]:
    """The classes of a file."""
    return (node for node in ast.walk(parsed(name)) if isinstance(node, ast.ClassDef))


def dotted(node: ast.expr) -> str:
    """`a.b.c` for such an expression; an empty text for any other."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def module_name(name: str) -> str:
    """The import name of a file under src/."""
    return name.removeprefix("src/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")
