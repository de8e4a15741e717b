"""The certificate of a running server: replaced when there is a good one, kept when there is none."""

import asyncio
import contextlib

import pytest

from moorage.gateway.certificates import CertificateRefused, Served
from moorage.gateway.custodian import Custodian
from moorage.gateway.tls import server_context
from moorage.iam.rules.certificate import facts
from moorage.iam.store import trusts
from moorage.sql.transaction import Change, StoreFailed
from tests.certificates import Office
from tests.gateway.ground import until


class Script:
    """A source that gives what a test says: a certificate, or a failure."""

    def __init__(self, first) -> None:
        self.next = first
        self.asked = 0

    def load(self, _before):
        self.asked += 1
        if isinstance(self.next, Exception):
            raise self.next
        return self.next


@pytest.fixture
def certificates(tmp_path):
    office = Office(1)

    def served(number):
        files = office.write(tmp_path / str(number))
        text = files.certificate.read_text()
        context = server_context(files.certificate, files.key)
        return Served(context=context, chain=text, found=facts(text))

    return served(1), served(2)


def test_a_server_without_a_certificate_does_not_start():
    with pytest.raises(CertificateRefused):
        Custodian(Script(CertificateRefused("none")))


@pytest.mark.parametrize(
    "failure",
    [CertificateRefused("the key is another's"), StoreFailed("the disk is full"), OSError("gone")],
)
def test_what_is_served_is_kept_until_there_is_something_good(certificates, failure, caplog):
    first, second = certificates
    script = Script(first)
    custodian = Custodian(script)
    script.next = failure
    asyncio.run(custodian.look())
    assert custodian.context() is first.context
    assert str(failure) in caplog.text
    script.next = second
    asyncio.run(custodian.look())
    assert custodian.context() is second.context


def test_it_looks_when_told_and_when_the_authority_changed(certificates):
    first, second = certificates

    async def story():
        script = Script(first)
        custodian = Custodian(script)
        custodian.changed([Change(kind=trusts.KIND, key="trust")])  # nobody runs it yet
        running = asyncio.create_task(custodian.run())
        await asyncio.sleep(0)
        custodian.changed([Change(kind="instance", key="i")])
        await asyncio.sleep(0)
        assert script.asked == 1
        custodian.look_again()
        await until(lambda: script.asked == 2)
        script.next = second
        custodian.changed([Change(kind=trusts.KIND, key="trust")])
        await until(lambda: custodian.served is second)
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running

    asyncio.run(story())
