"""Everything has a bound: rule 13 of STYLE.md. Only a shell's own loop may run for ever."""

import ast

from tests.tidy.tree import parsed, python_files

# The loops of processes and connections; each ends by cancellation or a closed peer.
SHELLS = (
    "benches/fleet/",
    "src/moorage/agent/joining",
    "src/moorage/agent/membership",
    "src/moorage/agent/shell",
    "src/moorage/agent/runtime/docker",
    "src/moorage/cli/",
    "src/moorage/gateway/",
    "src/moorage/sql/",
)


def endless(node: ast.AST) -> bool:
    """Whether a loop's condition is a constant that holds."""
    return (
        isinstance(node, ast.While)
        and isinstance(node.test, ast.Constant)
        and bool(node.test.value)
    )


def test_no_endless_loop_outside_a_shell():
    found = [
        f"{name}:{node.lineno}"
        for name in python_files()
        if not name.startswith(SHELLS)
        for node in ast.walk(parsed(name))
        if isinstance(node, ast.While) and endless(node)
    ]
    assert not found
