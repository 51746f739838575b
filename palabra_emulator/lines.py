"""What the speaker of one session says, one utterance after the other, and its translations."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from palabra_agent.languages import AUTO, base
from palabra_emulator.script import Script
from palabra_emulator.task import Task


@dataclass(frozen=True, slots=True)
class Utterance:
    """Something that the speaker says."""

    transcription_id: str
    number: int
    """Counted from 0 in its session."""
    language: str
    text: str
    dropped: set[str] = field(default_factory=set[str], compare=False)
    """Targets into which it is not translated, because it was interrupted there."""


class Lines:
    """The script as one speaker speaks it, in the language that the task says or detects."""

    def __init__(self, script: Script, auto_language: str) -> None:
        self._script = script
        self._auto_language = auto_language
        self.count = 0
        """How many utterances were begun."""

    def begin(self, task: Task | None) -> Utterance:
        """The next thing that is said."""
        language = self._source_language(task)
        said = self.aside(self._script.text(self.count, language), language)
        self.count += 1
        return said

    def aside(self, text: str, language: str) -> Utterance:
        """Something that is said beside the script, and not counted."""
        return Utterance(secrets.token_hex(8), self.count, language, text)

    def translated(self, said: Utterance, target: str) -> str:
        """An utterance in another language; the text itself where both are one."""
        is_same = base(target) == said.language
        return said.text if is_same else self._script.text(said.number, said.language, target)

    def translation(self, text: str, target: str) -> str:
        """Any text in another language."""
        return self._script.translation(text, target)

    def _source_language(self, task: Task | None) -> str:
        if task is not None and task.source != AUTO:
            return task.source

        listed = [code for code in (task.detectable if task else ()) if code != AUTO]
        return str(base(listed[0] if listed else self._auto_language))
