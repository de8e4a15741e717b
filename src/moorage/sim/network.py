"""What lies between machines: connections whose bytes come late, not at all, twice, or one way only.

TCP is modelled by what it lets its users see. Within one direction of a connection order is kept;
a lost packet comes as a delay, and holds up what follows. Across connections there is no order. A
cut (one way, or both) holds everything; what waited leaves some time after the cable is whole, as
retransmissions do. A process that dies closes its connections; a machine without power closes
none, and answers with a reset once it has power again.
"""

from collections.abc import Callable
from typing import Any

from moorage.ground.chance import SeededChance
from moorage.ground.record import Record
from moorage.sim.loop import Process
from moorage.sim.world import World

CUT = 1006
LATENCY_SECONDS = (0.000_2, 0.003)
RETRANSMISSION_SECONDS = (0.2, 1.2)
# After a long cut the next retransmission may be some seconds away.
RETURN_SECONDS = (0.05, 3.0)
# For so long a kernel sends what a process that is gone had said last (Linux: tcp_orphan_retries).
ORPHAN_SECONDS = 60.0
# Its place in one direction of its connection, whether it is the last (`close`), and what it says.
Packet = tuple[int, str, Any]


class Weather(Record):
    """How the network behaves: probabilities, of one packet each, and the longest extra delay."""

    lost: float = 0.0
    twice: float = 0.0
    slow: float = 0.0
    slow_seconds_max: float = 0.5


class Host:
    """One machine on the network, as others reach it."""

    def __init__(self, name: str) -> None:
        """Begin with power, and no process that listens."""
        self.name = name
        self.has_power = True
        self.process: Process | None = None

    @property
    def is_up(self) -> bool:
        """Whether somebody takes packets and can answer with a reset."""
        return self.has_power


class End:
    """One end of a connection: who hears, and what tells him."""

    def __init__(
        self,
        host: Host,
        process: Process,
        hear: Callable[[Any], None],
        closed: Callable[[int], None],
    ) -> None:
        """Belong to one process of one machine."""
        self.host = host
        self.process = process
        self.hear = hear
        self.closed = closed
        self.is_open = True

    def shut(self, code: int) -> None:
        """Tell the process, if it lives, that it is over."""
        if self.is_open:
            self.is_open = False
            self.process.call_soon(self.closed, code)


class Connection:
    """Two ends, and what is under way between them, in order in each direction."""

    def __init__(self, network: "Network", near: End, far: End) -> None:
        """Connect `near` with `far`."""
        self.network = network
        self.ends = (near, far)
        self.free_at = [0, 0]
        self._sent = [0, 0]
        self._heard = [0, 0]
        # What came before something that was held up, which is to be heard first.
        self._early: tuple[dict[int, Packet], dict[int, Packet]] = ({}, {})

    def send(self, end: End, thing: Any) -> None:
        """Say something to the other end; whoever is closed, or was killed, says nothing."""
        if end.is_open and not end.process.dead:
            self._carry(0 if end is self.ends[0] else 1, "frame", thing)

    def close(self, end: End, code: int) -> None:
        """Close from one end: what was said before arrives first."""
        if not end.process.dead:
            self.end(end, code)

    def end(self, end: End, code: int) -> None:
        """Close from one end, be it that its process is dead: then its kernel does so."""
        if end.is_open:
            end.is_open = False
            self._carry(0 if end is self.ends[0] else 1, "close", code)

    def reset(self) -> None:
        """Break it in the middle; both ends notice, if they can."""
        for number, end in enumerate(self.ends):
            if end.is_open and not self.network.is_cut(self.ends[1 - number].host, end.host):
                end.shut(CUT)

    def _carry(self, side: int, kind: str, thing: Any) -> None:
        number = self._sent[side]
        self._sent[side] = number + 1
        self._ship(side, (number, kind, thing))

    def _ship(self, side: int, packet: Packet) -> None:
        network, world = self.network, self.network.world
        at = max(world.now + network.latency(), self.free_at[side] + 1)
        self.free_at[side] = at
        world.after((at - world.now) / 1_000_000, self._arrive, side, packet)

    def _arrive(self, side: int, packet: Packet) -> None:
        network, source, target = self.network, self.ends[side], self.ends[1 - side]
        if network.is_cut(source.host, target.host) or not target.host.has_power:
            network.hold(self, side, packet)
            return
        if not target.is_open or target.process.dead:
            target.is_open = False
            if not network.is_cut(target.host, source.host):
                source.shut(CUT)
            return
        early = self._early[side]
        early[packet[0]] = packet
        while (heard := early.pop(self._heard[side], None)) is not None:
            self._heard[side] += 1
            self._hand_over(target, heard)

    def _hand_over(self, target: End, packet: Packet) -> None:
        network, (_, kind, thing) = self.network, packet
        if kind == "close":
            target.shut(int(thing))
            return
        target.process.call_soon(target.hear, thing)
        if network.chance.uniform(0, 1) < network.weather.twice:
            target.process.call_soon(target.hear, thing)

    def resume(self, side: int, packets: list[Packet]) -> None:
        """What was held up by a cut goes on its way, in order."""
        world = self.network.world
        delay = self.network.chance.uniform(*RETURN_SECONDS)
        self.free_at[side] = max(self.free_at[side], world.now + round(delay * 1_000_000))
        for packet in packets:
            self._ship(side, packet)


class Network:
    """All machines, the cuts between them and the weather."""

    def __init__(self, world: World) -> None:
        """Begin with no machine, no cut and fine weather."""
        self.world = world
        self.chance: SeededChance = world.chance_of("network")
        self.weather = Weather()
        self.connections: dict[Connection, None] = {}
        self._cuts: dict[tuple[str, str], int] = {}
        self._held: dict[tuple[Connection, int], list[Packet]] = {}
        self._abandoned: dict[End, None] = {}

    def latency(self) -> int:
        """How long one packet takes now, in microseconds; a lost one comes by retransmission."""
        chance, weather = self.chance, self.weather
        seconds = chance.uniform(*LATENCY_SECONDS)
        if weather.lost and chance.uniform(0, 1) < weather.lost:
            seconds += chance.uniform(*RETRANSMISSION_SECONDS)
        if weather.slow and chance.uniform(0, 1) < weather.slow:
            seconds += chance.uniform(0, weather.slow_seconds_max)
        return round(seconds * 1_000_000)

    def is_cut(self, source: Host, target: Host) -> bool:
        """Whether nothing gets from one machine to the other."""
        return bool(self._cuts) and (source.name, target.name) in self._cuts

    def cut(self, source: str, target: str) -> None:
        """Let nothing through in this direction until it is mended as often as it was cut."""
        self._cuts[source, target] = self._cuts.get((source, target), 0) + 1

    def mend(self, source: str, target: str) -> None:
        """Undo one cut."""
        left = self._cuts.pop((source, target), 0) - 1
        if left > 0:
            self._cuts[source, target] = left
        elif left == 0:
            self.release()

    def hold(self, connection: Connection, side: int, packet: Packet) -> None:
        """Keep what cannot arrive."""
        self._held.setdefault((connection, side), []).append(packet)

    def release(self) -> None:
        """Send again what may arrive now."""
        for (connection, side), packets in list(self._held.items()):
            source, target = connection.ends[side], connection.ends[1 - side]
            if not self.is_cut(source.host, target.host) and target.host.has_power:
                del self._held[connection, side]
                connection.resume(side, packets)

    def connect(self, near: End, far: End) -> Connection:
        """A new connection."""
        connection = Connection(self, near, far)
        self.connections[connection] = None
        return connection

    def forget_closed(self) -> None:
        """Drop what is over at both ends."""
        gone = [c for c in self.connections if not any(end.is_open for end in c.ends)]
        for connection in gone:
            del self.connections[connection]

    def process_died(self, process: Process) -> None:
        """The kernel of its machine closes what a dead process had open."""
        for connection in self.connections:
            for end in connection.ends:
                if end.process is process and end.is_open:
                    connection.end(end, CUT)
        self.forget_closed()

    def power_lost(self, host: Host) -> None:
        """A machine is gone, without a word to anybody."""
        for connection in self.connections:
            for end in connection.ends:
                if end.host is host:
                    end.is_open = False
        for connection, side in list(self._held):  # nobody will send it again
            if connection.ends[side].host is host:
                del self._held[connection, side]

    def abandon(self, end: End) -> None:
        """Nobody waits at the other end any more; what was said arrives all the same, for a while."""
        self._abandoned[end] = None

        def give_up() -> None:
            self._abandoned.pop(end, None)
            end.is_open = False

        self.world.after(ORPHAN_SECONDS, give_up)

    def forget_abandoned(self) -> None:
        """What is still under way from those who have gone never arrives."""
        for end in self._abandoned:
            end.is_open = False
        self._abandoned.clear()
