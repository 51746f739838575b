"""Everything of a room's config that its interpretation works by; it may change while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from palabra_agent.languages import AUTO, LanguageCode

ChatAudience: TypeAlias = Literal["language", "everyone", "original"]
"""The readers of a chat line: those who want its language, all people in every language, or all
people in the original."""


@dataclass(frozen=True, slots=True)
class SpeakerRule:
    """The config's word on one speaker."""

    source_language: LanguageCode | None = None
    """Stands over what the config says for all speakers, under what the speaker says."""
    is_interpreted: bool = True


def _no_rule(_identity: str) -> SpeakerRule:
    return SpeakerRule()


@dataclass(frozen=True, slots=True)
class Regime:
    """The language regime of a room: what may be spoken and what is offered."""

    offered: tuple[LanguageCode, ...]
    """Languages of the channels; in this version each is always on."""
    source_language: LanguageCode = AUTO
    """For speakers who say nothing."""
    default_listen: LanguageCode | None = None
    """For listeners who say nothing."""
    max_speakers: int = 20
    rule_for: Callable[[str], SpeakerRule] = field(default=_no_rule)
    """The config's word on the speaker with an identity."""


@dataclass(frozen=True, slots=True)
class WritingRules:
    """The part of the spoken word that is written into the room."""

    captions: bool = True
    partials: bool = True
    """Captions that change while a sentence is spoken."""
    also_to: tuple[str, ...] = ()
    """Identities and patterns of those who are no people, and read captions all the same."""
    translations: bool = True
    """False where Palabra was told to send none: then all people read the original."""
    chat: bool = True
    audience: ChatAudience = "language"


@dataclass(frozen=True, slots=True)
class InterpretationSettings:
    """The settings that hold at the moment; a change of one leaves alone what others decide."""

    regime: Regime
    rules: WritingRules = field(default_factory=WritingRules)
    linger_seconds: float = 5.0
    """A speaker who disappeared keeps session, voice and channel for this long."""
    task_revision: int = 0
    """Another number where Palabra's tasks are made from other settings than before."""
    plugins_revision: int = 0
    """Another number where other plugins are asked, or the same in another order."""
