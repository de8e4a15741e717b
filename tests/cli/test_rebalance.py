"""`moorage rebalance` against a small server of the test's own: what is asked, and what is shown."""

import http.server
import json
import threading

import pytest
from typer.testing import CliRunner

from moorage.cli import rebalance

MOVE = {
    "service": "web",
    "taskArn": "arn:aws:ecs:r:1:task/default/0123456789abcdef",
    "fromHost": "host-1",
    "fromZone": "zone-a",
    "toHost": "host-2",
    "kind": "host",
    "reason": "from the host host-1 (4 tasks of the service) to the host host-2 (0)",
}
STAYS = [
    {"service": "web", "mode": "hosts", "balanced": True, "reason": "its tasks are spread"},
    {"service": "db", "mode": "off", "balanced": False, "reason": "it is \x1b[31mfrozen"},
]
CLOSED = [{"host": "host-3", "reason": "The agent is not connected."}]


class Handler(http.server.BaseHTTPRequestHandler):
    asked: list[tuple[str, dict]]
    answer: dict

    def log_message(self, format, *arguments):  # noqa: A002 - the name that the library gives
        pass

    def do_POST(self):
        action = self.headers["X-Amz-Target"].partition(".")[2]
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append((action, asked))
        body = json.dumps(self.answer).encode()
        self.send_response(400 if "__type" in self.answer else 200)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def server(place):
    answer = {"moves": [MOVE], "stays": STAYS, "closedHosts": CLOSED, "movesMax": 2}
    handler = type("Asked", (Handler,), {"asked": [], "answer": answer})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        address = f"http://127.0.0.1:{listening.server_address[1]}"
        (place / "run" / "address").write_text(f"{address}\n")
        yield handler
        listening.shutdown()
        thread.join()


def run(place, *words):
    return CliRunner().invoke(rebalance.app, ["--data", str(place), *words], env={"COLUMNS": "200"})


def test_a_dry_run_shows_moves_and_what_stays(server, place):
    shown = run(place, "--dry-run", "--cluster", "c", "--service", "web", "--settled")
    assert shown.exit_code == 0, shown.output
    assert server.asked == [
        ("PreviewRebalancing", {"cluster": "c", "service": "web", "settled": True})
    ]
    for words in (
        "web      01234567  host-1 (zone-a)  host-2",
        "4 tasks of the service",
        "web: nothing more to move, its tasks are spread.",
        "db: stays, it is \N{REPLACEMENT CHARACTER}[31mfrozen.",
        "The host host-3 takes no moved tasks: The agent is not connected.",
    ):
        assert words in shown.output
    assert "Begun" not in shown.output


def test_without_it_the_moves_begin(server, place):
    shown = run(place)
    assert server.asked == [("StartRebalancing", {"cluster": "default"})]
    assert "Begun: at most 2 at once." in shown.output


def test_where_nothing_moves_it_is_said(server, place):
    server.answer = {"moves": [], "stays": [], "closedHosts": [], "movesMax": 0}
    shown = run(place, "--dry-run")
    assert "No task would move." in shown.output
    assert "rebalance_moves_max is 0" in shown.output


def test_a_refusal_is_shown(server, place):
    server.answer = {"__type": "ClusterNotFoundException", "message": "Cluster not found."}
    shown = run(place)
    assert shown.exit_code == 1
    assert "Cluster not found." in shown.output


def test_settled_is_a_word_of_the_dry_run(server, place):
    assert run(place, "--settled").exit_code == 1
    assert server.asked == []
