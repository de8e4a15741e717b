"""Messages to frames and back: `{"type": NAME, "message": {...}}`, UTF-8 JSON, one a frame.

Reading never raises: what is not understood comes back as `Unreadable`, which says why. Amazon's
agent drops such a frame without a word, and so do both of our ends, but for a line in the log.
"""

from collections.abc import Iterable, Mapping

import msgspec

from moorage.acs.messages import AGENT_MESSAGES, SERVER_MESSAGES, AgentMessage, ServerMessage
from moorage.ground.record import Record

# A payload has one task; a task definition is at most 64 KiB, a manifest some 200 bytes a task.
FRAME_BYTES_MAX = 4 * 1024 * 1024
LOG_CHUNK_BYTES_MAX = 64 * 1024
TYPE_LENGTH_SHOWN = 64
REFUSAL_BYTES_MAX = 64 * 1024
INACTIVE_INSTANCE = "InactiveInstanceException"
# Ours; to Amazon's agent any unknown name is a failure like another, after which it tries again.
REPLACED_KEY_REFUSAL = "ReplacedKeyException"
SECOND_AGENT_REFUSAL = "SecondAgentException"


class Unreadable(Record):
    """A frame that cannot be used; `type` where it had one."""

    reason: str
    type: str | None = None


class Refusal(Record):
    """The answer to a handshake that was refused: an exception's name and its text."""

    name: str
    text: str = ""


class _Envelope(msgspec.Struct):
    type: str
    message: msgspec.Raw


# What decoding raises for a text that is no message; the last where it is nested too deeply.
_NO_MESSAGE = (msgspec.DecodeError, msgspec.ValidationError, UnicodeError, RecursionError)
_ENVELOPE = msgspec.json.Decoder(_Envelope)
_ENCODER = msgspec.json.Encoder()
_ANY = msgspec.json.Decoder(dict[str, object])


def _decoders(
    types: Iterable[type[msgspec.Struct]],
) -> Mapping[str, msgspec.json.Decoder[msgspec.Struct]]:
    return {shape.__name__: msgspec.json.Decoder(shape) for shape in types}


_FROM_SERVER = _decoders(SERVER_MESSAGES)
_FROM_AGENT = _decoders(AGENT_MESSAGES)


def encode(message: msgspec.Struct) -> str:
    """The frame of a message; its type is the name of its class."""
    return _ENCODER.encode({"type": type(message).__name__, "message": message}).decode()


def decode_from_server(frame: str | bytes) -> ServerMessage | Unreadable:
    """What the server says in this frame."""
    return decode(frame, _FROM_SERVER)  # type: ignore[return-value]  # the table's own types


def decode_from_agent(frame: str | bytes) -> AgentMessage | Unreadable:
    """What the agent says in this frame."""
    return decode(frame, _FROM_AGENT)  # type: ignore[return-value]  # the table's own types


def decode(
    frame: str | bytes, decoders: Mapping[str, msgspec.json.Decoder[msgspec.Struct]]
) -> msgspec.Struct | Unreadable:
    """The message in a frame, by a table of decoders."""
    if len(frame) > FRAME_BYTES_MAX:
        return Unreadable(reason=f"the frame is longer than {FRAME_BYTES_MAX} bytes")
    try:
        envelope = _ENVELOPE.decode(frame)
    except _NO_MESSAGE as error:
        return Unreadable(reason=f"not a frame of type and message: {error}")
    shown = envelope.type[:TYPE_LENGTH_SHOWN]
    decoder = decoders.get(envelope.type)
    if decoder is None:
        return Unreadable(reason="unknown type", type=shown)
    try:
        return decoder.decode(envelope.message)
    except _NO_MESSAGE as error:
        return Unreadable(reason=str(error), type=shown)


def encode_refusal(refusal: Refusal) -> str:
    """The body of a refused handshake, in the form that Amazon's agent parses."""
    return _ENCODER.encode({"type": refusal.name, "message": {"message": refusal.text}}).decode()


def decode_refusal(body: str | bytes) -> Refusal | None:
    """What a refused handshake says, in either of its two forms; None for anything else."""
    if len(body) > REFUSAL_BYTES_MAX:
        return None
    try:
        found = _ANY.decode(body)
    except _NO_MESSAGE:
        return None
    name = found.get("type")
    if isinstance(name, str):
        message = found.get("message")
        text = message.get("message") if isinstance(message, dict) else None
        return Refusal(name=name, text=text if isinstance(text, str) else "")
    for key, text in found.items():
        if key.endswith("Exception"):
            return Refusal(name=key, text=text if isinstance(text, str) else "")
    return None
