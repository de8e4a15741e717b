"""Memory of the server and of each agent, with three hosts and thirty tasks, at rest."""

import time
from pathlib import Path

from stage import engine, moorage, record, table
from tests.clients.processes import Process, until

HOSTS, TASKS = 3, 30
REST_SECONDS = 10.0
TICKS_PER_SECOND = 100
SERVER_MIB_MAX, AGENT_MIB_MAX = 160, 60


def measure(_rounds: int) -> None:
    """Run the benchmark and print its figures."""
    with engine() as own, moorage(own, HOSTS) as place:
        uri = place.repository("bench")
        place.login()
        image = place.push("moorage-test/busybox:1", f"{uri}:1")
        asked = {"image": image, "command": ["/bin/sleep", "3600"], "memory": 16}
        definition = place.register("bench", asked)
        place.ecs.create_service(serviceName="bench", taskDefinition=definition, desiredCount=TASKS)
        until(lambda: len(place.running("bench")) == TASKS, 60, f"{TASKS} tasks run")
        place.steady("bench")
        processes: list[Process] = [place.server, *place.hosts]
        before = [_ticks(one.pid) for one in processes]
        time.sleep(REST_SECONDS)
        busy = [_ticks(one.pid) - at for one, at in zip(processes, before, strict=True)]
        sizes = [_mebibytes(one.pid) for one in processes]
    rows = []
    for one, size, ticks in zip(processes, sizes, busy, strict=True):
        share = f"{ticks / TICKS_PER_SECOND / REST_SECONDS * 100:.1f} %"
        bound = SERVER_MIB_MAX if one.name == "server" else AGENT_MIB_MAX
        rows.append((one.name, f"{size['Rss']:.0f}", f"{size['Pss']:.0f}", share, f"<= {bound}"))
    columns = ("process", "RSS MiB", "PSS MiB", "of a core at rest", "target")
    table(f"Memory with {HOSTS} hosts and {TASKS} tasks", columns, rows)
    record(
        "memory",
        {
            "server_rss_mib": round(sizes[0]["Rss"], 1),
            "agent_rss_mib_max": round(max(size["Rss"] for size in sizes[1:]), 1),
        },
    )


def _mebibytes(pid: int) -> dict[str, float]:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    return {line.split()[0].rstrip(":"): int(line.split()[1]) / 1024 for line in lines}


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
