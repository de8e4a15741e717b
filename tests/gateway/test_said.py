"""What a host has said and is not kept yet: acknowledgements are gathered, nothing is lost."""

import asyncio

from moorage.acs.messages import AckRequest, TaskStopVerificationMessage
from moorage.gateway.said import GATHERED_SECONDS, SAID_AT_ONCE, SAID_MAX, Said


def ack(number):
    return AckRequest(message_id=f"a{number}")


def told(story):
    rung = []

    async def run():
        await story(Said(lambda: rung.append(1)), rung)

    asyncio.run(run())


def test_acknowledgements_wait_a_moment_for_others():
    async def story(said, rung):
        said.add(ack(1), 10)
        said.add(ack(2), 10)
        assert rung == []
        await asyncio.sleep(2 * GATHERED_SECONDS)
        assert rung == [1]
        assert said.portion() == [[(ack(1), 10), (ack(2), 10)]]
        assert len(said) == 0

    told(story)


def test_whatever_else_is_said_is_kept_at_once_and_in_order():
    async def story(said, rung):
        asked = TaskStopVerificationMessage(message_id="m")
        for message in (ack(1), asked, asked, ack(2)):
            said.add(message, 1)
        assert rung == [1, 1]
        groups = [[message for message, _ in group] for group in said.portion()]
        assert groups == [[ack(1)], [asked], [asked], [ack(2)]]
        await asyncio.sleep(2 * GATHERED_SECONDS)
        assert rung == [1, 1], "what was taken rings no more"

    told(story)


def test_many_are_taken_in_portions_and_a_full_one_waits_for_room():
    async def story(said, rung):
        for number in range(SAID_MAX):
            said.add(ack(number), 1)
        assert said.is_full
        waiting = asyncio.create_task(said.room())
        (group,) = said.portion()
        assert len(group) == SAID_AT_ONCE
        assert rung
        await asyncio.sleep(0)
        assert not waiting.done() or not said.is_full
        said.done(len(group))
        await asyncio.wait_for(waiting, 1)
        said.close()

    told(story)
