"""ListTimeline: every change of a cluster with its cause; filters, pages, and how long it is kept."""

from collections import Counter

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moorage.ecs import api
from moorage.ecs.records.happening import Happening
from moorage.ecs.rules.happenings import EVENTS_MAX, KINDS, forgotten
from moorage.ecs.store import container_instances, tasks, timeline
from moorage.gateway.compose import own_api
from moorage.ground.arn import make_arn
from moorage.ground.fault import Fault
from moorage.ground.instant import epoch, hours, seconds
from moorage.ground.record import evolve
from moorage.kernel.perform import check
from moorage.wire import json11
from tests.builders import ACCOUNT, REGION, EcsHouse, a_definition, a_host, a_service, connect_host
from tests.house import OTHER, root

OWN = own_api()
CLUSTER = make_arn("cluster", REGION, ACCOUNT, "default")


def own(house, action, by=None, **members):
    """Call one of our own operations as the gateway does."""
    operation = OWN.operations[action]
    request = json11.decode(msgspec.json.encode(members), operation.request)
    check(OWN, request)
    answer = house.run(operation, request, principal=by or root())
    return msgspec.json.decode(msgspec.json.encode(answer))


def events(house, **members):
    """The newest first, as they are listed."""
    return own(house, "ListTimeline", **members)["events"]


def kinds(house, **members):
    """The kinds, oldest first."""
    return [one["kind"] for one in reversed(events(house, **members))]


def report(house, key, task, status, **container):
    house.ask(
        "SubmitTaskStateChange",
        by=key,
        cluster="default",
        task=task,
        status=status,
        containers=[{"containerName": "web", "status": status, **container}],
    )
    house.settle()


def send(house, key):
    house.write(lambda call: api.AGENT.outgoing(call, key.instance, False), principal=key)


def grown(house):
    """A host, a service of one task that runs, one that fails, and a drain."""
    key = a_host(house)
    house.clock.advance(seconds(1))
    a_service(house)
    house.clock.advance(seconds(1))
    house.settle()
    house.clock.advance(seconds(1))
    send(house, key)
    (task,) = house.ask("ListTasks", serviceName="web")["taskArns"]
    report(house, key, task, "RUNNING")
    house.clock.advance(seconds(60))
    report(house, key, task, "STOPPED", exitCode=7)
    return key, task


def test_each_change_is_there_with_its_cause(house):
    _, task = grown(house)
    found = {one["kind"]: one for one in reversed(events(house))}
    order = kinds(house)
    assert set(order[:2]) == {"host-joined", "host-connected"}
    assert order[2:4] == ["service-made", "deployment-made"]
    assert set(order[4:6]) == {"deployment-begun", "task-started"}
    assert order[6] == "task-running"
    assert found["service-made"]["cause"] == f"CreateService by {root().arn}"
    assert "cause" not in found["task-started"]
    assert found["task-started"]["host"] == "host-1"
    assert found["task-running"]["task"] == task.rpartition("/")[2]
    stopped = found["task-stopped"]
    assert "Container web (essential) ended with exit code 7." in stopped["text"]
    assert stopped["cause"].startswith("SubmitTaskStateChange by ")
    assert found["deployment-begun"]["service"] == "web"
    assert found["deployment-ended"]["text"].startswith("It is SUCCESSFUL, its rollout COMPLETED.")
    assert "has reached a steady state." in [one["text"] for one in events(house)]
    assert {one["kind"] for one in events(house)} <= set(KINDS)


def test_hosts_freezes_scaling_and_orders_to_stop(house):
    key, _ = grown(house)
    other = a_host(house, "host-2", connect=False)
    house.clock.advance(seconds(1))
    connect_host(house, other)
    own(house, "FreezeScheduling", service="web", reason="night")
    own(house, "ThawScheduling", service="web")
    house.ask(
        "UpdateService",
        service="web",
        desiredCount=0,
        deploymentConfiguration={"maximumPercent": 150},
        placementStrategy=[{"type": "random"}],
        availabilityZoneRebalancing="DISABLED",
    )
    house.settle()
    house.clock.advance(seconds(1))
    own(house, "DrainHost", host="host-2", deadlineSeconds=60)
    for tell, how in ((api.AGENT.disconnected, "closed"), (api.AGENT.lost, "away")):
        house.clock.advance(seconds(1))
        house.write(lambda call, tell=tell, how=how: tell(call, other.instance, how))
    house.settle()
    house.clock.advance(seconds(1))
    connect_host(house, other)
    house.ask("DeleteService", service="web")
    told = {one["kind"]: one["text"] for one in reversed(events(house))}
    assert told["freeze-begun"].startswith("It holds until it is thawed by hand (operator: night).")
    assert told["freeze-ended"] == "It holds no longer (operator: night)."
    assert told["service-scaled"] == "It wants 0 tasks; before it was 1."
    assert told["service-changed"] == (
        "Changed: deploymentConfiguration, placementStrategy, availabilityZoneRebalancing."
    )
    assert told["service-deleted"] == "It is INACTIVE once its tasks have ended."
    assert "the service no longer wanted this task" in told["task-stopped"]
    assert kinds(house, host="host-2") == [
        "host-joined",
        "host-connected",
        "host-draining",
        "host-disconnected",
        "host-lost",
        "host-released",
        "host-connected",
        "host-returned",
    ]
    assert kinds(house, host=key.instance, kind="host-joined") == ["host-joined"]


def test_a_host_that_has_left_keeps_its_name_and_is_found_by_it(house):
    key = a_host(house, "old")
    house.ask("DeregisterContainerInstance", containerInstance=key.instance)
    house.settle()
    house.clock.advance(hours(25))  # its row is forgotten by then
    house.settle()
    assert house.read(lambda call: container_instances.get(call.tx, key.instance)) is None
    told = ["host-connected", "host-disconnected", "host-joined", "host-left"]
    for name in ("old", key.instance, key.instance.rpartition("/")[2]):
        assert sorted(kinds(house, host=name)) == told
    assert {one["host"] for one in events(house, host="old")} == {"old"}
    a_host(house, "old")
    assert sorted(kinds(house, host="old")) == sorted([*told, "host-joined", "host-connected"])
    for stranger in ("older", "0" * 32):
        with pytest.raises(Fault, match="no host"):
            events(house, host=stranger)


def test_filters_since_pages_and_strangers(house):
    grown(house)
    whole = events(house, maxResults=1000)
    answer = own(house, "ListTimeline", maxResults=3)
    paged = answer["events"]
    while "nextToken" in answer:
        answer = own(house, "ListTimeline", maxResults=3, nextToken=answer["nextToken"])
        paged += answer["events"]
    assert paged == whole
    assert len({one["position"] for one in whole}) == len(whole)
    assert set(kinds(house, kind="task")) == {"task-started", "task-running", "task-stopped"}
    assert set(kinds(house, kind="task-running")) == {"task-running"}
    assert all(one["service"] == "web" for one in events(house, service="web"))
    since = epoch(house.clock.now())
    recent = events(house, since=since)
    assert recent
    assert recent == [one for one in whole if one["at"] >= since]
    assert len(recent) < len(whole)
    assert [len(events(house, since=at)) for at in (-1e9, 2e9)] == [len(whole), 0]
    assert events(house, by=root(OTHER)) == []
    for members, code in (
        ({"kind": "weather"}, "ValidationException"),
        ({"maxResults": 1001}, "ValidationException"),
        ({"cluster": "none"}, "ClusterNotFoundException"),
    ):
        with pytest.raises(Fault) as caught:
            own(house, "ListTimeline", **members)
        assert caught.value.code == code


def fill(house, count):
    def work(call):
        timeline.note(
            call.tx,
            [
                Happening(cluster=CLUSTER, kind="service-event", text="x" * 1000, service="web")
                for _ in range(count)
            ],
        )
        call.tx.wake(timeline.KIND, CLUSTER)

    house.write(work)


def test_what_is_older_than_thirty_days_is_forgotten_some_at_once(house):
    fill(house, 600)
    house.clock.advance(hours(24 * 29))
    fill(house, 3)
    house.settle()
    assert house.read(lambda call: timeline.count(call.tx, CLUSTER)) == 603
    house.pass_time(hours(25))
    assert house.read(lambda call: timeline.count(call.tx, CLUSTER)) == 3
    assert all(len(one["text"]) == timeline.TEXT_LENGTH_MAX for one in events(house))


def test_a_cluster_that_was_quiet_for_a_month_is_swept_again(house):
    fill(house, 1)
    house.settle()
    house.clock.advance(hours(24 * 31))
    house.pass_time(seconds(150))
    assert house.read(lambda call: timeline.count(call.tx, CLUSTER)) == 0
    one = Happening(cluster=CLUSTER, kind="task-started", text="x")
    house.write(lambda call: timeline.note(call.tx, [one]))
    house.clock.advance(hours(24 * 31))
    house.pass_time(seconds(150))
    assert house.read(lambda call: timeline.count(call.tx, CLUSTER)) == 0


@pytest.mark.parametrize(
    ("kept", "days", "left"),
    [
        (EVENTS_MAX, 0, 4),
        (EVENTS_MAX + 3, 0, 1),
        (EVENTS_MAX + 30, 0, 0),
        (4, 29.9, 4),
        (4, 30, 2),
        (EVENTS_MAX + 1, 30, 2),
        (4, 31, 0),
    ],
)
def test_what_is_forgotten_is_old_or_too_much(kept, days, left):
    one = Happening(cluster=CLUSTER, kind="service-event", text="x")
    day = hours(24)
    oldest = [evolve(one, at=at) for at in (0, 0, day // 2, day // 2)]
    assert len(oldest) - len(forgotten(oldest, kept, round(days * day))) == left


def test_the_sweep_knows_each_cluster_after_a_restart(house):
    fill(house, 1)
    other = make_arn("cluster", REGION, ACCOUNT, "other")
    house.write(
        lambda call: timeline.note(
            call.tx, [Happening(cluster=other, kind="service-event", text="x")]
        )
    )
    assert house.read(lambda call: timeline.clusters(call.tx)) == [CLUSTER, other]


def test_one_row_is_never_longer_than_its_bound():
    arn = "arn:aws:ecs:us-east-1:111122223333:cluster/" + "c" * 255
    longest = Happening(
        cluster=arn,
        kind=max(KINDS, key=len),
        text="\N{SNOWMAN}" * timeline.TEXT_LENGTH_MAX,
        cause="c" * timeline.CAUSE_LENGTH_MAX,
        service="s" * 255,
        instance=arn + "/" + "i" * 32,
        task="t" * 32,
        deployment="ecs-svc/" + "9" * 19,
        moment="9" * 80,
    )
    row = timeline.TIMELINE.row(longest)
    assert sum(len(str(value).encode()) for value in row.values()) <= timeline.ENTRY_BYTES_MAX


def test_a_transaction_that_fails_leaves_nothing_behind(house):
    key = a_host(house)

    def work(call):
        found = container_instances.get(call.tx, key.instance)
        container_instances.write(call.tx, evolve(found, status="DRAINING"))
        assert [one.kind for one in call.tx.noted] == ["host-draining"]
        raise Fault("no")

    before = events(house)
    with pytest.raises(Fault):
        house.write(work)
    assert events(house) == before
    assert a_definition(house)


STEPS = st.one_of(
    st.tuples(st.just("scale"), st.integers(0, 4)),
    st.tuples(st.just("run"), st.just(0)),
    st.tuples(st.just("end"), st.integers(0, 3)),
    st.tuples(st.just("drain"), st.integers(0, 1)),
    st.tuples(st.just("pass"), st.integers(1, 90)),
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEPS, max_size=8))
def test_each_task_is_said_to_start_and_to_stop_once_and_only_if_it_did(steps):
    house = EcsHouse()
    keys = [a_host(house, f"h{number}") for number in range(2)]
    a_service(house, count=2)
    house.settle()

    def live():
        return house.ask("ListTasks", serviceName="web")["taskArns"]

    def act(what, number):
        if what == "scale":
            house.ask("UpdateService", service="web", desiredCount=number)
        elif what == "drain":
            own(house, "DrainHost", host=f"h{number}")
        elif what == "pass":
            house.pass_time(seconds(number))
        for arn in live()[: number if what == "end" else None] if what in {"run", "end"} else ():
            home = house.ask("DescribeTasks", tasks=[arn])["tasks"][0]["containerInstanceArn"]
            key = next(one for one in keys if one.instance == home)
            send(house, key)
            report(house, key, arn, "RUNNING" if what == "run" else "STOPPED")

    for what, number in steps:
        act(what, number)
        house.settle()
    known = house.read(
        lambda call: tasks.of_service(
            call.tx, make_arn("service", REGION, ACCOUNT, "default", "web")
        )
    )
    told = Counter(
        (one["task"], one["kind"]) for one in events(house, kind="task", maxResults=1000)
    )
    for task in known:
        assert told[task.id, "task-started"] == 1
        assert told[task.id, "task-stopped"] == task.is_stopped
        assert told[task.id, "task-running"] == (task.started_at is not None)
        assert told[task.id, "task-stopping"] <= 1
    assert {task for task, _ in told} == {task.id for task in known}
    house.close()


def test_what_is_done_to_a_cluster_itself_is_told(house):
    house.ask("CreateCluster", clusterName="shop")
    house.clock.advance(seconds(1))
    house.ask("CreateCluster", clusterName="shop")
    insights = [{"name": "containerInsights", "value": "enhanced"}]
    house.ask("UpdateClusterSettings", cluster="shop", settings=insights)
    house.clock.advance(seconds(1))
    arn = make_arn("cluster", REGION, ACCOUNT, "shop")
    house.ask("TagResource", resourceArn=arn, tags=[{"key": "a", "value": "b"}])
    told = events(house, cluster="shop", kind="cluster")
    assert [(one["kind"], one["text"]) for one in told] == [
        ("cluster-changed", "Changed: tags."),
        ("cluster-changed", "Changed: settings."),
        ("cluster-made", "It is there."),
    ]
    assert told[1]["cause"] == f"UpdateClusterSettings by {root().arn}"
    house.clock.advance(seconds(1))
    house.ask("DeleteCluster", cluster="shop")
    house.clock.advance(seconds(1))
    house.ask("CreateCluster", clusterName="shop")
    told = events(house, cluster="shop", kind="cluster")
    assert [one["kind"] for one in told[:2]] == ["cluster-made", "cluster-deleted"]
