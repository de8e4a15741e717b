"""Whom a host believes: pinned by the token's hash, kept, followed when the server's authority moves.

The servers here speak TLS with certificates that are made for the test.
"""

import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from moorage.acs.messages import AckRequest, NackRequest
from moorage.agent.control import Application, join
from moorage.agent.engine.instructions import TrustAuthorities
from moorage.agent.options import AgentOptions, OptionsRefused
from moorage.agent.trust import NotBelieved, Trust, establish, split_token, take_authorities
from moorage.ground.certificate import key_hash
from moorage.wire.client import Unreachable
from moorage.wire.trust import client_context

DAY = dt.timedelta(days=1)
SECRET = "hush"
CREDENTIALS = {"accessKeyId": "K", "secretAccessKey": "S", "cluster": "default"}


class Authority:
    """A certificate authority of a test."""

    def __init__(self, name: str, *, may_sign: bool = True) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        built = self._builder(self.name, self.key).add_extension(
            x509.BasicConstraints(ca=may_sign, path_length=None), critical=True
        )
        self.pem = _pem(built.sign(self.key, hashes.SHA256()))
        self.hash = key_hash(self.pem)

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey
    ) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - DAY)
            .not_valid_after(now + DAY)
        )

    def context(self, folder: Path, name: str = "localhost") -> ssl.SSLContext:
        """What a server of this name shows."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = (
            self._builder(subject, key)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        path = folder / f"{self.hash[:8]}-{name}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        path.write_bytes(private + _pem(certificate).encode())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


OURS, OTHERS = Authority("ours"), Authority("others")
LEAF = Authority("a leaf", may_sign=False)


class Server:
    """Shows a bundle, lets everybody join, and notes what was said to it."""

    def __init__(self, bundle: str, status: int = 200) -> None:
        self.bundle = bundle
        self.status = status
        self.heard: list[bytes] = []
        self.url = ""

    async def show(self, request: web.Request) -> web.Response:
        self.heard.append(await request.read())
        return web.Response(text=self.bundle, status=self.status)

    async def join(self, request: web.Request) -> web.Response:
        self.heard.append(await request.read())
        return web.json_response(CREDENTIALS)


@asynccontextmanager
async def serving(server: Server, context: ssl.SSLContext) -> AsyncIterator[Server]:
    application = web.Application()
    application.router.add_get("/moorage/ca.pem", server.show)
    application.router.add_post("/", server.join)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    server.url = f"https://localhost:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()


def options(folder: Path, endpoint: str, told: str = "", **more: object) -> AgentOptions:
    token = f"{SECRET}.{told}" if told else SECRET
    return AgentOptions(endpoint=endpoint, data=folder, token=token, **more)  # type: ignore[arg-type]


async def entered(folder: Path, server: Server, told: str = "", **more: object) -> Trust:
    """Establish trust and join, as a new host does."""
    given = options(folder, server.url, told, **more)
    trust = Trust(folder, server.url)
    async with aiohttp.ClientSession() as session:
        await establish(trust, given, session, is_new=True)
        secret, _ = split_token(given.token)
        await join(server.url, Application(token=secret, name="h1"), trust, session)
    return trust


def test_a_server_is_known_by_the_hash_in_the_token_and_then_believed_for_good(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        # Whatever else is shown beside it is not believed: the hash speaks for one key alone.
        server = Server(OTHERS.pem + OURS.pem)
        async with serving(server, OURS.context(tmp_path)):
            trust = await entered(tmp_path, server, OURS.hash)
            assert trust.bundle == OURS.pem
            assert b"hush" in server.heard[-1]
            assert OURS.hash.encode() not in server.heard[-1]
            # The next start needs no token and does not ask.
            server.bundle = "gone"
            again = Trust(tmp_path, server.url)
            assert again.bundle == OURS.pem
            async with aiohttp.ClientSession() as session:
                await establish(again, options(tmp_path, server.url), session, is_new=False)
                await join(server.url, Application(token=SECRET, name="h1"), again, session)
        assert (tmp_path / "ca.pem").read_text() == OURS.pem

    asyncio.run(story())


REFUSED = {
    "somebody in between": (OTHERS.pem, OTHERS, OURS.hash, "stands between"),
    "the right bundle, shown by another": (OURS.pem, OTHERS, OURS.hash, "Nothing was sent"),
    "no bundle": ("<html>", OURS, OURS.hash, "shows no authority"),
    "a certificate that may not sign": (LEAF.pem, OURS, LEAF.hash, "is no authority"),
    "no hash, and unknown to the system": (OURS.pem, OURS, "", "not trusted by"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_nothing_secret_is_said_to_whom_is_not_believed(tmp_path: Path, why: str) -> None:
    bundle, shown, told, sentence = REFUSED[why]

    async def story() -> None:
        server = Server(bundle)
        async with serving(server, shown.context(tmp_path)):
            with pytest.raises(OptionsRefused, match=sentence):
                await entered(tmp_path, server, told)
        assert not any(b"hush" in heard for heard in server.heard)

    asyncio.run(story())


def test_a_certificate_of_another_name_is_told_with_what_to_do(tmp_path: Path) -> None:
    async def story() -> None:
        server = Server(OURS.pem)
        async with serving(server, OURS.context(tmp_path, "registry.lab")):
            with pytest.raises(OptionsRefused, match="--public-name"):
                await entered(tmp_path, server, OURS.hash)
        assert not any(b"hush" in heard for heard in server.heard)

    asyncio.run(story())


def test_a_server_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    async def story() -> None:
        given = options(tmp_path, "https://127.0.0.1:1", OURS.hash)
        trust = Trust(tmp_path, given.endpoint)
        async with aiohttp.ClientSession() as session:
            with pytest.raises(Unreachable):
                await establish(trust, given, session, is_new=True)
            server = Server(OURS.pem, 503)
            async with serving(server, OURS.context(tmp_path)):
                given = options(tmp_path, server.url, OURS.hash)
                with pytest.raises(Unreachable, match="503"):
                    await establish(trust, given, session, is_new=True)
        assert not trust.bundle

    asyncio.run(story())


def test_a_file_of_authorities_may_be_given(tmp_path: Path) -> None:
    async def story() -> None:
        given = tmp_path / "given.pem"
        given.write_text(OURS.pem)
        server = Server("nothing")
        async with serving(server, OURS.context(tmp_path)):
            trust = await entered(tmp_path, server, authority=given)
        assert trust.bundle == OURS.pem
        for text in ("", LEAF.pem, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"):
            given.write_text(text)
            with pytest.raises(OptionsRefused, match="--ca"):
                await entered(tmp_path, server, authority=given)

    asyncio.run(story())


@pytest.mark.parametrize(
    ("token", "parts"),
    [("abc", ("abc", "")), (f"abc.{'0a' * 32}", ("abc", "0a" * 32)), ("", ("", ""))],
)
def test_a_token_in_its_parts(token: str, parts: tuple[str, str]) -> None:
    assert split_token(token) == parts


@pytest.mark.parametrize("told", ["1", "0A" * 32, "0a" * 31, "zz" * 32])
def test_half_a_token_is_refused(told: str) -> None:
    with pytest.raises(OptionsRefused, match="not whole"):
        split_token(f"abc.{told}")


def test_a_token_with_a_hash_is_not_sent_in_the_clear(tmp_path: Path) -> None:
    async def story() -> None:
        given = options(tmp_path, "http://localhost:1", OURS.hash)
        async with aiohttp.ClientSession() as session:
            with pytest.raises(OptionsRefused, match="in the clear"):
                await establish(Trust(tmp_path, given.endpoint), given, session, is_new=True)

    asyncio.run(story())


def test_a_token_follows_no_redirect(tmp_path: Path) -> None:
    """Whoever is believed may be something before the server that sends clients elsewhere."""

    async def story() -> None:
        other = Server(OTHERS.pem)

        async def away(_: web.Request) -> web.Response:
            raise web.HTTPTemporaryRedirect(f"{other.url}/")

        server = Server(OURS.pem)
        server.join = away  # type: ignore[method-assign]
        async with (
            serving(other, OURS.context(tmp_path)),
            serving(server, OURS.context(tmp_path)),
        ):
            with pytest.raises(OptionsRefused, match="307"):
                await entered(tmp_path, server, OURS.hash)
        assert other.heard == []

    asyncio.run(story())


def test_a_kept_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("torn")
    with pytest.raises(OptionsRefused, match="--ca"):
        Trust(tmp_path, "https://localhost:1")
    assert Trust(tmp_path, "http://localhost:1").context is True


def trusting(folder: Path, *authorities: Authority) -> Trust:
    (folder / "ca.pem").write_text("".join(one.pem for one in authorities))
    return Trust(folder, "https://localhost:1")


def test_new_connections_follow_a_new_authority_and_old_ones_live_on(tmp_path: Path) -> None:
    """The authority of a server is rotated: both are told for a while, then the new one alone."""

    async def reached(url: str, trust: Trust, session: aiohttp.ClientSession) -> int:
        async with session.get(f"{url}/moorage/ca.pem", ssl=trust.context) as answer:
            await answer.read()
            return answer.status

    async def story() -> None:
        old, new = Server(""), Server("")
        async with (
            serving(old, OURS.context(tmp_path)),
            serving(new, OTHERS.context(tmp_path)),
            aiohttp.ClientSession() as session,
        ):
            trust = trusting(tmp_path, OURS)
            told: list[str] = []
            trust.listen(lambda: told.append(trust.bundle))
            assert await reached(old.url, trust, session) == 200
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await reached(new.url, trust, session)
            living = await session.get(f"{old.url}/moorage/ca.pem", ssl=trust.context)
            assert trust.take_over((OTHERS.pem, OURS.pem))
            assert await reached(new.url, trust, session) == 200
            assert await reached(old.url, trust, session) == 200
            assert not trust.take_over((OTHERS.pem, OURS.pem)), "nothing has changed"
            assert trust.take_over((OTHERS.pem,))
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await reached(old.url, trust, session)
            assert (await living.read(), living.status) == (b"", 200)
            assert told == [OTHERS.pem + OURS.pem, OTHERS.pem]
            assert Trust(tmp_path, "https://localhost:1").bundle == OTHERS.pem

    asyncio.run(story())


@pytest.mark.parametrize(
    ("certificates", "sentence"),
    [
        ((OTHERS.pem,), "none of these authorities is known"),
        ((OURS.pem, LEAF.pem), "is no authority"),
        ((), "no certificates"),
        (("nonsense",), "no certificates"),
        (tuple([OURS.pem] * 17), "more than 16"),
    ],
)
def test_authorities_that_cannot_be_are_refused_and_nothing_changes(
    tmp_path: Path, certificates: tuple[str, ...], sentence: str
) -> None:
    trust = trusting(tmp_path, OURS)
    with pytest.raises(NotBelieved, match=sentence):
        trust.take_over(certificates)
    answer = take_authorities(trust, TrustAuthorities(message_id="m", certificates=certificates))
    assert isinstance(answer, NackRequest)
    assert (answer.message_id, sentence in answer.reason) == ("m", True)
    assert trust.bundle == OURS.pem


def test_what_was_kept_is_acknowledged_and_what_was_not_is_told_again(tmp_path: Path) -> None:
    trust = trusting(tmp_path, OURS)
    wanted = TrustAuthorities(message_id="m", certificates=(OURS.pem, OTHERS.pem))
    assert take_authorities(trust, wanted) == AckRequest(message_id="m")
    trust.path = tmp_path / "absent" / "ca.pem"
    wanted = TrustAuthorities(message_id="n", certificates=(OTHERS.pem,))
    assert take_authorities(trust, wanted) is None
    assert trust.bundle == OURS.pem + OTHERS.pem


def test_a_host_that_believes_the_system_follows_no_single_authority(tmp_path: Path) -> None:
    trust = Trust(tmp_path, "https://localhost:1")
    assert isinstance(trust.context, ssl.SSLContext)
    assert trust.context.verify_mode == client_context().verify_mode == ssl.CERT_REQUIRED
    with pytest.raises(NotBelieved, match="the authorities of this system"):
        trust.take_over((OURS.pem,))
