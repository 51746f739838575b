"""A listener who chooses: until they hear what they chose, and no more of what they left.

What was left is silent when the listener has played what had come. Packets of silence come after
that: LiveKit's server ends a track with some. The newest that their client received shows that
nothing more comes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from livekit import rtc
from rich.progress import Progress

from bench.figures import Figure
from bench.meetings import dispatch, join_speaker, sessions, until_running
from palabra_agent.audio.tones import tone
from palabra_agent.local.people import AGENT_IDENTITY, SimulatedPerson, join
from palabra_agent.local.services import LocalServices

ROUNDS: Final = 20
_LIVE_AIM_MS: Final = 300.0
_COLD_AIM_MS: Final = 1000.0
_LEFT_AIM_MS: Final = 200.0

LANGUAGES: Final = ("en", "es", "de", "fr", "it")
CONFIG: Final = {
    "languages": LANGUAGES,
    "default_listen": None,
    "limits": {"linger_seconds": 0.5},
}
SPEAKERS: Final = 3
_SPEECH: Final = tone(300, 3.0)
_PAUSE_SECONDS: Final = 1.0
_CALM_SECONDS: Final = 4.0
_WAIT_SECONDS: Final = 30.0
_LOOK_SECONDS: Final = 0.05


async def measure_choosing(stage: LocalServices, progress: Progress) -> list[Figure]:
    """Let one listener choose again and again."""
    task = progress.add_task("choosing", total=ROUNDS + 3)
    live: list[float] = []
    left: list[float] = []
    silent: list[float] = []
    cold: list[float] = []
    room = "bench-choosing"
    async with (
        talk_in(stage, room),
        _listener(stage, room, "keeper", "es") as keeper,
        _listener(stage, room, "chooser", "original") as chooser,
    ):
        await dispatch(stage, room, CONFIG)
        await until_running(stage, SPEAKERS)
        await _until_heard(keeper, "es", time.monotonic())
        for _ in range(ROUNDS):
            began = await choose(chooser, "es")
            live.append((await _until_heard(chooser, "es", began) - began) * 1000)
            # of two choices within half a second LiveKit tells the second when that is over
            await asyncio.sleep(_PAUSE_SECONDS)
            began = await choose(chooser, "original")
            left.append((await _last_packet_of(chooser, "es") - began) * 1000)
            silent.append(_silence_after(chooser, "es", began) * 1000)
            progress.advance(task)
        for language in ("de", "fr", "it"):
            began = await choose(chooser, language)
            asked = await _until_asked(stage, language)
            cold.append((asked - began) * 1000)
            await _until_heard(chooser, language, began)
            # a task is changed once in a while, not with each of several choices
            await asyncio.sleep(_CALM_SECONDS)
            progress.advance(task)

    return [
        Figure("chosen to first heard, live channel", "ms", tuple(live), _LIVE_AIM_MS),
        Figure("left to silent", "ms", tuple(silent), _LEFT_AIM_MS),
        Figure("left to the last packet", "ms", tuple(left)),
        Figure("chosen to asked of Palabra, cold channel", "ms", tuple(cold), _COLD_AIM_MS),
    ]


@asynccontextmanager
async def talk_in(
    stage: LocalServices, room: str, speakers: int = SPEAKERS, *, is_private: bool = False
) -> AsyncGenerator[None]:
    """Have people speak English in turns; with three there is always something to hear.

    Args:
        stage: The servers.
        room: Where they speak.
        speakers: How many they are.
        is_private: Whether the interpreter alone receives their microphones.
    """
    async with AsyncExitStack() as stack:
        people = [
            await stack.enter_async_context(join_speaker(stage, room, number))
            for number in range(speakers)
        ]
        for person in people if is_private else ():
            _let_hear(person, AGENT_IDENTITY)
        async with asyncio.TaskGroup() as group:
            talking = [
                group.create_task(_talk(person, number / speakers * 4.0), name="talk")
                for number, person in enumerate(people)
            ]
            yield
            for task in talking:
                task.cancel()


def _let_hear(person: SimulatedPerson, listener: str) -> None:
    """Let one participant, and no other, receive a person's microphone."""
    person.room.local_participant.set_track_subscription_permissions(
        allow_all_participants=False,
        participant_permissions=[
            rtc.ParticipantTrackPermission(participant_identity=listener, allow_all=True)
        ],
    )


async def _talk(person: SimulatedPerson, after: float) -> None:
    await asyncio.sleep(after)
    while True:
        await person.say(_SPEECH)
        await asyncio.sleep(_PAUSE_SECONDS)  # a pause ends the utterance


@asynccontextmanager
async def _listener(
    stage: LocalServices, room: str, identity: str, listen: str
) -> AsyncGenerator[SimulatedPerson]:
    attributes = {"palabra.listen": listen}
    async with join(
        stage.livekit, room, identity, attributes=attributes, microphone=False
    ) as person:
        yield person


async def choose(person: SimulatedPerson, language: str) -> float:
    """Choose a language; return when."""
    began = time.monotonic()
    await person.set_attributes({"palabra.listen": language})
    return began


async def _until_heard(person: SimulatedPerson, language: str, since: float) -> float:
    recording = person.recording(f"translation_{language}")
    return await person.wait_for(lambda: recording.first_sound(since), _WAIT_SECONDS, language)


async def _last_packet_of(person: SimulatedPerson, language: str) -> float:
    """When the newest packet of a channel came that was left a moment ago."""
    interpreter = person.interpreter
    assert interpreter is not None
    (track,) = (
        it.track
        for it in interpreter.track_publications.values()
        if it.name == f"translation_{language}"
    )
    assert track is not None
    newest_ms, end = 0.0, time.monotonic() + _PAUSE_SECONDS
    while time.monotonic() < end:
        for one in await track.get_stats():
            if one.HasField("inbound_rtp"):
                newest_ms = one.inbound_rtp.inbound.last_packet_received_timestamp
        await asyncio.sleep(_LOOK_SECONDS)

    return time.monotonic() - time.time() + newest_ms / 1000


def _silence_after(person: SimulatedPerson, language: str, since: float) -> float:
    """The seconds after which nothing more was heard."""
    now = time.monotonic()
    silence = person.recording(f"translation_{language}").longest_silence(since, now)
    return max(0.0, now - silence - since)


async def _until_asked(stage: LocalServices, language: str) -> float:
    """The time at which every session at Palabra is interpreted into a language."""
    async with asyncio.timeout(_WAIT_SECONDS):
        while True:
            found = [it for it in await sessions(stage) if it["state"] == "running"]
            if found and all(language in it["targets"] for it in found):
                return time.monotonic()
            await asyncio.sleep(0.01)
