"""When the server was last heard, and last known to know of this host: by the clock, and the disk."""

import asyncio

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.acs.messages import HeartbeatAckRequest, HeartbeatMessage
from moorage.agent.contact import FENCE_START_GRACE, FILE, NEVER, Contact, Kept
from moorage.agent.engine.events import ServerHeard, ServerSilent, ServerUnconfirmed
from moorage.ground.clock import ManualClock
from moorage.ground.instant import Moment, in_seconds, seconds

BOOT = "5b0f"
STARTED = seconds(1000)


class Scene:
    """A host's contact, and what the engine is fed."""

    def __init__(self, folder, boot: str = BOOT) -> None:
        self.folder, self.boot = folder, boot
        self.clock = ManualClock()
        self.clock.advance(STARTED)
        self.fed = []
        self.begin()

    def begin(self) -> None:
        """A new process."""
        self.contact = Contact(self.folder, self.clock, self.fed.append, self.boot)
        self.fed.clear()

    def wait(self, length: float) -> None:
        self.clock.advance(seconds(length))

    def beat(self, name: str, answered: str | None = None) -> None:
        """A heartbeat comes, and is answered at once."""
        self.contact.heard(HeartbeatMessage(message_id=name, answered=answered))
        self.contact.saying(HeartbeatAckRequest(message_id=name))

    def connect(self) -> None:
        self.contact.opened(self.clock.boottime())
        self.beat("h0")

    def silence(self) -> tuple[float, float] | None:
        """(unheard, unconfirmed) in seconds, or None while the server speaks."""
        self.fed.clear()
        self.contact.look()
        if not self.fed:
            return None
        (told,) = self.fed
        assert isinstance(told, ServerSilent)
        return in_seconds(told.unheard), in_seconds(told.unconfirmed)

    def step(self) -> None:
        async def one() -> None:
            working = asyncio.ensure_future(self.contact.step())
            await asyncio.sleep(0.2)
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)

        asyncio.run(one())


@pytest.fixture
def scene(tmp_path):
    return Scene(tmp_path)


def test_a_server_that_speaks_is_there_and_its_first_word_is_told(scene):
    scene.wait(5)
    scene.connect()
    assert scene.fed == [ServerHeard()]
    assert scene.contact.speaks
    scene.wait(7.9)
    assert scene.silence() is None


def test_a_connection_that_says_nothing_is_none(scene):
    scene.connect()
    scene.wait(8)
    assert scene.silence() == (8, 8)
    scene.beat("h1")
    assert scene.fed[-1] == ServerHeard()
    assert scene.silence() is None


def test_a_connection_without_a_word_is_not_heard_yet(scene):
    scene.wait(5)
    scene.contact.opened(scene.clock.boottime())
    assert ServerHeard() not in scene.fed
    assert scene.silence() == (5, 0)


def test_a_cut_is_told_at_once(scene):
    scene.connect()
    scene.wait(4)
    scene.fed.clear()
    scene.contact.closed()
    assert scene.fed == [ServerSilent(unheard=seconds(4), unconfirmed=seconds(4))]
    assert not scene.contact.speaks


def test_known_is_when_an_answer_was_sent_that_the_server_names(scene):
    scene.connect()
    scene.wait(5)
    scene.beat("h1")
    scene.wait(5)
    scene.beat("h2", answered="h1")
    scene.wait(20)
    assert scene.silence() == (20, 25), "since h1 was answered"


def test_a_server_that_speaks_and_does_not_hear_is_told_apart(scene):
    """The way from here to there is cut: heartbeats come, and name no answer."""
    scene.connect()
    for number in range(1, 4):
        scene.wait(4)
        scene.beat(f"h{number}")
        scene.fed.clear()
        scene.contact.look()
    assert scene.fed == [ServerUnconfirmed(unconfirmed=seconds(12))]
    assert scene.contact.speaks


@pytest.mark.parametrize("answered", [None, "h9", "h1"])
def test_a_word_that_lay_in_a_buffer_proves_nothing(scene, answered):
    """The process was paused for a minute; what it then reads was sent before."""
    scene.connect()
    scene.wait(60)
    scene.beat("h1", answered=answered)
    scene.contact.closed()
    told = scene.fed[-1]
    assert told.unconfirmed == seconds(60)


def test_answers_of_an_earlier_connection_prove_nothing(scene):
    scene.connect()
    scene.contact.closed()
    scene.wait(3)
    scene.contact.opened(scene.clock.boottime())
    scene.wait(10)
    scene.beat("h2", answered="h0")
    scene.contact.closed()
    assert scene.silence() == (0, 10)


def test_only_so_many_answers_are_remembered(scene):
    scene.connect()
    for number in range(1000):
        scene.beat(f"b{number}")
    assert len(scene.contact._answers) == 64


def test_what_is_known_outlives_the_process_and_is_never_younger_on_the_disk(scene):
    scene.connect()
    scene.step()
    written = msgspec.json.decode((scene.folder / FILE).read_bytes(), type=Kept)
    assert written == Kept(boot=BOOT, known_at=scene.clock.boottime())
    scene.wait(5)
    scene.beat("h1", answered="h0")
    scene.beat("h2", answered="h1")
    scene.step()
    assert msgspec.json.decode((scene.folder / FILE).read_bytes(), type=Kept) == written
    scene.wait(40)
    scene.begin()
    scene.wait(4)
    assert scene.silence() == (4, 49), "heard by nobody since this process began"


def test_it_is_written_at_most_each_ten_seconds(scene):
    scene.connect()
    scene.step()
    for number in range(1, 30):
        scene.wait(1)
        scene.contact.saying(HeartbeatAckRequest(message_id=f"h{number}"))
        scene.beat(f"n{number}", answered=f"h{number}")
        before = (scene.folder / FILE).stat().st_ino
        if number in {9, 10, 19, 20}:
            scene.step()
            assert ((scene.folder / FILE).stat().st_ino != before) is (number in {10, 20})


def test_a_new_process_is_given_a_moment_to_reach_the_server(scene):
    scene.connect()
    scene.step()
    scene.wait(300)
    scene.begin()
    assert scene.silence() == (0, 0)
    scene.wait(in_seconds(FENCE_START_GRACE))
    assert scene.silence() == (3, 303)


@pytest.mark.parametrize("spoilt", ["absent", "torn", "boot", "future", "nameless"])
def test_where_nothing_is_known_the_server_was_never_there(scene, spoilt):
    scene.connect()
    scene.step()
    file = scene.folder / FILE
    kept = Kept(boot="" if spoilt == "nameless" else BOOT, known_at=scene.clock.boottime())
    contents = {
        "torn": b'{"boot": "5b',
        "boot": msgspec.json.encode(Kept(boot="another", known_at=kept.known_at)),
        "future": msgspec.json.encode(Kept(boot=BOOT, known_at=Moment(10**15))),
        "nameless": msgspec.json.encode(kept),
    }
    file.unlink()
    if spoilt in contents:
        file.write_bytes(contents[spoilt])
    if spoilt == "nameless":
        scene.boot = ""
    scene.begin()
    scene.wait(4)
    assert scene.silence() == (4, in_seconds(NEVER))


def test_a_disk_that_refuses_stops_nothing(scene):
    scene.connect()
    (scene.folder / "contact.new").mkdir()
    scene.step()
    assert not (scene.folder / FILE).exists()
    assert scene.silence() is None


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.floats(0, 20)),
        st.tuples(st.just("deliver"), st.just(0.0)),
        st.tuples(st.just("answer"), st.just(0.0)),
        st.tuples(st.just("pause"), st.floats(0, 90)),
    ),
    max_size=40,
)


@given(steps=STEPS)
def test_the_host_never_counts_from_later_than_the_server_does(tmp_path_factory, steps):
    """The lease: frames of both ways may be late for as long as they like, and come in order."""
    scene = Scene(tmp_path_factory.mktemp("lease"))
    scene.connect()
    server_heard_at = scene.clock.boottime()  # the handshake came at once
    answered: str | None = None
    to_agent: list[tuple[str, str | None]] = []
    to_server: list[str] = ["h0"]
    for number, (what, length) in enumerate(steps):
        if what in {"wait", "pause"}:
            scene.wait(length)
            to_agent.append((f"b{number}", answered))
        elif what == "deliver" and to_agent:
            name, told = to_agent.pop(0)
            scene.beat(name, told)
            to_server.append(name)
        elif what == "answer" and to_server:
            answered = to_server.pop(0)
            server_heard_at = scene.clock.boottime()
        now = scene.clock.boottime()
        known_at = now - scene.contact._unconfirmed(now)
        assert now - STARTED < FENCE_START_GRACE or known_at <= server_heard_at


def test_where_all_goes_well_the_host_counts_from_one_heartbeat_before(scene):
    scene.connect()
    for number in range(1, 20):
        scene.wait(5)
        scene.beat(f"h{number}", answered=f"h{number - 1}")
    assert scene.contact._unconfirmed(scene.clock.boottime()) == seconds(5)
