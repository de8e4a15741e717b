"""Writes docs/reference/operations.md: which operations Moorage has, from the tables themselves.

python tools/coverage.py            writes the page
python tools/coverage.py --check    fails where the page is stale
"""

import inspect
import sys
from collections.abc import Sequence
from typing import Any

from moorage.ecr.api import ECR
from moorage.ecs.api import ECS
from moorage.gateway.compose import own_api
from moorage.iam.api import STS
from moorage.kernel.api import Api
from moorage.kernel.operation import Operation
from pages import publish

TITLES = {
    "ecs": "Amazon ECS",
    "ecr": "Amazon ECR",
    "sts": "AWS STS",
    "moorage": "Moorage's own calls",
}
HEAD = """# Operations

<!-- Written by `make matrix` from the tables of operations; not by hand. -->

What Moorage answers, and what it refuses by name (`UnsupportedFeatureException`) because it is
not built yet. How single members differ is told in
[differences from AWS](../explanation/differences-from-aws.md).
"""


def row(operation: Operation[Any, Any]) -> str:
    """A row of the table: the operation, whether it writes, who may call it, what it does."""
    promise = (inspect.getdoc(operation.body) or "").partition("\n")[0]
    effect = "writes" if operation.writes else "reads"
    callers = ", ".join(sorted(operation.callers))
    return f"| {operation.name} | {effect} | {callers} | {promise} |"


def section(api: Api) -> str:
    """A service: its operations, and those that are absent."""
    built = [api.operations[name] for name in sorted(api.operations)]
    whole = len(built) + len(api.absent)
    lines = [
        f"## {TITLES[api.service]}: {len(built)} of {whole}",
        "",
        "| operation | effect | callers | what it does |",
        "|---|---|---|---|",
        *map(row, built),
    ]
    if api.absent:
        lines += ["", f"Not yet: {', '.join(sorted(api.absent))}."]
    return "\n".join(lines) + "\n"


def page(apis: Sequence[Api]) -> str:
    """The whole page."""
    return "\n".join([HEAD, *map(section, apis)])


if __name__ == "__main__":
    sys.exit(publish({"operations.md": page((ECS, ECR, STS, own_api()))}))
