"""What runs beside the door: the parts without which a server is none, and what is swept."""

import asyncio
from types import SimpleNamespace

import pytest

from moorage.gateway.connection import bounded
from moorage.gateway.server import _config, _first_end, _hung_up, forget_answers
from moorage.gateway.settings import Settings
from moorage.ground.instant import hours
from moorage.kernel.perform import KEPT_ANSWERS, TOKENS_SWEPT_AT_ONCE, KeptAnswer
from tests.gateway.ground import Desk
from tests.house import ACCOUNT, REGION


async def fall():
    raise RuntimeError("a bug")


async def end():
    return


@pytest.mark.parametrize("part", [fall, end])
def test_a_server_ends_with_the_first_of_its_parts(part, caplog):
    """The controllers of a server once ended without a word, and it went on answering."""

    async def story():
        door = SimpleNamespace(should_exit=False)
        lasting = asyncio.create_task(asyncio.sleep(60))
        parts = {"watch": lasting, "controllers": asyncio.create_task(part())}
        await asyncio.wait_for(_first_end(parts, door), 5)
        lasting.cancel()
        return door.should_exit

    assert asyncio.run(story())
    assert "controllers has ended" in caplog.text


def test_settings_reach_the_server():
    settings = Settings(header_seconds=3, connections=77)
    config = _config(end, settings, bounded(settings.header_seconds))
    assert config.http.header_seconds == 3
    assert config.limit_concurrency == 77


def test_answers_to_tokens_are_forgotten_after_a_day_however_many_there_are():
    desk = Desk()
    count = 3 * TOKENS_SWEPT_AT_ONCE + 7

    def keep(call):
        for number in range(count):
            KEPT_ANSWERS.put(
                call.tx,
                KeptAnswer(
                    account=ACCOUNT,
                    region=REGION,
                    operation="RunTask",
                    token=str(number),
                    request="",
                    answer="{}",
                    forgotten_at=call.now if number else call.now + hours(1),
                ),
            )

    desk.house.write(keep)
    asyncio.run(forget_answers(desk.database))
    left = desk.house.read(lambda call: KEPT_ANSWERS.query().all(call.tx))
    assert [one.token for one in left] == ["0"]
    desk.close()


@pytest.mark.parametrize(("gone", "ends", "looks"), [(False, False, 1), (True, True, 0)])
def test_a_hang_up_reads_again_or_ends_with_its_terminal(gone, ends, looks):
    told = []
    door = SimpleNamespace(should_exit=False)
    _hung_up(door, SimpleNamespace(look_again=lambda: told.append(1)), lambda: gone)
    assert (door.should_exit, len(told)) == (ends, looks)


def test_a_hang_up_of_a_server_without_certificates_changes_nothing():
    door = SimpleNamespace(should_exit=False)
    _hung_up(door, None, lambda: False)
    assert not door.should_exit
