"""Signed API calls a second against one server process, sixteen at once.

DescribeTasks of ten tasks is a read, RegisterTaskDefinition a durable write. Each request is
verified, authorized, run and answered in full; the load comes from another process.
"""

import json
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

from moorage.wire.request import Request
from stage import answer, caller, engine, median, moorage, record, seconds_until, spread, table
from tests.clients.place import Place
from tests.clients.signed import Caller

CONNECTIONS = 16
LOAD_SECONDS = 5.0
TARGETS = {"DescribeTasks": 2000, "RegisterTaskDefinition": 700}
TASKS = 10


def octets(request: Request) -> bytes:
    """A request as it goes over the line."""
    lines = [f"{request.method} {request.path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in request.headers]
    lines.append(f"content-length: {len(request.body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + request.body


def measure(rounds: int) -> None:
    """Run the benchmark and print its figures."""
    found: dict[str, list[dict[str, float]]] = defaultdict(list)
    with engine() as own, moorage(own, 1, "--log-to-file") as place:
        client = caller(place)
        bodies = {
            "DescribeTasks": _ten_tasks(place, client),
            "RegisterTaskDefinition": _definition(),
        }
        for _ in range(rounds):
            for operation, members in bodies.items():
                found[operation].append(_load(place, client, operation, members))
    rows = []
    figures: dict[str, object] = {"rounds": rounds, "connections": CONNECTIONS}
    for operation, runs in found.items():
        assert not sum(run["errors"] for run in runs), runs
        rates = [run["per_second"] for run in runs]
        late = median([run["p99_ms"] for run in runs])
        cpu = median([run["cpu_us"] for run in runs])
        rows.append((operation, spread(rates, 0), late, cpu, f">= {TARGETS[operation]}"))
        figures |= {operation: median(rates), f"{operation}_p99_ms": late}
    columns = ("signed, 16 at once", "requests/s", "p99 ms", "server CPU us", "target")
    table("API calls on one server process", columns, rows)
    record("api", figures)


def _ten_tasks(place: Place, client: Caller) -> dict[str, object]:
    uri = place.repository("bench")
    place.login()
    image = place.push("moorage-test/busybox:1", f"{uri}:1")
    asked = {"image": image, "command": ["/bin/sleep", "3600"], "memory": 16}
    definition = place.register("bench", asked)
    told = answer(client.call("ecs", "RunTask", {"taskDefinition": definition, "count": TASKS}))
    arns = [task["taskArn"] for task in told["tasks"]]
    assert len(arns) == TASKS, told["failures"]

    def all_run() -> bool:
        tasks = answer(client.call("ecs", "DescribeTasks", {"tasks": arns}))["tasks"]
        return all(task["lastStatus"] == "RUNNING" for task in tasks)

    seconds_until(all_run, time.perf_counter())
    return {"cluster": "default", "tasks": arns}


def _definition() -> dict[str, object]:
    container = {
        "name": "main",
        "image": "registry/web:1",
        "cpu": 128,
        "memory": 64,
        "environment": [{"name": "COLOUR", "value": "blue"}],
        "portMappings": [{"containerPort": 8080}],
    }
    return {"family": "bench", "containerDefinitions": [container]}


def _load(place: Place, client: Caller, operation: str, members: object) -> dict[str, float]:
    body = json.dumps(members).encode()
    request = client.signed(client.request("ecs", operation, body), "ecs")
    words = [str(place.server.port), str(CONNECTIONS), str(LOAD_SECONDS)]
    before = _cpu_seconds(place.server.pid)
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("load.py")), *words],
        input=octets(request),
        capture_output=True,
        check=True,
    )
    told: dict[str, float] = json.loads(done.stdout)
    spent = _cpu_seconds(place.server.pid) - before
    told["cpu_us"] = round(spent / (told["per_second"] * LOAD_SECONDS) * 1e6)
    return told


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
