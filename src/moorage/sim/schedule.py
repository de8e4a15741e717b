"""What is to happen in one simulated world: drawn from the seed beforehand, so that it can be cut.

A step says when, what, and a few numbers that choose among whatever is there then (`pick`): a step
whose choice is empty does nothing. So any part of a schedule is a schedule, and a failure can be
shrunk by leaving steps out.
"""

from collections.abc import Mapping

from moorage.ground.chance import SeededChance
from moorage.ground.record import Record

PICKS = 6
PICK_LIMIT = 1 << 30
USER_STEPS = 150
FAULTS_MIN = 6
FAULTS_MORE = 7
SECONDS = 600.0
# Users begin when the first hosts are there; faults a little later.
USERS_BEGIN = 8.0
FAULTS_BEGIN = 25.0
MACHINES_MIN = 3
MACHINES_MAX = 8


class Step(Record):
    """One thing to be done by a user or by fate, `at` so many seconds."""

    number: int
    at: float
    actor: str
    act: str
    picks: tuple[int, ...]


class Schedule(Record):
    """One world: its seed, how many machines, and everything that is done to it."""

    seed: int
    scenario: str
    machines: int
    steps: tuple[Step, ...]
    seconds: float = SECONDS


class Scenario(Record):
    """A kind of schedule: how often users do what, and what goes wrong, by weight."""

    users: Mapping[str, int]
    faults: Mapping[str, int]
    user_steps: int = USER_STEPS
    faults_min: int = FAULTS_MIN
    faults_more: int = FAULTS_MORE
    machines: tuple[int, int] = (MACHINES_MIN, MACHINES_MAX)
    seconds: float = SECONDS


def draw(seed: int, name: str, scenario: Scenario) -> Schedule:
    """The schedule that a seed means in a scenario."""
    chance = SeededChance(seed)
    few, many = scenario.machines
    # Few hosts more often than many: their worlds are quicker, and break as easily.
    machines = few + min(chance.below(many - few + 1) for _ in range(2))
    last = scenario.seconds - 20.0
    steps = [
        _step(chance, "user", scenario.users, USERS_BEGIN, last) for _ in range(scenario.user_steps)
    ]
    if scenario.faults:
        steps += [
            _step(chance, "fate", scenario.faults, FAULTS_BEGIN, last)
            for _ in range(scenario.faults_min + chance.below(scenario.faults_more + 1))
        ]
    steps.sort(key=lambda step: step.at)
    numbered = (
        Step(number=n, at=s.at, actor=s.actor, act=s.act, picks=s.picks)
        for n, s in enumerate(steps, 1)
    )
    return Schedule(
        seed=seed,
        scenario=name,
        machines=machines,
        steps=tuple(numbered),
        seconds=scenario.seconds,
    )


def _step(
    chance: SeededChance, actor: str, weights: Mapping[str, int], first: float, last: float
) -> Step:
    number = chance.below(sum(weights.values()))
    act = ""
    for act, weight in weights.items():  # noqa: B007 - the one at which it stops
        number -= weight
        if number < 0:
            break
    # In whole milliseconds: a step is told, and written down, as it is.
    at = round(chance.uniform(first, last), 3)
    picks = tuple(chance.below(PICK_LIMIT) for _ in range(PICKS))
    return Step(number=0, at=at, actor=actor, act=act, picks=picks)
