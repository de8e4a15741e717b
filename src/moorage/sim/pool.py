"""Many seeds, in as many processes as there are cores for it; verdicts as soon as there are any."""

import gc
import os
import signal
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context, parent_process
from threading import Thread

from moorage.sim.run import Verdict, failed, play
from moorage.sim.scenarios import SCENARIOS
from moorage.sim.schedule import draw

WORKERS = 2
# Seeds that are handed out for each process: one that it plays, and what it plays next.
AHEAD = 4


def judge(scenario: str, seed: int) -> Verdict:
    """Play what a seed means in a scenario."""
    return play(draw(seed, scenario, SCENARIOS[scenario]))


def judge_all(scenario: str, seeds: Iterable[int], workers: int = WORKERS) -> Iterator[Verdict]:
    """A verdict a seed, in the order in which they are done; one process alone works in this one.

    A world that fails with an exception is a verdict, too, and ends no other; not so where it is
    played in this process, where its trace is wanted.
    """
    if workers <= 1:
        for seed in seeds:
            yield judge(scenario, seed)
        return
    waiting = iter(seeds)
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin)
    try:
        played = {
            pool.submit(judge, scenario, seed): seed for seed in islice(waiting, workers * AHEAD)
        }
        while played:
            done, _ = wait(played, return_when=FIRST_COMPLETED)
            for future in sorted(done, key=played.__getitem__):
                seed = played.pop(future)
                for following in islice(waiting, 1):
                    played[pool.submit(judge, scenario, following)] = following
                yield outcome(scenario, seed, future)
    finally:
        pool.shutdown(cancel_futures=True)


def outcome(scenario: str, seed: int, played: "Future[Verdict]") -> Verdict:
    """The verdict on a seed, where playing it has failed, too; raises where its process is gone."""
    error = played.exception()
    if error is None or isinstance(error, BrokenProcessPool):
        return played.result()
    return failed(draw(seed, scenario, SCENARIOS[scenario]), error)


def _begin() -> None:
    """What was imported is never garbage; and only the first process heeds an interruption.

    Where that one is killed, this one ends, too: nobody would take its verdicts.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_the_first, daemon=True).start()
    gc.freeze()


def _end_with_the_first() -> None:
    first = parent_process()
    if first is not None:
        first.join()
        os._exit(1)
