"""What is kept is found again; what cannot be trusted is set aside or refused, never guessed."""

import os
from pathlib import Path

import pytest

from moorage.acs.task_messages import Container, Task
from moorage.agent.checkpoint import Checkpoint, CheckpointRefused
from moorage.agent.identity import Identity, claim, keep, load
from moorage.agent.options import OptionsRefused
from moorage.agent.records.container import ContainerRecord
from moorage.agent.records.host import HostMemory
from moorage.agent.records.task import TaskRecord
from moorage.ground.clock import MANUAL_START
from moorage.ground.record import evolve

INSTANCE = "arn:aws:ecs:us-east-1:000000000001:container-instance/default/" + "a" * 32


def task(number: int = 1) -> TaskRecord:
    arn = f"arn:aws:ecs:us-east-1:000000000001:task/default/{number:032x}"
    return TaskRecord(
        task=Task(arn=arn, desired_status="RUNNING", containers=(Container(name="web"),)),
        desired="RUNNING",
        containers=(ContainerRecord(name="web"),),
        received_at=MANUAL_START,
    )


@pytest.mark.parametrize("durable", [True, False])
def test_what_was_saved_is_loaded(tmp_path: Path, durable: bool) -> None:
    kept = Checkpoint(tmp_path, INSTANCE)
    memory = HostMemory(manifest_timeline=7)
    kept.save((task(1), task(2)), (), memory, durable=durable)
    kept.save((evolve(task(1), reason="changed"),), (task(2).arn,), None, durable=durable)
    loaded = Checkpoint(tmp_path, INSTANCE).load()
    assert loaded.tasks == (evolve(task(1), reason="changed"),)
    assert loaded.memory == memory
    assert loaded.damaged == ()


def test_an_empty_folder_is_a_new_host(tmp_path: Path) -> None:
    loaded = Checkpoint(tmp_path / "new", INSTANCE).load()
    assert (loaded.tasks, loaded.memory) == ((), HostMemory())


@pytest.mark.parametrize("content", [b"", b"\0" * 512, b'{"version":1,"instance":"', b"[]"])
def test_a_torn_file_is_set_aside_and_the_others_serve(tmp_path: Path, content: bytes) -> None:
    """Host restarts emptied the state file of Amazon's agent (amazon-ecs-agent #1301)."""
    kept = Checkpoint(tmp_path, INSTANCE)
    kept.save((task(1), task(2)), (), HostMemory(), durable=True)
    torn = next(p for p in (tmp_path / "tasks").iterdir() if p.name.endswith("1.json"))
    torn.write_bytes(content)
    loaded = kept.load()
    assert [t.arn for t in loaded.tasks] == [task(2).arn]
    assert loaded.damaged == (str(torn),)
    assert not torn.exists()
    assert kept.load().damaged == ()


def test_half_a_record_is_set_aside(tmp_path: Path) -> None:
    kept = Checkpoint(tmp_path, INSTANCE)
    kept.save((task(1),), (), None, durable=False)
    (path,) = (tmp_path / "tasks").iterdir()
    path.write_bytes(path.read_bytes().replace(b'"desired":"RUNNING"', b'"desired":"DANCING"'))
    assert kept.load().damaged == (str(path),)


def test_the_state_of_another_instance_is_refused(tmp_path: Path) -> None:
    Checkpoint(tmp_path, INSTANCE).save((task(),), (), None, durable=False)
    with pytest.raises(CheckpointRefused, match="belongs to"):
        Checkpoint(tmp_path, INSTANCE.replace("a" * 32, "b" * 32)).load()


def test_the_state_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    kept = Checkpoint(tmp_path, INSTANCE)
    kept.save((), (), HostMemory(), durable=False)
    path = tmp_path / "host.json"
    path.write_bytes(path.read_bytes().replace(b'"version":1', b'"version":2'))
    with pytest.raises(CheckpointRefused, match="newer"):
        kept.load()


def test_a_name_in_an_arn_is_no_path(tmp_path: Path) -> None:
    """An ARN comes from the wire; it must not lead out of the folder."""
    kept = Checkpoint(tmp_path / "in", INSTANCE)
    evil = evolve(task(), task=evolve(task().task, arn="arn:aws:ecs:x:y:task/c/..\\..%2f../x/.."))
    kept.save((evil,), (), None, durable=False)
    assert {p.name for p in tmp_path.iterdir()} == {"in"}
    assert kept.load().tasks == (evil,)


IDENTITY = Identity(
    access_key_id="HOSTKEY",
    secret_access_key="hidden",
    account="000000000001",
    region="us-east-1",
    cluster="default",
    name="h1",
)


def test_the_identity_is_kept_for_its_owner_only(tmp_path: Path) -> None:
    assert load(tmp_path) is None
    keep(tmp_path, IDENTITY)
    assert load(tmp_path) == IDENTITY
    assert (tmp_path / "identity.json").stat().st_mode & 0o777 == 0o600
    assert "hidden" not in repr(IDENTITY)


def test_a_damaged_identity_is_refused(tmp_path: Path) -> None:
    (tmp_path / "identity.json").write_bytes(b"")
    with pytest.raises(OptionsRefused, match="join again"):
        load(tmp_path)


def test_two_agents_do_not_share_a_folder(tmp_path: Path) -> None:
    lock = claim(tmp_path)
    with pytest.raises(OptionsRefused, match="another agent"):
        claim(tmp_path)
    os.close(lock)
    os.close(claim(tmp_path))
