"""The events of one session: words and tracks in the caller's language codes, once and in order.

Palabra may answer `en-us` where the room says `en`, and some servers name no language at all.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Final

from palabra_agent.audio.frame import Frame, FrameSource
from palabra_agent.errors import PalabraError
from palabra_agent.languages import AUTO, LanguageCode, match
from palabra_agent.palabra.event_stream import EventStream
from palabra_agent.palabra.protocol.events import PAUSE_REFUSED, TASK_DIFFERS, OperatorNotice
from palabra_agent.palabra.protocol.task_errors import known_code
from palabra_agent.palabra.protocol.transcripts import TranscriptOrder
from palabra_agent.palabra.task.settings import task_words
from palabra_agent.session import (
    Brief,
    InterpretationEnded,
    InterpretationStarted,
    SessionEvent,
    Transcript,
)

_MOST_NOTED: Final = 20
"""Different notices in the log of one session; Palabra makes up their codes."""

logger = logging.getLogger(__name__)


class SessionEvents:
    """The events that one session tells its caller, and the log entries for its operator."""

    def __init__(self, on_sound: Callable[[], None]) -> None:
        """Begin without a brief.

        Args:
            on_sound: Called whenever sound is heard on a track that is listened to.
        """
        self.brief = Brief(LanguageCode(""), ())
        """The brief that was given last."""
        self._targets: tuple[LanguageCode, ...] = ()
        """All that were ever asked for: a dropped one may still be spoken."""
        self._on_sound = on_sound
        self._stream = EventStream[SessionEvent]()
        self._order = TranscriptOrder()
        self._tracks: dict[FrameSource, TranslatedTrack] = {}
        self._languages: dict[FrameSource, LanguageCode] = {}
        """Of each of the tracks."""
        self._noted: set[OperatorNotice] = set()
        self._counts = Counter[str]()
        """All notices, by kind."""

    @property
    def unread(self) -> int:
        """The number of messages that could not be understood."""
        return self._counts["unread"]

    @property
    def notices(self) -> int:
        """The number of notices, those included of which there was no line in the log."""
        return self._counts.total()

    def follow(self, brief: Brief) -> None:
        """Name languages as another brief does."""
        self.brief = brief
        self._targets = tuple(dict.fromkeys((*brief.targets, *self._targets)))

    def by_target(self, levels: Mapping[str, int]) -> dict[LanguageCode, int]:
        """Name the languages of queues as the caller does; others are left out."""
        named = ((match(language, self._targets), level) for language, level in levels.items())
        return {code: level for code, level in named if code is not None}

    def tell(self, event: SessionEvent) -> None:
        """Pass an event on; a transcript only where it is news."""
        if not isinstance(event, Transcript):
            self._stream.put(event)
            return

        named = replace(event, language=self._language_of(event))
        if self._order.is_news(named):
            self._stream.put(self._order.paired(named))

    def start_track(self, language: LanguageCode, source: FrameSource) -> None:
        """Tell of a translated track; one of a language that was never asked for is left alone."""
        code = match(language, self._targets)
        if code is not None:
            track = self._tracks[source] = TranslatedTrack(source, self._on_sound)
            self._languages[source] = code
            self._stream.put(InterpretationStarted(code, track))

    def end_track(self, source: FrameSource) -> bool:
        """Tell that nothing more comes on a track; return whether that was not asked for."""
        self._stream.put(InterpretationEnded(self._tracks.pop(source, source)))
        return self._languages.pop(source, None) in self.brief.targets

    def end(self, error: PalabraError | None = None) -> None:
        """Let the events end, with an error where the caller did not ask for the end."""
        self._stream.end(error)

    def log(self, notice: OperatorNotice) -> None:
        """Log a notice; of those that are alike one, and of very many kinds the first."""
        self._counts[notice.kind] += 1
        if notice in self._noted or len(self._noted) >= _MOST_NOTED:
            return

        self._noted.add(notice)
        if notice.kind == PAUSE_REFUSED:
            logger.warning("palabra does not pause, it charges for silence too")
        if notice.kind == TASK_DIFFERS:
            fields = {"fields": ", ".join(map(_known_path, notice.code.split(", ")))}
            logger.warning("palabra shows another task than was sent", extra=fields)
            return

        facts = {"kind": notice.kind, "code": known_code(notice.code)}
        logger.info("palabra sent a notice", extra=facts)
        logger.debug("the code of the notice: %s", notice.code)

    def events(self) -> AsyncIterator[SessionEvent]:
        """Iterate over the events, for one reader at a time.

        Raises:
            PalabraError: The error that ended them.
        """
        return self._stream.events()

    def _language_of(self, transcript: Transcript) -> LanguageCode:
        """Find the caller's code, where only one can be meant."""
        language, brief = transcript.language, self.brief
        if transcript.is_translation:
            only = brief.targets[0] if len(brief.targets) == 1 and not language else language
            return match(only, self._targets) or only

        return language or LanguageCode(brief.source_language.replace(AUTO, ""))


def _known_path(path: str) -> str:
    """Name a field of a task as far as it is documented; a room may have made up the rest."""
    known = takewhile(lambda it: it in task_words() or it.isdecimal(), path.split("."))
    return ".".join(known) or "undocumented"


@dataclass(frozen=True, slots=True)
class TranslatedTrack:
    """A translated track that calls back for each frame that can be heard."""

    source: FrameSource
    on_sound: Callable[[], None]

    @asynccontextmanager
    async def open_frames(self) -> AsyncGenerator[AsyncIterator[Frame]]:
        """Listen."""
        async with self.source.open_frames() as frames:
            yield self._listen(frames)

    async def _listen(self, frames: AsyncIterator[Frame]) -> AsyncIterator[Frame]:
        async for frame in frames:
            if not frame.is_silent:
                self.on_sound()

            yield frame
