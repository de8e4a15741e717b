"""Newcomers: some at a time; handshakes bounded in time, of good versions, by the certificate of now."""

import asyncio
import contextlib
import errno
import socket
import ssl
from itertools import pairwise

import pytest
import uvloop

from moorage.gateway.greeting import HANDSHAKES_AT_ONCE, NEWCOMERS_AT_ONCE, RETRY_SECONDS, Greeter
from moorage.gateway.tls import server_context
from tests.certificates import Office
from tests.gateway.ground import until

HANDSHAKE_SECONDS = 0.5
HELLO = b"\x16\x03\x01\x00\x05\x01"  # the beginning of a ClientHello, and no more


class Echo(asyncio.Protocol):
    """Says what it hears."""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)


class Scene:
    """A greeter on a free port, and the certificates that it may show."""

    def __init__(self, folder) -> None:
        self.office, self.folder = Office(1), folder
        self.trusted = self.office.authority.certificate
        self.renew()

    def renew(self):
        files = self.office.write(self.folder)
        self.context = server_context(files.certificate, files.key)

    @contextlib.asynccontextmanager
    async def open(self):
        with socket.create_server(("127.0.0.1", 0)) as listening:
            self.port = listening.getsockname()[1]
            self.greeter = Greeter(Echo, lambda: self.context, HANDSHAKE_SECONDS)
            self.greeter.begin(listening)
            try:
                yield
            finally:
                self.greeter.close()
                await self.greeter.wait_closed()

    def client(self, bundle=None, name="registry.test"):
        return {
            "ssl": ssl.create_default_context(cadata=bundle or self.trusted),
            "server_hostname": name,
        }

    async def connect(self, **how):
        return await asyncio.open_connection("127.0.0.1", self.port, **how)


@pytest.fixture
def scene(tmp_path):
    return Scene(tmp_path)


def run(scene, story):
    async def opened():
        async with scene.open():
            return await asyncio.wait_for(story(), 20)

    return uvloop.run(opened())


async def echoed(connection, text=b"hello"):
    reader, writer = connection
    writer.write(text)
    return await reader.readexactly(len(text))


async def shut(*connections):
    for _, writer in connections:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def test_bytes_go_both_ways_over_tls(scene):
    async def story():
        connection = await scene.connect(**scene.client())
        shown = connection[1].get_extra_info("ssl_object")
        found = (await echoed(connection), shown.version(), shown.selected_alpn_protocol())
        compression = shown.compression()
        await shut(connection)
        return (*found, compression)

    assert run(scene, story) == (b"hello", "TLSv1.3", None, None)


def test_http_is_agreed_on_and_nothing_newer(scene):
    async def story():
        how = scene.client()
        how["ssl"].set_alpn_protocols(["h2", "http/1.1"])
        connection = await scene.connect(**how)
        agreed = connection[1].get_extra_info("ssl_object").selected_alpn_protocol()
        await shut(connection)
        return agreed

    assert run(scene, story) == "http/1.1"


@pytest.mark.parametrize(
    ("version", "good"),
    [
        (ssl.TLSVersion.TLSv1, False),
        (ssl.TLSVersion.TLSv1_1, False),
        (ssl.TLSVersion.TLSv1_2, True),
        (ssl.TLSVersion.TLSv1_3, True),
    ],
)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_versions_are_refused(scene, version, good):
    async def story():
        how = scene.client()
        # Otherwise this client itself would not offer what is to be refused.
        how["ssl"].set_ciphers("DEFAULT:@SECLEVEL=0")
        how["ssl"].minimum_version = how["ssl"].maximum_version = version
        try:
            connection = await scene.connect(**how)
        except (ssl.SSLError, ConnectionError):
            return False
        answer = await echoed(connection)
        await shut(connection)
        return answer == b"hello"

    assert run(scene, story) is good


@pytest.mark.parametrize("said", [b"", HELLO])
def test_a_handshake_that_does_not_come_to_its_end_is_cut_off(scene, said):
    async def story():
        reader, writer = await scene.connect()
        writer.write(said)
        began = asyncio.get_running_loop().time()
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        await shut((reader, writer))
        return asyncio.get_running_loop().time() - began

    assert HANDSHAKE_SECONDS * 0.5 < run(scene, story) < HANDSHAKE_SECONDS * 10


def test_slow_handshakes_hold_nobody_up(scene):
    async def story():
        slow = [await scene.connect() for _ in range(20)]
        connection = await scene.connect(**scene.client())
        answer = await echoed(connection)
        await shut(connection, *slow)
        return answer

    assert run(scene, story) == b"hello"


def test_where_there_are_too_many_the_slowest_makes_way(scene):
    """Strangers who only stall do not keep out who means it well."""

    async def story():
        scene.greeter.greetings_max, scene.greeter._handshake_seconds = 8, 15
        slow = [await scene.connect() for _ in range(8)]
        await until(lambda: len(scene.greeter._greetings) == 8)
        connection = await scene.connect(**scene.client())
        answer = await echoed(connection)
        with contextlib.suppress(ConnectionError):
            assert await slow[0][0].read() == b""
        assert len(scene.greeter._greetings) == 7
        await shut(connection, *slow)
        return answer

    assert run(scene, story) == b"hello"


def test_plain_http_is_told_where_it_is(scene):
    async def story():
        reader, writer = await scene.connect()
        writer.write(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        answer = await reader.read()
        await shut((reader, writer))
        return answer

    answer = run(scene, story)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"https://" in answer


def test_whatever_else_is_said_is_closed_on(scene):
    async def story():
        reader, writer = await scene.connect()
        writer.write(b"\x00\x01\x02")
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        await shut((reader, writer))

    run(scene, story)


def test_a_new_certificate_meets_new_handshakes_and_breaks_nothing(scene):
    async def story():
        def shown(connection):
            return connection[1].get_extra_info("ssl_object").getpeercert(binary_form=True)

        before = await scene.connect(**scene.client())
        scene.renew()
        after = await scene.connect(**scene.client())
        answers = [await echoed(before), await echoed(after)]
        assert shown(before) != shown(after)
        await shut(before, after)
        return answers

    assert run(scene, story) == [b"hello", b"hello"]


@pytest.mark.parametrize(
    ("seed", "name"), [(2, "registry.test"), (1, "other.test")], ids=["authority", "name"]
)
def test_a_client_that_does_not_trust_says_so_in_our_log(scene, seed, name, caplog):
    caplog.set_level("INFO")

    def visit():
        how = scene.client(Office(seed).authority.certificate, name)
        with (
            socket.create_connection(("127.0.0.1", scene.port)) as plain,
            pytest.raises(ssl.SSLCertVerificationError),
        ):
            how["ssl"].wrap_socket(plain, server_hostname=name)

    async def story():
        await asyncio.to_thread(visit)
        await until(lambda: "no TLS with 127.0.0.1" in caplog.text)

    run(scene, story)
    assert "alert" in caplog.text


def test_closing_gives_up_what_is_under_way(scene):
    async def story():
        connection = await scene.connect()
        await until(lambda: scene.greeter._greetings)
        scene.greeter.close()
        await scene.greeter.wait_closed()
        with contextlib.suppress(ConnectionError):
            assert await connection[0].read() == b""
        await shut(connection)

    run(scene, story)


def test_a_handshake_under_way_may_end_when_nobody_is_accepted_any_more(scene):
    async def story():
        early = socket.create_connection(("127.0.0.1", scene.port))
        await until(lambda: scene.greeter._greetings)
        scene.greeter.close()
        early.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=early, **scene.client())
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        await shut((reader, writer))

    run(scene, story)


class Door(socket.socket):
    """A listening socket that counts whom it let in; `failing` times it has no file left for one."""

    accepted = failing = tried = 0

    def __init__(self, backlog) -> None:
        super().__init__(socket.AF_INET, socket.SOCK_STREAM)
        self.bind(("127.0.0.1", 0))
        self.listen(backlog)

    def accept(self):
        self.tried += 1
        if self.failing:
            self.failing -= 1
            raise OSError(errno.EMFILE, "Too many open files")
        found = super().accept()
        self.accepted += 1
        return found


def on_a_plain_port(door, story):
    async def opened():
        greeter = Greeter(Echo, None, HANDSHAKE_SECONDS)
        greeter.begin(door)
        try:
            await asyncio.wait_for(story(), 20)
        finally:
            greeter.close()
            await greeter.wait_closed()

    with door:
        uvloop.run(opened())


@pytest.mark.parametrize("plain", [True, False])
def test_of_a_rush_each_turn_of_the_loop_takes_a_portion(scene, plain):
    """Thousands of hosts come back together: who is connected already is answered in between."""
    most = NEWCOMERS_AT_ONCE if plain else HANDSHAKES_AT_ONCE
    count = 5 * most + 3
    so_far = []

    async def story():
        loop = asyncio.get_running_loop()
        greeter = Greeter(Echo, None if plain else lambda: scene.context, HANDSHAKE_SECONDS)

        def turn():
            so_far.append(door.accepted)
            if door.accepted < count:
                loop.call_soon(turn)

        with Door(count) as door, contextlib.ExitStack() as clients:
            for _ in range(count):
                clients.enter_context(socket.create_connection(door.getsockname()))
            greeter.begin(door)
            turn()
            await until(lambda: door.accepted == count)
            greeter.close()
            greeter._give_up()
            await greeter.wait_closed()

    uvloop.run(story())
    assert max(after - before for before, after in pairwise(so_far)) == most


def test_a_plain_port_shakes_no_hands():
    door = Door(8)

    async def story():
        connection = await asyncio.open_connection(*door.getsockname())
        assert await echoed(connection) == b"hello"
        await shut(connection)

    on_a_plain_port(door, story)


def test_where_files_are_short_newcomers_wait_and_the_loop_does_not_spin(caplog):
    door = Door(8)
    door.failing = 1

    async def story():
        connection = await asyncio.open_connection(*door.getsockname())
        await asyncio.sleep(0.1)
        assert (door.tried, door.accepted) == (1, 0)
        assert await echoed(connection) == b"hello"
        await shut(connection)

    on_a_plain_port(door, story)
    assert "Too many open files" in caplog.text


def test_closed_while_files_are_short_it_listens_no_more():
    door = Door(8)
    door.failing = 1

    async def story():
        greeter = Greeter(Echo, None, HANDSHAKE_SECONDS)
        greeter.begin(door)
        with socket.create_connection(door.getsockname()):
            await until(lambda: door.tried)
            greeter.close()
            greeter.close()
            door.close()
            await asyncio.sleep(1.5 * RETRY_SECONDS)
            assert door.tried == 1

    uvloop.run(story())
