"""Which voice a warning says that Palabra lacks: told once for each, whatever the wording. Pure.

The warning names no field, only a sentence; and it comes with every sentence that is spoken. What
it names counts only where that was asked for, so that nothing else can be made up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from palabra_agent.palabra.json_values import as_object
from palabra_agent.palabra.protocol.commands import Task
from palabra_agent.palabra.protocol.events import ConversationEvent, OperatorNotice
from palabra_agent.session import VoiceMissing

VOICE_NOT_FOUND: Final = "VOICE_NOT_FOUND"

_QUOTES: Final = ("'", '"', "`")


class MissingVoices:
    """Of one session."""

    def __init__(self) -> None:
        self._asked: dict[str, None] = {}
        """Every voice that was ever asked for, in order."""
        self._latest: frozenset[str] = frozenset()
        """Those of the latest task."""
        self._told: set[str] = set()
        self._is_noted = False

    def ask(self, task: Task) -> None:
        """Learn of a task that is sent."""
        self._latest = frozenset(_voices_of(task))
        self._asked |= dict.fromkeys(self._latest)

    def miss(self, text: str) -> list[ConversationEvent]:
        """Take in a warning; return what is news of it."""
        events: list[ConversationEvent] = []
        if not self._is_noted:
            self._is_noted = True
            events.append(OperatorNotice("warning", VOICE_NOT_FOUND))

        voice_id = self._meant_by(text)
        if voice_id is not None and voice_id not in self._told:
            self._told.add(voice_id)
            events.append(VoiceMissing(voice_id))

        return events

    def _meant_by(self, text: str) -> str | None:
        """The voice that is named; where none is, the only one that there is."""
        for voice_id in self._asked:
            if any(f"{quote}{voice_id}{quote}" in text for quote in _QUOTES):
                return voice_id

        return next(iter(self._latest)) if len(self._latest) == 1 else None


def _voices_of(task: Task) -> Iterator[str]:
    """The voices that a task asks for, of whatever shape an operator has made it."""
    pipeline: Mapping[str, Any] = as_object(task.get("pipeline")) or {}
    entries = pipeline.get("translations")
    for entry in cast("list[object]", entries) if isinstance(entries, list) else ():
        speech = as_object((as_object(entry) or {}).get("speech_generation")) or {}
        timbre = as_object(speech.get("voice_timbre_detection")) or {}
        if speech.get("voice_cloning"):
            continue

        if timbre.get("enabled"):
            for key in ("high_timbre_voices", "low_timbre_voices"):
                listed = timbre.get(key)
                ids = cast("list[object]", listed) if isinstance(listed, list) else []
                yield from (it for it in ids if isinstance(it, str) and it)
        elif isinstance(voice_id := speech.get("voice_id"), str) and voice_id:
            yield voice_id
