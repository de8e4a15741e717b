"""What the engine tells of its tasks to a server that has forgotten them; and what it has seen."""

from moorage.acs.messages import HeldPort, InventoryMessage
from moorage.acs.task_messages import Task
from moorage.agent.engine import events as e
from moorage.agent.engine import instructions as i
from moorage.agent.engine.inventory import TASKS_AT_ONCE
from moorage.agent.engine.machine import Engine
from moorage.agent.records.host import HostMemory
from moorage.ground.record import evolve
from tests.agent.engine.builders import a_task
from tests.agent.engine.test_asked import manifest, messages
from tests.agent.engine.world import HOST, World, arn, payload

ASK = e.InventoryRequested(message_id="inventory..7")


def inventories(answer: list[i.Instruction]) -> list[InventoryMessage]:
    return [one for one in messages(answer) if isinstance(one, InventoryMessage)]


def test_tasks_are_told_as_they_were_sent_and_as_they_are(world):
    world.feed(payload(a_task()))
    world.run()
    world.feed(payload(a_task(number=2)))
    world.run()
    world.feed(payload(Task(arn=arn(2), desired_status="STOPPED")))
    [told] = inventories(world.feed(ASK))
    assert told.message_id == "inventory..7"
    [held] = told.tasks
    assert (held.task, held.status) == (a_task(), "RUNNING")
    assert [one.status for one in held.containers] == ["RUNNING"]
    assert held.containers[0].runtime_id
    assert all(isinstance(port, HeldPort) for port in held.containers[0].ports)


def test_nothing_is_told_before_the_first_look():
    world = World()
    engine = Engine(HOST)
    engine.handle(e.AgentStarted(), world.now)
    assert not inventories(engine.handle(ASK, world.now))
    assert not inventories(engine.handle(e.Tick(), world.now))
    looked = engine.handle(e.ContainersObserved(look=1, containers=()), world.now)
    [told] = inventories(looked)
    assert told.tasks == ()


def test_many_tasks_are_told_in_parts(world):
    count = TASKS_AT_ONCE + 1
    world.feed(payload(*(a_task(number=number) for number in range(count))))
    told = inventories(world.feed(ASK))
    assert [len(one.tasks) for one in told] == [TASKS_AT_ONCE, 1]


def test_the_highest_number_of_all_is_remembered_on_disk():
    """Of payloads and of manifests; it never goes back."""
    world = World()
    engine = Engine(HOST, memory=HostMemory(manifest_timeline=4))
    assert engine.timeline() == 4
    engine.handle(e.AgentStarted(), world.now)
    engine.handle(e.ContainersObserved(look=1, containers=()), world.now)
    answer = engine.handle(evolve(payload(a_task()), seq_num=9), world.now)
    [saved] = [one for one in answer if isinstance(one, i.SaveCheckpoint)]
    assert (saved.memory.timeline, saved.durable) == (9, True)
    engine.handle(evolve(payload(a_task(number=2)), seq_num=7), world.now)
    assert engine.timeline() == 9
    engine.handle(manifest(12), world.now)
    assert Engine(HOST, engine.tasks(), engine.memory()).timeline() == 12


def test_an_end_that_the_server_has_forgotten_is_told_again(world):
    """It was taken in by a database that was then restored from a backup.

    So the manifest lists the task, or an order to stop it comes. Else the server would wait for it
    for ever.
    """
    world.feed(evolve(payload(a_task()), seq_num=1))
    world.run()
    world.feed(payload(Task(arn=arn(1), desired_status="STOPPED")))
    world.run()
    [task] = world.engine.tasks()
    assert task.settled
    for asked in (manifest(7, t1="RUNNING"), payload(Task(arn=arn(1), desired_status="STOPPED"))):
        answer = world.feed(asked)
        said = [one.report for one in answer if isinstance(one, i.SubmitTaskStateChange)]
        assert [one.task for one in said] == [arn(1)]
        sequence = world.engine.tasks()[0].sequence
        world.feed(e.ReportAcknowledged(task_arn=arn(1), sequence=sequence))
        world.feed(e.ReportAcknowledged(task_arn=arn(1), sequence=sequence + 1))
        assert world.engine.tasks()[0].settled
    assert world.engine.timeline() == 7
