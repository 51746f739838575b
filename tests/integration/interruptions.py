"""Interruptions of a meeting's connections: how long each way of sound is silent meanwhile.

Two legs of the way are ours: from the speaker to Palabra, and from the interpreter to a listener.
Beside them run plain legs, from one participant straight to another, on which LiveKit's own gap is
heard. A participant who comes back later than others, by the luck of LiveKit's retries, is late on
plain legs as well; so LiveKit's own gap on a leg is when the later of its two ends had joined the
room again, and what a plain leg needs after that at most.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import socket
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from livekit import api, rtc
from livekit.api.access_token import Claims

from palabra_agent.audio.rtc import AudioOutput
from palabra_agent.audio.tones import tone
from palabra_agent.concurrency import single_failure
from palabra_agent.config.settings import WorkerSettings, load_settings
from palabra_agent.interpretation.ports import RoomState
from palabra_agent.local.livekit_server import RunningLiveKit, run_livekit_server
from palabra_agent.local.people import AGENT_IDENTITY, Server, SimulatedPerson
from palabra_agent.local.processes import free_port
from palabra_agent.local.reception import Reception
from palabra_agent.local.recording import Recording
from palabra_agent.meeting.attributes import STATE_ATTRIBUTE
from palabra_agent.plugins_host.catalog import load_plugins
from palabra_agent.room.composition import DispatchedRoom, RoomPast, serve_room
from palabra_agent.worker.joining import join_room
from tests.clock import eventually
from tests.environment import environment

from .emulator_client import Sessions
from .hearing import ES, SPEECH_HZ, until_heard, until_subscribed
from .stack import Room

OURS: Final = 0.5
"""Seconds of silence that we may add to LiveKit's own."""

CONFIG: Final = {"languages": ["en", "es"], "limits": {"linger_seconds": 5}}

_ES_TRACK: Final = "translation_es"
_CONTROL_HZ: Final = 1000
_CONTROL_TRACK: Final = "control"
_CONFIRMATION_SECONDS: Final = 0.8
_READ_SECONDS: Final = 30.0
_CALM_SECONDS: Final = 3.0
_STEADY_SECONDS: Final = 0.6
_STEADY_SILENCE: Final = 0.2
_RECOVERY_SECONDS: Final = 11.0
_UPLINK: Final = "microphone"
_ARRIVAL_SECONDS: Final = 15.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Leg:
    """A way of sound from one participant to another."""

    name: str
    ends: tuple[str, str]
    heard: Recording

    def is_steady(self) -> bool:
        """Whether it has been heard without a break for a moment."""
        now = time.monotonic()
        return self.heard.longest_silence(now - _STEADY_SECONDS, now) < _STEADY_SILENCE


@dataclass(frozen=True, slots=True)
class Silences:
    """The longest silence on each leg, in seconds."""

    ours: dict[str, float]
    allowed: dict[str, float]
    """LiveKit's own gap on the same legs."""
    plain: dict[str, float]
    rejoined: dict[str, float]
    """Seconds after the event at which each participant had joined again; 0 without a need to."""

    @property
    def are_livekits(self) -> bool:
        """True where we added no more than we may."""
        return all(gap <= self.allowed[name] + OURS for name, gap in self.ours.items())


@dataclass(slots=True)
class MeasuredMeeting:
    """Alice speaks without a pause, Bruno listens in Spanish, Clara is there and plays a tone."""

    room: Room
    sessions: Sessions
    alice: SimulatedPerson
    bruno: SimulatedPerson
    clara: SimulatedPerson
    control: AudioOutput

    async def silences_of(
        self, palabra_hears: Recording, happen: Callable[[], Awaitable[None]]
    ) -> Silences:
        """Let something happen, and wait until all is heard again."""
        ours = [
            Leg("to Palabra", ("alice", AGENT_IDENTITY), palabra_hears),
            Leg("from Palabra", (AGENT_IDENTITY, "bruno"), self.bruno.recording(_ES_TRACK)),
        ]
        plain = [
            Leg("alice to bruno", ("alice", "bruno"), self.bruno.recording("microphone_alice")),
            Leg("alice to clara", ("alice", "clara"), self.clara.recording("microphone_alice")),
            Leg("clara to bruno", ("clara", "bruno"), self.bruno.recording(_CONTROL_TRACK)),
        ]
        began, clock = time.monotonic(), time.time()
        await happen()
        await asyncio.sleep(max(0.0, began + _CALM_SECONDS - time.monotonic()))
        await _until_steady([*ours, *plain], began + _RECOVERY_SECONDS)
        ended = time.monotonic()
        rejoined = {
            who.identity: round(max(0.0, who.joined_at_ms / 1000 - clock), 2)
            for who in await self.room.participants()
        }

        def gap_of(leg: Leg) -> float:
            return round(leg.heard.longest_silence(began, ended), 2)

        def rejoined_of(leg: Leg) -> float:
            return max(rejoined[end] for end in leg.ends)

        settling = max(gap_of(leg) - rejoined_of(leg) for leg in plain)
        silences = Silences(
            ours={leg.name: gap_of(leg) for leg in ours},
            allowed={leg.name: rejoined_of(leg) + settling for leg in ours},
            plain={leg.name: gap_of(leg) for leg in plain},
            rejoined=rejoined,
        )
        logger.info("%s", silences)
        return silences

    async def until_bruno_reads(self) -> None:
        """Say sentence after sentence until one has come to Bruno, partial and final.

        LiveKit announces a participant who publishes nothing only seconds after they are back;
        what is told before that is not addressed to them.
        """
        since = time.monotonic()

        def has_read(*, final: bool) -> bool:
            return any(
                it.language == "es" and it.at > since and it.is_final == final
                for it in self.bruno.captions
            )

        with single_failure():
            async with asyncio.TaskGroup() as group:
                speaking = group.create_task(_say_sentences(self.alice), name="sentences")
                await self.bruno.wait_for(
                    lambda: has_read(final=False) and has_read(final=True),
                    _READ_SECONDS,
                    "captions in Spanish of what was said afterwards, partial and final",
                )
                speaking.cancel()


async def _until_steady(legs: list[Leg], deadline: float) -> None:
    async def are_all() -> bool:
        return all(leg.is_steady() for leg in legs)

    with suppress(AssertionError):
        await eventually(are_all, seconds=deadline - time.monotonic())
    deaf = [leg.name for leg in legs if not leg.is_steady()]
    assert deaf == [], f"{_RECOVERY_SECONDS:g} s after the event nothing is heard on: {deaf}"


@asynccontextmanager
async def measured_meeting(room: Room, sessions: Sessions) -> AsyncGenerator[MeasuredMeeting]:
    """People are in a room, before the interpreter is."""
    async with (
        room.person("bruno", listen="es", microphone=False, hears=lambda _: True) as bruno,
        room.person("clara", microphone=False, hears=lambda _: True) as clara,
        room.person("alice", speak="en", listen="en") as alice,
    ):
        control = AudioOutput(_CONTROL_TRACK)
        # a microphone would be interpreted
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_SCREENSHARE_AUDIO)
        await clara.room.local_participant.publish_track(control.track, options)
        try:
            yield MeasuredMeeting(room, sessions, alice, bruno, clara, control)
        finally:
            await clara.leave()
            await control.aclose()


@dataclass(slots=True)
class EndlessSpeech:
    """A voice that never pauses."""

    person: SimulatedPerson
    group: asyncio.TaskGroup
    _talking: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Speak until told to stop."""
        self._talking = self.group.create_task(_talk(self.person), name="talk")

    async def stop(self) -> None:
        """Be silent, at once."""
        if self._talking is not None:
            self._talking.cancel()
            await asyncio.wait({self._talking})


async def _say_sentences(person: SimulatedPerson) -> None:
    while True:
        await person.say(tone(SPEECH_HZ, 2.0))
        await asyncio.sleep(_CONFIRMATION_SECONDS)


async def _talk(person: SimulatedPerson) -> None:
    while True:
        await person.say(tone(SPEECH_HZ, 1.0))


async def _play(output: AudioOutput) -> None:
    sound = tone(_CONTROL_HZ, 1.0)
    while True:
        for place in range(0, sound.size, 960):
            await output.write(sound[place : place + 960])


@asynccontextmanager
async def talking(
    meeting: MeasuredMeeting, palabra: Server, *, translated_seconds: float
) -> AsyncGenerator[tuple[EndlessSpeech, Recording]]:
    """Alice speaks all the time, Bruno hears the translation of what she said before.

    Yields her talk, and what Palabra hears of it.

    Args:
        meeting: With an interpreter in the room.
        palabra: Where the rooms of sessions are.
        translated_seconds: How long the translation lasts that begins now.
    """
    (session,) = await meeting.sessions.running(1)
    await until_subscribed(meeting.bruno, _ES_TRACK, "microphone_alice", _CONTROL_TRACK)
    async with listen_unseen(palabra, session.room) as palabra_hears, asyncio.TaskGroup() as group:
        await meeting.alice.say(tone(SPEECH_HZ, translated_seconds))
        # a voice that does not pause before it was understood is never translated
        await until_heard(meeting.bruno, _ES_TRACK, ES)
        talk = EndlessSpeech(meeting.alice, group)
        talk.begin()
        playing = group.create_task(_play(meeting.control), name="control")
        await until_heard(meeting.bruno, _CONTROL_TRACK, _CONTROL_HZ)
        await until_heard(meeting.clara, "microphone_alice", SPEECH_HZ)
        await asyncio.sleep(_STEADY_SECONDS)
        try:
            yield talk, palabra_hears
        finally:
            playing.cancel()
            await talk.stop()


@asynccontextmanager
async def listen_unseen(palabra: Server, session_room: str) -> AsyncGenerator[Recording]:
    """Hear while the block runs what the interpreter sends into a session.

    The room does not see the listener, so it behaves as it does without one.
    """
    grants = api.VideoGrants(
        room_join=True, room=session_room, hidden=True, can_publish=False, can_publish_data=False
    )
    token = api.AccessToken(palabra.api_key, palabra.api_secret).with_identity("overhearing")
    room = rtc.Room()
    reception = Reception(room, lambda track: track == _UPLINK)
    await room.connect(palabra.url, token.with_grants(grants).to_jwt())
    try:
        async with asyncio.TaskGroup() as group:
            listening = group.create_task(reception.listen(), name="listen_unseen")
            try:
                async with asyncio.timeout(_ARRIVAL_SECONDS):
                    while _UPLINK not in reception.tracks:
                        await reception.wait_for_change()
                yield reception.recording(_UPLINK)
            finally:
                listening.cancel()
    finally:
        await room.disconnect()


def job_in(room: Room) -> tuple[WorkerSettings, Claims]:
    """What the job of a room knows: the worker's settings, and what LiveKit lets it do."""
    with environment(room.stack.environment):
        settings = load_settings()
    return settings, Claims(
        kind="agent",
        attributes={STATE_ATTRIBUTE: RoomState.STARTING.value},
        video=api.VideoGrants(
            room_join=True, room=room.name, agent=True, can_update_own_metadata=True
        ),
    )


@asynccontextmanager
async def interpret_here(room: Room, config: Mapping[str, object]) -> AsyncGenerator[rtc.Room]:
    """Join and serve a room as its job does while the block runs; yields the connection."""
    settings, claims = job_in(room)
    plugins = load_plugins(settings.plugins, settings.allowed_plugins)
    async with join_room(settings, claims, settings.identity) as connection:
        dispatched = DispatchedRoom(
            connection, room.name, json.dumps(config), settings, plugins, RoomPast()
        )
        with single_failure():
            async with asyncio.TaskGroup() as group:
                serving = group.create_task(serve_room(dispatched), name="room")
                yield connection
                assert not serving.done()
                serving.cancel()


@dataclass(slots=True)
class KillableLiveKit:
    """A server with ports and keys that outlive it."""

    _begin: Callable[[], AbstractAsyncContextManager[RunningLiveKit]]
    _life: AsyncExitStack
    livekit: RunningLiveKit
    """The server of this life; the address and the keys are those of every life."""

    async def restart(self, pause_seconds: float) -> None:
        """Kill it as a crash does, without a word to its clients; start it after a pause."""
        process = self.livekit.child.process
        process.kill()
        await process.wait()
        await self._life.aclose()
        await asyncio.sleep(pause_seconds)
        self.livekit = await self._life.enter_async_context(self._begin())


@asynccontextmanager
async def run_killable_livekit(logs: Path) -> AsyncGenerator[KillableLiveKit]:
    """Have a server that may be killed while the block runs."""
    begin = partial(
        run_livekit_server,
        port=free_port(),
        api_key="killable",
        api_secret=secrets.token_urlsafe(32),
        log_path=logs / "killable-livekit.log",
        settings={"rtc": {"udp_port": free_port(socket.SOCK_DGRAM), "tcp_port": free_port()}},
    )
    async with AsyncExitStack() as life:
        yield KillableLiveKit(begin, life, await life.enter_async_context(begin()))
