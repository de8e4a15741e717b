"""Where a host stands, by its connections and its silence, and how what has changed is kept.

A link knows it at once and in memory; the rows follow, as soon as the database takes it, with the
newest standing alone: where the host stands now, not where it stood.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from moorage.acs.patience import Ending, Loss, Patience
from moorage.ecs.agents import AgentTable
from moorage.ecs.operations.session import Hello, read_timeline
from moorage.gateway.line import Line
from moorage.ground.record import Record
from moorage.kernel.call import Call
from moorage.kernel.site import Site

_SILENT = Hello()


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A websocket whose handshake was accepted, what the agent said of itself, and with which key."""

    line: Line
    hello: Hello = _SILENT
    key: str = ""


def hello_of(members: Mapping[str, str]) -> Hello:
    """What an agent says of itself in the query of its handshake; thousands say the same."""
    said = members.get
    return Hello(
        agent_version=sys.intern(said("agentVersion", "")),
        agent_hash=sys.intern(said("agentHash", "")),
        docker_version=sys.intern(said("dockerVersion", "").removeprefix("DockerVersion: ")),
        timeline=read_timeline(said("timeline", "")),
    )


class Standing(Record):
    """The number of a host's connection (None: it has none, and `how` it ended), doubt and loss.

    `newest` is the number of the newest one that it had on this server, 0 before the first.
    """

    connection: int | None
    newest: int = 0
    how: Ending = "closed"
    suspect: bool = False
    loss: Loss | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """The work that writes what differs between two standings.

    `before` is None where what is kept is an earlier server's; `hello` is what the agent said of
    itself on a connection that is not kept yet.
    """

    table: AgentTable
    arn: str
    before: Standing | None
    standing: Standing
    hello: Hello | None

    def __call__(self, call: Call) -> None:
        """Write it; a host that is lost by silence is not merely disconnected."""
        table, arn, standing = self.table, self.arn, self.standing
        doubted, lost = False, None
        hello = Hello() if self._missed else self.hello
        if hello is not None:
            table.connected(call, arn, hello)
        if standing.connection is None and standing.loss != "silent":
            table.disconnected(call, arn, standing.how)
        elif hello is None and self.before is not None:
            doubted, lost = self.before.suspect, self.before.loss
        if standing.loss is not None:
            table.lost(call, arn, standing.loss)
        elif lost is not None:
            table.returned(call, arn)
        elif standing.suspect != doubted:
            table.doubted(call, arn, standing.suspect)

    @property
    def _missed(self) -> bool:
        """Whether a connection came and went before it was kept: fences count from its end."""
        known = self.before.newest if self.before is not None else 0
        return self.standing.connection is None and self.standing.newest != known


@cache
def patience_of(site: Site) -> Patience:
    """How long this site waits for its hosts."""
    return Patience(
        suspect_after=site.suspect_after,
        lost_after=site.lost_after,
        closed_grace=site.closed_grace,
        goodbye_grace=site.goodbye_grace,
        engine_grace=site.engine_grace,
    )
