"""A server on an old copy of its database, and hosts that have seen more: freeze and adopt."""

from pathlib import Path

import pytest

from moorage.acs.messages import (
    HeldContainer,
    HeldPort,
    HeldTask,
    InventoryMessage,
    InventoryRequest,
    TaskIdentifier,
    TaskStopVerificationMessage,
)
from moorage.acs.task_messages import Task as Order
from moorage.ecs.agents import AGENT
from moorage.ecs.operations.adoption import TASKS_MAX
from moorage.ecs.operations.session import Hello, read_timeline
from moorage.ecs.store import (
    container_instances,
    freezes,
    restoration,
    service_events,
    task_definitions,
    task_families,
    tasks,
)
from moorage.ground.chance import SeededChance
from moorage.ground.record import evolve
from moorage.shapes.ecs.agent import SubmitTaskStateChangeRequest
from moorage.sql.copying import pour, reading_copy
from tests.ecs.controllers.host import ScriptedHost
from tests.ecs.controllers.rig import TABLES, Rig
from tests.house import ACCOUNT, REGION

CLUSTER = (ACCOUNT, REGION, "default")
SECONDS_MAX = 10


def older(rig: Rig, path: Path) -> Rig:
    """Another server on the copy."""
    restored = Rig()
    restored.house.clock.jump(rig.house.clock.now() - restored.house.clock.now())
    with reading_copy(path, SeededChance(3)) as source:
        restored.house.database.write(
            lambda tx: pour(source, tx, TABLES, lambda _done, _total: True)
        ).result()
    restored.restart()
    return restored


def save(rig: Rig, path: Path) -> Path:
    rig.house.database.copy(path, lambda _done, _total: True).result(SECONDS_MAX)
    return path


def held(one: ScriptedHost) -> tuple[HeldTask, ...]:
    """What a host of ours tells: the orders that it was given, and how they are."""
    return tuple(
        HeldTask(
            task=known.order,
            status=known.status,
            containers=(
                HeldContainer(
                    name="main",
                    status=known.status,
                    runtime_id="c" * 64,
                    image_digest="sha256:" + "d" * 64,
                    ports=(HeldPort(container_port=80, host_port=32768, bind_ip="0.0.0.0"),),
                ),
            ),
        )
        for known in one.tasks.values()
        if known.status in {"PENDING", "RUNNING"}
    )


def come_back(rig: Rig, one: ScriptedHost, timeline: int) -> list[object]:
    """The host's agent connects, tells its timeline and, if asked, what it has."""
    one.heard.clear()
    rig.hosts[one.arn] = one
    assert rig.agent(one, AGENT.connected, Hello(timeline=timeline)) is None
    rig.connected.add(one.arn)
    rig.on_wire[one.arn] = set()
    found = rig.agent(one, AGENT.outgoing, True)
    for notice in found.notices:
        if isinstance(notice, InventoryRequest):
            rig.say(one, InventoryMessage(message_id=notice.message_id, tasks=held(one)))
    for message in found.messages:
        one.hear(message, rig)
    # As agents do: what the manifest lists and is not there any more has stopped.
    for listed in found.manifest.tasks:
        if one.tasks[listed.task_arn].status == "STOPPED":
            gone = SubmitTaskStateChangeRequest(task=listed.task_arn, status="STOPPED")
            rig.report(one, gone)
    rig.settle()
    return [type(message) for message in found.messages]


def sequence(rig: Rig, one: ScriptedHost) -> int:
    return rig.house.read(lambda call: container_instances.get(call.tx, one.arn)).sequence


def thaw(rig: Rig) -> None:
    def work(call) -> None:
        for one in freezes.of_cluster(call.tx, *CLUSTER):
            freezes.delete(call.tx, one)

    rig.house.write(work)


@pytest.fixture
def story(tmp_path: Path):
    """A backup of two tasks of `web`; then a scale up, a new revision, and another service."""
    rig = Rig()
    one = rig.host("h1", cpu=8192, memory=8192)
    web = rig.serve("web", 2, rig.define("web"))
    rig.settle()
    path = save(rig, tmp_path / "old.db")
    rig.advance(60)
    rig.update(web, desired_count=4, definition=rig.define("web"))
    rig.advance(60)
    rig.serve("later", 1, rig.define("later"))
    rig.advance(60)
    assert len(one.running()) == 5
    return rig, one, older(rig, path)


def test_nothing_stops_all_is_adopted_and_a_thaw_lets_it_converge(story):
    rig, one, restored = story
    before = one.running()
    known = restored.house.read(lambda call: tasks.every(call.tx))
    assert not set(known) & set(before), "the two tasks of the copy were replaced since"
    told = come_back(restored, one, sequence(rig, one))
    assert InventoryRequest in told
    [freeze] = restored.house.read(lambda call: freezes.of_cluster(call.tx, *CLUSTER))
    assert (freeze.cause, freeze.service) == ("restore", "")
    assert "older than what the host h1 has seen" in freeze.reason
    restored.advance(600)
    assert one.running() == before
    found = restored.house.read(lambda call: tasks.named(call.tx, before))
    assert set(found) == set(before)
    assert {task.last_status for task in found.values()} == {"RUNNING"}
    assert {(task.reserved.cpu, task.reserved.memory) for task in found.values()} == {(200, 200)}
    by_service: dict[str, int] = {}
    for task in found.values():
        name = task.service.rpartition("/")[2]
        by_service[name] = by_service.get(name, 0) + 1
        assert task.containers[0].runtime_id == "c" * 64
        assert task.reserved.ports == (32768,)
    assert by_service == {"web": 4, "": 1}
    [web] = {task.service for task in found.values()} - {""}
    said = restored.house.read(lambda call: service_events.newest(call.tx, web))
    assert any("has adopted 4 tasks that h1 runs" in event.message for event in said)
    thaw(restored)
    restored.advance(600)
    after = restored.house.read(lambda call: tasks.named(call.tx, one.running()))
    kept = [task for task in after.values() if task.service == web]
    assert len(kept) == 2, "as many as the copy wants"
    assert {task.revision for task in kept} == {1}, "of the revision that the copy knows"
    [alone] = [task for task in after.values() if not task.service]
    assert (alone.family, alone.is_adopted) == ("later", True)


def test_numbers_that_hosts_have_seen_are_not_given_again(story):
    """Neither to orders (a manifest with an old number is dropped) nor to definitions."""
    rig, one, restored = story
    seen = sequence(rig, one)
    come_back(restored, one, seen)
    assert sequence(restored, one) > seen
    families = {
        name: restored.house.write(
            lambda call, name=name: task_families.lock(call.tx, call, name).latest
        )
        for name in ("web", "later")
    }
    assert families == {"web": 2, "later": 1}
    assert not restored.house.read(lambda call: task_definitions.find(call.tx, call, "web:2"))
    thaw(restored)
    told = come_back(restored, one, seen)
    assert InventoryRequest not in told
    assert not restored.house.read(lambda call: freezes.of_cluster(call.tx, *CLUSTER))


def test_a_host_that_has_seen_no_more_than_the_database_says_nothing_new(story):
    rig, one, _ = story
    told = come_back(rig, one, sequence(rig, one))
    assert InventoryRequest not in told
    assert not rig.house.read(lambda call: freezes.of_cluster(call.tx, *CLUSTER))


def test_no_stop_is_confirmed_while_a_restored_database_is_frozen(story):
    rig, one, restored = story
    come_back(restored, one, sequence(rig, one))
    unknown = one.arn.replace("container-instance", "task")[:-32] + "f" * 32
    question = TaskStopVerificationMessage(
        message_id="manifest..1", stop_candidates=(TaskIdentifier(task_arn=unknown),)
    )
    ask = lambda: restored.agent(one, AGENT.messages[type(question)], question)
    assert ask() == ()
    thaw(restored)
    [answer] = ask()
    assert [stop.task_arn for stop in answer.stop_tasks] == [unknown]


def test_what_a_host_tells_makes_no_row_unless_the_database_was_restored(story):
    """Nor does it then, of tasks that cannot be its own."""
    _, one, restored = story
    inventory = InventoryMessage(message_id="x", tasks=held(one))
    restored.say(one, inventory)
    names = lambda: restored.house.read(lambda call: set(tasks.every(call.tx)))
    before = names()
    restored.house.write(lambda call: restoration.freeze(call.tx, CLUSTER, "a test"))
    sound = held(one)[0]
    arn = sound.task.arn
    for foreign in (
        evolve(sound.task, arn=arn.replace("/default/", "/other/")),
        evolve(sound.task, arn=arn.replace(ACCOUNT, "999999999999")),
        evolve(sound.task, arn="no arn"),
        evolve(sound.task, version="x"),
        evolve(sound.task, version="9" * 30),
        evolve(sound.task, version="9" * 8),
        evolve(sound.task, family=None),
        evolve(sound.task, family="\x1b[2J"),
        evolve(sound.task, arn=f"{arn[:-32]}{'z' * 32}"),
        evolve(sound.task, containers=()),
        evolve(sound.task, containers=sound.task.containers * 2),
        evolve(sound.task, cpu=1e300),
        evolve(sound.task, memory=2**31),
        evolve(sound.task, containers=tuple(evolve(c, name="a b") for c in sound.task.containers)),
        evolve(sound.task, containers=tuple(evolve(c, cpu=-1) for c in sound.task.containers)),
        Order(arn=arn, desired_status="RUNNING"),
    ):
        restored.say(one, InventoryMessage(message_id="x", tasks=(evolve(sound, task=foreign),)))
    for port in (
        HeldPort(container_port=80, host_port=2**62),
        HeldPort(container_port=-1, host_port=80),
        HeldPort(container_port=80, host_port=80, protocol="\x1b[2J"),
    ):
        worn = tuple(evolve(c, ports=(port,)) for c in sound.containers)
        poisoned = (evolve(sound, containers=worn),)
        restored.say(one, InventoryMessage(message_id="x", tasks=poisoned))
    restored.say(one, InventoryMessage(message_id="x", tasks=(evolve(sound, status="STOPPED"),)))
    assert names() == before
    restored.say(one, inventory)
    adopted = names() - before
    restored.say(one, inventory)
    assert names() == before | adopted
    assert adopted


def test_a_host_tells_nothing_of_a_task_that_ended_on_another(story):
    _, one, restored = story
    other = ScriptedHost(one.arn[:-32] + "e" * 32, "h9")

    def prepare(call):
        restoration.freeze(call.tx, CLUSTER, "a test")
        known = container_instances.get(call.tx, one.arn)
        twin = evolve(known, id="e" * 32, arn=other.arn, name="h9")
        container_instances.create(call.tx, twin)

    restored.house.write(prepare)
    restored.say(one, InventoryMessage(message_id="x", tasks=held(one)))
    arn = held(one)[0].task.arn

    def end(call):
        task = tasks.get(call.tx, arn)
        tasks.write(call.tx, evolve(task, last_status="STOPPED", desired_status="STOPPED"))

    restored.house.write(end)
    restored.say(other, InventoryMessage(message_id="x", tasks=held(one)))
    ended = restored.house.read(lambda call: tasks.get(call.tx, arn))
    assert (ended.instance, ended.is_stopped) == (one.arn, True)


def test_a_host_makes_no_more_rows_than_it_could_run_and_uses_up_no_numbers(story):
    """Stolen keys speak as hosts do: neither the table nor a family is filled by their word."""
    _, one, restored = story
    restored.house.write(lambda call: restoration.freeze(call.tx, CLUSTER, "a test"))
    sound = held(one)[0]
    before = restored.house.read(lambda call: len(tasks.live_of_instance(call.tx, one.arn)))

    def numbered(number: int) -> HeldTask:
        task = evolve(sound.task, arn=f"{sound.task.arn[:-32]}{number:032x}", version="9999999")
        return evolve(sound, task=task)

    for first in (0, TASKS_MAX):
        some = tuple(numbered(first + number) for number in range(TASKS_MAX))
        restored.say(one, InventoryMessage(message_id="x", tasks=some))
    count = lambda call: len(tasks.live_of_instance(call.tx, one.arn))
    assert before < TASKS_MAX == restored.house.read(count)
    latest = restored.house.write(lambda call: task_families.lock(call.tx, call, "web").latest)
    assert latest == 0, "no number that our server would ever have given"


def test_where_all_revisions_were_deleted_numbers_go_on_all_the_same(story):
    """The family remembers how far they had come: what was brought out since is not far above."""
    _, one, restored = story
    restored.house.write(lambda call: restoration.freeze(call.tx, CLUSTER, "a test"))

    def work(call):
        known = task_families.lock(call.tx, call, "gone")
        task_families.put(call.tx, evolve(known, latest=20_000, deleted_to=20_000, is_gone=True))

    restored.house.write(work)
    sound = held(one)[0]
    task = evolve(sound.task, arn=f"{sound.task.arn[:-32]}{7:032x}", family="gone", version="20007")
    restored.say(one, InventoryMessage(message_id="x", tasks=(evolve(sound, task=task),)))
    family = restored.house.write(lambda call: task_families.lock(call.tx, call, "gone"))
    assert (family.latest, family.is_gone) == (20_007, True)


def test_a_host_that_forgot_an_adopted_task_is_told_of_all_others(story):
    """Its folder is lost: what it ran of an unknown definition cannot be ordered again."""
    rig, one, restored = story
    come_back(restored, one, sequence(rig, one))
    thaw(restored)

    def forget(call):
        for task in tasks.live_of_instance(call.tx, one.arn):
            tasks.write(call.tx, evolve(task, acknowledged_at=None))

    restored.house.write(forget)
    told = restored.agent(one, AGENT.outgoing, True)
    assert told.manifest is not None
    ordered = {order.family for payload in told.payloads for order in payload.tasks}
    assert "later" not in ordered


def test_a_task_whose_definition_is_unknown_can_be_stopped(story):
    """Its room is what its containers were given; an order that shows no effect is given again."""
    rig, one, restored = story
    come_back(restored, one, sequence(rig, one))
    named = restored.house.read(lambda call: tasks.named(call.tx, one.running()))
    [alone] = [task for task in named.values() if not task.service]
    one.deaf = True
    restored.house.write(lambda call: restored.condemn(call.tx, alone.arn))
    restored.house.write(lambda call: restored.acknowledge_stop(call.tx, alone.arn))
    restored.turn("tasks", alone.arn)
    restored.advance(400)
    one.deaf = False
    restored.resend(one)
    restored.settle()
    ended = restored.house.read(lambda call: tasks.get(call.tx, alone.arn))
    assert ended.last_status == "STOPPED"


@pytest.mark.parametrize(
    ("text", "timeline"),
    [("", 0), ("17", 17), ("-1", 0), ("1" * 40, 0), ("x", 0), ("\u0661", 0)],
)
def test_a_timeline_is_a_number_or_nothing(text, timeline):
    assert read_timeline(text) == timeline
