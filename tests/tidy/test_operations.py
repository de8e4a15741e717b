"""Each operation that a service lists has a test that calls it by its name."""

import ast
import re

import pytest

from tests.tidy.tree import ROOT, dotted, parsed, python_files, text

APIS = [n for n in python_files("src") if n.endswith("/api.py") and "kernel" not in n]
PROSE = "\n".join(text(n) for n in python_files("tests") if not n.startswith("tests/tidy/"))


def listed(name: str) -> list[str]:
    """The functions that a table takes out of its house's operations: `service.create_service`."""
    files = {
        alias.asname or alias.name
        for node in ast.walk(parsed(name))
        if isinstance(node, ast.ImportFrom) and (node.module or "").endswith(".operations")
        for alias in node.names
    }
    return [
        node.attr
        for node in ast.walk(parsed(name))
        if isinstance(node, ast.Attribute) and dotted(node.value) in files
    ]


@pytest.mark.parametrize("name", APIS)
def test_each_operation_is_tested(name):
    untested = [
        function
        for function in listed(name)
        if not re.search(rf"\b{function}\b|\b{function.title().replace('_', '')}\b", PROSE)
    ]
    assert not untested


def test_each_operation_stands_in_the_reference():
    page = ROOT / "docs/reference/operations.md"
    if page.is_file():
        known = page.read_text()
        functions = [function for name in APIS for function in listed(name)]
        assert not [f for f in functions if f.title().replace("_", "") not in known]
