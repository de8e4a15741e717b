"""Services in any state, drawn: their deployments, tasks and hosts, and what befalls them.

A state need not have been reached by a story: what is decided must be right from wherever one
starts.
"""

from moorage.ground.record import Record
from tests.ecs.properties.drawing import Draw

PERCENTAGES = (
    (100, 200), (100, 200), (0, 100), (50, 100), (50, 200), (0, 200), (0, 150), (100, 150),
    (75, 125), (34, 134), (100, 100), (90, 110), (66, 166),
)  # fmt: skip
DAEMON_PERCENTAGES = ((0, 100), (0, 100), (34, 100), (50, 100), (75, 100), (100, 100))
STATUSES = ("PENDING", "PENDING", "ACTIVATING", "RUNNING", "RUNNING", "RUNNING", "RUNNING",
            "DEACTIVATING", "STOPPING", "STOPPED")  # fmt: skip
CONDITIONS = ("sound", "sound", "sound", "sound", "draining", "suspect", "away", "lost", "braked",
              "written off", "back", "flapping")  # fmt: skip
AGES = (0, 1, 3, 9, 11, 25, 60, 400, 5000)
HAPPENINGS = (
    "run", "run", "run", "serve", "serve", "stop", "stop", "fail", "crash", "health", "protect",
    "lose", "lose braked", "find", "find flapping", "confirm", "release", "drain", "undrain",
    "update", "scale", "wait", "wait", "freeze", "thaw", "look", "look", "look", "crowd",
    "rollback", "abort", "enlarge",
)  # fmt: skip


class ServiceHost(Record):
    """One host: with room for so many more tasks, and so many tasks of others."""

    zone: str = "a"
    room: int = 8
    condition: str = "sound"
    crowd: int = 0


class ServiceTask(Record):
    """One task, `age` seconds old; `deployment` 0 is the newest; `end` says how it STOPPED.

    `moves`: it was started in the place of the task of this number.
    """

    host: int
    deployment: int = 0
    status: str = "RUNNING"
    told_to_stop: bool = False
    health: str = "UNKNOWN"
    age: int = 400
    protected: int = 0
    end: str = "asked"
    moves: int | None = None


class Happening(Record):
    """One thing that happens; `number` chooses to whom, `cut` after which step a look ends."""

    what: str
    number: int = 0
    cut: int = 99


class ServiceCase(Record):
    """A service in some state. `completed` says by its bits which deployments were COMPLETED."""

    daemon: bool
    desired: int
    percentages: tuple[int, int]
    checked: bool
    sent: bool
    grace: int
    strategy: str
    tag: str
    breaker: str
    early: int | None
    pause: str
    pilot: bool
    primary: str
    olds: int
    completed: int
    failures: int
    deleted: bool
    frozen: bool
    hosts: tuple[ServiceHost, ...]
    tasks: tuple[ServiceTask, ...]
    happenings: tuple[Happening, ...]
    cut: int


def drawn(draw: Draw) -> ServiceCase:
    """A service of 0 to 8 tasks (a daemon: of up to 8 hosts), mostly small ones."""
    daemon = draw.likely(20)
    hosts = draw.between(1, 8 if daemon else 5)
    desired = 0 if daemon else draw.one_of((0, 1, 2, 3, 3, 4, 5, 6, 8))
    olds = draw.one_of((0, 1, 1, 1, 2, 3))
    most = hosts + 2 if daemon else draw.one_of((0, desired, desired + 2, 2 * desired + 2))
    least = draw.one_of((0, most // 2, most))
    calm = draw.likely(25)
    return ServiceCase(
        daemon=daemon,
        desired=desired,
        percentages=draw.one_of(DAEMON_PERCENTAGES if daemon else PERCENTAGES),
        checked=draw.likely(40),
        sent=draw.likely(70),
        grace=draw.one_of((0, 0, 0, 30)),
        strategy=draw.one_of(("", "", "", "spread zone", "spread host", "binpack", "random")),
        tag="" if daemon else draw.one_of(("", "", "", "", "replace", "wait", "fence")),
        breaker=draw.one_of(("", "", "", "on", "rollback", "count")),
        early=None if daemon else draw.one_of((None, None, None, 100, 75)),
        pause="" if daemon else draw.one_of(("", "", "", "", "PRE_SCALE_UP", "POST_SCALE_UP")),
        pilot=draw.likely(10),
        primary=draw.one_of(
            ("new", "new", "new", "under way", "under way", "done", "done", "failed")
        ),
        olds=olds,
        completed=draw.below(2 ** (olds + 1)),
        failures=draw.one_of((0, 0, 0, 0, 0, 0, 1, 4)),
        deleted=draw.likely(3),
        frozen=draw.likely(4),
        hosts=tuple(_host(draw, calm=calm) for _ in range(hosts)),
        tasks=tuple(_task(draw, daemon=daemon) for _ in range(draw.between(least, most))),
        happenings=tuple(_happening(draw) for _ in range(draw.one_of((0, 0, 1, 2, 4, 8)))),
        cut=draw.below(100),
    )


def _host(draw: Draw, *, calm: bool) -> ServiceHost:
    return ServiceHost(
        zone=draw.one_of("aab"),
        room=draw.one_of((0, 1, 2, 8, 8)),
        condition="sound" if calm else draw.one_of(CONDITIONS),
        crowd=draw.one_of((0, 0, 1)),
    )


def _task(draw: Draw, *, daemon: bool) -> ServiceTask:
    return ServiceTask(
        host=draw.below(8),
        deployment=draw.one_of((0, 0, 0, 1, 2, 3)),
        status=draw.one_of(STATUSES),
        told_to_stop=draw.likely(12),
        health=draw.one_of(("UNKNOWN", "HEALTHY", "HEALTHY", "UNHEALTHY")),
        age=draw.one_of(AGES),
        protected=0 if daemon else draw.one_of((0, 0, 0, 0, 1, 5)),
        end=draw.one_of(("crashed", "failed", "asked")),
        moves=draw.below(8) if not daemon and draw.likely(8) else None,
    )


def _happening(draw: Draw) -> Happening:
    return Happening(
        what=draw.one_of(HAPPENINGS), number=draw.below(64), cut=draw.one_of((1, 2, 3, 99, 99, 99))
    )
