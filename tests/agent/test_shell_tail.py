"""The last lines of an output: whole, in order, and within every bound."""

from hypothesis import given
from hypothesis import strategies as st

from moorage.agent.runtime.port import LogChunk
from moorage.agent.tail import LINE_BYTES_MAX, LINES_BYTES_MAX, LINES_MAX, Tail, tail_of
from moorage.ground.instant import Instant


def chunk(content: bytes, stream: str = "stdout", at: int = 1) -> LogChunk:
    return LogChunk(stream=stream, content=content, at=Instant(at))


def texts(*chunks: LogChunk) -> list[tuple[str, str]]:
    return [(line.stream, line.text) for line in tail_of(chunks)]


def test_lines_come_in_the_order_of_their_ends_and_streams_do_not_mix():
    found = texts(
        chunk(b"one\ntw"),
        chunk(b"oops\n", "stderr"),
        chunk(b"o\r\n\nthr"),
        chunk(b"last words", "stderr"),
    )
    assert found == [
        ("stdout", "one"),
        ("stderr", "oops"),
        ("stdout", "two"),
        ("stdout", ""),
        ("stdout", "thr"),
        ("stderr", "last words"),
    ]


def test_a_long_line_is_cut_and_marked():
    (line,) = tail_of([chunk(b"x" * 3000), chunk(b"y" * 3000), chunk(b"\n")])
    assert (len(line.text), line.cut, line.at) == (LINE_BYTES_MAX, True, 1)


def test_bytes_that_are_no_text_are_shown_as_such():
    assert texts(chunk(b"\xff\xfe\n")) == [("stdout", "\N{REPLACEMENT CHARACTER}" * 2)]


def test_of_many_lines_the_last_stay():
    found = texts(*(chunk(f"{n}\n".encode()) for n in range(1000)))
    assert [text for _, text in found] == [str(n) for n in range(800, 1000)]


def test_that_lines_were_left_out_is_known():
    tail = Tail(lines_max=2)
    for n in range(3):
        assert not tail.left_out
        tail.take(chunk(f"{n}\n".encode()))
    assert tail.left_out


CHUNKS = st.lists(
    st.tuples(st.binary(max_size=200).map(lambda b: b * 40), st.sampled_from(["stdout", "stderr"])),
    max_size=40,
)


@given(chunks=CHUNKS)
def test_no_bound_is_passed_whatever_is_printed(chunks):
    found = tail_of([chunk(content, stream) for content, stream in chunks])
    assert len(found) <= LINES_MAX
    assert sum(len(line.text.encode()) for line in found) <= LINES_BYTES_MAX
    assert all("\n" not in line.text for line in found)
