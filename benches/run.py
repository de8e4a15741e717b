"""`make bench`: the figures of docs/explanation/measurements.md, beside their peers.

Each benchmark prints a table and one line of JSON. It runs on engines, servers and folders of its
own, as root, and cleans up. `python benches/run.py swarm` runs one; without a name all run.
"""

import argparse
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

import api  # noqa: E402 - the folders above are known only now
import crash  # noqa: E402
import endtoend  # noqa: E402
import idle  # noqa: E402
import lab  # noqa: E402
import memory  # noqa: E402
import placement  # noqa: E402
import reconcile  # noqa: E402
import registry  # noqa: E402
import start  # noqa: E402
import swarm  # noqa: E402

BENCHES: dict[str, Callable[[int], None]] = {
    "swarm": swarm.measure,
    "registry": registry.measure,
    "api": api.measure,
    "memory": memory.measure,
    "placement": placement.measure,
    "reconcile": reconcile.measure,
    "endtoend": endtoend.measure,
    "lab": lab.measure,
    "start": start.measure,
    "crash": crash.measure,
    "idle": idle.measure,
}
ROUNDS = 3


def main() -> int:
    """Run the benchmarks that were named; the exit code."""
    parser = argparse.ArgumentParser(description="The figures of docs/, beside their peers.")
    parser.add_argument("names", nargs="*", choices=[*BENCHES, []], help="which; default: all")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"default {ROUNDS}")
    given = parser.parse_args()
    if os.geteuid() != 0:
        print("The benchmarks start engines of their own and need root: sudo make bench")
        return 1
    subprocess.run([sys.executable, str(ROOT / "tools" / "prepare.py"), "--bench"], check=True)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}, "
          f"Python {platform.python_version()}")  # fmt: skip
    for name in given.names or BENCHES:
        BENCHES[name](given.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
