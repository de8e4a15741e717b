"""What a responder answers, and the form of one."""

from collections.abc import Callable

from moorage.agent.engine.events import Event
from moorage.agent.engine.instructions import Instruction
from moorage.ground.record import Record


class Response(Record):
    """Events to feed to the engine, and instructions that need no word of it, both in order.

    `ignored` says why a message has no effect, for the log.
    """

    events: tuple[Event, ...] = ()
    instructions: tuple[Instruction, ...] = ()
    ignored: str | None = None


Responder = Callable[..., Response]
