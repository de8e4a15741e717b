"""What a host publishes: figures of a period, health in parts, how its engine is."""

import asyncio

from moorage.acs.telemetry import TASKS_IN_MESSAGE_MAX
from moorage.agent.engine.instructions import PublishHealth, PublishInstanceStatus
from moorage.agent.publishing import Reading, Sender, health, metrics, running, status
from moorage.agent.records.container import ContainerRecord, ContainerStatus, Health
from moorage.agent.records.report import ContainerHealth, TaskHealth
from moorage.agent.records.task import TaskRecord
from moorage.agent.runtime.memory import MemoryRuntime
from moorage.agent.runtime.port import EngineUnavailable, NetworkCounters, Usage
from moorage.agent.telemetry import Gauge
from moorage.agent.vigil import Vigil
from moorage.ground.chance import SeededChance
from moorage.ground.clock import MANUAL_START, ManualClock
from moorage.ground.instant import Duration, later, seconds
from tests.agent.rig import INSTANCE, stocked, task

SENDER = Sender(cluster="default", container_instance=INSTANCE)


def record(number: int = 1, runtime_id: str | None = "c1") -> TaskRecord:
    state = ContainerStatus.RUNNING if runtime_id else ContainerStatus.PULLING
    container = ContainerRecord(name="web", status=state, runtime_id=runtime_id, restarts=2)
    return TaskRecord(
        task=task(number), desired="RUNNING", containers=(container,), received_at=MANUAL_START
    )


def usage(at: float, cpu: float, received: int) -> Usage:
    return Usage(
        at=later(MANUAL_START, seconds(at)),
        cpu=Duration(seconds(cpu)),
        memory_bytes=64 << 20,
        read_bytes=received,
        network=NetworkCounters(rx_bytes=received),
    )


def test_figures_are_of_the_period_between_two_readings() -> None:
    reading = Reading(before=usage(0, 1, 100), after=usage(20, 6, 2100))
    (message,) = metrics((record(),), {"c1": reading}, SENDER, "m", MANUAL_START)
    assert message.metadata is not None
    assert (message.metadata.idle, message.metadata.fin) == (False, True)
    assert message.task_metrics is not None
    (told,) = message.task_metrics
    assert (told.task_definition_family, told.task_definition_version) == ("web", "1")
    assert told.container_metrics is not None
    (container,) = told.container_metrics
    assert container.cpu_stats_set is not None
    assert container.cpu_stats_set.sum == 25
    assert container.memory_stats_set is not None
    assert container.memory_stats_set.max == 64
    assert container.network_stats_set is not None
    assert container.network_stats_set.rx_bytes is not None
    assert container.network_stats_set.rx_bytes.sum == 2000
    assert container.network_stats_set.rx_bytes_per_second is not None
    assert container.network_stats_set.rx_bytes_per_second.sum == 100
    assert container.storage_stats_set is not None
    assert container.storage_stats_set.read_size_bytes is not None
    assert container.storage_stats_set.read_size_bytes.sum == 2000
    assert container.restart_stats_set is not None
    assert container.restart_stats_set.restart_count == 2


def test_counters_that_began_anew_are_no_negative_figures() -> None:
    reading = Reading(before=usage(0, 9, 900), after=usage(20, 1, 10))
    (message,) = metrics((record(),), {"c1": reading}, SENDER, "m", MANUAL_START)
    assert message.task_metrics is not None
    found = message.task_metrics[0].container_metrics
    assert found is not None
    assert found[0].cpu_stats_set is not None
    assert found[0].cpu_stats_set.sum == 0


def test_a_host_without_tasks_is_idle() -> None:
    (message,) = metrics((), {}, SENDER, "m", MANUAL_START)
    assert message.metadata is not None
    assert (message.metadata.idle, message.metadata.fin) == (True, True)
    assert message.task_metrics is None


def test_many_tasks_go_in_parts_and_the_last_is_marked() -> None:
    reading = Reading(before=usage(0, 1, 1), after=usage(20, 2, 2))
    tasks = [record(number) for number in range(25)]
    told = list(metrics(tasks, {"c1": reading}, SENDER, "m", MANUAL_START))
    assert [len(message.task_metrics or ()) for message in told] == [10, 10, 5]
    assert [message.metadata.fin for message in told if message.metadata] == [False, False, True]
    assert len({message.metadata.message_id for message in told if message.metadata}) == 3


def test_health_goes_in_parts_too() -> None:
    containers = (ContainerHealth(container_name="web", health=Health.UNHEALTHY, message="no"),)
    sick = TaskHealth(task_arn="t", family="web", version="1", containers=containers)
    wanted = PublishHealth(tasks=(sick,) * (TASKS_IN_MESSAGE_MAX + 1))
    told = list(health(wanted, SENDER, "m", MANUAL_START))
    assert [len(message.tasks or ()) for message in told] == [TASKS_IN_MESSAGE_MAX, 1]
    first = told[0].tasks
    assert first is not None
    assert first[0].containers is not None
    assert first[0].containers[0].health_status == "UNHEALTHY"
    assert first[0].containers[0].status_message == "no"


def test_the_engine_is_impaired_or_not() -> None:
    lost = PublishInstanceStatus(impaired=True, since=MANUAL_START, reason="gone")
    told = status(lost, SENDER, "m", later(MANUAL_START, seconds(5)))
    assert told.statuses is not None
    assert told.statuses[0].status == "IMPAIRED"
    assert told.statuses[0].last_status_change == 1_800_000_000
    assert told.statuses[0].last_updated == 1_800_000_005


def test_only_what_runs_is_read() -> None:
    assert running((record(1), record(2, None))) == ["c1"]


def test_without_any_reading_nothing_is_said() -> None:
    async def story() -> None:
        clock = ManualClock()
        runtime = MemoryRuntime(stocked(), clock)
        gauge = Gauge(runtime, lambda: (record(),), SENDER, clock, SeededChance(1))
        runtime.fail("usage", EngineUnavailable("gone"))
        assert await gauge.read() == []

    asyncio.run(story())


def test_loss_and_return_of_the_engine_are_told_once() -> None:
    async def story() -> list[str]:
        told: list[str] = []
        runtime = MemoryRuntime(stocked(), ManualClock())
        vigil = Vigil(runtime, lambda event: told.append(type(event).__name__))
        vigil.doubt("one")
        vigil.doubt("two")
        waiting = asyncio.ensure_future(vigil.step())
        await asyncio.sleep(0.05)
        assert not vigil.lost
        vigil.mistrust_events()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await runtime.take_down()
        assert not await vigil.answers()
        return told

    assert asyncio.run(story()) == [
        "EngineLost",
        "EngineReturned",
        "EventsMissed",
    ]
