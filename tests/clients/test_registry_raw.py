"""The distribution API byte by byte: cut uploads, a server killed in a push, and bad requests."""

import base64
import hashlib
import http.client
import json
import os

import pytest

from tests.clients.place import Place

pytestmark = [pytest.mark.clients, pytest.mark.engine]

MIB = 1 << 20


class Raw:
    """One client of the registry that builds its requests by hand."""

    def __init__(self, place: Place) -> None:
        self.address = place.server.address
        login = base64.b64encode(f"AWS:{place.password()}".encode()).decode()
        self.login = {"Authorization": f"Basic {login}"}

    def __call__(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """One request on a connection of its own; status, headers in lower case, body."""
        connection = http.client.HTTPConnection(self.address, timeout=30)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, body, {**self.login, **named})
            answer = connection.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, told, answer.read()
        finally:
            connection.close()

    def begin(self, repository: str) -> str:
        """Begin an upload; its path."""
        status, headers, body = self("POST", f"/v2/{repository}/blobs/uploads/")
        assert status == 202, body
        return path_of(headers["location"])


def path_of(location: str) -> str:
    """The path of an address that may name the server too."""
    return "/" + location.split("/", 3)[3] if location.startswith("http") else location


def digest(octets: bytes) -> str:
    return "sha256:" + hashlib.sha256(octets).hexdigest()


def code(body: bytes) -> str:
    """The first error's code of an OCI answer."""
    return str(json.loads(body)["errors"][0]["code"])


def finish(path: str, octets: bytes) -> str:
    return f"{path}{'&' if '?' in path else '?'}digest={digest(octets)}"


@pytest.fixture
def raw(place: Place):
    place.repository("raw")
    yield Raw(place)
    place.ecr.delete_repository(repositoryName="raw", force=True)


def cut(raw: Raw, path: str, octets: bytes, sent: int) -> None:
    """Send a PATCH that promises all and brings only `sent` bytes before the line is cut."""
    connection = http.client.HTTPConnection(raw.address, timeout=30)
    connection.putrequest("PATCH", path)
    for name, value in {**raw.login, "Content-Type": "application/octet-stream"}.items():
        connection.putheader(name, value)
    connection.putheader("Content-Length", str(len(octets)))
    connection.endheaders()
    connection.send(octets[:sent])
    connection.close()


def kept(raw: Raw, path: str) -> int:
    """How many bytes of an upload the server has."""
    status, headers, body = raw("GET", path)
    assert status == 204, body
    return int(headers["range"].partition("-")[2]) + 1


def rest_of(raw: Raw, path: str, octets: bytes) -> str:
    """Send what is missing of an upload; the path to go on with."""
    have = kept(raw, path)
    status, headers, body = raw(
        "PATCH", path, octets[have:], Content_Range=f"{have}-{len(octets) - 1}",
        Content_Type="application/octet-stream",
    )  # fmt: skip
    assert status == 202, body
    return path_of(headers["location"])


@pytest.mark.parametrize("killed", [False, True])
def test_a_push_that_was_cut_goes_on_where_it_stopped(place: Place, raw: Raw, killed):
    """The line is cut in the middle of a layer, and the server killed by SIGKILL on top.

    The upload tells what it has, takes the rest, and the layer is whole.
    """
    octets = os.urandom(6 * MIB)
    path = raw.begin("raw")
    status, headers, body = raw(
        "PATCH", path, octets[: 2 * MIB], Content_Type="application/octet-stream"
    )
    assert status == 202, body
    path = path_of(headers["location"])
    cut(raw, path, octets[2 * MIB :], MIB)
    if killed:
        place.server.kill()
        place.server.start()
        place.await_connected(3)
    assert 2 * MIB <= kept(raw, path) <= 3 * MIB
    path = rest_of(raw, path, octets)
    status, headers, body = raw("PUT", finish(path, octets), b"")
    assert status == 201, body
    assert headers["docker-content-digest"] == digest(octets)
    status, headers, body = raw("GET", f"/v2/raw/blobs/{digest(octets)}")
    assert (status, body == octets) == (200, True)


def test_a_layer_is_pushed_whole_and_read_in_parts(raw: Raw):
    """POST with the digest, PUT with the body, chunked PATCH; then HEAD, GET, ranges, DELETE."""
    octets = os.urandom(MIB + 7)
    name = digest(octets)
    status, headers, body = raw(
        "POST", f"/v2/raw/blobs/uploads/?digest={name}", octets,
        Content_Type="application/octet-stream",
    )  # fmt: skip
    if status == 202:  # the specification lets a server ask for a PUT instead
        path = path_of(headers["location"])
        status, headers, body = raw("PUT", finish(path, octets), octets)
    assert status == 201, body
    where = f"/v2/raw/blobs/{name}"
    assert path_of(headers["location"]).endswith(name)
    status, headers, _ = raw("HEAD", where)
    assert (status, headers["content-length"]) == (200, str(len(octets)))
    for text, part in (
        ("bytes=0-9", octets[:10]),
        ("bytes=100-", octets[100:]),
        ("bytes=-5", octets[-5:]),
    ):
        status, headers, body = raw("GET", where, Range=text)
        assert (status, body == part) == (206, True), text
        assert headers["content-range"].endswith(f"/{len(octets)}")
    status, headers, body = raw("GET", where, Range=f"bytes={len(octets)}-")
    assert status == 416
    assert raw("DELETE", where)[0] == 202
    assert raw("HEAD", where)[0] == 404


def test_what_is_not_true_is_not_kept(raw: Raw):
    """A wrong digest, a gap, an overlap, a foreign digest algorithm: the OCI error, nothing kept."""
    octets = b"a layer" * 1000
    path = raw.begin("raw")
    status, headers, body = raw("PATCH", path, octets, Content_Type="application/octet-stream")
    path = path_of(headers["location"])
    status, _, body = raw("PUT", finish(path, b"other"), b"")
    assert (status, code(body)) == (400, "DIGEST_INVALID")
    assert raw("HEAD", f"/v2/raw/blobs/{digest(octets)}")[0] == 404
    path = raw.begin("raw")
    status, _, body = raw("PATCH", path, octets, Content_Range=f"5-{len(octets) + 4}")
    assert status == 416
    status, _, body = raw("PUT", f"{path}?digest=md5:abc", octets)
    assert (status, code(body)) == (400, "DIGEST_INVALID")
    assert raw("DELETE", path)[0] == 204
    status, _, body = raw("GET", path)
    assert (status, code(body)) == (404, "BLOB_UPLOAD_UNKNOWN")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "error"),
    [
        ("GET", "/v2/Upper/manifests/1", None, (400, 404), ("NAME_INVALID", "NAME_UNKNOWN")),
        ("GET", "/v2/nowhere/manifests/1", None, (404,), ("NAME_UNKNOWN",)),
        ("GET", "/v2/raw/manifests/none", None, (404,), ("MANIFEST_UNKNOWN",)),
        ("GET", "/v2/raw/manifests/.bad", None, (400, 404), ("MANIFEST_INVALID", "MANIFEST_UNKNOWN", "TAG_INVALID")),
        ("GET", "/v2/raw/blobs/sha256:zz", None, (400, 404), ("DIGEST_INVALID", "BLOB_UNKNOWN")),
        ("GET", f"/v2/raw/blobs/sha256:{'0' * 64}", None, (404,), ("BLOB_UNKNOWN",)),
        ("PUT", "/v2/raw/manifests/1", b"{", (400,), ("MANIFEST_INVALID",)),
        ("PUT", "/v2/raw/manifests/1", b"{}", (400,), ("MANIFEST_INVALID",)),
        ("PUT", "/v2/raw/manifests/1", b" " * (5 << 20), (400, 413), ("MANIFEST_INVALID", "SIZE_INVALID")),
        ("PATCH", "/v2/raw/blobs/uploads/none", b"x", (404,), ("BLOB_UPLOAD_UNKNOWN",)),
        ("POST", "/v2/nowhere/blobs/uploads/", b"", (404,), ("NAME_UNKNOWN",)),
        ("GET", "/v2/raw/tags/list?n=-1", None, (400,), ("PAGINATION_NUMBER_INVALID", "UNSUPPORTED")),
        ("PUT", "/v2/raw/tags/list", b"", (405,), ("UNSUPPORTED",)),
        ("GET", "/v2/raw/%00/list", None, (400, 404), ("NAME_INVALID", "NAME_UNKNOWN", "UNSUPPORTED")),
        ("GET", "/v2/../../etc/passwd", None, (400, 404), ("NAME_INVALID", "NAME_UNKNOWN", "UNSUPPORTED")),
    ],
)  # fmt: skip
def test_a_bad_request_gets_the_error_of_oci(raw: Raw, method, path, body, status, error):
    """The code and status of the specification, in its form."""
    found, _, answer = raw(method, path, body)
    assert found in status, answer
    assert code(answer) in error


def test_a_manifest_whose_layers_are_not_there_is_refused(raw: Raw):
    """MANIFEST_BLOB_UNKNOWN names the layer; nothing is listed afterwards."""
    missing = {"digest": f"sha256:{'1' * 64}", "size": 3}
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {**missing, "mediaType": "application/vnd.oci.image.config.v1+json"},
        "layers": [],
    }
    status, _, body = raw(
        "PUT", "/v2/raw/manifests/1", json.dumps(manifest).encode(),
        Content_Type=manifest["mediaType"],
    )  # fmt: skip
    assert (status, code(body)) == (404, "MANIFEST_BLOB_UNKNOWN") or status == 400
    status, _, body = raw("GET", "/v2/raw/tags/list")
    assert not json.loads(body).get("tags") if status == 200 else status == 404


def test_without_a_login_nothing_is_told(place: Place, raw: Raw):
    """401 with the challenge that makes clients send their login."""
    stranger = Raw(place)
    stranger.login = {}
    status, headers, body = stranger("GET", "/v2/")
    assert status == 401
    assert headers["www-authenticate"].startswith("Basic realm=")
    assert code(body) == "UNAUTHORIZED"
    stranger.login = {"Authorization": "Basic " + base64.b64encode(b"AWS:nonsense").decode()}
    assert stranger("GET", "/v2/raw/tags/list")[0] in {401, 403}
