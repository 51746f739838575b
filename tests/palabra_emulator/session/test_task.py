"""Tasks read and refused by the server's rules."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from palabra_emulator.interpreting.playout import QueueSettings
from palabra_emulator.interpreting.spoken_text import SplitRules
from palabra_emulator.session.task import Task, TaskRules, TranscriptionSettings, read_task
from palabra_emulator.session.validator import InvalidCommand
from tests.palabra_emulator.client import task
from tests.palabra_emulator.talk import Talk

pytestmark = pytest.mark.unit

NULLS = [
    "input_stream",
    "input_stream.content_type",
    "input_stream.source.type",
    "output_stream.target.type",
    "pipeline.transcription.source_language",
    "pipeline.translations.0.target_language",
    "pipeline.translation_queue_configs.es",
]


def refusal(settings: dict[str, Any], rules: TaskRules | None = None) -> str:
    """What the server says to these settings."""
    with pytest.raises(InvalidCommand) as caught:
        read_task(settings, rules or TaskRules())

    return caught.value.desc


def changed(path: str, value: object) -> dict[str, Any]:
    """A good task with one field changed."""
    settings = copy.deepcopy(task("en", "es"))
    *sections, name = path.split(".")
    place: Any = settings
    for section in sections:
        place = place[int(section)] if section.isdigit() else place.setdefault(section, {})
    place[name] = value
    return settings


def test_smallest_task_has_the_documented_defaults() -> None:
    """Source and target suffice; the rest is 0.7 s, three message types and 5/20 s queues."""
    read = read_task(task("en-us", "es"), TaskRules())

    assert read.transcription == TranscriptionSettings("en", (), 0.7, SplitRules(), correction=None)
    assert read.targets == ("es",)
    assert read.allowed_messages == {
        "partial_transcription",
        "validated_transcription",
        "translated_transcription",
    }
    assert read.queue_of("es") == QueueSettings(5000, 20000)
    assert read.has_speech


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        (
            "pipeline.transcription.segment_confirmation_silence_threshold",
            0.1,
            "{'loc': ('pipeline', 'transcription', 'segment_confirmation_silence_threshold'), "
            "'msg': 'ensure this value is greater than or equal to 0.3', "
            "'type': 'value_error.number.not_ge', 'ctx': {'limit_value': 0.3}}",
        ),
        (
            "pipeline.translation_queue_configs",
            {"global": {"desired_queue_level_ms": 9000, "max_queue_level_ms": 9000}},
            "{'loc': ('pipeline', 'translation_queue_configs', 'global', '__root__'), "
            "'msg': '`max_queue_level_ms` must be greater than `desired_queue_level_ms`', "
            "'type': 'value_error'}",
        ),
        (
            "pipeline.transcription.denoise",
            "much",
            "\"value is not a valid enumeration member; permitted: 'none', 'alpha', 'beta'\", "
            "'type': 'type_error.enum'",
        ),
        (
            "output_stream.target.type",
            "ws",
            "\"unexpected value; permitted: 'livekit', 'webrtc'\"",
        ),
        ("output_stream.target.sample_rate", 48000, "less than or equal to 24000"),
        ("input_stream.content_type", "ws", "unexpected value; permitted: 'audio'"),
        ("pipeline.transcription.source_language", "eo", "permitted: 'af', 'am', 'ar'"),
        (
            "pipeline.translations.0.target_language",
            "vn",
            "('pipeline', 'translations', 0, 'target_language')",
        ),
        ("pipeline.translations.0.speech_generation", "x", "value is not a valid dict"),
        ("pipeline.translations", "es", "value is not a valid list"),
        (
            "pipeline.transcription.segment_confirmation_silence_threshold",
            float("nan"),
            "value is not a valid float",
        ),
        ("pipeline.allowed_message_types", [1], "str type expected"),
        (
            "pipeline.transcription.verification.auto_transcription_correction",
            "perhaps",
            "'auto_transcription_correction'), 'msg': 'value could not be parsed to a boolean', "
            "'type': 'type_error.bool'",
        ),
        (
            "pipeline.transcription.verification.transcription_correction_style",
            ["formal"],
            "'transcription_correction_style'), 'msg': 'str type expected'",
        ),
        (
            "pipeline.translation_queue_configs",
            {"es": {"desired_queue_level_ms": 500}},
            "ensure this value is greater than or equal to 2000",
        ),
    ],
)
def test_wrong_value_is_refused_in_the_servers_words(path: str, value: object, text: str) -> None:
    """The refusal is the text of the validator's exception, with place, message and type."""
    desc = refusal(changed(path, value))

    assert desc.startswith("ValidationError(model='SetTaskRequestMessage', errors=[{")
    assert text in desc


def test_missing_fields_are_all_named() -> None:
    """Every error is reported, not only the first."""
    settings = task("en", "es")
    settings["pipeline"] = {"transcription": {}, "translations": [{}]}
    desc = refusal(settings)

    assert "('pipeline', 'transcription', 'source_language'), 'msg': 'field required'" in desc
    assert "('pipeline', 'translations', 0, 'target_language'), 'msg': 'field required'" in desc


def test_same_target_twice_is_refused() -> None:
    """Targets are distinct, however they are spelt."""
    assert "must be distinct" in refusal(task("en", "es", "ES"))


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param(changed("pipeline.preprocessing", {"vad_threshold": 0.5}), id="preprocessing"),
        pytest.param(changed("pipeline.transcription.silence_threshold", 0.75), id="stray field"),
        pytest.param(changed("input_stream.source.type", "livekit"), id="older name"),
        pytest.param(changed("pipeline.translations", []), id="no translation"),
        pytest.param(changed("pipeline.allowed_message_types", None), id="null"),
        pytest.param(
            changed("pipeline.allowed_message_types", ["output_audio_data"]), id="unknown type"
        ),
        pytest.param(changed("pipeline.translations.0.style", "church_catholic"), id="style"),
        pytest.param(
            changed("pipeline.translation_queue_configs", {"global": {"auto_tempo": True}}),
            id="queue without levels",
        ),
    ],
)
def test_what_clients_really_send_is_accepted(settings: dict[str, Any]) -> None:
    """Old, hidden and unknown fields do not hinder a task."""
    assert isinstance(read_task(settings, TaskRules()), Task)


def test_strict_rules_refuse_the_unknown_and_the_contradictory() -> None:
    """Strict, an unknown field is named, and cloning excludes another choice of voice."""
    strict = TaskRules(is_strict=True)
    speech = {"voice_cloning": True, "voice_timbre_detection": {"enabled": True}}

    assert "'silence_threshold'), 'msg': 'extra fields not permitted'" in refusal(
        changed("pipeline.transcription.silence_threshold", 1), strict
    )
    assert "`voice_cloning` excludes" in refusal(
        changed("pipeline.translations.0.speech_generation", speech), strict
    )


def test_sections_beside_the_pipeline_count() -> None:
    """The older placement of queue configs and message types is understood."""
    settings = task("en", "ru")
    settings["translation_queue_configs"] = {"ru": {"max_queue_level_ms": 9000}}
    settings["allowed_message_types"] = ["validated_transcription"]
    read = read_task(settings, TaskRules())

    assert read.queue_of("ru") == QueueSettings(5000, 9000)
    assert read.allowed_messages == {"validated_transcription"}


def test_tasks_that_mean_the_same_are_equal() -> None:
    """Defaults written out and another order of keys make no difference; a changed field does."""
    short = read_task(task("en", "es"), TaskRules())
    spelt_out = changed("pipeline.translations.0.translate_partial_transcriptions", False)
    longer = read_task(dict(reversed(spelt_out.items())), TaskRules())
    other = read_task(
        changed("pipeline.translations.0.translate_partial_transcriptions", True), TaskRules()
    )

    assert short.full == longer.full
    assert short.full != other.full


def test_numbers_may_be_written_as_texts() -> None:
    """As the validator reads them, everywhere; the task is the same, and shows numbers."""
    path = "pipeline.transcription.segment_confirmation_silence_threshold"
    stream = "input_stream.source.sample_rate"
    number, text = (read_task(changed(path, it), TaskRules()) for it in (0.5, "0.5"))
    rates = [read_task(changed(stream, it), TaskRules()).full for it in (24_000, "24000")]

    assert text.transcription.silence_seconds == 0.5
    assert number.full == text.full
    assert rates[0] == rates[1]
    assert "value is not a valid float" in refusal(changed(path, "nan"))


@pytest.mark.parametrize(
    "path",
    [
        "pipeline.transcription.sentence_splitter.enabled",
        "pipeline.translations.0.translate_partial_transcriptions",
        "pipeline.translations.0.speech_generation.voice_cloning",
        "pipeline.translation_queue_configs.global.auto_tempo",
        "pipeline.preprocessing.enable_vad",
    ],
)
def test_a_yes_or_no_may_be_written_as_a_text(path: str) -> None:
    """As the validator reads it; the task is the same, and shows true or false."""
    for flag, spellings in {True: ("true", "Yes", 1), False: ("false", "off", 0)}.items():
        plain = read_task(changed(path, flag), TaskRules())
        for spelling in spellings:
            assert read_task(changed(path, spelling), TaskRules()) == plain


def test_hidden_fields_are_shown_on_request() -> None:
    """`exclude_hidden` leaves out what is not documented for everybody."""
    read = read_task(task("en", "es"), TaskRules())
    shown: Any = read.shown(exclude_hidden=True)
    full: Any = read.shown(exclude_hidden=False)

    assert "asr_model" not in shown["pipeline"]["transcription"]
    assert full["pipeline"]["transcription"]["asr_model"] == "auto"
    assert shown["pipeline"]["translations"][0]["target_language"] == "es"


def test_text_only_task_has_no_speech() -> None:
    """`output_stream: null` asks for text alone."""
    read = read_task(changed("output_stream", None), TaskRules())

    assert not read.has_speech
    assert read.full["output_stream"] is None


def test_enumeration_error_lists_its_values() -> None:
    """The validator's `ctx.enum_values` is there, as clients read it."""
    talk = Talk()
    settings = task("en", "es")
    settings["pipeline"]["transcription"]["denoise"] = "much"

    answer = talk.say("set_task", **settings)

    assert "'ctx': {'enum_values': ['none', 'alpha', 'beta']}" in answer[0]["data"]["desc"]


@pytest.mark.parametrize("is_strict", [False, True])
@pytest.mark.parametrize("path", NULLS)
def test_null_is_no_value_of_what_is_required(path: str, is_strict: bool) -> None:
    """The validator says so in its words, however lenient its rules."""
    desc = refusal(changed(path, None), TaskRules(is_strict=is_strict))

    assert "'msg': 'none is not an allowed value', 'type': 'type_error.none.not_allowed'" in desc


@pytest.mark.parametrize("value", [{}, {"content_type": "audio"}, {"target": {"type": "webrtc"}}])
def test_strict_rules_demand_whole_streams(value: object) -> None:
    """What is left out of a stream is missing; without strict rules, it has its default."""
    settings = changed("output_stream", value)

    assert "field required" in refusal(settings, TaskRules(is_strict=True))
    assert read_task(settings, TaskRules()).has_speech
