"""Whom clients believe: a bundle alone, or the system; and the sentence where they do not."""

import asyncio
import contextlib
import ssl

import pytest
from aiohttp import web
from aiohttp.test_utils import unused_port

from moorage.gateway.tls import server_context
from moorage.ground.instant import hours, later
from moorage.ground.record import Record
from moorage.wire.client import BlockingClient, Untrusted
from moorage.wire.trust import SYSTEM, BundleRefused, client_context
from tests.certificates import Office

DAYS = hours(24)


class Answer(Record):
    name: str | None = None


@contextlib.asynccontextmanager
async def serving(files):
    async def answer(_request):
        return web.json_response({"name": "verified"})

    application = web.Application()
    application.router.add_route("*", "/", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    port = unused_port()
    context = server_context(files.certificate, files.key) if files else None
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context).start()
    try:
        yield port
    finally:
        await runner.cleanup()


def called(files, authorities, url="https://127.0.0.1:{}"):
    """The answer of a server with these files to a client with these authorities."""

    async def story():
        async with serving(files) as port:
            client = BlockingClient(url.format(port), None, "us-east-1", authorities)
            return await asyncio.to_thread(
                client.call, "moorage", "Moorage_V1", "Ask", Answer(), Answer
            )

    return asyncio.run(story())


@pytest.fixture
def office():
    return Office(1)


def test_a_server_of_the_bundle_is_believed(office, tmp_path):
    files = office.write(tmp_path)
    assert called(files, files.authority) == Answer(name="verified")


def refusal(files, authorities, url="https://127.0.0.1:{}"):
    with pytest.raises(Untrusted) as refused:
        called(files, authorities, url)
    return refused.value.message


def test_a_server_of_another_authority_is_not_and_the_file_is_named(office, tmp_path):
    files = office.write(tmp_path / "theirs")
    ours = Office(2).write(tmp_path / "ours").authority
    told = refusal(files, ours)
    assert f"is not trusted by {ours}" in told
    assert "/moorage/ca.pem" in told


def test_the_system_s_authorities_stand_in_where_no_file_is_given(office, tmp_path):
    assert f"not trusted by {SYSTEM}" in refusal(office.write(tmp_path), None)


def test_a_server_of_another_name_is_not(office, tmp_path):
    files = office.write(tmp_path, "registry.test")
    told = refusal(files, files.authority)
    assert "not valid for '127.0.0.1'" in told
    assert "--public-name" in told


def test_a_certificate_that_has_expired_is_not(office, tmp_path):
    files = office.write(tmp_path, now=later(office.now, -91 * DAYS))
    told = refusal(files, files.authority)
    assert "expired" in told
    assert "SIGHUP" in told


def test_a_certificate_whose_time_has_not_come_is_not(office, tmp_path):
    files = office.write(tmp_path, now=later(office.now, 2 * DAYS))
    told = refusal(files, files.authority)
    assert "not yet valid" in told
    assert "clocks" in told


def test_a_server_without_tls_is_told_apart(tmp_path, office):
    told = refusal(None, office.write(tmp_path).authority)
    assert "http://" in told


@pytest.mark.parametrize("text", ["", "nothing"])
def test_a_bundle_that_is_none_is_named(office, tmp_path, text):
    files = office.write(tmp_path)
    files.authority.write_text(text)
    told = refusal(files, files.authority)
    assert str(files.authority) in told
    with pytest.raises(BundleRefused):
        client_context(text)


def test_a_bundle_that_is_not_there_is_named(office, tmp_path):
    files = office.write(tmp_path)
    files.authority.unlink()
    assert str(files.authority) in refusal(files, files.authority)


def test_nothing_switches_verification_off():
    for context in (client_context(), client_context(Office(1).authority.certificate)):
        assert context.verify_mode == ssl.CERT_REQUIRED
        assert context.check_hostname
        assert context.minimum_version == ssl.TLSVersion.TLSv1_2
