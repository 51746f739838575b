"""A task as `set_task` asks for it: read, validated by the server's rules, and ready to be obeyed.

Unknown fields are ignored, as every client in the wild relies on, unless the rules are strict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, cast

from palabra_agent.languages import AUTO, SOURCE_LANGUAGES, TARGET_LANGUAGES, base, normalise
from palabra_emulator.interpreting.playout import QueueSettings
from palabra_emulator.interpreting.spoken_text import SplitRules
from palabra_emulator.session.task_schema import (
    Json,
    filled_up,
    moved_into_pipeline,
    unknown_fields,
    without_hidden,
)
from palabra_emulator.session.validator import FieldError, Fields, InvalidCommand

_DESIRED_AT_LEAST: Final = 2000
_MAX_AT_LEAST: Final = 4000
_SLOWEST_TEMPO: Final = 0.5
_FASTEST_TEMPO: Final = 3.0
"""The limits of a voice, whatever a task asks for."""

_MODEL: Final = "SetTaskRequestMessage"
_SOURCES: Final = tuple(sorted(SOURCE_LANGUAGES | {AUTO}))
_TARGETS: Final = tuple(sorted(TARGET_LANGUAGES))
_STREAM_TYPES: Final = {"webrtc": ("livekit", "webrtc"), "ws": ("ws",)}
"""`livekit` is the server's own older name of `webrtc`."""

_INPUT_FORMATS: Final = ("pcm_s16le", "opus", "wav")
_OUTPUT_FORMATS: Final = ("pcm_s16le", "zlib_pcm_s16le")
_INPUT_RATES: Final = (16_000, 48_000)
_MOST_CHANNELS: Final = 2
_SILENCE_SECONDS: Final = 0.7
_SILENCE_RANGE: Final = (0.3, 2.0)
_HIGHEST_OUTPUT_RATE: Final = 24_000
_TIMBRES: Final = ("high", "low")


def read_queues(configs: Fields, *, has_minimums: bool) -> Mapping[str, QueueSettings]:
    """Read `translation_queue_configs`; what is wrong is noted in the fields."""
    for name in configs.values:
        configs.refuse_null(name)

    return {name: _read_queue(configs.section(name), has_minimums) for name in configs.values}


def _read_queue(config: Fields, has_minimums: bool) -> QueueSettings:
    usual = QueueSettings()
    lowest_desired, lowest_max = (_DESIRED_AT_LEAST, _MAX_AT_LEAST) if has_minimums else (0, 0)
    desired = config.number("desired_queue_level_ms", usual.desired_ms, ge=lowest_desired)
    highest = config.number("max_queue_level_ms", usual.max_ms, ge=lowest_max)
    is_automatic = config.flag("auto_tempo", default=usual.auto_tempo)
    slowest, fastest = (
        min(max(config.number(name, tempo), _SLOWEST_TEMPO), _FASTEST_TEMPO)
        for name, tempo in (("min_tempo", usual.min_tempo), ("max_tempo", usual.max_tempo))
    )

    if highest <= desired:
        text = "`max_queue_level_ms` must be greater than `desired_queue_level_ms`"
        config.note("__root__", text, "value_error")

    return QueueSettings(int(desired), int(highest), is_automatic, slowest, max(slowest, fastest))


@dataclass(frozen=True, slots=True)
class TaskRules:
    """The validator's rules beyond the message itself."""

    transport: Literal["webrtc", "ws"] = "webrtc"
    """The client's connection, which the streams must match."""
    is_strict: bool = False
    """Refuse unknown fields and contradicting voices."""
    has_queue_minimums: bool = True


@dataclass(frozen=True, slots=True)
class TargetSettings:
    """One target of a task."""

    target: str
    """The code exactly as sent."""
    wants_partials: bool = False
    voice_id: str | None = None
    """The voice that was asked for by its id and must exist."""
    is_cloned: bool = False
    """True if the voice is to imitate the speaker's."""
    timbre_voices: tuple[str, str] | None = None
    """The voices for a high and for a low timbre, if the speaker's is to be detected."""
    allowed_sources: tuple[str, ...] = ()
    """Detected languages to be translated; empty for all."""


@dataclass(frozen=True, slots=True)
class TranscriptionSettings:
    """How the speaker is heard."""

    source: str
    """A source code without region, or `auto`."""
    detectable: tuple[str, ...]
    silence_seconds: float
    splitting: SplitRules
    correction: str | None
    """The style in which validated texts are corrected, empty for the usual one; None: they are
    left as they are."""


@dataclass(frozen=True, slots=True)
class Task:
    """The settings of a task: what is interpreted, and how."""

    transcription: TranscriptionSettings
    translations: tuple[TargetSettings, ...]
    queues: Mapping[str, QueueSettings]
    allowed_messages: frozenset[str]
    has_speech: bool
    """True if there is sound, not only text."""
    full: Json
    """All fields with their defaults; equal for tasks that mean the same."""

    @property
    def targets(self) -> tuple[str, ...]:
        """The target codes, in the task's order."""
        return tuple(translation.target for translation in self.translations)

    def target_of(self, language: str) -> TargetSettings | None:
        """The settings of a target; None where the task has no such target."""
        return next((it for it in self.translations if it.target == language), None)

    def queue_of(self, language: str) -> QueueSettings:
        """How a language's speech waits and is paced."""
        return self.queues.get(language) or self.queues.get("global") or QueueSettings()

    def shown(self, *, exclude_hidden: bool) -> Json:
        """This task as `current_task` shows it."""
        return without_hidden(self.full) if exclude_hidden else dict(self.full)


def read_task(data: Mapping[str, object], rules: TaskRules) -> Task:
    """Read the `data` of a `set_task`.

    Raises:
        InvalidCommand: The settings are refused; all errors are listed.
    """
    moved = moved_into_pipeline(data)
    fields = Fields(moved)
    has_speech = _read_streams(fields, rules)
    fields.require("pipeline")
    if "pipeline" not in moved:
        raise InvalidCommand(_MODEL, fields.errors)

    pipeline = fields.section("pipeline")
    transcription = _read_transcription(pipeline)
    translations = _read_translations(pipeline, rules)
    limits = read_queues(
        pipeline.section("translation_queue_configs"), has_minimums=rules.has_queue_minimums
    )
    pipeline.texts("allowed_message_types")

    if rules.is_strict:
        for loc in unknown_fields(moved):
            extra = FieldError(loc, "extra fields not permitted", "value_error.extra")
            fields.errors.append(extra)
    if fields.errors:
        raise InvalidCommand(_MODEL, fields.errors)

    full = filled_up(moved)
    allowed = cast("dict[str, list[str]]", full["pipeline"])["allowed_message_types"]
    return Task(transcription, translations, limits, frozenset(allowed), has_speech, full)


def _read_streams(fields: Fields, rules: TaskRules) -> bool:
    fields.require("input_stream")
    source = _read_stream(fields, "input_stream", "source", rules)
    if rules.transport == "ws":
        _read_input_format(source, rules)

    if fields.values.get("output_stream") is None:
        return False

    target = _read_stream(fields, "output_stream", "target", rules)
    target.number("sample_rate", _HIGHEST_OUTPUT_RATE, le=_HIGHEST_OUTPUT_RATE)
    if rules.transport == "ws":
        target.literal("format", _OUTPUT_FORMATS)
    return True


def _read_stream(fields: Fields, name: str, end: str, rules: TaskRules) -> Fields:
    """Read what both streams have; strict rules demand all of it. Returns the stream's end."""
    stream = fields.section(name)
    endpoint = stream.section(end)
    for holder, field in ((stream, "content_type"), (stream, end), (endpoint, "type")):
        if rules.is_strict:
            holder.require(field)
        else:
            holder.refuse_null(field)

    stream.literal("content_type", ("audio",))
    endpoint.literal("type", _STREAM_TYPES[rules.transport])
    return endpoint


def _read_input_format(source: Fields, rules: TaskRules) -> None:
    """Read what is documented as required of sound in messages, and demanded by strict rules."""
    for name in ("format", "sample_rate", "channels") if rules.is_strict else ():
        source.require(name)

    source.literal("format", _INPUT_FORMATS)
    lowest, highest = _INPUT_RATES
    source.number("sample_rate", lowest, ge=lowest, le=highest)
    source.number("channels", 1, ge=1, le=_MOST_CHANNELS)


def _read_transcription(pipeline: Fields) -> TranscriptionSettings:
    pipeline.require("transcription")
    transcription = pipeline.section("transcription")
    if "transcription" in pipeline.values:
        transcription.require("source_language")

    source = _source_code(transcription.text("source_language"))
    transcription.member("source_language", source, _SOURCES)
    detectable = tuple(
        _source_code(code) or "" for code in transcription.texts("detectable_languages")
    )
    for code in detectable:
        transcription.member("detectable_languages", code, _SOURCES)

    lowest, highest = _SILENCE_RANGE
    silence = transcription.number(
        "segment_confirmation_silence_threshold", _SILENCE_SECONDS, ge=lowest, le=highest
    )
    transcription.member("denoise", transcription.text("denoise"), ("none", "alpha", "beta"))
    transcription.member("priority", transcription.text("priority"), ("speed", "normal", "quality"))
    splitting = _read_splitter(transcription.section("sentence_splitter"))
    correction = _read_correction(transcription.section("verification"))
    return TranscriptionSettings(source or "", detectable, silence, splitting, correction)


def _read_splitter(splitter: Fields) -> SplitRules:
    advanced, usual = splitter.section("advanced"), SplitRules()
    return SplitRules(
        is_enabled=splitter.flag("enabled", default=usual.is_enabled),
        sentence_characters=advanced.number("min_sentence_characters", usual.sentence_characters),
        sentence_seconds=advanced.number("min_sentence_seconds", usual.sentence_seconds),
        forced_characters=advanced.number("force_split_min_characters", usual.forced_characters),
        forced_seconds=advanced.number("force_split_min_seconds", usual.forced_seconds),
    )


def _read_correction(verification: Fields) -> str | None:
    style = verification.text("transcription_correction_style")
    is_wanted = verification.flag("auto_transcription_correction", default=False)
    return style or "" if is_wanted else None


def _source_code(code: str | None) -> str | None:
    return None if code is None else str(base(code))


def _read_translations(pipeline: Fields, rules: TaskRules) -> tuple[TargetSettings, ...]:
    pipeline.require("translations")
    entries = pipeline.sections("translations")
    translations = tuple(_read_translation(entry, rules) for entry in entries)
    targets = [normalise(translation.target) for translation in translations]

    if len(set(targets)) < len(targets):
        pipeline.note("translations", "target languages must be distinct", "value_error")

    return translations


def _read_translation(entry: Fields, rules: TaskRules) -> TargetSettings:
    entry.require("target_language")
    target = entry.text("target_language")
    entry.member("target_language", normalise(target) if target else target, _TARGETS)
    wants_partials = entry.flag("translate_partial_transcriptions", default=False)
    speech = entry.section("speech_generation")
    is_cloning = speech.flag("voice_cloning", default=False)
    voice_id = speech.text("voice_id")
    timbre = speech.section("voice_timbre_detection")
    detects_timbre = timbre.flag("enabled", default=False)
    high, low = (timbre.texts(f"{it}_timbre_voices") or (f"default_{it}",) for it in _TIMBRES)

    if rules.is_strict and is_cloning and (detects_timbre or voice_id not in {None, "default_low"}):
        text = "`voice_cloning` excludes `voice_id` and `voice_timbre_detection`"
        speech.note("__root__", text, "value_error")

    is_overridden = is_cloning or detects_timbre
    allowed = tuple(str(base(code)) for code in entry.texts("allowed_source_languages"))
    return TargetSettings(
        target or "",
        wants_partials,
        voice_id=None if is_overridden else voice_id,
        is_cloned=is_cloning,
        timbre_voices=(high[0], low[0]) if detects_timbre and not is_cloning else None,
        allowed_sources=allowed,
    )
