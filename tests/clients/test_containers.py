"""What a task definition asks of its containers, seen from inside and through the engine."""

import json
import socket

import pytest

from tests.clients.place import Place, bindings, fetch, only, page
from tests.clients.processes import until

pytestmark = [pytest.mark.clients, pytest.mark.engine]

FOREVER = ["/bin/sh", "-c", "trap 'exit 0' TERM; while true; do sleep 1; done"]


def script(text: str) -> list[str]:
    return ["/bin/sh", "-c", text]


@pytest.fixture
def shell(images) -> str:
    return str(images["shell"])


@pytest.mark.parametrize(
    ("members", "check"),
    [
        ({"environment": [{"name": "COLOUR", "value": "sea green"}]}, '[ "$COLOUR" = "sea green" ]'),
        ({"user": "65534"}, '[ "$(id -u)" = 65534 ]'),
        ({"readonlyRootFilesystem": True}, "! touch /tmp/x"),
        ({"workingDirectory": "/etc"}, '[ "$(pwd)" = /etc ]'),
        ({"hostname": "lighthouse"}, '[ "$(hostname)" = lighthouse ]'),
        ({"ulimits": [{"name": "nofile", "softLimit": 77, "hardLimit": 99}]}, '[ "$(ulimit -n)" = 77 ]'),
        (
            {"extraHosts": [{"hostname": "buoy", "ipAddress": "10.9.8.7"}]},
            'case "$(cat /etc/hosts)" in *10.9.8.7*buoy*) exit 0;; esac; exit 1',
        ),
        (
            {"linuxParameters": {"tmpfs": [{"containerPath": "/scratch", "size": 4}]}},
            'case "$(mount)" in *" /scratch type tmpfs"*) touch /scratch/x;; *) exit 1;; esac',
        ),
        ({"linuxParameters": {"initProcessEnabled": True}}, '[ "$(cat /proc/1/comm)" != sh ]'),
        ({"linuxParameters": {"sharedMemorySize": 8}}, "true"),
        ({"systemControls": [{"namespace": "net.core.somaxconn", "value": "77"}]},
         '[ "$(cat /proc/sys/net/core/somaxconn)" = 77 ]'),
        ({"entryPoint": ["/bin/sh", "-c", "exit 0"], "command": ["unused"]}, None),
        ({"linuxParameters": {"capabilities": {"drop": ["ALL"]}}},
         "! hostname other"),
    ],
)  # fmt: skip
def test_a_container_gets_what_was_asked(place: Place, shell, members, check):
    """The container itself looks, and ends with 0 where it is so."""
    command = {} if check is None else {"command": script(check)}
    definition = place.register("asked", {"image": shell, **command, **members})
    task = place.finished(definition)
    assert only(task).get("exitCode") == 0, (task["stoppedReason"], only(task))


def test_the_engine_is_told_limits_labels_and_names(place: Place, shell):
    """Memory, CPU shares, labels as Amazon's agent writes them, ours, and the container's name."""
    definition = place.register(
        "looked-at",
        {
            "image": shell,
            "command": FOREVER,
            "cpu": 128,
            "memory": 64,
            "memoryReservation": 32,
            "dockerLabels": {"crew": "red"},
            "linuxParameters": {"sharedMemorySize": 8, "capabilities": {"add": ["NET_ADMIN"]}},
            "stopTimeout": 3,
            "privileged": True,
        },
    )
    # A small machine may refuse to start a privileged container; it is asked for all the same.
    arn = place.run_task(definition)
    until(lambda: place.describe(arn)[0]["containers"][0].get("runtimeId"), 10, "it is created")
    told = place.container(arn)
    task_id = arn.rpartition("/")[2]
    assert told["Name"] == f"/ecs-looked-at-{definition.rpartition(':')[2]}-main-{task_id[:12]}"
    limits = told["HostConfig"]
    assert limits["Privileged"] is True
    assert limits["Memory"] == 64 << 20
    assert limits["MemoryReservation"] == 32 << 20
    assert limits["CpuShares"] == 128
    assert limits["ShmSize"] == 8 << 20
    assert limits["CapAdd"] == ["NET_ADMIN"]
    labels = told["Config"]["Labels"]
    assert labels["crew"] == "red"
    assert labels["com.amazonaws.ecs.task-arn"] == arn
    assert labels["com.amazonaws.ecs.task-definition-family"] == "looked-at"
    assert labels["com.amazonaws.ecs.container-name"] == "main"


def test_ports_fixed_and_dynamic_tcp_and_udp_are_bound(place: Place, images):
    """Each mapping gets its binding, on the host's own address, and leads to the container."""
    command = (
        "mkdir -p /www; echo dynamic >/www/index.html; httpd -f -p 8080 -h /www & "
        "httpd -f -p 9090 -h /www & wait"
    )
    mappings = [
        {"containerPort": 8080},
        {"containerPort": 9090, "hostPort": 19090},
        {"containerPort": 5353, "protocol": "udp"},
    ]
    definition = place.register(
        "bound", {"image": images["shell"], "command": script(command), "portMappings": mappings}
    )
    task = place.started(place.run_task(definition))
    found = {(one["containerPort"], one["protocol"]): one for one in bindings(task)}
    assert set(found) == {(8080, "tcp"), (9090, "tcp"), (5353, "udp")}
    assert found[9090, "tcp"]["hostPort"] == 19090
    assert {one["bindIP"] for one in found.values()} <= {h.publish_address for h in place.hosts}
    for port in (8080, 9090):
        one = found[port, "tcp"]
        until(lambda one=one: fetch(one["bindIP"], one["hostPort"]) == "dynamic\n", 5, "the page")
    udp = found[5353, "udp"]
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as second,
        pytest.raises(OSError, match="in use"),
    ):
        second.bind((udp["bindIP"], udp["hostPort"]))
    told = place.container(task)["NetworkSettings"]["Ports"]["5353/udp"]
    assert told == [{"HostIp": udp["bindIP"], "HostPort": str(udp["hostPort"])}]


def test_volumes_are_shared_between_containers_and_with_the_host(place: Place, shell, tmp_path):
    """A bind of the host's folder, a volume for the task, and volumesFrom, written and read."""
    tmp_path.chmod(0o755)
    (tmp_path / "from-host").write_text("harbour")
    writer = script("cp=$(cat /host/from-host); echo $cp-$cp >/shared/word; touch /host/seen")
    reader = script('test "$(cat /shared/word)" = harbour-harbour && ! touch /shared/no')
    borrower = script('test "$(cat /shared/word)" = harbour-harbour')
    shared = {"sourceVolume": "shared", "containerPath": "/shared"}
    after = [{"containerName": "writer", "condition": "SUCCESS"}]
    definition = place.register(
        "volumes",
        {
            "name": "writer",
            "image": shell,
            "command": writer,
            "essential": False,
            "mountPoints": [shared, {"sourceVolume": "host", "containerPath": "/host"}],
        },
        {
            "name": "reader",
            "image": shell,
            "command": reader,
            "essential": False,
            "mountPoints": [{**shared, "readOnly": True}],
            "dependsOn": after,
        },
        {
            "name": "main",
            "image": shell,
            "command": borrower,
            "volumesFrom": [{"sourceContainer": "writer"}],
            "dependsOn": [{"containerName": "reader", "condition": "SUCCESS"}],
        },
        volumes=[
            {"name": "host", "host": {"sourcePath": str(tmp_path)}},
            {"name": "shared", "dockerVolumeConfiguration": {"scope": "task"}},
        ],
    )
    task = place.finished(definition)
    assert [only(task, name)["exitCode"] for name in ("writer", "reader", "main")] == [0, 0, 0]
    assert (tmp_path / "seen").exists()


def test_containers_wait_for_one_another(place: Place, shell):
    """DependsOn START, COMPLETE, SUCCESS and HEALTHY: the order of starts is what was asked."""
    check = {
        "command": ["CMD-SHELL", "test -e /tmp/ready"],
        "interval": 5,
        "timeout": 2,
        "retries": 3,
    }
    definition = place.register(
        "ordered",
        {"name": "done", "image": shell, "command": script("exit 3"), "essential": False},
        {"name": "good", "image": shell, "command": script("sleep 1"), "essential": False},
        {
            "name": "well",
            "image": shell,
            "command": script("touch /tmp/ready; while true; do sleep 1; done"),
            "healthCheck": check,
            "dependsOn": [
                {"containerName": "done", "condition": "COMPLETE"},
                {"containerName": "good", "condition": "SUCCESS"},
            ],
        },
        {
            "name": "main",
            "image": shell,
            "command": script("exit 0"),
            "dependsOn": [{"containerName": "well", "condition": "HEALTHY"}],
        },
    )
    task = place.finished(definition)
    assert only(task, "main")["exitCode"] == 0
    moments = {
        name: place.container(task, name)["State"] for name in ("done", "good", "well", "main")
    }
    assert moments["well"]["StartedAt"] >= moments["done"]["FinishedAt"]
    assert moments["well"]["StartedAt"] >= moments["good"]["FinishedAt"]
    assert moments["main"]["StartedAt"] > moments["well"]["StartedAt"]


def test_a_dependency_that_fails_stops_the_task_and_says_why(place: Place, shell):
    """SUCCESS of a container that ends with 4: the dependent never starts."""
    definition = place.register(
        "vain",
        {"name": "first", "image": shell, "command": script("exit 4"), "essential": False},
        {
            "name": "main",
            "image": shell,
            "command": FOREVER,
            "dependsOn": [{"containerName": "first", "condition": "SUCCESS"}],
        },
    )
    task = place.finished(definition)
    assert task["stopCode"] == "TaskFailedToStart"
    assert only(task, "first")["exitCode"] == 4
    assert "exitCode" not in only(task, "main")


def test_an_unhealthy_task_of_a_service_is_replaced(place: Place, shell):
    """A container's health check begins to fail: the task is UNHEALTHY, and another takes over."""
    check = {
        "command": ["CMD-SHELL", "test ! -e /tmp/ill"],
        "interval": 5,
        "timeout": 2,
        "retries": 1,
    }
    definition = place.register(
        "patient", {"image": shell, "command": FOREVER, "healthCheck": check}
    )
    place.ecs.create_service(serviceName="patient", taskDefinition=definition, desiredCount=1)
    place.steady("patient")
    [task] = place.running("patient")
    assert task["healthStatus"] == "HEALTHY"
    place.docker("exec", place.container(task)["Id"], "/bin/touch", "/tmp/ill")
    gone = place.stopped(task["taskArn"])
    assert "health checks" in gone["stoppedReason"]
    place.steady("patient")
    [other] = place.running("patient")
    assert other["taskArn"] != task["taskArn"]


def test_a_container_with_a_restart_policy_is_restarted_in_place(place: Place, shell):
    """restartPolicy: the container that ends is started again in the same task."""
    policy = {"enabled": True, "restartAttemptPeriod": 2}
    definition = place.register(
        "again-and-again",
        {"image": shell, "command": FOREVER},
        {
            "name": "side",
            "image": shell,
            "essential": False,
            "command": script("sleep 3; exit 9"),
            "restartPolicy": {**policy, "ignoredExitCodes": [0]},
        },
    )
    arn = place.run_task(definition)
    place.started(arn)
    first = place.container(arn, "side")["State"]["StartedAt"]
    until(
        lambda: place.container(arn, "side")["State"]["StartedAt"] > first,
        20,
        "the container is started again",
    )
    assert place.describe(arn)[0]["lastStatus"] == "RUNNING"


def test_a_task_in_the_hosts_network_says_its_ports(place: Place, images):
    """Network mode host: the port is the host's, and stands in networkBindings."""
    port = {"containerPort": 18282, "hostPort": 18282}
    definition = place.register(
        "hostly",
        {
            "image": images["web:1"],
            "portMappings": [port],
            "environment": [{"name": "PORT", "value": "18282"}],
        },
        networkMode="host",
    )
    arn = place.run_task(definition)
    task = place.started(arn)
    assert [(one["containerPort"], one["hostPort"]) for one in bindings(task)] == [(18282, 18282)]
    until(lambda: fetch("127.0.0.1", 18282), 5, "the page")
    assert place.container(task)["HostConfig"]["NetworkMode"] == "host"


def test_task_level_memory_bounds_all_containers_together(place: Place, shell):
    """Task-level cpu and memory are what is reserved, and a cgroup above the containers holds."""
    definition = place.register(
        "bounded",
        {"image": shell, "command": FOREVER, "memory": 64, "cpu": 0},
        cpu="256",
        memory="128",
    )
    arn = place.run_task(definition)
    task = place.started(arn)
    assert (task["cpu"], task["memory"]) == ("256", "128")
    assert place.container(task)["HostConfig"]["CgroupParent"]


def test_a_page_is_served_by_the_image_as_it_is(place: Place, images):
    """No command, no entry point: what the image says runs."""
    definition = place.register(
        "plain", {"image": images["web:1"], "portMappings": [{"containerPort": 8080}]}
    )
    task = place.started(place.run_task(definition))
    until(lambda: page(task), 5, "the page")
    assert "version 1" in json.dumps(page(task))
