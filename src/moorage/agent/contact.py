"""When the server was last heard, and when it last knew for certain that this host is there.

Two different things. *Heard*: a message came, now; by its lack the server is away, and healing
begins. *Known*: the newest moment at which this host sent something that the server is known to
have had: a handshake that it accepted, or the answer to a heartbeat that it names in a later one.
Fencing counts from there, because a message that is heard may have lain in a buffer for long, in
the network or of a process that was paused; the moment of sending is never later than the moment
from which the server counts.

The clock is CLOCK_BOOTTIME: it does not jump, counts time in which the machine slept, and means
the same to the next process of this boot. What is known is written down, at most each ten seconds:
an older value on the disk only fences earlier. After another boot nothing is known; then no
container of the last one runs.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from pathlib import Path

import msgspec

from moorage.acs.messages import (
    AgentMessage,
    HeartbeatAckRequest,
    HeartbeatMessage,
    ServerMessage,
)
from moorage.agent import journal
from moorage.agent.engine.events import ServerHeard, ServerSilent, ServerUnconfirmed
from moorage.ground.clock import Clock
from moorage.ground.instant import Duration, Moment, hours, seconds
from moorage.ground.record import Record

FILE = "contact.json"
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
LOOK_PERIOD_SECONDS = 1.0
WRITE_PERIOD = seconds(10)
# Heartbeats come each five seconds: a connection that says nothing for longer does not speak.
SPEAKS_WITHIN = seconds(8)
# An answer is confirmed by the heartbeat that follows it.
CONFIRMED_WITHIN = seconds(12)
# A process that has just begun is given so long to reach the server before it fences.
FENCE_START_GRACE = seconds(3)
NEVER = hours(24 * 365)
ANSWERS_MAX = 64
log = logging.getLogger(journal.LOGGER)

Feed = Callable[[ServerSilent | ServerUnconfirmed | ServerHeard], None]


class Kept(Record):
    """The file: the boot that `known_at` was measured in, and the moment itself."""

    boot: str
    known_at: Moment


class Contact:
    """One host's contact with its server, across connections and processes."""

    def __init__(self, folder: Path, clock: Clock, feed: Feed, boot: str | None = None) -> None:
        """Go on from what the folder holds; tell `feed` of every change, and of silence."""
        self._file = folder / FILE
        self._clock = clock
        self._feed = feed
        self._boot = _boot_id() if boot is None else boot
        self._began = clock.boottime()
        self._heard_at = self._began
        self._known_at = self._load()
        self._written = self._known_at
        self._connected = False
        self._speaking = False
        self._answers: dict[str, Moment] = {}

    @property
    def speaks(self) -> bool:
        """Whether the server is there: connected, and heard of late."""
        return self._speaking

    def opened(self, dialled_at: Moment) -> None:
        """The server accepted a handshake that was begun then (on the clock of boot time)."""
        self._connected = True
        self._answers.clear()
        self._know(dialled_at)

    def closed(self) -> None:
        """The connection is gone."""
        self._connected = False
        self._answers.clear()
        self.look()

    def saying(self, message: AgentMessage) -> None:
        """Note what is about to be said."""
        if isinstance(message, HeartbeatAckRequest) and message.message_id:
            self._answers[message.message_id] = self._clock.boottime()
            while len(self._answers) > ANSWERS_MAX:
                del self._answers[next(iter(self._answers))]

    def heard(self, message: ServerMessage) -> None:
        """Note what was said; to be called before anything is made of it."""
        self._heard_at = self._clock.boottime()
        if isinstance(message, HeartbeatMessage) and message.answered in self._answers:
            self._know(self._answers[message.answered])
        if not self._speaking and self._connected:
            self._speaking = True
            self._feed(ServerHeard())

    def look(self) -> None:
        """Say how long the silence is, if there is one."""
        now = self._clock.boottime()
        unheard = Duration(now - self._heard_at)
        unconfirmed = self._unconfirmed(now)
        if not self._connected or not self._speaking or unheard >= SPEAKS_WITHIN:
            self._speaking = False
            self._feed(ServerSilent(unheard=unheard, unconfirmed=unconfirmed))
        elif unconfirmed >= CONFIRMED_WITHIN:
            self._feed(ServerUnconfirmed(unconfirmed=unconfirmed))

    async def step(self) -> None:
        """Look once, write down what is known if that is due, and wait for the next time."""
        self.look()
        if self._due():
            kept = Kept(boot=self._boot, known_at=self._known_at or Moment(0))
            try:
                await asyncio.to_thread(self._write, kept)
            except OSError as error:
                log.warning("cannot write %s: %s", self._file, error)
            else:
                self._written = kept.known_at
        await asyncio.sleep(LOOK_PERIOD_SECONDS)

    def _know(self, at: Moment) -> None:
        self._known_at = at if self._known_at is None else max(self._known_at, at)

    def _unconfirmed(self, now: Moment) -> Duration:
        young = Duration(now - self._began)
        if young < FENCE_START_GRACE:
            return young
        return NEVER if self._known_at is None else Duration(now - self._known_at)

    def _due(self) -> bool:
        if self._known_at is None or self._known_at == self._written:
            return False
        return self._written is None or self._known_at - self._written >= WRITE_PERIOD

    def _load(self) -> Moment | None:
        try:
            kept = msgspec.json.decode(self._file.read_bytes(), type=Kept)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return None
        sane = 0 <= kept.known_at <= self._began
        return kept.known_at if sane and self._boot and kept.boot == self._boot else None

    def _write(self, kept: Kept) -> None:
        """Replace the file; no fsync, since it means nothing after another boot."""
        beside = self._file.with_suffix(".new")
        try:
            beside.write_bytes(msgspec.json.encode(kept))
            beside.replace(self._file)
        except OSError:
            with contextlib.suppress(OSError):
                beside.unlink()
            raise


def _boot_id() -> str:
    """The kernel's name of this boot; one that matches nothing where it cannot be read."""
    try:
        return BOOT_ID.read_text("ascii").strip()
    except OSError:
        return ""
