"""`freeze` and `thaw` against a small server of the test's own: what is asked, and what is said."""

import http.server
import json
import threading

import pytest
import typer
from typer.testing import CliRunner

from moorage.cli import freeze, thaw
from moorage.cli.freezes import name_of, scope_of, words_of
from moorage.shapes.moorage.freeze import FrozenScope

WEB = {"cluster": "c", "service": "web", "cause": "operator", "reason": "the rack", "until": 7200.0}
BRAKE = {"cluster": "c", "cause": "brake", "reason": "2 of 3 hosts were lost"}


class Handler(http.server.BaseHTTPRequestHandler):
    asked: list[tuple[str, dict]]
    answers: dict[str, dict]

    def log_message(self, format, *arguments):  # noqa: A002 - the name that the library gives
        pass

    def do_POST(self):
        action = self.headers["X-Amz-Target"].partition(".")[2]
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append((action, asked))
        answer = self.answers.get(action)
        refusal = {"__type": "ClusterNotFoundException", "message": "Cluster not found."}
        body = json.dumps(refusal if answer is None else answer).encode()
        self.send_response(400 if answer is None else 200)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def server(place):
    """A server that answers as `answers` says, and refuses what is not in it."""
    handler = type("Asked", (Handler,), {"asked": [], "answers": {}})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        address = f"http://127.0.0.1:{listening.server_address[1]}"
        (place / "run" / "address").write_text(f"{address}\n")
        yield handler
        listening.shutdown()
        thread.join()


def run(app, place, *words):
    return CliRunner().invoke(app, ["--data", str(place), *words])


@pytest.mark.parametrize(
    ("text", "expected"), [("web", ("web", None)), ("c/web", ("c", "web")), ("a-1", ("a-1", None))]
)
def test_a_scope_is_a_cluster_or_a_service_of_one(text, expected):
    assert scope_of(text) == expected


@pytest.mark.parametrize("text", ["", "/web", "c/", "a/b/c"])
def test_what_is_no_scope(text):
    with pytest.raises(typer.BadParameter):
        scope_of(text)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        (WEB, "c/web frozen, until 1970-01-01T02:00:00.000Z: the rack"),
        (BRAKE, "c replacement held, until thawed: 2 of 3 hosts were lost"),
        (
            {"cluster": "c", "cause": "restore", "reason": "timeline 3"},
            "c frozen by a restore, until thawed: timeline 3",
        ),
    ],
)
def test_a_freeze_in_words(members, words):
    frozen = FrozenScope(**members)
    assert words_of(frozen) == words
    assert name_of(frozen) == words.partition(" ")[0]


def test_the_reason_of_another_person_can_do_nothing():
    assert words_of(FrozenScope(cluster="c", reason="rest\x1b[2J")).endswith("rest\ufffd[2J")


def test_a_service_is_frozen_for_a_while(place, server):
    server.answers["FreezeScheduling"] = {"freeze": WEB}
    done = run(freeze.app, place, "c/web", "--reason", "the rack", "--for", "2h")
    assert done.exit_code == 0, done.output
    assert done.output == "c/web frozen, until 1970-01-01T02:00:00.000Z: the rack\n"
    assert server.asked == [
        (
            "FreezeScheduling",
            {"cluster": "c", "service": "web", "reason": "the rack", "durationSeconds": 7200},
        )
    ]


def test_thawing_says_what_still_holds(place, server):
    server.answers |= {"ThawScheduling": {"thawed": [WEB]}, "ListFreezes": {"freezes": [BRAKE]}}
    done = run(thaw.app, place, "c/web")
    assert done.output.splitlines()[0] == "c/web is thawed."
    assert done.output.splitlines()[1].startswith("Still: c replacement held")
    server.answers |= {"ThawScheduling": {"thawed": []}, "ListFreezes": {"freezes": []}}
    assert run(thaw.app, place, "c").output == "c was not frozen.\n"


@pytest.mark.parametrize(
    ("app", "words", "said"),
    [
        (freeze.app, ("c", "--reason", "x", "--for", "long"), "'long' is no length of time."),
        (freeze.app, ("c", "--reason", "x"), "ClusterNotFoundException: Cluster not found."),
        (thaw.app, ("c",), "ClusterNotFoundException: Cluster not found."),
    ],
)
def test_what_cannot_be_done_says_why(place, server, app, words, said):
    done = run(app, place, *words)
    assert done.exit_code == 1
    assert said in done.output
