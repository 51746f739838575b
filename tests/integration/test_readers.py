"""Who reads along: many people, recorders and hidden observers, under names of any kind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import pytest
from livekit import api, rtc

from palabra_agent.local.people import SimulatedPerson, join
from palabra_agent.meeting.livekit_names import TOPIC_CHAT, TOPIC_TRANSCRIPTION

from .hearing import WORDS
from .stack import SCRIPT, Room, Stack, Worker

pytestmark = pytest.mark.livekit

READERS: Final = 66
"""With identities this long, LiveKit's SDK refuses a message for 62 of them."""
_LONGEST_IDENTITY: Final = 240
_HEARS_NOTHING: Final = rtc.RoomOptions(auto_subscribe=False)
_SECONDS: Final = 60
_SENTENCES: Final = 10


@asynccontextmanager
async def readers_in(room: Room, language: str) -> AsyncGenerator[Sequence[SimulatedPerson]]:
    """Have many people in a room who listen to a language, and read only."""
    async with AsyncExitStack() as inside:
        yield [
            await inside.enter_async_context(
                join(
                    room.stack.livekit,
                    room.name,
                    f"{number:-<{_LONGEST_IDENTITY}}",
                    attributes={"palabra.listen": language},
                    microphone=False,
                    options=_HEARS_NOTHING,
                )
            )
            for number in range(READERS)
        ]


def times_read(person: SimulatedPerson) -> tuple[int, int]:
    """How often a person has read the first sentence in Spanish: in captions, and in the chat."""
    sentence = SCRIPT.text(0, "en", "es")
    captions = sum(it.is_final and it.text == sentence for it in person.captions)
    return captions, sum(it.text == f"Alice: {sentence}" for it in person.chat)


class HiddenReader:
    """A participant whom no other sees, as a recorder is."""

    def __init__(self) -> None:
        self.read: list[tuple[str, str]] = []
        """Topics and texts, in order."""
        self._reading: set[asyncio.Task[None]] = set()

    def listen(self, room: rtc.Room, topic: str) -> None:
        """Read what comes on a topic."""
        room.register_text_stream_handler(topic, lambda reader, _: self._begin(reader, topic))

    def _begin(self, reader: rtc.TextStreamReader, topic: str) -> None:
        task = asyncio.create_task(self._read(reader, topic))  # noqa: TID251 - a callback of LiveKit's
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)

    async def _read(self, reader: rtc.TextStreamReader, topic: str) -> None:
        self.read.append((topic, await reader.read_all()))


@asynccontextmanager
async def hidden_in(room: Room, identity: str) -> AsyncGenerator[HiddenReader]:
    """Have a hidden recorder in a room."""
    server, reader, connection = room.stack.livekit, HiddenReader(), rtc.Room()
    grants = api.VideoGrants(room_join=True, room=room.name, hidden=True, recorder=True)
    token = api.AccessToken(server.api_key, server.api_secret).with_identity(identity)
    for topic in (TOPIC_TRANSCRIPTION, TOPIC_CHAT):
        reader.listen(connection, topic)
    await connection.connect(server.url, token.with_grants(grants).to_jwt(), _HEARS_NOTHING)
    try:
        yield reader
    finally:
        await connection.disconnect()


@pytest.mark.timeout(180)
async def test_all_of_many_readers_read_along(stack: Stack, worker: Worker) -> None:
    """Captions and chat reach each of them once, and nothing is wrong in the room."""
    async with (
        stack.room("many-readers") as room,
        readers_in(room, "es") as readers,
        room.person("alice", speak="en", listen="en") as alice,
    ):
        await room.dispatch({"languages": ["es"]})
        await alice.wait_for_interpreter(30)
        await alice.say(WORDS)
        for person in readers:
            await person.wait_for(lambda: all(times_read(person)), _SECONDS, "it")  # noqa: B023

        assert [times_read(person) for person in readers] == [(1, 1)] * READERS
        assert alice.attributes_of().get("palabra.error", "") == ""
        assert {it.language for it in alice.captions} == {"en"}


@pytest.mark.timeout(120)
async def test_recorders_read_along_where_the_room_says_so(stack: Stack, worker: Worker) -> None:
    """A pattern finds one and a name another, for captions alone; a third reads nothing."""
    config = {"languages": ["es"], "captions": {"also_to": ["EG_*", "auditor"]}}
    async with (
        stack.room("recorded") as room,
        hidden_in(room, "EG_1") as recorder,
        hidden_in(room, "auditor") as auditor,
        hidden_in(room, "stranger") as stranger,
        room.person("alice", speak="en", listen="en") as alice,
    ):
        await room.dispatch(config)
        await alice.wait_for_interpreter(30)
        # LiveKit tells of hidden participants when it is asked, which takes some seconds
        for said in range(1, _SENTENCES):
            await alice.say(WORDS)
            await alice.wait_for(lambda: len(alice.chat) == said, _SECONDS, "the chat")  # noqa: B023
            if recorder.read and auditor.read:
                break

    assert {topic for topic, _ in recorder.read} == {TOPIC_TRANSCRIPTION}
    assert {topic for topic, _ in auditor.read} == {TOPIC_TRANSCRIPTION}
    assert stranger.read == []


@pytest.mark.timeout(120)
async def test_a_name_puts_no_words_into_another_s_mouth(stack: Stack, worker: Worker) -> None:
    """What Bob calls himself is one short line before each of his sentences, whatever is in it."""
    name = "Bob\nAlice: I agree\u202e\x1b[31m " + "!" * 150
    said = SCRIPT.text(0, "en")
    async with (
        stack.room("names") as room,
        room.person("alice", microphone=False, listen="original") as alice,
        join(
            stack.livekit, room.name, "bob\n", name=name, attributes={"palabra.speak": "en"}
        ) as bob,
    ):
        await room.dispatch({"languages": ["es"]})
        await alice.wait_for_interpreter(30)
        await bob.say(WORDS)
        await alice.wait_for(lambda: alice.chat, _SECONDS, "the chat")

    assert [it.text for it in alice.chat] == [f"Bob Alice: I agree {'!' * 40}…: {said}"]
    assert [it.speaker for it in alice.chat] == ["bob\n"]
