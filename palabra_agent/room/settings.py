"""Settings that follow from a room config: of the interpretation, and of Palabra's sessions. Pure.

Only this module knows which key concerns which of them: a change reaches no others.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace
from typing import Final

from palabra_agent.config.room import RoomConfig
from palabra_agent.interpretation.settings import (
    InterpretationSettings,
    Regime,
    SpeakerRule,
    WritingRules,
)
from palabra_agent.palabra.session.activity import SilenceLimits
from palabra_agent.palabra.session_settings import SessionSettings

_OF_REGIME: Final = frozenset(
    {"always_on", "languages", "default_listen", "source_language", "speakers", "limits"}
)


def interpretation_settings_of(config: RoomConfig) -> InterpretationSettings:
    """The settings of the interpretation, as the room's config says."""
    return InterpretationSettings(regime_of(config), rules_of(config), config.limits.linger_seconds)


def changed_settings(
    settings: InterpretationSettings,
    config: RoomConfig,
    keys: Collection[str],
    *,
    is_other_task: bool,
) -> InterpretationSettings:
    """The interpretation's settings after a change of the config; what it leaves alone stays.

    Args:
        settings: As they hold.
        config: After the change.
        keys: Of the config, those with other values.
        is_other_task: Whether Palabra's tasks are made in another way.
    """
    # a regime looks up speakers by a function, and no two of these are equal
    regime = regime_of(config) if _OF_REGIME.intersection(keys) else settings.regime
    return replace(
        settings,
        regime=regime,
        rules=rules_of(config),
        linger_seconds=config.limits.linger_seconds,
        task_revision=settings.task_revision + is_other_task,
    )


def regime_of(config: RoomConfig) -> Regime:
    """The room's languages as its config says."""

    def rule_for(identity: str) -> SpeakerRule:
        override = config.speaker_override(identity)
        return SpeakerRule(override.source_language, override.interpret)

    return Regime(
        offered=config.languages,
        source_language=config.source_language,
        default_listen=config.default_listen,
        max_speakers=config.limits.max_speakers,
        rule_for=rule_for,
    )


def rules_of(config: RoomConfig) -> WritingRules:
    """The texts that the room wants written."""
    return WritingRules(
        captions=config.captions.enabled,
        partials=config.captions.partials,
        also_to=config.captions.also_to,
        chat=config.chat.enabled,
        audience=config.chat.audience,
        translations=_are_translations_told(config),
    )


def session_settings_of(config: RoomConfig) -> SessionSettings:
    """The settings of Palabra's sessions, as the room's config says."""
    limits = config.limits
    return SessionSettings(
        task=config.palabra,
        detectable_languages=config.spoken_languages,
        partial_translations=config.captions.enabled and config.captions.partials,
        silence_limits=SilenceLimits(
            idle_pause_seconds=_or_never(limits.idle_pause_seconds),
            silent_output_seconds=_or_never(limits.silent_output_seconds),
        ),
    )


def _are_translations_told(config: RoomConfig) -> bool:
    types = config.palabra.allowed_message_types
    return types is None or "translated_transcription" in types


def _or_never(seconds: float | None) -> float:
    return math.inf if seconds is None else seconds
