"""Everything once more over TLS: real clients, real hosts, and certificates that change under them."""

import contextlib
import http.client
import json
import shutil
import signal
import subprocess
import urllib.error
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.certificates import Office
from tests.clients.place import AWS
from tests.clients.processes import MOORAGE, ROOT, clean_environment, run, until
from tests.clients.secure import SecurePlace, SecureServer
from tests.engine import Engine

pytestmark = [pytest.mark.clients, pytest.mark.engine]

CERTS_D = Path("/etc/docker/certs.d")
LAYER_MIB = 48


@pytest.fixture(scope="module")
def secure(clients_engine: Engine, folder: Path) -> Iterator[SecurePlace]:
    """A server on the engine's bridge, which is no loopback: so it speaks TLS by itself."""
    server = SecureServer(folder / "secure", f"{clients_engine.subnet}.1")
    place = SecurePlace(server, clients_engine)
    try:
        server.start()
        yield place
    finally:
        place.close()
    log = server.log.read_text()
    assert "PRIVATE KEY" not in log
    assert not [line for line in log.splitlines() if '"level":"error"' in line]


@pytest.fixture
def trusted(secure: SecurePlace) -> Iterator[SecurePlace]:
    """Docker trusts the server, by an entry of our own in certs.d."""
    entry = CERTS_D / secure.server.address
    missing = [one for one in (entry, CERTS_D, CERTS_D.parent) if not one.exists()]
    entry.mkdir(parents=True)
    shutil.copy(secure.server.bundle, entry / "ca.crt")
    try:
        yield secure
    finally:
        shutil.rmtree(entry)
        for made in missing[1:]:
            with contextlib.suppress(OSError):
                made.rmdir()


def shown(server: SecureServer, bundle: Path | None = None) -> bytes:
    """The certificate that a new handshake meets, verified."""
    host, _, port = server.address.rpartition(":")
    connection = http.client.HTTPSConnection(host, int(port), context=server.context(bundle))
    connection.connect()
    found: bytes = connection.sock.getpeercert(binary_form=True)
    connection.close()
    return found


def test_docker_refuses_a_server_that_it_does_not_trust(secure):
    """The unmodified client verifies: without an entry in certs.d there is no login."""
    words = ("login", "--username", "AWS", "--password-stdin", secure.server.address)
    with pytest.raises(AssertionError, match=r"x509|certificate"):
        secure.docker(*words, input=secure.password())


def test_docker_pushes_and_pulls_large_layers(trusted, folder):
    uri = trusted.repository("large")
    assert uri.startswith(f"{trusted.server.address}/")
    trusted.login()
    layer = {"large.sh": f"head -c {LAYER_MIB}m /dev/urandom > /large; sync\n"}
    dockerfile = "FROM moorage-test/busybox:1\nCOPY large.sh /\nRUN sh /large.sh\n"
    built = trusted.build("large:1", folder / "large", dockerfile, **layer)
    trusted.push(built, f"{uri}:1")
    before = json.loads(trusted.docker("inspect", built))[0]["RootFS"]
    trusted.docker("rmi", built, f"{uri}:1")
    trusted.docker("pull", f"{uri}:1")
    assert json.loads(trusted.docker("inspect", f"{uri}:1"))[0]["RootFS"] == before


def test_the_aws_cli_trusts_by_what_moorage_env_exports(secure):
    exported = secure.server.command("env")
    assert f"AWS_CA_BUNDLE={secure.server.bundle}" in exported
    script = f"{exported}\nexec {AWS} ecs list-clusters --output json"
    done = run(["sh", "-c", script], env=clean_environment(AWS_CONFIG_FILE="/dev/null"))
    assert "clusterArns" in json.loads(done.stdout)


def test_the_aws_cli_refuses_without(secure):
    bare = {
        name: text for name, text in secure.aws_environment().items() if name != "AWS_CA_BUNDLE"
    }
    done = subprocess.run(
        [AWS, "ecs", "list-clusters"], capture_output=True, text=True, env=bare, check=False
    )
    assert done.returncode
    assert "SSL validation failed" in done.stderr


def test_our_own_command_names_what_it_trusts(secure, folder):
    key = secure.server.key("operator")
    other = folder / "other-ca.pem"
    other.write_text(Office(9).authority.certificate)
    environment = clean_environment(
        AWS_ACCESS_KEY_ID=key["access_key_id"],
        AWS_SECRET_ACCESS_KEY=key["secret_access_key"],
        AWS_CA_BUNDLE=str(other),
    )
    command = [*MOORAGE, "host", "token", "--endpoint", secure.server.url]
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=ROOT, check=False
    )
    assert done.returncode == 1
    assert f"not trusted by {other}" in done.stderr
    environment["AWS_CA_BUNDLE"] = str(secure.server.bundle)
    assert run(command, env=environment, cwd=ROOT).stdout.count(".") == 1


def test_urls_in_answers_are_https(secure):
    """What a client is told to call next is where it can call."""
    given = secure.ecr.get_authorization_token()["authorizationData"][0]
    assert given["proxyEndpoint"] == secure.server.url
    with pytest.raises(urllib.error.HTTPError) as refused:
        secure.server.fetch("/v2/")
    assert f'realm="{secure.server.url}/"' in refused.value.headers["www-authenticate"]
    refused.value.close()


def test_whom_to_trust_is_told_to_everybody(secure):
    assert secure.server.fetch("/moorage/ca.pem") == secure.server.bundle.read_bytes()


def test_a_rotation_of_the_authority_drops_nothing(trusted, folder):
    """Hosts with running tasks, the old bundle in a client's hands, an agent that starts between."""
    place, server = trusted, trusted.server
    uri = place.repository("tools")
    place.login()
    place.push("moorage-test/busybox:1", f"{uri}:1")
    hosts = place.add_hosts(2, "default", "--no-certs-d")
    definition = place.register(
        "sleeper", {"image": f"{uri}:1", "command": ["sh", "-c", "echo out; sleep 600"]}
    )
    place.ecs.create_service(serviceName="web", taskDefinition=definition, desiredCount=2)
    place.steady("web")
    tasks = {one["taskArn"] for one in place.running("web")}
    connected = {one["containerInstanceArn"]: one for one in place.instances()}
    old = folder / "old-ca.pem"
    shutil.copy(server.bundle, old)
    first = shown(server)

    server.command("authority", "rotate")
    until(lambda: "not confirmed" not in server.command("authority", "show"), 10, "hosts confirm")
    assert shown(server) == first
    server.command("authority", "finish")
    until(lambda: shown(server, old) != first, 10, "the new authority signs")
    assert server.fetch("/healthz", old), "who knows only the old authority still verifies"
    hosts[0].kill()
    hosts[0].start()
    place.await_connected(2)
    until(lambda: "not confirmed" not in server.command("authority", "show"), 10, "hosts confirm")
    server.command("authority", "finish")
    until(lambda: len(server.bundle.read_text().split("END")) == 2, 10, "the old one has left")
    with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
        until(lambda: not shown(server, old), 10, "who knows only the old one is refused")
    hosts[1].kill()
    hosts[1].start()
    place.await_connected(2)

    assert {one["taskArn"] for one in place.running("web")} == tasks
    assert set(connected) == {one["containerInstanceArn"] for one in place.instances()}
    assert "out" in server.command("logs", "web")
    place.clear()


def test_given_files_are_read_again_on_sighup(folder, clients_engine):
    """A bad file changes nothing and is told in the log; a good one meets new handshakes only."""
    office, host = Office(3), f"{clients_engine.subnet}.1"
    files = office.write(folder / "given", host)
    flags = ("--certificate", str(files.certificate), "--key", str(files.key))
    server = SecureServer(folder / "hup", host, *flags, "--authority", str(files.authority))
    try:
        server.start()
        first = shown(server)
        lasting = http.client.HTTPSConnection(
            host, int(server.address.rpartition(":")[2]), context=server.context()
        )
        lasting.request("GET", "/healthz")
        assert lasting.getresponse().read()

        files.key.write_text(office.sign(host).key)
        server.child.send_signal(signal.SIGHUP)
        until(lambda: "is not the key of" in server.tail(), 10, "the reason is told", server.tail)
        assert shown(server) == first

        office.write(folder / "given", host)
        server.child.send_signal(signal.SIGHUP)
        until(lambda: shown(server) != first, 10, "the new certificate is shown", server.tail)
        lasting.request("GET", "/healthz")
        assert lasting.getresponse().status == 200
        lasting.close()
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--listen", "0.0.0.0:4750"), "--public-name"),
        (("--insecure", "--tls"), "one of them"),
        (("--certificate", "c.pem"), "--key"),
        (("--certificate", "no.pem", "--key", "no.pem"), "no.pem cannot be read"),
    ],
)
def test_what_cannot_be_served_is_refused_at_the_start(folder, flags, told):
    command = [*MOORAGE, "serve", "--data", str(folder / "refused"), *flags]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=60,
        env=clean_environment(),
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 1
    assert told in done.stderr


def test_old_versions_of_tls_are_refused(secure):
    host, _, port = secure.server.address.rpartition(":")
    words = ["openssl", "s_client", "-connect", f"{host}:{port}", "-tls1_1"]
    done = subprocess.run(
        [*words, "-cipher", "ALL:@SECLEVEL=0"],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=30,
        check=False,
    )
    assert done.returncode
