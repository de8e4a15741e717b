"""Tests exercise what runs: no patching, nothing skipped, no sleeping in hope: rule 11 of STYLE.md."""

import ast
from collections.abc import Iterator

from tests.tidy.tree import dotted, parsed, python_files

BANNED_CALLS = frozenset(
    {
        "pytest.skip",
        "pytest.xfail",
        "pytest.importorskip",
        "pytest.mark.skip",
        "pytest.mark.skipif",
        "pytest.mark.xfail",
        "monkeypatch.setattr",
        "monkeypatch.setitem",
        "monkeypatch.delattr",
        "monkeypatch.delitem",
        "unittest.skip",
        "unittest.skipIf",
        "unittest.skipUnless",
    }
)
BANNED_MODULES = ("unittest.mock", "mock", "pytest_mock")


def imported(node: ast.AST) -> list[str]:
    """The modules that a statement imports, and the names it takes out of them."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []


def test_nothing_is_patched_or_skipped():
    found = [
        f"{name}:{getattr(node, 'lineno', 0)}"
        for name in python_files("tests")
        for node in ast.walk(parsed(name))
        if (isinstance(node, ast.Attribute) and dotted(node) in BANNED_CALLS)
        or set(imported(node)) & set(BANNED_MODULES)
    ]
    assert not found


def sleeps_outside_loops(node: ast.AST, looping: bool = False) -> Iterator[int]:
    """The lines of `time.sleep` that no loop repeats: a poll has a loop and a deadline."""
    for child in ast.iter_child_nodes(node):
        inside = (looping or isinstance(child, ast.While | ast.For)) and not isinstance(
            child, ast.FunctionDef | ast.AsyncFunctionDef
        )
        if isinstance(child, ast.Call) and dotted(child.func) == "time.sleep" and not inside:
            yield child.lineno
        yield from sleeps_outside_loops(child, inside)


def test_nobody_sleeps_and_hopes():
    found = [
        f"{name}:{line}"
        for name in python_files("tests")
        for line in sleeps_outside_loops(parsed(name))
    ]
    assert not found
