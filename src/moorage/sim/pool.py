"""Many seeds, in as many processes as there are cores for it; verdicts in the order of the seeds."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context

from moorage.sim.run import Verdict, play
from moorage.sim.scenarios import SCENARIOS
from moorage.sim.schedule import draw

WORKERS = 2
# Handed to a process at once: a verdict is small, and an order smaller.
SEEDS_AT_ONCE = 4
WAITING_MAX = 64


def judge(scenario: str, seed: int) -> Verdict:
    """Play what a seed means in a scenario."""
    return play(draw(seed, scenario, SCENARIOS[scenario]))


def judge_all(scenario: str, seeds: Iterable[int], workers: int = WORKERS) -> Iterator[Verdict]:
    """A verdict a seed, in order; one process alone works in this one."""
    if workers <= 1:
        for seed in seeds:
            yield judge(scenario, seed)
        return
    waiting = iter(seeds)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        while portion := list(islice(waiting, WAITING_MAX)):
            named = [scenario] * len(portion)
            yield from pool.map(judge, named, portion, chunksize=SEEDS_AT_ONCE)
