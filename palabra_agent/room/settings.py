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
    DisclosureRules,
    InterpretationSettings,
    Regime,
    SpeakerRule,
    WritingRules,
)
from palabra_agent.palabra.session.activity import SilenceLimits
from palabra_agent.palabra.session_settings import SessionSettings
from palabra_agent.palabra.task.building import cloned_targets, is_recorded

RECORDED: Final = "Palabra, which interprets here, is asked to record what is said."

_OF_REGIME: Final = frozenset(
    {
        "always_on",
        "channels",
        "default_listen",
        "languages",
        "limits",
        "source_language",
        "speakers",
    }
)


def interpretation_settings_of(config: RoomConfig) -> InterpretationSettings:
    """The settings of the interpretation, as the room's config says."""
    return InterpretationSettings(
        regime_of(config),
        rules_of(config),
        config.limits.linger_seconds,
        cloned=cloned_targets(config.palabra, config.languages),
        disclosure=disclosure_of(config),
        announced=announced_of(config),
    )


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
        cloned=cloned_targets(config.palabra, config.languages),
        disclosure=disclosure_of(config),
        announced=announced_of(config),
    )


def regime_of(config: RoomConfig) -> Regime:
    """The room's languages as its config says."""

    def rule_for(identity: str) -> SpeakerRule:
        override = config.speaker_override(identity)
        return SpeakerRule(override.source_language, override.interpret)

    return Regime(
        offered=config.languages,
        always_on=config.always_on,
        source_language=config.source_language,
        default_listen=config.default_listen,
        max_speakers=config.limits.max_speakers,
        max_languages=config.limits.max_languages,
        is_per_speaker=config.channels == "per_speaker",
        rule_for=rule_for,
    )


def rules_of(config: RoomConfig) -> WritingRules:
    """The texts that the room wants written."""
    return WritingRules(
        captions=config.captions.enabled,
        partials=config.captions.partials,
        also_to=config.captions.also_to,
        commands=config.chat.commands,
        chat=config.chat.enabled,
        audience=config.chat.audience,
        translations=config.palabra.are_translations_told,
        translates_typed=config.chat.translate,
        speaks_typed=config.chat.speak,
    )


def disclosure_of(config: RoomConfig) -> DisclosureRules | None:
    """The words by which people are told that a machine interprets, or None."""
    if not config.disclosure.enabled:
        return None

    return DisclosureRules(config.disclosure.text, has_commands=config.chat.commands)


def announced_of(config: RoomConfig) -> tuple[str, ...]:
    """The sentences that people must be told while the config holds."""
    return (RECORDED,) if is_recorded(config.palabra, config.languages) else ()


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


def _or_never(seconds: float | None) -> float:
    return math.inf if seconds is None else seconds
