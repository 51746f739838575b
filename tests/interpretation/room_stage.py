"""A room at work between a fake meeting and fake sessions, and what tests make happen in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TypedDict, Unpack

from palabra_agent.concurrency import Watched
from palabra_agent.interpretation.leakage import LeakageGuard
from palabra_agent.interpretation.plugins import RoomPlugins
from palabra_agent.interpretation.progress import Progress
from palabra_agent.interpretation.room import interpret_room
from palabra_agent.interpretation.settings import (
    InterpretationSettings,
    Regime,
    SpeakerRule,
    WritingRules,
)
from palabra_agent.interpretation.voice_assigner import VoiceAssigner
from palabra_agent.interpretation.wishes import Matter, Wishes
from palabra_agent.languages import LanguageCode
from tests.clock import eventually
from tests.fakes import FakeMeeting, FakeSession, FakeSessions, FakeSound, PersonFacts
from tests.interpretation.fake_plugins import no_plugins

EN, ES, DE = LanguageCode("en"), LanguageCode("es"), LanguageCode("de")
LINGER = 5.0


class RegimeFacts(TypedDict, total=False):
    """What may be said of a room beside its languages."""

    always_on: tuple[LanguageCode, ...]
    default_listen: LanguageCode | None
    max_speakers: int
    max_languages: int
    is_per_speaker: bool
    rule_for: Callable[[str], SpeakerRule]


class SettingsFacts(TypedDict, total=False):
    """What may change of a room's settings."""

    regime: Regime
    rules: WritingRules
    linger_seconds: float
    task_revision: int
    plugins_revision: int
    cloned: frozenset[LanguageCode]
    announced: tuple[str, ...]


@dataclass
class RoomStage:
    """A room at work."""

    meeting: FakeMeeting
    sessions: FakeSessions
    task: asyncio.Task[None]
    settings: Watched[InterpretationSettings]
    wishes: Wishes
    progress: Progress

    def change(self, **settings: Unpack[SettingsFacts]) -> None:
        """Change the settings of the room."""
        self.settings.set(replace(self.settings.value, **settings))

    async def speaker_joins(
        self, identity: str, **facts: Unpack[PersonFacts]
    ) -> tuple[FakeSound, FakeSession]:
        """Let somebody join and wait until they are interpreted."""
        count = len(self.sessions.opened)
        microphone = self.meeting.person_joins(identity, **facts)
        await eventually(lambda: len(self.sessions.opened) > count and microphone.listeners)
        return microphone, self.sessions.last

    async def says(self, identity: str, matter: Matter, word: str) -> None:
        """Let a person say something otherwise than by an attribute."""
        await eventually(lambda: self.wishes.person(identity))
        person = self.wishes.person(identity)
        assert person is not None
        self.wishes.say(person, matter, word)


@asynccontextmanager
async def interpreted_room(
    *offered: LanguageCode,
    sessions: FakeSessions | None = None,
    plugins: RoomPlugins | None = None,
    **facts: Unpack[RegimeFacts],
) -> AsyncGenerator[RoomStage]:
    """Interpret a room for the length of a block, and check that nothing stays.

    Its languages are always on unless a test says otherwise.
    """
    meeting, sessions = FakeMeeting(), sessions or FakeSessions()
    wishes, progress = Wishes(), Progress()
    languages = offered or (EN, ES)
    facts = {"always_on": languages, **facts}
    settings = Watched(InterpretationSettings(Regime(languages, **facts), linger_seconds=LINGER))
    plugins = plugins or no_plugins()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(
            interpret_room(
                meeting,
                settings,
                sessions,
                plugins,
                VoiceAssigner(plugins),
                LeakageGuard(),
                wishes,
                progress,
            )
        )
        await eventually(lambda: meeting.shown and meeting.status.live == facts["always_on"])
        yield RoomStage(meeting, sessions, task, settings, wishes, progress)
        meeting.end()

    assert (meeting.tracks, sessions.live) == ({}, [])
