"""The `data` of `set_task`, made from a room's settings: whole, for either transport. Pure.

Documented fields first, then the room's overlay, then the voices that were chosen for the speaker,
and last the gate: whatever asked for it, no voice is imitated without the speaker's consent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeAlias, cast

from pydantic import JsonValue
from pydantic_core import PydanticCustomError

from palabra_agent.config.documents import lay_over
from palabra_agent.config.fields import (
    ConfigModel,
    check_source,
    check_spoken,
    check_target,
    repeated,
)
from palabra_agent.errors import ConfigError, Problem
from palabra_agent.languages import AUTO, LanguageCode, base, find_source, normalise
from palabra_agent.palabra.task.consent import asks_to_clone, asks_to_record, without_cloning
from palabra_agent.palabra.task.overlay import laid_over
from palabra_agent.palabra.task.sections import Translation
from palabra_agent.palabra.task.settings import TRANSCRIPTION_TYPES, TaskSettings
from palabra_agent.palabra.vocabulary import GLOBAL, StreamType
from palabra_agent.voices import ClonedVoice, FixedVoice, TimbreMatchedVoice, VoiceChoice

_Json: TypeAlias = dict[str, JsonValue]

_NO_VOICES: Final[Mapping[LanguageCode, VoiceChoice]] = MappingProxyType({})

_SENT_AS_NULL: Final = frozenset({"voice_id", "transcription_correction_style"})
"""Palabra documents null as a value of these; elsewhere it means that nothing is sent."""


def build_task(
    settings: TaskSettings,
    *,
    source_language: LanguageCode,
    detectable_languages: Iterable[LanguageCode],
    targets: Sequence[LanguageCode],
    partial_translations: bool,
    transport: StreamType = "webrtc",
    voices: Mapping[LanguageCode, VoiceChoice] = _NO_VOICES,
    may_clone: bool = False,
) -> dict[str, JsonValue]:
    """Make the `data` of `set_task`: always whole, nothing documented implied.

    Chosen voices win over the settings' own. Where the speaker has not agreed (`may_clone`), none
    of the two imitates their voice.

    Raises:
        ConfigError: With every language that Palabra does not hear or speak, or that comes twice.
    """
    detectable = tuple(detectable_languages)
    problems = list(_language_problems(source_language, detectable, targets))
    if problems:
        raise ConfigError(problems)

    types = settings.allowed_message_types
    pipeline: _Json = {
        "transcription": _transcription(settings, source_language, detectable),
        "translations": [
            _translation(settings.translation_of(target), target, partial_translations)
            for target in targets
        ],
        "translation_queue_configs": _queue_configs(settings, targets),
        "allowed_message_types": list(TRANSCRIPTION_TYPES if types is None else types),
    }
    if settings.preprocessing is not None:
        pipeline["preprocessing"] = _section_json(settings.preprocessing)

    task: _Json = {**_streams(settings, transport), "pipeline": pipeline}
    task = laid_over(task, settings.undocumented)
    if may_clone:
        return _with_voices(task, voices)

    allowed = {it: voice for it, voice in voices.items() if not isinstance(voice, ClonedVoice)}
    return without_cloning(_with_voices(task, allowed))


def cloned_targets(
    settings: TaskSettings, targets: Sequence[LanguageCode]
) -> frozenset[LanguageCode]:
    """Find the targets in which settings ask for the speaker's own voice, however they say it."""
    task = _task_as_asked(settings, targets)
    pipeline = cast("_Json", task["pipeline"])
    entries = cast("list[_Json]", pipeline["translations"])
    if asks_to_clone({**task, "pipeline": {**pipeline, "translations": None}}):
        return frozenset(targets)

    asking = (str(entry["target_language"]) for entry in entries if asks_to_clone(entry))
    return frozenset(map(LanguageCode, asking))


def is_recorded(settings: TaskSettings, targets: Sequence[LanguageCode]) -> bool:
    """Tell if settings ask Palabra to keep what it hears, however they say it."""
    return asks_to_record(_task_as_asked(settings, targets))


def _task_as_asked(settings: TaskSettings, targets: Sequence[LanguageCode]) -> _Json:
    return build_task(
        settings,
        source_language=AUTO,
        detectable_languages=(),
        targets=targets,
        partial_translations=False,
        may_clone=True,
    )


def _language_problems(
    source: LanguageCode, detectable: Sequence[LanguageCode], targets: Sequence[LanguageCode]
) -> Iterator[Problem]:
    if not targets:
        yield Problem("targets", "must not be empty")
    yield from (Problem("targets", f'"{code}" is given twice') for code in repeated(targets))

    checks = (
        ("source_language", check_source, (source,)),
        ("detectable_languages", check_spoken, detectable),
        ("targets", check_target, targets),
    )
    for name, check, codes in checks:
        for code in codes:
            try:
                known = check(code)
            except PydanticCustomError as mistake:
                yield Problem(name, mistake.message())
            else:
                # tracks and texts come under Palabra's name of a target
                if check is check_target and known != normalise(code):
                    yield Problem(name, f'"{code}" is called "{known}" by Palabra')


def _streams(settings: TaskSettings, transport: StreamType) -> _Json:
    """Make both ends of a type: Palabra knows no session with two transports."""
    source: _Json = {"type": transport}
    target: _Json = {"type": transport}
    if transport == "ws":
        formats = settings.websocket
        source |= {
            "format": formats.format,
            "sample_rate": formats.sample_rate,
            "channels": formats.channels,
        }
        target["format"] = formats.output_format

    outgoing: JsonValue = {"content_type": "audio", "target": target} if settings.speech else None
    return {
        "input_stream": {"content_type": "audio", "source": source},
        "output_stream": outgoing,
    }


def _transcription(
    settings: TaskSettings, source: LanguageCode, detectable: Sequence[LanguageCode]
) -> _Json:
    """Regions are left out, since Palabra hears languages, and what only `auto` reads with it."""
    may_detect = dict.fromkeys(map(_source_of, detectable)) if source == AUTO else ()
    return {
        "source_language": _source_of(source),
        "detectable_languages": list(may_detect),
        **_section_json(settings.transcription),
    }


def _source_of(code: LanguageCode) -> LanguageCode:
    return find_source(code) or base(code)


def _translation(entry: Translation, target: LanguageCode, partial_translations: bool) -> _Json:
    said = entry.translate_partial_transcriptions
    fields = _section_json(entry)
    speech = fields["speech_generation"]
    if entry.speech_generation.voice_cloning and isinstance(speech, dict):
        speech["voice_id"] = None
    return {
        "target_language": target,
        **fields,
        "translate_partial_transcriptions": partial_translations if said is None else said,
    }


def _queue_configs(settings: TaskSettings, targets: Sequence[LanguageCode]) -> _Json:
    """List the common entry, and those of the task's own languages."""
    named = [target for target in targets if target in settings.translation_queue_configs]
    return {key: _section_json(settings.queue_config_of(key)) for key in (GLOBAL, *named)}


def _section_json(section: ConfigModel) -> _Json:
    """List every documented field with its value; the others only where they are set."""
    fields = {name: getattr(section, name) for name in type(section).model_fields}
    return {
        name: _value_json(value)
        for name, value in fields.items()
        if value is not None or name in _SENT_AS_NULL
    }


def _value_json(value: object) -> JsonValue:
    if isinstance(value, ConfigModel):
        return _section_json(value)

    return cast("JsonValue", list(value) if isinstance(value, tuple) else value)


def _with_voices(task: _Json, voices: Mapping[LanguageCode, VoiceChoice]) -> _Json:
    """Lay the chosen voices over the task; the other fields of `speech_generation` stay.

    Palabra knows three ways to a voice, of which each excludes the others. All three are always
    said, so that the settings' choice is not left beside the one that was made now.
    """
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

    return {**entry, "speech_generation": cast("JsonValue", lay_over(speech, _said(choice)))}


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
