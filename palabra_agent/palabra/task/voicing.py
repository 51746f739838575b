"""Chosen voices in Palabra's words, laid over a finished task. Pure.

Palabra knows three ways to a voice, of which each excludes the others: all three are always said,
so that what the settings chose is not left beside what was chosen now.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias, cast

from pydantic import JsonValue

from palabra_agent.config.documents import overlay
from palabra_agent.languages import LanguageCode
from palabra_agent.voices import ClonedVoice, FixedVoice, TimbreMatchedVoice, VoiceChoice

_Json: TypeAlias = dict[str, JsonValue]


def with_voices(task: _Json, voices: Mapping[LanguageCode, VoiceChoice]) -> _Json:
    """The task with the chosen voices in it; the other fields of `speech_generation` stay."""
    if not voices:
        return task

    pipeline = cast("dict[str, list[_Json]]", task["pipeline"])
    entries = [_with_voice(entry, voices) for entry in pipeline["translations"]]
    return {**task, "pipeline": cast("JsonValue", {**pipeline, "translations": entries})}


def _with_voice(entry: _Json, voices: Mapping[LanguageCode, VoiceChoice]) -> _Json:
    choice = voices.get(LanguageCode(str(entry["target_language"])))
    speech = entry.get("speech_generation")
    # an operator may have laid something else there, unchecked
    if choice is None or not isinstance(speech, dict):
        return entry

    return {**entry, "speech_generation": cast("JsonValue", overlay(speech, _said(choice)))}


def _said(choice: VoiceChoice) -> _Json:
    match choice:
        case FixedVoice(voice_id):
            return {"voice_cloning": False, "voice_id": voice_id, **_timbre(is_used=False)}
        case ClonedVoice():
            return {"voice_cloning": True, "voice_id": None, **_timbre(is_used=False)}
        case TimbreMatchedVoice(high, low):
            voices: _Json = {"high_timbre_voices": [high], "low_timbre_voices": [low]}
            return {"voice_cloning": False, **_timbre(is_used=True, voices=voices)}


def _timbre(*, is_used: bool, voices: _Json | None = None) -> _Json:
    return {"voice_timbre_detection": {"enabled": is_used, **(voices or {})}}
