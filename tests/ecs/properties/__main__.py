"""Judge many cases: `python -m tests.ecs.properties [--of NAME] [--cases N] [--seed S]`."""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

from tests.ecs.properties.drawing import Broken, add, judge
from tests.ecs.properties.table import PROPERTIES, SHARES

# So many cases are handed to a process at once.
CHUNK = 250


def chunk(task: tuple[str, int, int]) -> tuple[str, Counter[str], float, str]:
    """Judge some cases of one property: what was seen, CPU seconds, and what did not hold."""
    name, first, count = task
    begun = time.process_time()
    try:
        seen, broken = judge(PROPERTIES[name], range(first, first + count)), ""
    except Broken as found:
        seen, broken = Counter[str](), str(found)
    return name, seen, time.process_time() - begun, broken


def chunks(names: list[str], first: int, cases: int) -> Iterator[tuple[str, int, int]]:
    """The work, the properties in turns."""
    wanted = {name: max(1, cases * SHARES[name] // 100) for name in names}
    for start in range(0, cases, CHUNK):
        for name, count in wanted.items():
            left = min(CHUNK, count - start)
            if left > 0:
                yield name, first + start, left


def say(text: str) -> None:
    """Tell it at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Judge, tell, and answer 1 where anything did not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--of", choices=tuple(PROPERTIES), action="append")
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, help="this one case alone")
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    names = given.of or list(PROPERTIES)
    if given.seed is not None:
        work = [(name, given.seed, 1) for name in names]
    else:
        work = list(chunks(names, given.first, given.cases))
    seen: dict[str, Counter[str]] = {name: Counter() for name in names}
    spent = dict.fromkeys(names, 0.0)
    stories: list[str] = []
    with ProcessPoolExecutor(given.jobs) as pool:
        for name, found, seconds, broken in pool.map(chunk, work):
            add(seen[name], found)
            spent[name] += seconds
            if broken:
                stories.append(broken)
                say(broken)
    for name in names:
        looked = ", ".join(f"{count:,} {what}" for what, count in sorted(seen[name].items()))
        say(f"{name}: {looked}; {spent[name]:.0f} CPU seconds")
    say(f"{len(stories)} failures")
    return int(bool(stories))


if __name__ == "__main__":
    sys.exit(main())
