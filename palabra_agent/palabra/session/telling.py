"""What a session tells of words and tracks: in the room's own codes, once and in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from palabra_agent.audio.frame import FrameSource
from palabra_agent.languages import AUTO, LanguageCode, match
from palabra_agent.palabra.protocol.transcripts import TranscriptOrder
from palabra_agent.palabra.session.event_stream import EventStream
from palabra_agent.palabra.session.overheard import Overheard
from palabra_agent.session import Brief, InterpretationEnded, InterpretationStarted, Transcript


class Telling:
    """Knows what was asked for, and names everything that comes after that.

    Palabra may answer `en-us` where the room says `en`, and some servers name no language at all.
    """

    def __init__(self, stream: EventStream, on_sound: Callable[[], None]) -> None:
        """Begin without a brief.

        Args:
            stream: Where events go.
            on_sound: Called whenever something sounds on a track that is listened to.
        """
        self._stream = stream
        self._on_sound = on_sound
        self._order = TranscriptOrder()
        self._sources: dict[FrameSource, Overheard] = {}
        self._targets: tuple[LanguageCode, ...] = ()
        """All that were ever asked for: what was dropped may still be spoken."""
        self.brief = Brief(LanguageCode(""), ())
        """What is asked for now."""

    def follow(self, brief: Brief) -> None:
        """Something else is asked for."""
        self.brief = brief
        self._targets = tuple(dict.fromkeys((*brief.targets, *self._targets)))

    def read_out(self, transcript: Transcript) -> None:
        """Pass words on, unless they are no news."""
        named = replace(transcript, language=self._language_of(transcript))
        if self._order.is_news(named):
            self._stream.tell(self._order.paired(named))

    def start(self, language: str, source: FrameSource) -> None:
        """A track is there; one of a language that nobody asked for is left alone."""
        code = match(language, self._targets)
        if code is not None:
            heard = self._sources[source] = Overheard(source, self._on_sound)
            self._stream.tell(InterpretationStarted(code, heard))

    def end(self, source: FrameSource) -> None:
        """A track is gone."""
        self._stream.tell(InterpretationEnded(self._sources.pop(source, source)))

    def _language_of(self, transcript: Transcript) -> LanguageCode:
        """The room's code, where only one can be meant."""
        language, brief = transcript.language, self.brief
        if transcript.is_translation:
            only = brief.targets[0] if len(brief.targets) == 1 and not language else language
            return match(only, self._targets) or only

        return language or LanguageCode(brief.source_language.replace(AUTO, ""))
