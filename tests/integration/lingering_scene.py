"""Somebody speaks and is interpreted while something happens: how long is it silent, and where?

Two legs of the way are ours: from the speaker to Palabra, and from the interpreter to a listener.
Beside them run plain legs, from one participant straight to another, on which LiveKit's own gap is
heard. Whoever comes back later than others, by the luck of LiveKit's retries, is late on plain legs
as well; so LiveKit's own gap on a leg is when the later of its two ends had joined the room again,
and what a plain leg needs after that at most.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

from livekit import rtc

from palabra_agent.audio.rtc import AudioOutput
from palabra_agent.audio.tones import tone
from palabra_agent.local.people import AGENT_IDENTITY, Server, SimulatedPerson
from palabra_agent.local.recording import Recording

from .emulated import Sessions
from .hearing import ES, SPEECH_HZ, until_heard, until_subscribed
from .overheard import overhear
from .stack import Room, until

OURS: Final = 0.5
"""Seconds of silence that we may add to LiveKit's own."""

CONFIG: Final = {"languages": ["en", "es"], "limits": {"linger_seconds": 5}}

_ES_TRACK: Final = "translation_es"
_CONTROL_HZ: Final = 1000
_CONTROL_TRACK: Final = "control"
_CONFIRMATION_SECONDS: Final = 0.8
_CALM_SECONDS: Final = 3.0
_STEADY_SECONDS: Final = 0.6
_STEADY_SILENCE: Final = 0.2
_RECOVERY_SECONDS: Final = 11.0

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
    """How long nothing was heard on each leg, in seconds."""

    ours: dict[str, float]
    allowed: dict[str, float]
    """LiveKit's own gap on the same legs."""
    plain: dict[str, float]
    rejoined: dict[str, float]
    """How long after the event each participant had joined again; 0 for whoever had not to."""

    def __str__(self) -> str:
        """Tell everything."""
        return "; ".join(
            f"{what}: " + ", ".join(f"{name} {seconds:.2f} s" for name, seconds in of.items())
            for what, of in (
                ("ours", self.ours),
                ("LiveKit's own", self.allowed),
                ("plain", self.plain),
                ("rejoined", self.rejoined),
            )
        )

    @property
    def are_livekits(self) -> bool:
        """Whether we added no more than we may."""
        return all(gap <= self.allowed[name] + OURS for name, gap in self.ours.items())


@dataclass(slots=True)
class Scene:
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
            who.identity: max(0.0, who.joined_at_ms / 1000 - clock)
            for who in await self.room.participants()
        }

        def gap_of(leg: Leg) -> float:
            return leg.heard.longest_silence(began, ended)

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

    async def until_bruno_reads(self, *, final: bool) -> None:
        """Wait until something that is said from now on has come all the way to Bruno.

        LiveKit announces somebody who publishes nothing only seconds after they are back; what is
        final before that is not addressed to them.
        """
        since = time.monotonic()
        await self.bruno.wait_for(
            lambda: any(
                it.language == "es" and it.at > since and it.is_final == final
                for it in self.bruno.captions
            ),
            10,
            f"a caption in Spanish of what was said afterwards, {'final' if final else 'partial'}",
        )


async def _until_steady(legs: list[Leg], deadline: float) -> None:
    async def are_all() -> bool:
        return all(leg.is_steady() for leg in legs)

    with suppress(TimeoutError):
        await until(are_all, "", deadline - time.monotonic())
    deaf = [leg.name for leg in legs if not leg.is_steady()]
    assert deaf == [], f"{_RECOVERY_SECONDS:g} s after the event nothing is heard on: {deaf}"


@asynccontextmanager
async def scene(room: Room, sessions: Sessions) -> AsyncGenerator[Scene]:
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
            yield Scene(room, sessions, alice, bruno, clara, control)
        finally:
            await clara.leave()
            await control.aclose()


@dataclass(slots=True)
class Talk:
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
    set_up: Scene, palabra: Server, *, translated_seconds: float
) -> AsyncGenerator[tuple[Talk, Recording]]:
    """Alice speaks all the time, Bruno hears the translation of what she said before.

    Yields her talk, and what Palabra hears of it.

    Args:
        set_up: With an interpreter in the room.
        palabra: Where the rooms of sessions are.
        translated_seconds: How long the translation lasts that begins now.
    """
    (session,) = await set_up.sessions.running(1)
    await until_subscribed(set_up.bruno, _ES_TRACK, "microphone_alice", _CONTROL_TRACK)
    async with overhear(palabra, session.room) as palabra_hears, asyncio.TaskGroup() as group:
        await set_up.alice.say(tone(SPEECH_HZ, translated_seconds))
        await asyncio.sleep(_CONFIRMATION_SECONDS)
        talk = Talk(set_up.alice, group)
        talk.begin()
        playing = group.create_task(_play(set_up.control), name="control")
        await until_heard(set_up.bruno, _ES_TRACK, ES)
        await until_heard(set_up.bruno, _CONTROL_TRACK, _CONTROL_HZ)
        await until_heard(set_up.clara, "microphone_alice", SPEECH_HZ)
        await asyncio.sleep(_STEADY_SECONDS)
        try:
            yield talk, palabra_hears
        finally:
            playing.cancel()
            await talk.stop()
