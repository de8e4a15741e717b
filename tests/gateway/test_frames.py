"""The frames of a websocket: whole messages out of any pieces, and each breach of RFC 6455 told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.gateway import frames as f

BYTES_MAX = 1000
MASK = bytes((1, 2, 3, 255))


def said(opcode, payload=b"", *, final=True, mask=MASK, first=0):
    """A client's frame."""
    length = len(payload)
    sizes = {length < 126: bytes((0x80 | min(length, 125),))}
    size = sizes.get(True) or (
        bytes((0x80 | 126,)) + length.to_bytes(2, "big")
        if length < 1 << 16
        else bytes((0x80 | 127,)) + length.to_bytes(8, "big")
    )
    masked = bytes(one ^ mask[place % 4] for place, one in enumerate(payload))
    return bytes((opcode | (0x80 if final else 0) | first,)) + size + mask + masked


def parsed(*pieces, bytes_max=BYTES_MAX):
    parser = f.Parser(bytes_max)
    found = []
    for piece in pieces:
        parser.feed(piece)
        while (one := parser.take()) is not None:
            found.append(one)
    return found


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 999, 65_535, 65_536])
@pytest.mark.parametrize("opcode", [f.TEXT, f.BINARY])
def test_a_message_of_any_length(opcode, length):
    payload = b"x" * length
    assert parsed(said(opcode, payload), bytes_max=length) == [(opcode, payload)]
    assert f.frame(opcode, payload).endswith(payload)


def test_a_message_in_several_frames_with_a_ping_in_between():
    pieces = (
        said(f.TEXT, b"a", final=False),
        said(f.PING, b"!"),
        said(f.PONG, b"unasked"),
        said(f.CONTINUATION, b"b", final=False),
        said(f.CONTINUATION, b"c"),
        said(f.BINARY, b"d"),
    )
    assert parsed(*pieces) == [(f.PING, b"!"), (f.TEXT, b"abc"), (f.BINARY, b"d")]


MESSAGES = st.lists(
    st.tuples(
        st.sampled_from([f.TEXT, f.BINARY, f.PING]), st.binary(max_size=120), st.integers(1, 3)
    ),
    max_size=12,
)


@given(MESSAGES, st.data())
def test_it_makes_no_difference_how_the_bytes_come(messages, data):
    text, expected = b"", []
    for opcode, payload, count in messages:
        expected.append((opcode, payload))
        if opcode == f.PING:
            text += said(opcode, payload)
            continue
        for number in range(count):
            part = (
                payload[number * 40 : number * 40 + 40]
                if number < count - 1
                else (payload[number * 40 :])
            )
            kind = opcode if number == 0 else f.CONTINUATION
            text += said(kind, part, final=number == count - 1)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=20)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert parsed(*pieces) == expected


@pytest.mark.parametrize(
    ("pieces", "code"),
    [
        ([said(f.TEXT, b"x", first=0x40)], f.PROTOCOL_BROKEN),  # a reserved bit
        ([said(0x3)], f.PROTOCOL_BROKEN),  # an opcode that nobody knows
        ([b"\x81\x01x"], f.PROTOCOL_BROKEN),  # not masked
        ([said(f.PING, final=False)], f.PROTOCOL_BROKEN),
        ([said(f.PING, b"x" * 126)], f.PROTOCOL_BROKEN),
        ([said(f.CONTINUATION, b"x")], f.PROTOCOL_BROKEN),  # of nothing
        ([said(f.TEXT, b"x", final=False), said(f.TEXT, b"x")], f.PROTOCOL_BROKEN),
        ([said(f.TEXT, b"x" * (BYTES_MAX + 1))], f.TOO_LONG),
        ([b"\x81\xff" + b"\xff" * 8], f.TOO_LONG),  # told by its head alone
        (
            [said(f.TEXT, b"x" * BYTES_MAX, final=False), said(f.CONTINUATION, b"x")],
            f.TOO_LONG,
        ),
    ],
)
def test_a_peer_that_breaks_the_protocol_is_told_how(pieces, code):
    with pytest.raises(f.Broken) as broken:
        parsed(*pieces)
    assert broken.value.code == code


@pytest.mark.parametrize(
    ("payload", "code"),
    [(b"", f.NO_CODE), (b"\x03\xe8", 1000), (b"\x0f\xa1bye", 4001), (b"\x03\xf4", 1012)],
)
def test_a_close_says_its_code(payload, code):
    assert f.code_of(payload) == code


@pytest.mark.parametrize("payload", [b"\x03", b"\x03\xed", b"\x03\xee", b"\0\1", b"\x13\x88"])
def test_a_close_with_a_code_that_is_none(payload):
    with pytest.raises(f.Broken):
        f.code_of(payload)


def test_a_text_is_utf_8():
    assert f.text_of("ä".encode()) == "ä"
    with pytest.raises(f.Broken) as broken:
        f.text_of(b"\xff")
    assert broken.value.code == f.NOT_TEXT


def test_the_key_of_a_handshake():
    """The example of RFC 6455, 1.3."""
    assert f.accepted(b"dGhlIHNhbXBsZSBub25jZQ==") == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    for wrong in (b"", b"short", b"dGhl", b"\xff\xff"):
        assert f.accepted(wrong) is None


def test_nothing_is_kept_between_two_messages():
    parser = f.Parser(BYTES_MAX)
    parser.feed(said(f.TEXT, b"x" * 500) + said(f.TEXT, b"y")[:3])
    assert parser.take() == (f.TEXT, b"x" * 500)
    assert parser.take() is None
    parser.feed(said(f.TEXT, b"y")[3:])
    assert parser.take() == (f.TEXT, b"y")
    assert parser.take() is None
    assert parser._rest == b""
