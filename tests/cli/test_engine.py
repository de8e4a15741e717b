"""Against a small engine of the test's own on a Unix socket: what is asked, and what is made of it."""

import http.server
import json
import socketserver
import threading
from urllib.parse import parse_qs, urlsplit

import pytest

from moorage.cli.engine import (
    DEFAULT_SOCKET,
    EngineAway,
    EngineSize,
    ask,
    containers_of,
    engine_socket,
    remove_container,
    size_of,
)

INFO = {"ID": "E1", "ServerVersion": "20.10.24", "NCPU": 4, "MemTotal": 8 * 1024 * 1024 * 1024}


class Handler(http.server.BaseHTTPRequestHandler):
    asked: list[tuple[str, str]]

    def log_message(self, format, *arguments):  # noqa: A002 - the name that the library gives
        pass

    def address_string(self):
        return "engine"

    def answer(self):
        self.asked.append((self.command, self.path))
        path = urlsplit(self.path).path
        documents = {"/info": INFO, "/containers/json": [{"Id": "c1"}, {"Id": "c2"}]}
        status = 200 if path in documents else 404 if "absent" in path else 204
        body = json.dumps(documents[path]).encode() if path in documents else b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if body:
            self.wfile.write(body)

    do_GET = do_POST = do_DELETE = answer  # noqa: N815 - the library's names


@pytest.fixture
def engine(tmp_path):
    handler = type("Asked", (Handler,), {"asked": []})
    path = tmp_path / "docker.sock"
    with socketserver.ThreadingUnixStreamServer(str(path), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield path, handler.asked
        server.shutdown()
        thread.join()


def test_its_size_is_in_mebibytes(engine):
    assert size_of(engine[0]) == EngineSize(id="E1", version="20.10.24", cores=4, memory=8192)


def test_containers_are_found_by_their_label(engine):
    path, asked = engine
    assert containers_of(path, "moorage.host=host-1") == ["c1", "c2"]
    query = parse_qs(urlsplit(asked[0][1]).query)
    assert json.loads(query["filters"][0]) == {"label": ["moorage.host=host-1"]}
    assert query["all"] == ["1"]


def test_removing_one_stops_it_first(engine):
    path, asked = engine
    remove_container(path, "c1", grace_seconds=3)
    assert asked == [
        ("POST", "/containers/c1/stop?t=3"),
        ("DELETE", "/containers/c1?force=1&v=1"),
    ]


def test_a_refusal_is_told(engine):
    with pytest.raises(EngineAway, match="404 to GET /absent"):
        ask(engine[0], "GET", "/absent")


def test_a_socket_that_is_not_there_is_told(tmp_path):
    with pytest.raises(EngineAway, match="No such file"):
        size_of(tmp_path / "none.sock")


def test_which_socket_is_meant(tmp_path, monkeypatch):
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    assert engine_socket(None) == DEFAULT_SOCKET
    monkeypatch.setenv("DOCKER_HOST", "unix:///run/mine.sock")
    assert str(engine_socket(None)) == "/run/mine.sock"
    assert engine_socket(tmp_path) == tmp_path
    monkeypatch.setenv("DOCKER_HOST", "tcp://10.0.0.1:2375")
    assert engine_socket(None) == DEFAULT_SOCKET
