"""Settings that mean the same task are told apart from those that only look like it."""

from __future__ import annotations

from typing import Any

import pytest

from palabra_agent.palabra.task.comparing import is_same_task
from palabra_agent.palabra.task.settings import TaskSettings

pytestmark = pytest.mark.unit

CLONING = {"speech_generation": {"voice_cloning": True}}
LOW = {"speech_generation": {"voice_id": "default_low"}}
HIGH = {"speech_generation": {"voice_id": "default_high"}}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({}, {}, True),
        ({}, {"speech": True}, True),
        ({}, {"speech": False}, False),
        ({}, {"translations": {"es": {}}}, True),
        ({}, {"translations": {"es": LOW}}, True),
        ({}, {"translations": {"default": CLONING}}, False),
        (
            {"translations": {"default": HIGH, "es": HIGH}},
            {"translations": {"default": HIGH}},
            True,
        ),
        (
            {"translations": {"default": HIGH, "es": {"speech_generation": {}}}},
            {"translations": {"default": HIGH, "es": LOW}},
            False,
        ),
        ({}, {"translation_queue_configs": {"global": {}}}, True),
        ({}, {"translation_queue_configs": {"es": {}}}, False),
        ({}, {"translation_queue_configs": {"global": {"auto_tempo": False}}}, False),
        ({}, {"allowed_message_types": ["tts_text"]}, False),
        ({}, {"undocumented": {"x": 1}}, False),
    ],
)
def test_what_holds_is_compared(one: dict[str, Any], other: dict[str, Any], expected: bool) -> None:
    """A default that is written out changes nothing; what a target inherits counts."""
    first, second = TaskSettings.model_validate(one), TaskSettings.model_validate(other)

    assert is_same_task(first, second) is expected
    assert is_same_task(second, first) is expected
