"""A room, interpreted by the real client, with an emulated Palabra that things go wrong in.

The consequences of a fault are told in one `Outcome`: what the room showed and was told, what the
log warned of, what Palabra was asked. Whatever happened, some things must hold: the channel's track
stayed, no words, names or tokens of participants are in the log, no limit of Palabra's was
exceeded, and no session was left behind.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Final, Literal, TypedDict, Unpack

import numpy as np
import pytest

from palabra_agent.audio.frame import Frame, FrameReader
from palabra_agent.audio.pcm import FRAME_MS, SAMPLE_RATE, Pcm
from palabra_agent.audio.tones import tone
from palabra_agent.concurrency import Watched
from palabra_agent.interpretation.leakage import LeakageGuard
from palabra_agent.interpretation.ports import RoomStatus
from palabra_agent.interpretation.progress import Progress
from palabra_agent.interpretation.room import interpret_room
from palabra_agent.interpretation.settings import InterpretationSettings, Regime
from palabra_agent.interpretation.voice_assigner import VoiceAssigner
from palabra_agent.interpretation.wishes import Wishes
from palabra_agent.languages import LanguageCode
from palabra_agent.local.livekit_server import RunningLiveKit
from palabra_agent.palabra.client import make_sessions
from palabra_agent.palabra.rest.api import AppCredentials, open_api
from palabra_agent.palabra.session.activity import SilenceLimits
from palabra_agent.palabra.task.sections import Transcription, WebSocketFormat
from palabra_agent.palabra.task.settings import TaskSettings
from palabra_emulator.journal import JournalEntry
from palabra_emulator.options import EmulatorOptions
from palabra_emulator.script import load_script
from palabra_emulator.server import RunningEmulator, run_emulator
from tests.clock import eventually
from tests.fakes import FakeMeeting
from tests.interpretation.fake_plugins import no_plugins
from tests.palabra_emulator.fakes import OPTIONS, FakeLiveKit, fake_emulator
from tests.palabra_emulator.watching import arm

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
"""Speech that is answered with nothing is noticed soon; no pause is due."""

_SPEAKER: Final = "alice"
_LISTENER: Final = "bruno"
_QUICK_PAUSES: Final = (0.05, 0.1)
_END_SECONDS: Final = 5.0
_HEARD: Final = 5
"""So many frames with sound are no click."""
_WORDS: Final = [text for it in load_script().sentences for text in it.texts.values()]

_ORDINARY: Final = frozenset(vars(logging.makeLogRecord({})))
_FRAME_SECONDS: Final = FRAME_MS / 1000

WORD: Final = tone(330, 0.3)
"""Something said; the pause after it is longer than the silence that confirms it."""
PAUSE: Final = np.zeros(round(0.36 * SAMPLE_RATE), np.int16)

Place = AbstractAsyncContextManager[RunningEmulator]


class OptionFacts(TypedDict, total=False):
    """What may be said of an emulator."""

    ready_delay_ms: int
    rate_limits: Literal["separate", "shared", "off"]
    dialect: Literal["legacy", "legacy+ack", "ack-only"]


class SharedMicrophone:
    """A microphone track; like a real one it goes to all who listen, and to none who come later."""

    def __init__(self, track_sid: str = "TR_voice") -> None:
        self.track_sid = track_sid
        self._reader = FrameReader()
        self._ears: set[asyncio.Queue[Frame]] = set()

    @property
    def listeners(self) -> int:
        """How many listen right now."""
        return len(self._ears)

    @asynccontextmanager
    async def open_frames(self) -> AsyncGenerator[AsyncIterator[Frame]]:
        """Listen."""
        ear: asyncio.Queue[Frame] = asyncio.Queue()
        self._ears.add(ear)
        try:
            yield _heard(ear)
        finally:
            self._ears.discard(ear)

    async def play(self, sound: Pcm) -> None:
        """Sound at the speed of speech; returns when it is over."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        for frame in self._reader.cut(sound):
            for ear in self._ears:
                ear.put_nowait(frame)
            due += _FRAME_SECONDS
            await asyncio.sleep(due - loop.time())

    async def talk(self) -> None:
        """Say one word after the other, for ever."""
        while True:
            await self.play(WORD)
            await self.play(PAUSE)


async def _heard(ear: asyncio.Queue[Frame]) -> AsyncIterator[Frame]:
    while True:
        yield await ear.get()


@dataclass(frozen=True, slots=True)
class Outcome:
    """The consequences of a fault, as people, operators and Palabra could see them."""

    room: list[str]
    """What the room showed, in order: its state, with the sentence that went with it."""
    said: list[str]
    """The messages of the interpreter to all in the room."""
    log: list[str]
    """Warnings and errors, each with its reason."""
    asked: Mapping[str, int]
    """How often Palabra was asked what; asking how a task is going does not count."""


CALM: Final = Outcome(room=["live"], said=[], log=[], asked={"create": 1, "set_task": 1})
"""Nothing was seen of anything."""


def lost_and_found(why: str) -> Outcome:
    """A session was lost: the room showed why until the next one was there."""
    sentence = f"the Palabra session was lost: {why}"
    # what Palabra says of it is quoted in the room, and not in the log
    in_our_words = sentence.partition("; it said: ")[0]
    return Outcome(
        room=["live", f"degraded: {sentence}", "live"],
        said=[],
        log=[f"interpretation of a speaker interrupted: {in_our_words}"],
        asked={"create": 2, "set_task": 2, "delete": 1},
    )


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether our side logged it, and not the emulator."""
    return record.name.startswith("palabra_agent") and "emulator" not in record.name


def _facts_of(record: logging.LogRecord) -> dict[str, Any]:
    """What was logged beside the message."""
    return {key: it for key, it in vars(record).items() if key not in _ORDINARY | {"message"}}


def _line_of(record: logging.LogRecord, *, everything: bool = False) -> str:
    """A record as a line: the message with its reason, or with everything."""
    facts = _facts_of(record)
    told = (
        facts if everything else {key: facts[key] for key in ("reason", "chunks") if key in facts}
    )
    return ": ".join((record.getMessage(), *map(str, told.values())))


def _without_repetitions(shown: list[RoomStatus]) -> list[str]:
    """What was shown, in order, each change once."""
    told = (f"{it.state}: {it.error}" if it.error else str(it.state) for it in shown)
    return [line for line, _ in groupby(told)]


@dataclass
class FaultyRoom:
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
        """Wait until the listener reads what is being said from now on."""
        before = self.captions(language)
        await eventually(lambda: self.captions(language) >= before + more, seconds=20)

    async def hears(self, *, seconds: float = 20) -> None:
        """Wait until the listener hears a word of what is being said from now on."""
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
        return [it for it in self.records() if _is_ours(it) and it.levelno >= at_least]

    def logged(self, message: str) -> list[dict[str, Any]]:
        """The facts that were logged with a message, each time."""
        return [_facts_of(it) for it in self.log(at_least=logging.INFO) if it.message == message]

    def outcome(self) -> Outcome:
        """What has happened so far."""
        return Outcome(
            room=_without_repetitions(self.meeting.shown),
            said=list(self.meeting.announced),
            log=[_line_of(it) for it in self.log()],
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
) -> AsyncGenerator[FaultyRoom]:
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
    meeting, voice, plugins = FakeMeeting(), SharedMicrophone(), no_plugins()
    regime = Regime(offered, always_on=offered)
    # everything from here to the end of the test, the set-up of others excluded
    caplog.clear()
    credentials = AppCredentials("local", "local")
    async with (
        place or fake_emulator(FakeLiveKit(), replace(SWIFT, **options)) as emulator,
        open_api(emulator.url, credentials, retry_pauses=_QUICK_PAUSES) as api,
    ):
        room = FaultyRoom(meeting, emulator, voice, lambda: caplog.records)
        sessions = make_sessions(api, settings, silence_limits=limits)
        async with asyncio.TaskGroup() as group:
            interpreting = group.create_task(
                interpret_room(
                    meeting,
                    Watched(InterpretationSettings(regime, linger_seconds=1.0)),
                    sessions.open,
                    plugins,
                    VoiceAssigner(plugins),
                    LeakageGuard(),
                    Wishes(),
                    Progress(),
                )
            )
            talking = group.create_task(voice.talk() if talks else asyncio.sleep(0))
            await eventually(lambda: meeting.shown and meeting.status.live == offered)
            yield room
            _check_the_channels(meeting, offered)
            meeting.end()
            async with asyncio.timeout(_END_SECONDS):
                await interpreting
            talking.cancel()

        check_manners(room, leaves=leaves)


def palabra(livekit: RunningLiveKit, **facts: Unpack[OptionFacts]) -> Place:
    """An emulator on a LiveKit server, no slower than it must be."""
    return run_emulator(options(livekit, **facts))


def options(livekit: RunningLiveKit, **facts: Unpack[OptionFacts]) -> EmulatorOptions:
    """The options of an emulator on a LiveKit server."""
    return replace(
        SWIFT,
        livekit_url=livekit.url,
        livekit_api_key=livekit.api_key,
        livekit_api_secret=livekit.api_secret,
        **facts,
    )


def people_come(room: FaultyRoom) -> None:
    """Let the speaker and the listener join."""
    room.meeting.person_joins(_LISTENER, microphone=None, listen="es")
    room.meeting.person_joins(_SPEAKER, microphone=room.microphone, speak="en")


def check_manners(room: FaultyRoom, *, leaves: int = 0) -> None:
    """What holds at the end whatever has happened."""
    log = [_line_of(it, everything=True) for it in room.log(at_least=logging.INFO)]
    sessions = {it.session for it in room.journal if it.session}
    secrets = {"eyJ", "publisher", _SPEAKER, _LISTENER, *_WORDS, *sessions}
    assert [line for line in log for it in secrets if it.lower() in line.lower()] == []
    assert not any(it.exc_info for it in room.log())

    limits = [it for it in room.commands() if it.data["outcome"] == "rate_limited"]
    by_fault = [it for it in room.struck if it.data["fault"] in {"F12", "F24"}]
    assert len(limits) == len(by_fault)

    created = {it.session for it in room.events("created")}
    over = {it.session for it in room.journal if it.event in {"deleted", "ended"}}
    assert len(created - over) == leaves


def _check_the_channels(meeting: FakeMeeting, offered: tuple[LanguageCode, ...]) -> None:
    """They are there, and always were."""
    names = [f"translation_{language}" for language in offered]
    assert (meeting.publications, list(meeting.tracks)) == (names, names)
