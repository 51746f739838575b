"""What is written into the room: order, replaced partials, bounds, deadlines."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from palabra_agent.interpretation.ports import (
    Caption,
    ChatLine,
    Notice,
    RoomText,
    SpeakerStatus,
)
from palabra_agent.meeting.texts import (
    TextSender,
    caption_attributes,
    chat_attributes,
    status_text,
)
from tests.clock import eventually, in_jumping_time, passing
from tests.fakes import transcript, translated
from tests.meeting.fake_room import FakeRoom, SentText, readers_of

pytestmark = pytest.mark.unit

LIMIT = 500


@asynccontextmanager
async def sending(room: FakeRoom, troubles: list[str] | None = None) -> AsyncGenerator[TextSender]:
    """Send what is put, for the length of a block; what is in trouble is noted."""
    noted: list[str] = [] if troubles is None else troubles
    texts = TextSender(room(), noted.append)
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
    """A caption comes from its speaker, a chat line names them, a notice is for all or for some.

    What a speaker is told of themselves is for them alone.
    """
    room = FakeRoom()
    async with sending(room) as texts:
        texts.put(caption("hola", is_final=True))
        texts.put(line("hola"))
        texts.put(Notice("no balance"))
        texts.put(Notice("not offered", ("bob",)))
        texts.put(SpeakerStatus("ann", 2, 4, 1))
        await texts.drain(1)

    assert room.sent == [
        SentText(
            "hola",
            {
                "topic": "lk.transcription",
                "destination_identities": ["bob"],
                "sender_identity": "ann",
                "attributes": {
                    "lk.segment_id": "758ae414-t1-es",
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
        SentText("no balance", {"topic": "lk.chat", "destination_identities": []}),
        SentText("not offered", {"topic": "lk.chat", "destination_identities": ["bob"]}),
        SentText(
            '{"listeners": 2, "lag_seconds": 4, "seconds_left": 1}',
            {"topic": "palabra.status", "destination_identities": ["ann"]},
        ),
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


@in_jumping_time
async def test_what_was_written_is_known_again() -> None:
    """As it is, or after the words of an app that repeats it; captions are no chat messages."""
    room = FakeRoom()
    async with sending(room) as texts:
        texts.put(line("hola\n a todos"))
        texts.put(Notice("no balance"))
        texts.put(caption("adiós", is_final=True))
        assert not texts.wrote("no balance")
        await texts.drain(1)

        repeated = ["Ann: hola a todos", " no  balance ", "[bridge] Interpreter> Ann: hola a todos"]
        assert [it for it in repeated if not texts.wrote(it)] == []
        others = ["hola a todos", "Joann: hola a todos", "no balances", "adiós", ""]
        assert [it for it in others if texts.wrote(it)] == []
        for number in range(200):
            texts.put(line(f"{number}"))
        await texts.drain(1)
        assert not texts.wrote("no balance")


def test_originals_are_marked_as_such() -> None:
    """Apps tell originals from translations, and partials from finals, by attributes."""
    spoken = Caption(transcript("hel", is_final=False), "ann", ("bob",), "")
    written = ChatLine(transcript("hello"), "ann", ("bob",), "Ann")

    assert caption_attributes(spoken)["translated"] == "false"
    assert caption_attributes(spoken)["lk.transcription_final"] == "false"
    assert chat_attributes(written)["palabra.kind"] == "transcription"
    assert "palabra.typed" not in chat_attributes(written)
    typed = replace(written, is_typed=True)
    assert chat_attributes(typed) == {**chat_attributes(written), "palabra.typed": "true"}


@in_jumping_time
async def test_of_what_a_speaker_is_told_the_newest_is_sent() -> None:
    """What waits for other speakers stays, and so does every other text."""
    room = FakeRoom(is_connected=False)
    async with sending(room) as texts:
        for status in (SpeakerStatus("ann", 1), SpeakerStatus("bob", 2), SpeakerStatus("ann")):
            texts.put(status)
        texts.put(Notice("no balance"))
        room.is_connected = True
        texts.wake()
        await texts.drain(1)

    assert room.texts == [
        status_text(SpeakerStatus("bob", 2)),
        status_text(SpeakerStatus("ann")),
        "no balance",
    ]


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
@pytest.mark.parametrize(
    ("on_its_way", "waiting", "written"),
    [
        pytest.param(
            Notice("first"),
            [
                *map(caption, ["h", "ho", "hol"]),
                caption("other", utterance="t2"),
                caption("hola", is_final=True),
                caption("Hola!", is_final=True),
            ],
            ["first", "other", "hola", "Hola!"],
            id="what waits is replaced",
        ),
        pytest.param(
            caption("h"),
            [caption("hola", is_final=True)],
            ["h", "hola"],
            id="what is being sent is sent whole and once",
        ),
    ],
)
async def test_outdated_partials_are_left_out(
    on_its_way: RoomText, waiting: Sequence[RoomText], written: list[str]
) -> None:
    """While the room does not keep up, a caption takes the place of its own waiting partial."""
    room = FakeRoom()
    room.hang()
    async with sending(room) as texts:
        texts.put(on_its_way)
        await passing(0.1)
        for text in waiting:
            texts.put(text)
        room.go_on()
        await texts.drain(1)

    assert room.texts == written
    assert texts.dropped == 0


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


def crowd(people: int, *, letters: int = 36) -> tuple[str, ...]:
    """Make identities as long as those that a server makes."""
    return tuple(f"{number:0{letters}}" for number in range(people))


def too_many(readers: Sequence[str]) -> bool:
    """Refuse as LiveKit's SDK does: measured with 400 identities of 36, and 62 of 240 letters."""
    return sum(len(it) + 2 for it in readers) > 14_700


def captions_for(readers: tuple[str, ...]) -> Caption:
    """Make a caption of Ann's words in Spanish for many."""
    return Caption(translated("hola", "es"), "ann", readers, "TR_1")


def lines_for(readers: tuple[str, ...]) -> ChatLine:
    """Make a chat line of Ann's words in Spanish for many."""
    return ChatLine(translated("hola", "es"), "ann", readers, "Ann")


def reached(room: FakeRoom) -> list[str]:
    """Those who were written to by name, in order."""
    return [identity for it in room.sent for identity in readers_of(it.facts)]


@in_jumping_time
@pytest.mark.parametrize("make", [captions_for, lines_for])
@pytest.mark.parametrize(("people", "letters"), [(400, 36), (3000, 36), (75, 240), (1, 240)])
async def test_a_large_room_reads_along(
    make: Callable[[tuple[str, ...]], RoomText], people: int, letters: int
) -> None:
    """All of thousands of readers of one language are reached once, in batches."""
    room, readers = FakeRoom(refuses=too_many), crowd(people, letters=letters)
    room.others_are(*readers, "ann")
    async with sending(room) as texts:
        texts.put(make(readers))
        await texts.drain(10)

    assert reached(room) == list(readers)
    assert len(room.sent) == room.tries == math.ceil(people / (2_000 // (letters + 2)))
    assert texts.dropped == 0


@in_jumping_time
@pytest.mark.parametrize("make", [captions_for, lines_for])
async def test_what_is_for_all_in_a_large_room_names_none(
    make: Callable[[tuple[str, ...]], RoomText],
) -> None:
    """One message reaches everybody, and carries no identity."""
    room, readers = FakeRoom(), crowd(3000)
    room.others_are(*readers[:-1])
    async with sending(room) as texts:
        texts.put(make(readers))
        await texts.drain(10)

    assert [readers_of(it.facts) for it in room.sent] == [[]]


@in_jumping_time
@pytest.mark.parametrize("other", ["recorder", "agent", "late"])
async def test_what_is_not_for_all_goes_to_its_readers_alone(other: str) -> None:
    """One participant more who may not read it, and all readers are named."""
    room, readers = FakeRoom(), crowd(3000)
    room.others_are(*readers, other)
    async with sending(room) as texts:
        texts.put(captions_for(readers))
        await texts.drain(10)

    assert reached(room) == list(readers)


@in_jumping_time
async def test_a_small_room_names_its_readers() -> None:
    """A hidden observer reads nothing where all readers fit into one message."""
    room = FakeRoom()
    room.others_are("bob")
    async with sending(room) as texts:
        texts.put(captions_for(("bob",)))
        await texts.drain(10)

    assert reached(room) == ["bob"]


@in_jumping_time
async def test_a_batch_that_is_refused_goes_in_halves() -> None:
    """A smaller limit than ours costs tries, and no reader."""
    room, readers = FakeRoom(refuses=lambda names: len(names) > 7), crowd(100)
    room.others_are("ann")
    async with sending(room) as texts:
        texts.put(captions_for(readers))
        await texts.drain(10)

    assert reached(room) == list(readers)
    assert texts.dropped == 0


@in_jumping_time
async def test_one_reader_who_is_refused_holds_no_other() -> None:
    """All others get it, and the room sees that not all did."""
    refused, readers = crowd(100)[41], crowd(100)
    room, troubles = FakeRoom(refuses=lambda names: refused in names), list[str]()
    room.others_are("ann")
    async with sending(room, troubles) as texts:
        texts.put(captions_for(readers))
        await texts.drain(10)

    assert reached(room) == [it for it in readers if it != refused]
    assert troubles == ["captions do not reach all their readers"]
    assert texts.dropped == 1


@in_jumping_time
async def test_a_room_that_takes_nothing_is_not_asked_for_each_reader() -> None:
    """Where it is not for the number of readers, a text costs a few tries and no thousand."""
    room = FakeRoom(refuses=lambda _names: True)
    async with sending(room) as texts:
        texts.put(captions_for(crowd(3000)))
        texts.put(Notice("one"))
        await texts.drain(10)

    assert (room.sent, texts.dropped) == ([], 2)
    assert room.tries < 15


@in_jumping_time
async def test_a_caption_that_waits_is_sent_once_to_the_readers_of_both() -> None:
    """As where several people come while a room is busy, who read what was said before."""
    room = FakeRoom()
    async with sending(room) as texts:
        for readers in (("bob",), ("cid", "bob"), ("dan",)):
            texts.put(captions_for(readers))
        await texts.drain(1)

    (sent,) = room.sent
    assert sent.facts["destination_identities"] == ["bob", "cid", "dan"]


@in_jumping_time
async def test_the_trouble_is_shown_until_texts_come_again() -> None:
    """Captions and chat are told apart, once each; what works again for a while is taken back."""
    failing = {"captions", "chat"}
    room, troubles = FakeRoom(refuses=lambda _names: bool(failing)), list[str]()
    async with sending(room, troubles) as texts:
        for text in (captions_for(("bob",)), Notice("one"), captions_for(("bob",))):
            texts.put(text)
        await texts.drain(10)
        failing.clear()
        for _ in range(4):
            await passing(4)
            texts.put(captions_for(("bob",)))
            texts.put(Notice("two"))
            await texts.drain(10)

    assert troubles == [
        "captions do not reach all their readers",
        "captions and chat messages do not reach all their readers",
        "chat messages do not reach all their readers",
        "",
    ]


@in_jumping_time
async def test_a_trouble_of_which_nothing_more_is_heard_is_not_shown_for_ever() -> None:
    """A room without a chat has one message in an hour, such as that of a language not offered."""
    failing, troubles = [True], list[str]()
    room = FakeRoom(refuses=lambda _names: bool(failing))
    async with sending(room, troubles) as texts:
        texts.put(Notice("not offered", ("ann",)))
        await passing(59)
        assert troubles == ["chat messages do not reach all their readers"]

        await passing(2)
        assert troubles[1:] == [""]


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
