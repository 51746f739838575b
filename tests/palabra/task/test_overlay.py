"""The overlay: what may not be laid over a task, and how the rest is laid."""

from __future__ import annotations

from typing import Any

import pytest

from .tasks import mistakes, task_of

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"undocumented": []}, "undocumented: must be an object, not a list"),
        (
            {"undocumented": {"pipeline": {"transcription": {"source_language": "en"}}}},
            "undocumented.pipeline.transcription.source_language: languages are not said here "
            "but by the room config",
        ),
        (
            {"undocumented": {"input_stream": {"source": {"type": "ws"}}}},
            "undocumented.input_stream.source.type: is not said here but by `palabra.transport` "
            "and `palabra.websocket`",
        ),
        (
            {"undocumented": {"output_stream": {"target": {"format": "opus"}}}},
            "undocumented.output_stream.target.format: is not said here but by "
            "`palabra.transport` and `palabra.websocket`",
        ),
        (
            {"undocumented": {"pipeline": 5}},
            "undocumented.pipeline: must be an object, not 5",
        ),
        (
            {"undocumented": {"output_stream": None}},
            "undocumented.output_stream: must be an object, not null",
        ),
        (
            {"speech": False, "undocumented": {"output_stream": {"x": 1}}},
            "undocumented.output_stream: `palabra.speech: false` leaves nothing that this could "
            "be laid over",
        ),
        (
            {"undocumented": {"pipeline": {"translations": [{"style": "x"}]}}},
            "undocumented.pipeline.translations: must be an object whose keys are targets, or "
            '"default", not a list',
        ),
        (
            {"undocumented": {"pipeline": {"translations": {"es": {"target_language": "de"}}}}},
            "undocumented.pipeline.translations.es.target_language: languages are not said here "
            "but by the room config",
        ),
        (
            {"undocumented": {"pipeline": {"translations": {"es": 5}}}},
            "undocumented.pipeline.translations.es: must be an object, not 5",
        ),
        (
            {"undocumented": {"pipeline": {"translations": {"vn": {}}}}},
            'undocumented.pipeline.translations.vn: "vn" is not a known language, did you mean '
            '"vi"? `palabra-agent schema` lists the codes',
        ),
    ],
)
def test_what_may_not_be_laid_there_is_told(said: dict[str, Any], words: str) -> None:
    """Languages, transport and shape are said elsewhere; each such field is named."""
    assert mistakes(said) == [words]


def test_the_overlay_is_laid_over_the_task() -> None:
    """It is merged where objects meet, by target where translations are meant, and comes last."""
    data = task_of(
        {
            "translations": {"es": {"style": "dry"}},
            "undocumented": {
                "tomorrow": [1],
                "output_stream": {"target": {"gain": 2}},
                "pipeline": {
                    "brand_new": None,
                    "transcription": {"sentence_splitter": {"sharp": True}},
                    "translations": {"default": {"style": "wet", "x": 1}, "DE": {"x": 2}},
                    "translation_queue_configs": {"global": {"tempo_curve": "flat"}},
                },
            },
        }
    )
    spanish, german = data["pipeline"]["translations"]

    assert data["tomorrow"] == [1]
    assert data["output_stream"]["target"] == {"type": "webrtc", "gain": 2}
    assert data["pipeline"]["brand_new"] is None
    assert data["pipeline"]["transcription"]["sentence_splitter"] == {
        "enabled": True,
        "sharp": True,
    }
    assert (spanish["target_language"], spanish["style"], spanish["x"]) == ("es", "wet", 1)
    assert (german["target_language"], german["style"], german["x"]) == ("de", "wet", 2)
    assert german["speech_generation"]["voice_id"] == "default_low"
    assert data["pipeline"]["translation_queue_configs"]["global"]["tempo_curve"] == "flat"
    assert data["pipeline"]["translation_queue_configs"]["global"]["auto_tempo"] is True
