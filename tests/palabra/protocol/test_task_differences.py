"""The task that Palabra shows, compared with the one that was sent."""

from __future__ import annotations

import copy
import json
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palabra_agent.languages import LanguageCode
from palabra_agent.palabra.protocol.task_differences import task_differences
from palabra_agent.palabra.task.building import build_task
from palabra_agent.palabra.task.settings import TaskSettings
from palabra_agent.palabra.vocabulary import StreamType
from palabra_agent.voices import FixedVoice
from palabra_emulator.session.task import TaskRules, read_task

pytestmark = pytest.mark.unit

EN, ES, MX, DE = (LanguageCode(code) for code in ("en", "es", "es-mx", "de"))

SENT: Final[dict[str, Any]] = dict(
    build_task(
        TaskSettings(),
        source_language=LanguageCode("auto"),
        detectable_languages=[EN, DE],
        targets=[MX, DE],
        partial_translations=True,
        voices={DE: FixedVoice("nova")},
    )
)


def shown(*path: str | int, value: object) -> dict[str, Any]:
    """The task as it was sent, but for one field."""
    task = copy.deepcopy(SENT)
    inner: Any = task
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return task


TRANSCRIPTION, TARGETS = ("pipeline", "transcription"), ("pipeline", "translations")
SILENCE = "segment_confirmation_silence_threshold"


@pytest.mark.parametrize(
    "task",
    [
        SENT,
        {},
        {"some": "data"},
        {"pipeline": {}},
        {"task_status": "running", "pipeline": {"transcription": {}}},
        shown("input_stream", "source", "type", value="livekit"),
        shown("input_stream", "source", "sample_rate", value=48_000),
        shown(*TRANSCRIPTION, "source_language", value="AUTO"),
        shown(*TRANSCRIPTION, "detectable_languages", value=["de-DE", "EN", "fr"]),
        shown(*TRANSCRIPTION, SILENCE, value=str(SENT["pipeline"]["transcription"][SILENCE])),
        shown(*TRANSCRIPTION, "sentence_splitter", "enabled", value="true"),
        shown(*TRANSCRIPTION, "tomorrow", value=5),
        shown(*TARGETS, value=SENT["pipeline"]["translations"][::-1]),
        shown(*TARGETS, 0, "target_language", value="es_MX"),
        shown(*TARGETS, 0, "target_language", value="es"),
        shown(*TARGETS, 0, "style", value="formal"),
        shown("pipeline", value=json.dumps(SENT["pipeline"])),
    ],
)
def test_what_palabra_makes_of_a_task_is_no_difference(task: dict[str, Any]) -> None:
    """Defaults, hidden fields, order, letters, regions, numbers as texts, its names for things."""
    assert task_differences(SENT, task) == ()


@pytest.mark.parametrize(
    ("task", "path"),
    [
        (
            shown(*TRANSCRIPTION, "source_language", value="fr"),
            "pipeline.transcription.source_language",
        ),
        (shown(*TRANSCRIPTION, SILENCE, value=2.0), f"pipeline.transcription.{SILENCE}"),
        (shown(*TRANSCRIPTION, SILENCE, value=None), f"pipeline.transcription.{SILENCE}"),
        (
            shown(*TRANSCRIPTION, "detectable_languages", value=["en"]),
            "pipeline.transcription.detectable_languages",
        ),
        (shown(*TRANSCRIPTION, value=None), "pipeline.transcription"),
        (shown(*TARGETS, value=SENT["pipeline"]["translations"][:1]), "pipeline.translations.de"),
        (shown(*TARGETS, value=[*SENT["pipeline"]["translations"], {}]), "pipeline.translations"),
        (
            shown(*TARGETS, 1, "speech_generation", "voice_id", value="default_low"),
            "pipeline.translations.de.speech_generation.voice_id",
        ),
        (
            shown(*TARGETS, 1, "speech_generation", "voice_cloning", value=True),
            "pipeline.translations.de.speech_generation.voice_cloning",
        ),
        (
            shown(*TARGETS, 0, "translate_partial_transcriptions", value="false"),
            "pipeline.translations.es-mx.translate_partial_transcriptions",
        ),
    ],
)
def test_a_field_that_is_not_as_it_was_sent_is_named(task: dict[str, Any], path: str) -> None:
    """By its path, with the target where it belongs to one, and without any value."""
    assert task_differences(SENT, task) == (path,)


def test_variants_of_a_language_are_told_apart() -> None:
    """The one that is shown as it was sent is itself; the other one is missing."""
    sent = {"pipeline": {"translations": [{"target_language": it} for it in (MX, ES)]}}
    kept = {"pipeline": {"translations": [{"target_language": ES}]}}

    assert task_differences(sent, kept) == ("pipeline.translations.es-mx",)


def test_many_differences_are_not_all_told() -> None:
    """Ten are enough for a log."""
    sent = {str(number): 1 for number in range(30)}

    assert len(task_differences(sent, dict.fromkeys(sent, 2))) == 10


@pytest.mark.parametrize("exclude_hidden", [True, False])
@pytest.mark.parametrize("transport", ["webrtc", "ws"])
def test_the_emulator_shows_every_task_as_it_was_sent(
    transport: StreamType, *, exclude_hidden: bool
) -> None:
    """With all its defaults, or without what it hides."""
    sent = build_task(
        TaskSettings(),
        source_language=EN,
        detectable_languages=[],
        targets=[ES, DE],
        partial_translations=False,
        transport=transport,
    )
    kept = read_task(sent, TaskRules(transport=transport))

    assert task_differences(sent, kept.shown(exclude_hidden=exclude_hidden)) == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "target_language", "pipeline"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=3), JSON, max_size=3), JSON)
def test_nothing_that_is_shown_breaks_the_comparison(sent: dict[str, Any], answer: Any) -> None:  # noqa: ANN401 - any JSON
    """An operator may send anything, and Palabra may show anything."""
    assert len(task_differences(sent, dict.fromkeys(sent, answer))) <= 10
    assert task_differences(sent, {}) == ()
