"""All tests, in two lanes side by side: most of them wait for containers, clocks and networks.

The second lane's output is kept apart, and follows once the first has ended. Exits with 0 only
where both pass. No test may need what a test of the other lane uses: engines, servers, ports and
networks are each test's own.
"""

import subprocess
import sys
import tempfile
from typing import IO

# Of about the same length.
LANES = (
    ["tests", "--ignore=tests/lab", "--ignore=tests/crash", "--ignore=tests/sim"],
    ["tests/lab", "tests/crash", "tests/sim"],
)


def begin(paths: list[str], output: IO[bytes] | None) -> subprocess.Popen[bytes]:
    """Start pytest over these paths."""
    command = [sys.executable, "-m", "pytest", *paths, *sys.argv[1:]]
    return subprocess.Popen(command, stdout=output, stderr=output)


def main() -> int:
    """Run both lanes to their ends."""
    first, second = LANES
    with tempfile.TemporaryFile() as kept:
        print(f"Beside these tests run those of {', '.join(second)}; theirs follow.", flush=True)
        lanes = [begin(first, None), begin(second, kept)]
        try:
            lanes[0].wait()
            print(f"Waiting for {', '.join(second)}.", flush=True)
            lanes[1].wait()
        finally:
            for lane in lanes:
                lane.terminate()
                lane.wait()
            kept.seek(0)
            print(kept.read().decode(errors="replace"), flush=True)
    return int(any(lane.returncode for lane in lanes))


if __name__ == "__main__":
    sys.exit(main())
