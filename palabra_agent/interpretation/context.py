"""The state of a room that the interpretations of all its speakers share: errors, bill, view."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from palabra_agent.concurrency import Watched
from palabra_agent.interpretation.caption_history import CaptionHistory
from palabra_agent.interpretation.channels import Channels, Downlinks
from palabra_agent.interpretation.leakage import LeakageGuard
from palabra_agent.interpretation.plugins import RoomPlugins
from palabra_agent.interpretation.ports import (
    LONGEST_ERROR,
    Meeting,
    MeetingView,
    RoomState,
    RoomStatus,
)
from palabra_agent.interpretation.progress import Progress
from palabra_agent.interpretation.session_places import SessionPlaces
from palabra_agent.interpretation.settings import InterpretationSettings
from palabra_agent.interpretation.voice_assigner import VoiceAssigner
from palabra_agent.languages import LanguageCode
from palabra_agent.session import SessionOpener
from palabra_agent.texts import one_line


class RoomErrors:
    """Everything that is wrong in a room right now, as one status."""

    def __init__(self) -> None:
        self._sentences: dict[str, str] = {}
        self._told: set[str] = set()

    def report(self, who: str, sentence: str) -> None:
        """Note what is wrong with a speaker."""
        self._sentences[who] = sentence

    def resolve(self, who: str) -> None:
        """Note that nothing is wrong there any more."""
        self._sentences.pop(who, None)

    def is_first_time(self, sentence: str) -> bool:
        """Tell whether people were not told this yet; from now on they were."""
        if sentence in self._told:
            return False

        self._told.add(sentence)
        return True

    def status(self, live: Sequence[LanguageCode]) -> RoomStatus:
        """Sum up a room that is otherwise ready; different errors stand in one line."""
        state = RoomState.DEGRADED if self._sentences else RoomState.LIVE
        sentence = "; ".join(dict.fromkeys(self._sentences.values()))
        return RoomStatus(state, tuple(live), one_line(sentence, LONGEST_ERROR))


class Billing:
    """Counts a room's sessions and the time that Palabra charges for; identities stay in it."""

    def __init__(self) -> None:
        self._seconds = defaultdict[str, float](float)
        self.sessions = 0
        """The number of sessions that have ended."""
        self.replacements = 0
        """The number of those that were replaced because they had fallen silent."""

    def add_session(self, identity: str, seconds: float) -> None:
        """Add a session of a speaker that has ended, with the seconds that were charged."""
        self.sessions += 1
        self._seconds[identity] += seconds

    def seconds_of(self, identity: str) -> float:
        """The seconds that were charged for one speaker."""
        return self._seconds.get(identity, 0.0)

    def statement(self) -> dict[str, float]:
        """The bill of the room, without names: for the log."""
        return {
            "billed_seconds": round(sum(self._seconds.values()), 3),
            "billed_minutes": round(sum(self._seconds.values()) / 60, 2),
            "speakers": len(self._seconds),
            "sessions": self.sessions,
            "reliefs": self.replacements,
        }


@dataclass(slots=True)
class RoomContext:
    """One room's ports, and what is known about it; shared by all its speakers."""

    meeting: Meeting
    settings: Watched[InterpretationSettings]
    open_session: SessionOpener
    plugins: RoomPlugins
    voices: VoiceAssigner
    leakage: LeakageGuard
    channels: Channels
    downlinks: Downlinks
    places: SessionPlaces
    changed: asyncio.Event
    """Set where something may be wanted that was not before."""
    progress: Progress = field(default_factory=Progress)
    billing: Billing = field(default_factory=Billing)
    errors: RoomErrors = field(default_factory=RoomErrors)
    captions: CaptionHistory = field(default_factory=CaptionHistory)
    view: MeetingView = field(default_factory=MeetingView)
    """The meeting as last seen."""
    detected: dict[str, LanguageCode] = field(default_factory=dict[str, LanguageCode])
    """The language that Palabra hears each person speak, by identity."""
