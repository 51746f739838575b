"""The gate of a finished task: without consent nothing in it has a voice imitated. Pure.

It looks at what is sent, not at who asked for it. Fields that are laid over a task are not known
beforehand, so every spelling and every place counts; a field too many that goes harms no one.
What records people is seen likewise, for them to be told.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Final, TypeAlias

from pydantic import JsonValue

from palabra_agent.palabra.task.sections import SpeechGeneration

_Json: TypeAlias = dict[str, JsonValue]

_SWITCH: Final = "voice_cloning"
"""Palabra's own switch."""
_HARMLESS: Final = "voice_cloning_mode"
"""Says how to clone, and nothing where that is off."""
_CLONING: Final = "clon"
_RECORDING: Final = "record"
_OFF: Final = frozenset({"", "0", "false", "no", "none", "null", "off"})


def asks_to_clone(said: JsonValue) -> bool:
    """Tell if anything in a task, or in a part of one, asks for the speaker's own voice."""
    return _asks(said, _CLONING)


def asks_to_record(said: JsonValue) -> bool:
    """Tell if anything in a task, or in a part of one, asks Palabra to keep what it hears."""
    return _asks(said, _RECORDING)


def without_cloning(task: Mapping[str, JsonValue]) -> _Json:
    """Make the same task in which nothing asks for that; the switch itself is off, not gone."""
    cleaned = {key: _cleaned(value) for key, value in task.items() if not _goes(key, value)}
    if _SWITCH in task and _is_on(_SWITCH, task[_SWITCH]) and cleaned.get("voice_id", "") is None:
        # cloning excludes an id, and no voice at all would be left
        cleaned["voice_id"] = SpeechGeneration().voice_id

    return cleaned | ({_SWITCH: False} if _SWITCH in task else {})


def _asks(said: JsonValue, word: str) -> bool:
    match said:
        case dict():
            return any(
                (word in _bare(key) and _is_on(key, value)) or _asks(value, word)
                for key, value in said.items()
            )
        case list():
            return any(_asks(it, word) for it in said)
        case str():
            return _is_hidden(said, word)
        case _:
            return False


def _cleaned(said: JsonValue) -> JsonValue:
    match said:
        case dict():
            return without_cloning(said)
        case list():
            kept = (it for it in said if not (isinstance(it, str) and _is_hidden(it, _CLONING)))
            return [_cleaned(it) for it in kept]
        case _:
            return said


def _goes(key: str, value: JsonValue) -> bool:
    """Tell if a field is to be left out: it is about cloning, and not known to be harmless."""
    if key == _SWITCH or (key == _HARMLESS and isinstance(value, str)):
        return False

    return _CLONING in _bare(key) or (isinstance(value, str) and _is_hidden(value, _CLONING))


def _is_on(key: str, value: JsonValue) -> bool:
    if key == _HARMLESS and isinstance(value, str):
        return False

    # a number, a text or an object may be taken for `true`
    return bool(value) and str(value).strip().casefold() not in _OFF


def _is_hidden(text: str, word: str) -> bool:
    """Tell if a text is JSON that says a word: Palabra writes JSON into texts itself."""
    return text.lstrip()[:1] in {"{", "["} and word in _bare(text)


def _bare(word: str) -> str:
    """Take a name for what it says: `Voice-Cloning` and `voiceCloning` are one."""
    plain = unicodedata.normalize("NFKC", word).casefold()
    return "".join(filter(str.isalnum, plain))
