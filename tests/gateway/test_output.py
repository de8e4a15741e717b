"""Output on its way from a host's link to people: bounded, in order, and to its end."""

import asyncio

import pytest

from moorage.acs.messages import AckRequest, LogsCancel, LogsChunk, LogsMore, LogsRequest
from moorage.gateway import output
from tests.gateway.ground import until
from tests.gateway.link_scene import shown, told, wanted


def a_chunk(request, text=b"", **members):
    return LogsChunk(request_id=request.request_id, stream="stdout", data=text, **members)


async def asked(scene, wire, **members):
    pieces = scene.link.logs(f"r{len(shown(wire))}", wanted(scene, **members))
    await until(lambda: shown(wire) and isinstance(shown(wire)[-1], LogsRequest))
    return pieces, shown(wire)[-1]


def test_output_is_handed_on_to_its_end():
    async def story(scene):
        wire = scene.connect()
        pieces, request = await asked(scene, wire, tail_lines=5)
        assert (request.container_name, request.tail_lines) == ("main", 5)
        for text in (b"one", b"two"):
            await scene.said(wire, a_chunk(request, text))
        await scene.said(wire, a_chunk(request, end=True))
        assert [chunk.data async for chunk in pieces] == [b"one", b"two", b""]
        await asyncio.sleep(0.02)
        assert not [one for one in shown(wire) if isinstance(one, LogsCancel)]

    told(story)


def test_output_is_asked_for_as_it_is_read():
    async def story(scene):
        wire = scene.connect()
        pieces, request = await asked(scene, wire)
        assert request.window == output.WINDOW_CHUNKS
        for _ in range(output.WINDOW_CHUNKS):
            await scene.said(wire, a_chunk(request, b"x"))
        await asyncio.sleep(0.02)
        assert not granted(wire)
        for _ in range(output.WINDOW_CHUNKS):
            await anext(pieces)
        await until(lambda: granted(wire) == output.WINDOW_CHUNKS)
        await scene.said(wire, a_chunk(request, end=True))
        assert (await anext(pieces)).end

    told(story)


def granted(wire):
    return sum(one.chunks for one in shown(wire) if isinstance(one, LogsMore))


def test_a_host_that_sends_on_unread_holds_nobody_up_and_loses_its_reader():
    """A reader stopped with ctrl-Z once kept a whole host from hearing its orders."""

    async def story(scene):
        wire = scene.connect()
        pieces, request = await asked(scene, wire, follow=True)
        one = a_chunk(request, b"x" * 65536)
        count = output.WAITING_BYTES_MAX // 65536
        for _ in range(count + 3):
            await asyncio.wait_for(scene.said(wire, one), 1)
        await scene.said(wire, AckRequest(message_id="after"))
        await until(lambda: ("heard", "after") in scene.handlers.calls)
        await until(lambda: shown(wire) and isinstance(shown(wire)[-1], LogsCancel))
        read = [chunk async for chunk in pieces]
        assert (len(read), read[-1].error) == (count + 1, output.TOO_MUCH)

    told(story)


@pytest.mark.parametrize("how", ["cut", "replaced"])
def test_who_follows_output_is_told_that_the_host_went_away(how):
    async def story(scene):
        wire = scene.connect()
        pieces, request = await asked(scene, wire, follow=True)
        await scene.said(wire, a_chunk(request, b"one"))
        if how == "cut":
            scene.drop(wire)
        else:
            scene.connect()
        read = await asyncio.wait_for(collected(pieces), 2)
        assert [one.error for one in read] == [None, "the host went away"]

    told(story)


def test_a_reader_that_leaves_frees_its_place_and_the_host():
    async def story(scene):
        wire = scene.connect()
        held = [scene.link.logs(str(n), wanted(scene)) for n in range(output.STREAMS_MAX)]
        with pytest.raises(output.HostAway):
            scene.link.logs("more", wanted(scene))
        held[3].close()
        assert await collected(held[3]) == []
        await until(lambda: shown(wire) and isinstance(shown(wire)[-1], LogsCancel))
        assert shown(wire)[-1].request_id == "3"
        scene.link.logs("more", wanted(scene))

    told(story)


async def collected(pieces):
    return [chunk async for chunk in pieces]
