"""A room config in the words of those who work by it."""

from __future__ import annotations

import json
import math
from typing import Any, Final

import pytest

from palabra_agent.config.room import RoomConfig, parse_room_config
from palabra_agent.interpretation.settings import SpeakerRule
from palabra_agent.languages import LanguageCode
from palabra_agent.palabra.session.activity import SilenceLimits
from palabra_agent.palabra.session_settings import make_task
from palabra_agent.palabra.task.consent import asks_to_clone
from palabra_agent.room.settings import (
    changed_settings,
    interpretation_settings_of,
    session_settings_of,
)
from palabra_agent.session import Brief

pytestmark = pytest.mark.unit

EN, ES = LanguageCode("en"), LanguageCode("es")


def config(**said: Any) -> RoomConfig:  # noqa: ANN401 - any JSON
    """Read what a dispatch says."""
    return parse_room_config(json.dumps(said))


def test_the_terms_are_what_the_config_says() -> None:
    """Languages, speakers, limits, and what is written."""
    settings = interpretation_settings_of(
        config(
            languages=["es"],
            source_language="en",
            default_listen="es",
            speakers={"bot-*": {"interpret": False}, "olga": {"source_language": "es"}},
            limits={"max_speakers": 3, "linger_seconds": 1.5},
            captions={"partials": False, "also_to": ["EG_*"]},
            chat={"audience": "original", "speak": True},
        )
    )

    assert settings.regime.offered == (ES,)
    assert settings.regime.source_language == EN
    assert settings.regime.default_listen == ES
    assert settings.regime.max_speakers == 3
    assert settings.regime.rule_for("bot-1") == SpeakerRule(None, is_interpreted=False)
    assert settings.regime.rule_for("olga") == SpeakerRule(ES)
    assert settings.linger_seconds == 1.5
    assert settings.rules.captions
    assert not settings.rules.partials
    assert settings.rules.also_to == ("EG_*",)
    assert settings.rules.audience == "original"
    assert (settings.rules.translates_typed, settings.rules.speaks_typed) == (False, True)


@pytest.mark.parametrize(
    ("types", "expected"),
    [(None, True), (["translated_transcription"], True), (["partial_transcription"], False)],
)
def test_translations_that_palabra_does_not_tell_cannot_be_written(
    types: list[str] | None, expected: bool
) -> None:
    """Then everybody reads the original."""
    told = interpretation_settings_of(config(palabra={"allowed_message_types": types}))

    assert told.rules.translations is expected


def test_a_session_never_sleeps_where_null_says_so() -> None:
    """Partials are translated where captions show them."""
    settings = session_settings_of(
        config(limits={"idle_pause_seconds": None, "silent_output_seconds": 30})
    )

    assert settings.silence_limits == SilenceLimits(math.inf, 30)
    assert settings.partial_translations
    assert not session_settings_of(config(captions={"enabled": False})).partial_translations


@pytest.mark.parametrize(
    ("key", "is_kept"),
    [("chat", True), ("palabra", True), ("plugins", True), ("speakers", False), ("limits", False)],
)
def test_a_regime_is_kept_unless_it_is_concerned(key: str, is_kept: bool) -> None:
    """No two regimes are equal, so that a new one would have everybody's plan made again."""
    before = interpretation_settings_of(config())
    after = changed_settings(before, config(chat={"enabled": False}), [key], is_other_task=False)

    assert (after.regime is before.regime) is is_kept
    assert not after.rules.chat
    assert after.task_revision == 0


def test_other_tasks_have_another_number() -> None:
    """And plugins keep theirs."""
    before = interpretation_settings_of(config())
    after = changed_settings(before, config(), ["palabra"], is_other_task=True)

    assert (after.task_revision, after.plugins_revision) == (1, 0)


CLONING: Final[dict[str, Any]] = {
    "palabra": {"translations": {"default": {"speech_generation": {"voice_cloning": True}}}}
}
LAID_OVER: Final[dict[str, Any]] = {
    "palabra": {
        "undocumented": {
            "pipeline": {
                "translations": {"es": {"speech_generation": {"voice_cloning": "True"}}},
            }
        }
    }
}


@pytest.mark.parametrize("said", [CLONING, LAID_OVER])
@pytest.mark.parametrize("place", ["[room]", "[[rooms]]", "dispatch"])
def test_a_voice_is_cloned_with_consent_alone_wherever_it_is_asked_for(
    said: dict[str, Any], place: str
) -> None:
    """In the worker's file, for all rooms or for some, and in a dispatch's metadata."""
    layers = {it: said if it == place else {"languages": ["es"]} for it in ("[room]", "[[rooms]]")}
    metadata = json.dumps(said) if place == "dispatch" else ""
    asked = parse_room_config(metadata, layers=tuple(layers.values()))
    refused, agreed = (
        make_task(session_settings_of(asked), Brief(EN, (ES,), may_clone=it), "webrtc")
        for it in (False, True)
    )

    assert interpretation_settings_of(asked).cloned >= {ES}
    assert asks_to_clone(dict(agreed))
    assert not asks_to_clone(dict(refused))
