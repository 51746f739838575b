"""Everything of a room's config that its interpretation works by; it may change while it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from palabra_agent.languages import AUTO, LanguageCode

ChatAudience: TypeAlias = Literal["language", "everyone", "original", "none"]
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
    """Languages that a listener may ask for."""
    always_on: tuple[LanguageCode, ...] = ()
    """Those of them that are interpreted also while no listener asks for them."""
    source_language: LanguageCode = AUTO
    """For speakers who say nothing."""
    default_listen: LanguageCode | None = None
    """For listeners who say nothing."""
    max_speakers: int = 20
    max_languages: int = 8
    """The most languages that are interpreted at a time."""
    is_per_speaker: bool = False
    """True where each speaker has channels of their own."""
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
    commands: bool = True
    """Heed what people ask for in the chat."""
    chat: bool = True
    audience: ChatAudience = "language"
    translates_typed: bool = False
    """What people type in the chat is translated for the others."""
    speaks_typed: bool = False
    """And it is spoken on their channels."""


@dataclass(frozen=True, slots=True)
class DisclosureRules:
    """The words by which people are told that a machine interprets."""

    texts: Mapping[LanguageCode, str] = field(default_factory=dict[LanguageCode, str])
    """Sentences in place of ours, by language."""
    has_commands: bool = True
    """True where `/help` is answered."""


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
    cloned: frozenset[LanguageCode] = frozenset()
    """The languages in which speakers who have agreed are heard in their own voice, imitated, where
    no plugin chooses another."""
    disclosure: DisclosureRules | None = None
    """None: people are not told that a machine interprets."""
    announced: tuple[str, ...] = ()
    """Sentences that people are told while these settings hold."""
