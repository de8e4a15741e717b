"""The listener of `moorage plan`: what it passes on, what it keeps, and what it lets nowhere."""

import http.client
import io
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from rich.console import Console

from moorage.cli.loopback import HEADER, Heard, Loopback
from moorage.cli.place import Place
from moorage.cli.rehearsal import environment, show
from moorage.shapes.moorage.dry_run import (
    DryRun,
    ForeseenChange,
    ForeseenOutlook,
    ForeseenStart,
    ForeseenStop,
    ForeseenWait,
)
from moorage.shapes.moorage.explanation import PlacementOutlook

PLAN = {"operation": "CreateCluster", "starts": [], "complete": True}


class Backend(ThreadingHTTPServer):
    """A server that keeps what it was sent, and answers as one that knows dry runs does."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.heard = []
        self.abilities = ["dry-run"]
        self.status = 200
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def place(self) -> Place:
        return Place(
            endpoint=f"http://127.0.0.1:{self.server_port}",
            access_key_id="AKIA",
            secret_access_key="secret",
            region="us-east-1",
        )


class Answering(BaseHTTPRequestHandler):
    server: Backend

    def do_GET(self):
        self._answer({"status": "ok", "abilities": self.server.abilities})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.heard.append((dict(self.headers.items()), body))
        told = {"cluster": {}, "dryRun": PLAN} if self.server.status == 200 else {"message": "no"}
        self._answer(told, {HEADER.lower(): "true"}, self.server.status)

    def _answer(self, members, headers=None, status=200):
        body = json.dumps(members).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def backend():
    made = Backend()
    yield made
    made.shutdown()
    made.server_close()


def send(loopback, headers=None, path="/", body=b"{}"):
    connection = http.client.HTTPConnection(loopback.endpoint.removeprefix("http://"), timeout=10)
    signed = {
        "Authorization": "AWS4-HMAC-SHA256 Credential=x",
        "X-Amz-Target": "AmazonEC2ContainerServiceV20141113.CreateCluster",
    }
    connection.request("POST", path, body, signed if headers is None else headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, text


def test_a_signed_call_goes_on_as_it_came_with_the_header_beside_it(backend):
    with Loopback(backend.place) as loopback:
        assert loopback.abilities == ("dry-run",)
        status, body = send(loopback, body=b'{"clusterName":"a"}')
    ((headers, sent),) = backend.heard
    assert (status, json.loads(body)["cluster"]) == (200, {})
    assert sent == b'{"clusterName":"a"}'
    assert headers[HEADER] == "true"
    assert headers["Authorization"] == "AWS4-HMAC-SHA256 Credential=x"
    assert headers["Host"] == loopback.endpoint.removeprefix("http://"), "what was signed"
    (heard,) = loopback.heard
    assert heard == Heard(
        operation="CreateCluster",
        status=200,
        plan=DryRun(operation="CreateCluster", starts=[], complete=True),
    )


def test_a_refusal_is_handed_on_and_is_no_plan(backend):
    backend.status = 400
    with Loopback(backend.place) as loopback:
        assert send(loopback)[0] == 400
    assert loopback.heard == [Heard(operation="CreateCluster", status=400)]


@pytest.mark.parametrize(
    ("headers", "path"),
    [
        ({}, "/"),
        ({"Authorization": "x"}, "/v2/"),
        ({"Authorization": "x", HEADER: "false"}, "/"),
    ],
)
def test_what_might_be_done_for_real_goes_nowhere(backend, headers, path):
    with Loopback(backend.place) as loopback:
        assert send(loopback, headers, path)[0] == 501
    assert backend.heard == []
    assert loopback.heard == []


def test_a_server_that_is_away_or_older_has_no_abilities(backend):
    backend.abilities = []
    with Loopback(backend.place) as loopback:
        assert loopback.abilities == ()
    nowhere = Place(
        endpoint="http://127.0.0.1:1", access_key_id="a", secret_access_key="b", region="r"
    )
    with Loopback(nowhere) as loopback:
        assert loopback.abilities == ()
        assert send(loopback)[0] == 502


def test_the_command_is_led_to_the_listener_alone(backend):
    found = environment(backend.place, "http://127.0.0.1:9")
    assert {found[name] for name in found if name.startswith("AWS_ENDPOINT_URL")} == {
        "http://127.0.0.1:9"
    }
    assert found["AWS_ACCESS_KEY_ID"] == "AKIA"
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE"} & found.keys()


def test_a_plan_is_shown_by_host_and_can_do_nothing():
    evil = "\x1b[2J"
    start = ForeseenStart(service="web", task_definition="web:2", host="h1")
    stop = ForeseenStop(service="web", host="h2", reason="It leaves." + evil)
    plan = DryRun(
        operation="UpdateService" + evil,
        starts=[start, start, ForeseenStart(service="web", task_definition="web:2")],
        stops=[stop],
        changes=[ForeseenChange(kind="deployment-made", subject="ecs-svc/1", text="It is." + evil)],
        waits=[ForeseenWait(service="web", text="Room.", until=1_800_000_000.0)],
        outlooks=[ForeseenOutlook(service="web", placement=PlacementOutlook(summary="None."))],
        complete=False,
    )
    out = io.StringIO()
    show(Console(file=out, width=120, highlight=False), Heard(operation="", status=200, plan=plan))
    text = out.getvalue()
    assert "\x1b" not in text
    rows = [line.split() for line in text.splitlines()]
    assert ["start", "2", "web", "web:2", "h1"] in rows
    assert ["start", "1", "web", "web:2", "(waits", "for", "room)"] in rows
    assert "- web then waits: Room.  (until 2027-01-15 08:00:00)" in text
    assert "Placement: None." in text
    assert "There is more to it than a dry run may take." in text
    assert text.rstrip().endswith("Nothing was changed.")
