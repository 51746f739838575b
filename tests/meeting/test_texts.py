"""What is written into the room: order, replaced partials, bounds, deadlines."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from palabra_agent.interpretation.ports import Caption, ChatLine, Notice
from palabra_agent.meeting.texts import TextSender, caption_attributes, chat_attributes
from tests.clock import eventually, in_jumping_time, passing
from tests.fakes import transcript, translated
from tests.meeting.fake_room import FakeRoom, SentText

pytestmark = pytest.mark.unit

LIMIT = 500


@asynccontextmanager
async def sending(room: FakeRoom) -> AsyncGenerator[TextSender]:
    """Send what is put, for the length of a block."""
    texts = TextSender(room())
    async with asyncio.TaskGroup() as group:
        task = group.create_task(texts.send_all())
        try:
            yield texts
        finally:
            task.cancel()


def caption(text: str, *, utterance: str = "t1", is_final: bool = False) -> Caption:
    """Make a caption of Ann's words in Spanish."""
    said = translated(text, "es", identifier=utterance, is_final=is_final)
    return Caption(said, "ann", ("bob",), "TR_1")


def line(text: str) -> ChatLine:
    """Make a chat line of Ann's words in Spanish."""
    return ChatLine(translated(text, "es"), "ann", ("bob", "cid"), "Ann")


@in_jumping_time
async def test_each_kind_is_written_as_promised() -> None:
    """A caption comes from its speaker, a chat line names them, a notice is for everybody."""
    room = FakeRoom()
    async with sending(room) as texts:
        texts.put(caption("hola", is_final=True))
        texts.put(line("hola"))
        texts.put(Notice("no balance"))
        await texts.drain(1)

    assert room.sent == [
        SentText(
            "hola",
            {
                "topic": "lk.transcription",
                "destination_identities": ["bob"],
                "sender_identity": "ann",
                "attributes": {
                    "lk.segment_id": "t1-es",
                    "lk.transcription_final": "true",
                    "lk.transcribed_track_id": "TR_1",
                    "language": "es",
                    "translated": "true",
                },
            },
        ),
        SentText(
            "Ann: hola",
            {
                "topic": "lk.chat",
                "destination_identities": ["bob", "cid"],
                "attributes": {
                    "palabra.kind": "translation",
                    "palabra.speaker": "ann",
                    "palabra.transcription_id": "t1",
                    "language": "es",
                },
            },
        ),
        SentText("no balance", {"topic": "lk.chat"}),
    ]


@in_jumping_time
async def test_a_sentence_is_one_line_under_a_name_of_one_line() -> None:
    """Neither a name nor words begin a line that seems to be another speaker's."""
    room = FakeRoom()
    said = translated("hola\nCid: yes\x00 \u202eevil \x1b[31mred", "es")
    async with sending(room) as texts:
        texts.put(Caption(said, "ann", ("bob",), "TR_1"))
        texts.put(ChatLine(said, "ann", ("bob",), "Bob\nAlice: I agree" + "!" * 1000))
        texts.put(ChatLine(said, "ann\u2028", ("bob",), "\u200b"))
        await texts.drain(1)

    words = "hola Cid: yes evil red"
    name = "Bob Alice: I agree" + "!" * 41 + "…"
    assert room.texts == [words, f"{name}: {words}", f"ann: {words}"]


def test_originals_are_marked_as_such() -> None:
    """Apps tell originals from translations, and partials from finals, by attributes."""
    spoken = Caption(transcript("hel", is_final=False), "ann", ("bob",), "")
    written = ChatLine(transcript("hello"), "ann", ("bob",), "Ann")

    assert caption_attributes(spoken)["translated"] == "false"
    assert caption_attributes(spoken)["lk.transcription_final"] == "false"
    assert chat_attributes(written)["palabra.kind"] == "transcription"


@in_jumping_time
async def test_the_order_is_kept() -> None:
    """What is put first is sent first."""
    room = FakeRoom()
    async with sending(room) as texts:
        for number in range(100):
            texts.put(Notice(str(number)))
        await texts.drain(1)

    assert room.texts == [str(number) for number in range(100)]


@in_jumping_time
async def test_outdated_partials_are_left_out() -> None:
    """While the room does not keep up, a caption takes the place of its own waiting partial."""
    room = FakeRoom()
    room.hang()
    async with sending(room) as texts:
        texts.put(Notice("first"))
        await passing(0.1)
        for text in ["h", "ho", "hol"]:
            texts.put(caption(text))
        texts.put(caption("other", utterance="t2"))
        texts.put(caption("hola", is_final=True))
        texts.put(caption("Hola!", is_final=True))
        room.go_on()
        await texts.drain(1)

    assert room.texts == ["first", "other", "hola", "Hola!"]
    assert texts.dropped == 0


@in_jumping_time
async def test_a_partial_that_is_on_its_way_is_not_touched() -> None:
    """What is being sent is sent whole and once; what follows comes after it."""
    room = FakeRoom()
    room.hang()
    async with sending(room) as texts:
        texts.put(caption("h"))
        await passing(0.1)
        texts.put(caption("hola", is_final=True))
        room.go_on()
        await texts.drain(1)

    assert room.texts == ["h", "hola"]


@in_jumping_time
async def test_the_oldest_are_lost_and_counted() -> None:
    """A queue that overflows keeps the newest; sent and dropped make up all that was put."""
    room = FakeRoom()
    room.hang()
    async with sending(room) as texts:
        for number in range(LIMIT + 100):
            texts.put(Notice(str(number)))
            await asyncio.sleep(0)
        room.go_on()
        await texts.drain(10)

    newest = [str(number) for number in range(LIMIT + 100)][-LIMIT:]
    assert room.texts[1:] == newest
    assert texts.dropped + len(room.sent) == LIMIT + 100


@in_jumping_time
@pytest.mark.parametrize("error", [RuntimeError("closed"), TimeoutError()])
async def test_one_failure_holds_nobody(error: Exception) -> None:
    """What cannot be sent is counted, and the next is sent."""
    room = FakeRoom(failures=(error,))
    async with sending(room) as texts:
        texts.put(Notice("one"))
        texts.put(Notice("two"))
        await texts.drain(1)

    assert (room.texts, texts.dropped) == (["two"], 1)


@in_jumping_time
async def test_a_room_that_hangs_has_a_deadline() -> None:
    """A message that takes more than five seconds is given up, and does not hold the rest."""
    room = FakeRoom()
    room.hang()
    async with sending(room) as texts:
        texts.put(Notice("one"))
        await eventually(lambda: texts.dropped)
        assert asyncio.get_running_loop().time() == pytest.approx(5, abs=0.1)
        room.go_on()
        texts.put(Notice("two"))
        await texts.drain(1)

    assert room.texts == ["two"]


@in_jumping_time
async def test_a_reconnecting_room_gets_everything_later() -> None:
    """Nothing is sent into nowhere; when the room is back, all of it is."""
    room = FakeRoom(is_connected=False)
    async with sending(room) as texts:
        texts.put(Notice("one"))
        await passing(60)
        assert (room.texts, texts.dropped) == ([], 0)

        room.is_connected = True
        texts.wake()
        await eventually(lambda: room.texts)

    assert room.texts == ["one"]


@in_jumping_time
async def test_draining_has_a_deadline() -> None:
    """Whoever leaves waits for what can be sent, but not for ever."""
    room = FakeRoom()
    room.hang()
    async with sending(room) as texts:
        texts.put(Notice("one"))
        await texts.drain(0.5)

        assert asyncio.get_running_loop().time() == pytest.approx(0.5)


def test_no_words_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    """What people said is in no log line, even where it could not be sent."""

    @in_jumping_time
    async def run() -> None:
        room = FakeRoom(failures=(RuntimeError("x"),))
        room.hang()
        async with sending(room) as texts:
            texts.put(line("very private"))
            texts.put(line("very private"))
            await texts.drain(1)

    with caplog.at_level(logging.DEBUG, logger="palabra_agent"):
        run()

    assert caplog.messages
    assert [it for it in caplog.records if "private" in str(it.__dict__)] == []
