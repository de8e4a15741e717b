"""Small: rule 8 of STYLE.md, and rule 4 (a table, not a ladder)."""

import ast
import re

from tests.tidy.tree import Function, classes, functions, parsed, python_files, text

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
PORT_METHODS_MAX = 10
LADDER_STEPS_MAX = 4


def test_files_are_short():
    lengths = {name: len(text(name).splitlines()) for name in python_files()}
    unbound = "src/moorage/sql/migrations/"
    assert not {
        name: length
        for name, length in lengths.items()
        if length > FILE_LINES_MAX and not name.startswith(unbound)
    }


def test_functions_are_short():
    long = {
        f"{name}:{function.lineno} {function.name}": length
        for name in python_files()
        for function in functions(name)
        if (length := (function.end_lineno or 0) - function.lineno + 1) > FUNCTION_LINES_MAX
    }
    assert not long


def test_ports_are_narrow():
    wide = {
        f"{name} {port.name}": count
        for name in python_files("src")
        for port in classes(name)
        if any(re.fullmatch(r"(typing\.)?Protocol(\[.*\])?", ast.unparse(b)) for b in port.bases)
        and (count := sum(isinstance(node, Function) for node in port.body)) > PORT_METHODS_MAX
    }
    assert not wide


def ladder(node: ast.If) -> int:
    """How many `elif` steps hang under an `if`."""
    steps = 0
    while len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
        node = node.orelse[0]
        steps += 1
    return steps


def test_no_ladder_where_a_table_would_do():
    ladders = {
        f"{name}:{node.lineno}": steps
        for name in python_files()
        for node in ast.walk(parsed(name))
        if isinstance(node, ast.If) and (steps := ladder(node)) > LADDER_STEPS_MAX
    }
    assert not ladders
