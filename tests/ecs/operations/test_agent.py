"""DiscoverPollEndpoint, SubmitTaskStateChange, SubmitContainerStateChange."""

import pytest

from moorage.ecs.store import tasks
from moorage.kernel.images import ImageClaim, TagDigest, claims_of, point_tag
from tests.builders import OTHER, REGION, a_definition, a_host, a_service, a_task, root
from tests.house import ACCOUNT

DIGEST = f"sha256:{'a' * 64}"
LATER = f"sha256:{'b' * 64}"
FOREIGN = f"arn:aws:ecs:{REGION}:{OTHER}:task/default/{'a' * 32}"


def report(house, key, task, status, **members):
    return house.ask(
        "SubmitTaskStateChange", by=key, cluster="default", task=task, status=status, **members
    )


def described(house, task):
    return house.ask("DescribeTasks", tasks=[task])["tasks"][0]


def test_an_agent_is_told_where_to_connect(house):
    key = a_host(house)
    told = house.ask("DiscoverPollEndpoint", by=key, containerInstance=key.instance, zoneId="")
    assert told == {
        "endpoint": "http://registry.test:4750/acs/",
        "telemetryEndpoint": "http://registry.test:4750/tcs/",
    }
    house.refused("DiscoverPollEndpoint", "AccessDeniedException", by=root())
    other = a_host(house, "other")
    house.refused(
        "DiscoverPollEndpoint", "AccessDeniedException", by=key, containerInstance=other.instance
    )


def test_a_task_moves_as_its_host_reports(house):
    key = a_host(house)
    task = a_task(house)["taskArn"]
    running = [
        {
            "containerName": "web",
            "status": "RUNNING",
            "runtimeId": "c1",
            "imageDigest": DIGEST,
            "networkBindings": [{"bindIP": "0.0.0.0", "containerPort": 80, "hostPort": 32768}],
        }
    ]
    answer = report(house, key, task, "RUNNING", containers=running, pullStartedAt=1.5)
    assert answer["acknowledgment"]
    shown = described(house, task)
    assert shown["lastStatus"] == shown["desiredStatus"] == "RUNNING"
    assert (shown["pullStartedAt"], shown["connectivity"]) == (1.5, "CONNECTED")
    (container,) = shown["containers"]
    assert (container["runtimeId"], container["imageDigest"]) == ("c1", DIGEST)
    assert container["networkBindings"][0]["hostPort"] == 32768
    before = house.read(lambda call: tasks.get(call.tx, task))
    report(house, key, task, "RUNNING", containers=running)
    assert house.read(lambda call: tasks.get(call.tx, task)) == before
    stopped = [{"containerName": "web", "status": "STOPPED", "exitCode": 3}]
    report(house, key, task, "STOPPED", containers=stopped)
    shown = described(house, task)
    assert (shown["lastStatus"], shown["stopCode"]) == ("STOPPED", "EssentialContainerExited")
    assert shown["containers"][0]["exitCode"] == 3
    assert shown["stoppedReason"] == "Essential container in task exited"
    for status in ("RUNNING", "STOPPED", "PENDING"):
        assert report(house, key, task, status)["acknowledgment"]
    assert described(house, task) == shown


def test_one_container_is_reported_by_itself(house):
    key = a_host(house)
    task = a_task(house)["taskArn"]
    house.ask(
        "SubmitContainerStateChange",
        by=key,
        cluster="default",
        task=task,
        containerName="web",
        status="RUNNING",
        runtimeId="c9",
    )
    assert described(house, task)["containers"][0]["runtimeId"] == "c9"


@pytest.mark.parametrize("action", ["SubmitTaskStateChange", "SubmitContainerStateChange"])
def test_only_its_own_host_reports_a_task(house, action):
    key, other = a_host(house, "one"), a_host(house, "two")
    task = a_task(house)
    mine, their = (key, other) if task["containerInstanceArn"] == key.instance else (other, key)
    members = {"cluster": "default", "task": task["taskArn"], "status": "RUNNING"}
    assert house.ask(action, by=mine, **members)["acknowledgment"]
    house.refused(action, "AccessDeniedException", by=their, **members)
    house.refused(action, "AccessDeniedException", by=root(), **members)
    for unknown in ("c" * 32, f"other/{'c' * 32}"):
        house.refused(action, "InvalidParameterException", by=mine, **{**members, "task": unknown})
    house.refused(action, "InvalidParameterException", by=mine, **{**members, "task": FOREIGN})
    house.refused(action, "InvalidParameterException", by=mine, status="RUNNING")
    house.refused(action, "InvalidParameterException", by=mine, **{**members, "cluster": "no"})
    house.refused(action, "SerializationException", by=mine, **{**members, "status": 5})


def test_a_service_hears_of_its_tasks(house):
    key = a_host(house)
    service = a_service(house)
    house.settle()
    (task,) = house.ask("ListTasks", serviceName="web")["taskArns"]
    report(house, key, task, "RUNNING")
    house.settle()
    (shown,) = house.ask("DescribeServices", services=[service["serviceArn"]])["services"]
    assert (shown["runningCount"], shown["pendingCount"]) == (1, 0)
    assert shown["deployments"][0]["rolloutState"] == "COMPLETED"


def test_a_task_without_a_service_claims_its_image_while_it_lives(house):
    key = a_host(house)

    def tag(digest):
        house.write(
            lambda call: point_tag(
                call.tx,
                TagDigest(
                    account=ACCOUNT, region=REGION, repository="demo", tag="1", digest=digest
                ),
            )
        )

    def holders(digest):
        found: list[ImageClaim] = house.read(
            lambda call: claims_of(call.tx, ACCOUNT, REGION, "demo", digest)
        )
        return [claim.holder for claim in found]

    tag(DIGEST)
    definition = a_definition(house, container={"image": "registry.test:4750/demo:1"})
    task = a_task(house, taskDefinition=definition)["taskArn"]
    assert holders(DIGEST) == [task]
    found = [{"containerName": "web", "status": "RUNNING", "imageDigest": LATER}]
    report(house, key, task, "RUNNING", containers=found)
    assert holders(LATER) == [task]
    report(house, key, task, "STOPPED")
    assert holders(DIGEST) == holders(LATER) == []


def test_what_a_host_says_of_a_task_is_not_kept_at_any_length(house):
    # A host that was taken over writes its own tasks only; what it writes is read by others.
    key = a_host(house)
    task = a_task(house)["taskArn"]
    long = "x" * 100_000
    bindings = [{"containerPort": 80, "hostPort": port, "protocol": "tcp"} for port in range(9999)]
    one = {"containerName": "web", "runtimeId": long, "imageDigest": long, "reason": long}
    report(house, key, task, "RUNNING", containers=[one | {"status": "RUNNING"}], reason=long)
    report(
        house,
        key,
        task,
        "RUNNING",
        containers=[{"containerName": "web", "status": "RUNNING", "networkBindings": bindings}],
    )
    report(
        house,
        key,
        task,
        "STOPPED",
        containers=[{"containerName": "web", "status": "STOPPED", "exitCode": 0}],
        reason=long,
    )
    shown = described(house, task)
    assert len(str(shown)) < 30_000
    assert len(shown["stoppedReason"]) == 1024
    assert len(shown["containers"][0]["networkBindings"]) == 200
