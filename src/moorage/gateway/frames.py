"""The frames of a websocket (RFC 6455), at the server's end: bytes in, messages out. Pure.

Of our own, for an idle agent's sake: a parser that keeps nothing between two frames but what has
not come whole, so that ten thousand connections that rest cost next to nothing. No extension is
ever agreed on, so no reserved bit may be set; each frame of a client is masked.
"""

import base64
import binascii
import hashlib

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
CONTROL_BYTES_MAX = 125
# Close codes of RFC 6455, 7.4.1, that this end says or makes up.
NO_CODE, CUT = 1005, 1006
PROTOCOL_BROKEN, NOT_TEXT, TOO_LONG = 1002, 1007, 1009
_KEY_BYTES = 16
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_FINAL, _RESERVED, _OPCODE, _CONTROL, _MASKED, _LENGTH = 0x80, 0x70, 0x0F, 0x08, 0x80, 0x7F
_SHORT, _MEDIUM = 126, 127
_MASK_BYTES = 4
_KNOWN = frozenset({CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG})
# 7.4: what a peer may say; 1005, 1006 and 1015 are never sent.
_CODES_SAID = frozenset({*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)})


class Broken(Exception):  # noqa: N818 - what a connection is then
    """The peer does not keep to the protocol: the connection is to be closed with `code`."""

    def __init__(self, code: int) -> None:
        """Keep the close code."""
        super().__init__(str(code))
        self.code = code


class Parser:
    """Takes bytes as they come, and gives messages and control frames once they are whole."""

    __slots__ = ("_at", "_bytes_max", "_kind", "_parts", "_rest")

    def __init__(self, bytes_max: int) -> None:
        """Take no message that is longer."""
        self._bytes_max = bytes_max
        # What has come and is not taken begins at `_at`.
        self._rest: bytes | bytearray = b""
        self._at = 0
        # A message of several frames: what it is, and what of it has come.
        self._kind = 0
        self._parts: bytearray | None = None

    def feed(self, data: bytes) -> None:
        """Take in what has come."""
        if self._at >= len(self._rest):
            self._rest, self._at = data, 0
            return
        if isinstance(self._rest, bytearray):
            del self._rest[: self._at]
        else:
            self._rest = bytearray(self._rest[self._at :])
        self._at = 0
        self._rest += data

    def take(self) -> tuple[int, bytes] | None:
        """The next that is whole: TEXT, BINARY, PING or CLOSE with its payload; None: none is.

        Raises Broken.
        """
        while (found := self._frame()) is not None:
            opcode, is_final, payload = found
            if opcode & _CONTROL:
                if opcode != PONG:
                    return opcode, payload
                continue
            if (opcode == CONTINUATION) != (self._parts is not None):
                raise Broken(PROTOCOL_BROKEN)
            if self._parts is None:
                if is_final:
                    return opcode, payload
                self._kind, self._parts = opcode, bytearray(payload)
                continue
            self._parts += payload
            if is_final:
                payload, self._parts = bytes(self._parts), None
                return self._kind, payload
        return None

    def _frame(self) -> tuple[int, bool, bytes] | None:
        """The next whole frame: opcode, whether it is the last of its message, payload."""
        rest, begin = self._rest, self._at
        have = len(rest) - begin
        if have < 2:  # noqa: PLR2004 - RFC 6455, 5.2: two bytes say how the frame goes on
            if not have:
                self._rest, self._at = b"", 0
            return None
        first, second = rest[begin], rest[begin + 1]
        opcode, length, head = first & _OPCODE, second & _LENGTH, 2
        if first & _RESERVED or opcode not in _KNOWN or not second & _MASKED:
            raise Broken(PROTOCOL_BROKEN)
        if opcode & _CONTROL and (length > CONTROL_BYTES_MAX or not first & _FINAL):
            raise Broken(PROTOCOL_BROKEN)
        if length >= _SHORT:
            head = 4 if length == _SHORT else 10
            if have < head:
                return None
            length = int.from_bytes(rest[begin + 2 : begin + head], "big")
        if length + len(self._parts or ()) > self._bytes_max:
            raise Broken(TOO_LONG)
        mask = begin + head
        payload = mask + _MASK_BYTES
        end = payload + length
        if len(rest) < end:
            return None
        self._at = end
        return opcode, bool(first & _FINAL), _unmasked(rest[payload:end], rest[mask:payload])


def frame(opcode: int, payload: bytes) -> bytes:
    """One whole frame of the server, unmasked."""
    length = len(payload)
    if length < _SHORT:
        head = bytes((_FINAL | opcode, length))
    elif length < 1 << 16:
        head = bytes((_FINAL | opcode, _SHORT)) + length.to_bytes(2, "big")
    else:
        head = bytes((_FINAL | opcode, _MEDIUM)) + length.to_bytes(8, "big")
    return head + payload


def closing(code: int) -> bytes:
    """The frame that closes with a code; NO_CODE: with none."""
    return frame(CLOSE, b"" if code == NO_CODE else code.to_bytes(2, "big"))


def accepted(key: bytes) -> bytes | None:
    """The answer to a handshake's Sec-WebSocket-Key (4.2.2); None where it is no key."""
    try:
        if len(base64.b64decode(key, validate=True)) != _KEY_BYTES:
            return None
    except binascii.Error:
        return None
    return base64.b64encode(hashlib.sha1(key + _GUID).digest())  # noqa: S324 - as RFC 6455 has it


def code_of(payload: bytes) -> int:
    """The code of a CLOSE, NO_CODE where it says none; raises Broken."""
    if not payload:
        return NO_CODE
    code = int.from_bytes(payload[:2], "big")
    if len(payload) == 1 or code not in _CODES_SAID:
        raise Broken(PROTOCOL_BROKEN)
    text_of(payload[2:])
    return code


def text_of(payload: bytes) -> str:
    """A text; raises Broken where it is none."""
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise Broken(NOT_TEXT) from None


def _unmasked(payload: bytes | bytearray, mask: bytes | bytearray) -> bytes:
    length = len(payload)
    masks = (bytes(mask) * (length // _MASK_BYTES + 1))[:length]
    plain = int.from_bytes(payload, "big") ^ int.from_bytes(masks, "big")
    return plain.to_bytes(length, "big")
