"""A room, interpreted by the real client, with an emulated Palabra that things go wrong in.

What a fault led to is told in one `Story`: what the room showed and was told, what the log warned
of, what Palabra was asked. Whatever happened, some things must hold: the channel's track stayed,
nobody's words, names or tokens are in the log, no limit of Palabra's was exceeded, and no session
was left behind.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypedDict, Unpack

import pytest

from palabra_agent.concurrency import Watched
from palabra_agent.interpretation.room import interpret_room
from palabra_agent.interpretation.settings import InterpretationSettings, Regime
from palabra_agent.languages import LanguageCode
from palabra_agent.palabra.client import make_sessions
from palabra_agent.palabra.rest.api import AppCredentials, open_api
from palabra_agent.palabra.session.activity import SilenceLimits
from palabra_agent.palabra.task.sections import Transcription, WebSocketFormat
from palabra_agent.palabra.task.settings import TaskSettings
from palabra_emulator.journal import JournalEntry
from palabra_emulator.script import load_script
from palabra_emulator.server import RunningEmulator
from tests.clock import eventually
from tests.fakes import FakeMeeting
from tests.palabra_emulator.fakes import OPTIONS, FakeLiveKit, fake_emulator
from tests.palabra_emulator.faulty import arm

from .story import Story, facts_of, is_ours, line_of, without_repetitions
from .voices import WORD, SharedMicrophone

EN, ES, DE = LanguageCode("en"), LanguageCode("es"), LanguageCode("de")
CHANNEL: Final = "translation_es"

SWIFT: Final = replace(OPTIONS, latency_ms=50, ready_delay_ms=30, queue_map_hz=0)
"""A Palabra that takes no longer than it must."""

OVER_WEBSOCKET: Final = TaskSettings(
    transport="websocket",
    websocket=WebSocketFormat(sample_rate=48_000, chunk_ms=40),
    transcription=Transcription(segment_confirmation_silence_threshold=0.3),
)

ALERT: Final = SilenceLimits(silent_output_seconds=3.0)
"""Speech that is answered with nothing is noticed soon; nobody falls asleep."""

_SPEAKER: Final = "alice"
_LISTENER: Final = "bruno"
_QUICK_PAUSES: Final = (0.05, 0.1)
_END_SECONDS: Final = 5.0
_HEARD: Final = 5
"""So many frames with sound are no click."""
_WORDS: Final = [text for it in load_script().sentences for text in it.texts.values()]

Place = AbstractAsyncContextManager[RunningEmulator]


class OptionFacts(TypedDict, total=False):
    """What may be said of an emulator."""

    ready_delay_ms: int
    rate_limits: Literal["separate", "shared", "off"]


@dataclass
class Scene:
    """A room at work."""

    meeting: FakeMeeting
    emulator: RunningEmulator
    microphone: SharedMicrophone
    records: Callable[[], list[logging.LogRecord]]

    async def arm(self, fault: str, **wish: object) -> str:
        """Let something go wrong; returns the id of what was armed."""
        return str((await arm(self.emulator.url, fault=fault, **wish))["id"])

    async def strikes(self, fault: str, **wish: object) -> None:
        """Let something go wrong now, and wait until it has."""
        before = len(self.struck)
        await self.arm(fault, **wish)
        await eventually(lambda: len(self.struck) > before, seconds=10)

    async def runs(self) -> None:
        """Wait until the speaker is interpreted."""
        await eventually(lambda: self.logged("palabra session opened"), seconds=20)

    async def reads(self, language: LanguageCode = ES, *, more: int = 1) -> None:
        """Wait until somebody reads what is being said from now on."""
        before = self.captions(language)
        await eventually(lambda: self.captions(language) >= before + more, seconds=20)

    async def says_and_reads(self) -> None:
        """Say one word, and wait until it is read."""
        before = self.captions(ES)
        await self.microphone.play(WORD)
        await eventually(lambda: self.captions(ES) > before, seconds=20)

    async def hears(self, *, seconds: float = 20) -> None:
        """Wait until somebody hears a word of what is being said from now on."""
        track = self.meeting.tracks[CHANNEL]
        begin = len(track.frames)
        await eventually(
            lambda: sum(it.any() for it in track.frames[begin:]) > _HEARD, seconds=seconds
        )

    def captions(self, language: LanguageCode) -> int:
        """How many final captions there were in a language."""
        said = [it.transcript for it in self.meeting.captions]
        return sum(it.is_final and it.language == language for it in said)

    async def shows(self, state: str) -> None:
        """Wait until the room shows a state."""
        await eventually(lambda: self.meeting.status.state == state, seconds=20)

    @property
    def journal(self) -> list[JournalEntry]:
        """Everything that the emulator has seen, oldest first."""
        return self.emulator.journal.entries()

    def events(self, name: str) -> list[JournalEntry]:
        """Those of one kind."""
        return [it for it in self.journal if it.event == name]

    @property
    def struck(self) -> list[JournalEntry]:
        """The faults that have struck."""
        return [it for it in self.events("fault") if it.data["action"] == "struck"]

    def commands(self, name: str = "") -> list[JournalEntry]:
        """What sessions were told."""
        told = self.events("command")
        return [it for it in told if name in {"", it.data["message_type"]}]

    def asked(self) -> dict[str, int]:
        """How often Palabra was asked what."""
        names = {"POST": "create", "DELETE": "delete"}
        counted = Counter(names[str(it.data["method"])] for it in self.events("rest"))
        counted.update(str(it.data["message_type"]) for it in self.commands())
        del counted["get_task"]
        return dict(counted)

    def log(self, *, at_least: int = logging.WARNING) -> list[logging.LogRecord]:
        """What our side has logged."""
        return [it for it in self.records() if is_ours(it) and it.levelno >= at_least]

    def logged(self, message: str) -> list[dict[str, Any]]:
        """The facts that were logged with a message, each time."""
        return [facts_of(it) for it in self.log(at_least=logging.INFO) if it.message == message]

    def story(self) -> Story:
        """What has happened so far."""
        return Story(
            room=without_repetitions(self.meeting.shown),
            said=list(self.meeting.announced),
            log=[line_of(it) for it in self.log()],
            asked=self.asked(),
        )


@asynccontextmanager
async def faulty_room(
    caplog: pytest.LogCaptureFixture,
    place: Place | None = None,
    *,
    offered: tuple[LanguageCode, ...] = (ES,),
    settings: TaskSettings = OVER_WEBSOCKET,
    limits: SilenceLimits = ALERT,
    talks: bool = True,
    leaves: int = 0,
    **options: Unpack[OptionFacts],
) -> AsyncGenerator[Scene]:
    """Have a speaker and a listener in a room that is about to be interpreted.

    Args:
        caplog: Takes what is logged.
        place: The emulator; by default one without a LiveKit server.
        offered: Languages of the channels.
        settings: Of the sessions.
        limits: Of the sessions.
        talks: Whether the speaker keeps talking.
        leaves: How many sessions may be left behind, because their ids were never told.
        **options: Of the emulator without a LiveKit server.
    """
    caplog.set_level(logging.INFO)
    meeting, voice = FakeMeeting(), SharedMicrophone()
    # everything from here to the end of the test, the set-up of others excluded
    caplog.clear()
    credentials = AppCredentials("local", "local")
    async with (
        place or fake_emulator(FakeLiveKit(), replace(SWIFT, **options)) as emulator,
        open_api(emulator.url, credentials, retry_pauses=_QUICK_PAUSES) as api,
    ):
        scene = Scene(meeting, emulator, voice, lambda: caplog.records)
        sessions = make_sessions(api, settings, silence_limits=limits)
        async with asyncio.TaskGroup() as group:
            interpreting = group.create_task(
                interpret_room(
                    meeting,
                    Watched(InterpretationSettings(Regime(offered), linger_seconds=1.0)),
                    sessions.open,
                )
            )
            talking = group.create_task(voice.talk() if talks else asyncio.sleep(0))
            await eventually(lambda: meeting.shown)
            yield scene
            _check_the_channels(meeting, offered)
            meeting.end()
            async with asyncio.timeout(_END_SECONDS):
                await interpreting
            talking.cancel()

        check_manners(scene, leaves=leaves)


def people_come(scene: Scene) -> None:
    """Let the speaker and the listener join."""
    scene.meeting.person_joins(_LISTENER, microphone=None, listen="es")
    scene.meeting.person_joins(_SPEAKER, microphone=scene.microphone, speak="en")


def check_manners(scene: Scene, *, leaves: int = 0) -> None:
    """What holds at the end whatever has happened."""
    log = [line_of(it, everything=True) for it in scene.log(at_least=logging.INFO)]
    sessions = {it.session for it in scene.journal if it.session}
    secrets = {"eyJ", "publisher", _SPEAKER, _LISTENER, *_WORDS, *sessions}
    assert [line for line in log for it in secrets if it.lower() in line.lower()] == []
    assert not any(it.exc_info for it in scene.log())

    limits = [it for it in scene.commands() if it.data["outcome"] == "rate_limited"]
    by_fault = [it for it in scene.struck if it.data["fault"] in {"F12", "F24"}]
    assert len(limits) == len(by_fault)

    created = {it.session for it in scene.events("created")}
    over = {it.session for it in scene.journal if it.event in {"deleted", "ended"}}
    assert len(created - over) == leaves


def _check_the_channels(meeting: FakeMeeting, offered: tuple[LanguageCode, ...]) -> None:
    """They are there, and always were."""
    names = [f"translation_{language}" for language in offered]
    assert (meeting.publications, list(meeting.tracks)) == (names, names)
