"""Kill -9 at any byte of an append and at any step of a commit (faults F46 and F47)."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from moorage.blob.store import UploadUnknown
from moorage.ground.chance import SeededChance
from moorage.ground.digest import digest_of
from tests.blob import victim
from tests.contract.blob_store_rig import an_id, get

ROOT = Path(__file__).parents[2]
KILLS = 12
LOOKS_MAX = 50_000_000


@contextmanager
def a_victim(how: str, folder: Path, seed: int) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-m", "tests.blob.victim", how, str(folder), str(seed)]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("seed", range(KILLS))
def test_an_append_that_was_killed_goes_on_where_it_stopped(tmp_path, seed):
    kill_at = SeededChance(seed).below(victim.STREAM_BYTES // 2)
    content = tmp_path / "uploads" / an_id(1)
    with a_victim("append", tmp_path, seed) as process:
        for _ in range(LOOKS_MAX):
            assert process.poll() is None, "the victim ended before it was killed"
            if content.exists() and content.stat().st_size > kill_at:
                break
        process.send_signal(signal.SIGKILL)
    store = victim.open_store(tmp_path)
    assert list(store.walk()) == [], "a part of a blob can be seen"
    facts = store.staged(an_id(1))
    assert facts is not None
    assert facts.size > kill_at
    whole = victim.stream(seed)
    with store.stage(an_id(1)) as stage:
        assert stage.offset == facts.size
        assert stage.hexdigest() == digest_of(whole[: stage.offset]).hexadecimal
        stage.append(whole[stage.offset :])
    assert store.commit(an_id(1), digest_of(whole)).size == len(whole)
    assert get(store, digest_of(whole)) == whole
    store.close()


@pytest.mark.parametrize("seed", range(KILLS))
def test_a_commit_that_was_killed_is_whole_or_can_be_repeated(tmp_path, seed):
    acknowledged = SeededChance(seed).below(60)
    with a_victim("commit", tmp_path, seed) as process:
        assert process.stdout is not None
        for number in range(acknowledged + 1):
            assert process.stdout.readline() == f"{number}\n"
        process.send_signal(signal.SIGKILL)
        acknowledged += len(process.stdout.read().splitlines())
    store = victim.open_store(tmp_path)
    for number in range(acknowledged + 1):
        content = victim.blob(seed, number)
        assert get(store, digest_of(content)) == content, "an acknowledged blob is lost"
    visible = 0
    for facts in store.walk():
        visible += 1
        assert digest_of(get(store, facts.digest) or b"") == facts.digest
    assert acknowledged + 1 <= visible <= acknowledged + 2
    # The one that was in flight: whatever was reached, the client goes on and succeeds.
    number = acknowledged + 1
    content = victim.blob(seed, number)
    try:
        with store.stage(an_id(number)) as stage:
            stage.append(content[stage.offset :])
    except UploadUnknown:
        assert get(store, digest_of(content)) == content
    assert store.commit(an_id(number), digest_of(content)).size == len(content)
    # Of those before it, each even one was never discarded: a repeated commit still answers.
    assert [facts.size for facts in store.uploads()] == [0] * len(list(store.uploads()))
    assert store.commit(an_id(0), digest_of(victim.blob(seed, 0))).size == len(victim.blob(seed, 0))
    store.close()
