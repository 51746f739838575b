"""Commands to Palabra: one function for each, which makes its name and its `data`. Pure.

Each function names where its command is known from: "documentation" is Palabra's own, "SDK" its
published clients, "live" the service as it was seen. `sending` decides when a command may go out.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from palabra_agent.errors import ConfigError, Problem
from palabra_agent.languages import (
    SOURCE_LANGUAGES,
    LanguageCode,
    did_you_mean,
    find_source,
    nearest,
    normalise,
)
from palabra_agent.palabra.vocabulary import GLOBAL
from palabra_agent.session import LONGEST_SPOKEN_TEXT

Task: TypeAlias = Mapping[str, Any]
"""The `data` of a `set_task`."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command to send."""

    name: str
    data: Mapping[str, Any]

    def encode(self) -> bytes:
        """Write it as it goes over the wire."""
        message = {"message_type": self.name, "data": self.data}
        return json.dumps(message, ensure_ascii=False).encode()


EVERY_LANGUAGE: Final = GLOBAL
"""Palabra's word for all targets of a task."""

LEAST_SOUND_BYTES: Final = 768
"""Palabra takes no less sound in one message."""

_LARGEST_MESSAGE: Final = 512 * 1024


def set_task(task: Task) -> Command:
    """Create the task, change it, or resume it after a pause; always the whole task.

    Documentation; live. May be acknowledged by `task_status`, or not at all.
    """
    return Command("set_task", dict(task))


def get_task(*, exclude_hidden: bool = True) -> Command:
    """Ask for the task as it is; answered by `current_task`, or the error `NOT_FOUND`.

    Documentation; `exclude_hidden`, which leaves undocumented fields out of the answer: SDK.
    """
    return Command("get_task", {"exclude_hidden": exclude_hidden})


def pause_task() -> Command:
    """Let Palabra hear, and charge, nothing until the next `set_task`. Documentation; SDK."""
    return Command("pause_task", {})


def end_task(*, force: bool = False, eos_timeout: float | None = None) -> Command:
    """End the task, after everything that was said is interpreted, or with `force` at once.

    Documentation; live. `eos_timeout` is for servers of 2025 alone, which wait for so many seconds
    of quiet after the last speech: SDK.
    """
    data: dict[str, Any] = {"force": True} if force else {}
    if eos_timeout is not None:
        data["eos_timeout"] = eos_timeout

    return Command("end_task", data)


def interrupt_task(languages: Iterable[str] = (), *, pause: bool = False) -> Command:
    """Drop the phrase under way and what waits to be spoken, in some targets or in all.

    SDK since 2.1.1. A live probe found that a sentence that is being spoken goes on to its end.
    """
    named = sorted({normalise(language) for language in languages})
    return Command("interrupt_task", {"languages": named or [EVERY_LANGUAGE], "pause_task": pause})


def tts_task(
    text: str, language: str, *, targets: Collection[LanguageCode], translate: bool = False
) -> Command:
    """Have a text spoken as it is in one of the targets, or translated into all of them first.

    Documentation; SDK. The length: documentation.

    Args:
        text: The words.
        language: Without `translate` one of the targets, else the language of the text.
        targets: Those of the running task.
        translate: True where the text is to be translated.

    Raises:
        ConfigError: With everything that is wrong with the text and its language.
    """
    found = find_source(language) if translate else nearest(language, targets)
    problems = [] if _is_speakable(text) else [Problem("text", _why_not_spoken(text))]
    if found is None:
        known = SOURCE_LANGUAGES if translate else targets
        problems.append(Problem("language", _why_no_language(language, known)))
    if problems:
        raise ConfigError(problems)

    return Command("tts_task", {"text": text, "language": found, "translate_text": translate})


def input_audio_data(sound: bytes) -> Command:
    """A piece of the speaker's voice, in the format that the task declares; WebSocket alone.

    Documentation. The sizes are those that it names: at least 768 bytes of sound, at most 512 KB
    of message; the caller gathers shorter ones.

    Raises:
        ValueError: The piece has a size that Palabra does not take.
    """
    encoded = base64.b64encode(sound).decode("ascii")
    if len(sound) < LEAST_SOUND_BYTES or len(encoded) > _LARGEST_MESSAGE:
        raise ValueError(
            f"a piece of sound must have {LEAST_SOUND_BYTES} bytes or more, and {_LARGEST_MESSAGE} "
            f"or fewer in base64, not {len(sound)} and {len(encoded)}"
        )

    return Command("input_audio_data", {"data": encoded})


def _is_speakable(text: str) -> bool:
    return len(text.strip()) > 0 and len(text) <= LONGEST_SPOKEN_TEXT and _is_unicode(text)


def _is_unicode(text: str) -> bool:
    """Tell whether it can be written; halves of a character cannot, and JSON may bring them."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _why_not_spoken(text: str) -> str:
    if not text.strip():
        return "must not be empty"
    if not _is_unicode(text):
        return "holds half of a character (a lone surrogate)"

    return f"must have at most {LONGEST_SPOKEN_TEXT} characters, not {len(text)}"


def _why_no_language(language: str, known: Collection[LanguageCode]) -> str:
    code = normalise(language)[:30]
    if known is not SOURCE_LANGUAGES:
        listed = ", ".join(known) or "none"
        return f'"{code}" is not one of the targets of the task, which are {listed}'

    return f'"{code}" is not a language that Palabra understands{did_you_mean(code, known)}'
