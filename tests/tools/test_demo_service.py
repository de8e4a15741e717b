import http.server
import threading

import pytest

from demo_service import Replica, failed, page_of, plain, serving, steady
from moorage.shapes.ecs.network import NetworkBinding
from moorage.shapes.ecs.service import Deployment, Service
from moorage.shapes.ecs.task import Container, Task


def a_service(**members):
    given = {
        "status": "ACTIVE",
        "desired_count": 3,
        "running_count": 3,
        "deployments": [Deployment()],
    }
    return Service(**{**given, **members})


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, True),
        ({"running_count": 2}, False),
        ({"desired_count": 2, "running_count": 2}, False),
        ({"deployments": [Deployment(), Deployment()]}, False),
        ({"deployments": []}, False),
        ({"status": "DRAINING"}, False),
    ],
)
def test_steady_is_what_the_waiter_waits_for(members, expected):
    assert steady(a_service(**members), 3) is expected


@pytest.mark.parametrize(
    ("deployment", "why"),
    [
        (Deployment(status="PRIMARY", rollout_state="IN_PROGRESS"), ""),
        (Deployment(status="PRIMARY", rollout_state="FAILED", rollout_state_reason="x"), "x"),
        (Deployment(status="PRIMARY", rollout_state="FAILED"), "it does not say why"),
        (Deployment(status="ACTIVE", rollout_state="FAILED", rollout_state_reason="x"), ""),
    ],
)
def test_only_the_newest_deployment_fails_the_service(deployment, why):
    assert failed(a_service(deployments=[deployment])) == why


def a_task(status="RUNNING", **binding):
    bound = NetworkBinding(**{"bind_ip": "127.0.0.2", "host_port": 8080, **binding})
    container = Container(runtime_id="c1", network_bindings=[bound])
    return Task(task_arn="arn:x/abc", last_status=status, containers=[container])


@pytest.mark.parametrize(
    ("task", "addresses"),
    [
        (a_task(), [("127.0.0.2", 8080)]),
        (a_task(bind_ip="0.0.0.0"), [("127.0.0.1", 8080)]),
        (a_task(bind_ip=None), [("127.0.0.1", 8080)]),
        (a_task(status="PENDING"), []),
        (a_task(host_port=None), []),
        (Task(task_arn="a", last_status="RUNNING"), []),
    ],
)
def test_a_running_task_serves_where_its_bindings_say(task, addresses):
    assert [(one.address, one.port) for one in serving([task])] == addresses


def test_a_replica_knows_its_page_and_a_short_name():
    replica = Replica(
        task="arn:aws:ecs:us-east-1:1:task/default/0123456789abcdef0123456789abcdef",
        container="c",
        address="127.0.0.3",
        port=8081,
    )
    assert (replica.url, replica.short) == ("http://127.0.0.3:8081/", "0123456789ab")


def test_a_page_is_read_without_its_tags():
    page = "<!doctype html>\n<title>T</title>\n<h1>Hello from x</h1>\n<p>version 1\n"
    assert plain(page) == "Hello from x, version 1"


class Page(http.server.BaseHTTPRequestHandler):
    status = 200

    def log_message(self, format, *arguments):  # noqa: A002 - the name that the library gives
        pass

    def do_GET(self):
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(b"<h1>Hello</h1>")


class Broken(Page):
    status = 503


@pytest.mark.parametrize(("handler", "text"), [(Page, "Hello"), (Broken, None)])
def test_a_page_counts_only_where_it_is_served_well(handler, text):
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        found = page_of(
            Replica(task="", container="", address="127.0.0.1", port=server.server_port)
        )
        server.shutdown()
        thread.join()
    assert found == text
    gone = Replica(task="", container="", address="127.0.0.1", port=server.server_port)
    assert page_of(gone) is None
