"""The ids of what a host is sent: they say all that an acknowledgement must bring back.

So no message body is stored: `run.TASK.NUMBER` acknowledged means that order, and no other.
"""

from typing import Literal, get_args

from moorage.ground.record import Record

Kind = Literal["run", "stop", "manifest", "registry", "images", "authority", "rotate", "inventory"]
KINDS: tuple[Kind, ...] = get_args(Kind)
PARTS = 3
NUMBER_DIGITS_MAX = 18


class MessageId(Record):
    """`task` is a task's id, empty where the message is about the whole host."""

    kind: Kind
    task: str
    sequence: int

    def __str__(self) -> str:
        """The id as it is sent."""
        return f"{self.kind}.{self.task}.{self.sequence}"


def read_message_id(text: str) -> MessageId | None:
    """The id that `text` is, or None where it is none of ours."""
    parts = text.split(".")
    if len(parts) != PARTS:
        return None
    word, task, number = parts
    kind = next((one for one in KINDS if one == word), None)
    if kind is None or not number.isascii() or not number.isdigit():
        return None
    if len(number) > NUMBER_DIGITS_MAX:
        return None
    return MessageId(kind=kind, task=task, sequence=int(number))
