"""Voices chosen for each interpreted speaker in each language, and the facts behind them. Pure.

A voice is asked for again when the facts differ from those that it was chosen by. The voices of
other speakers are told with each question, but a change of theirs alone raises none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from palabra_agent.capabilities.capability import Verdict
from palabra_agent.capabilities.voice import VoiceRequest
from palabra_agent.languages import LanguageCode
from palabra_agent.texts import shown_name
from palabra_agent.voices import Speaker, Timbre, VoiceChoice, voice_ids

_ABSENT_KEPT: Final = 500
"""Speakers who left and are remembered, in case they come back."""


@dataclass(frozen=True, slots=True)
class InterpretedSpeaker:
    """A speaker who is interpreted, and into which languages."""

    speaker: Speaker
    """Without a timbre: plugins estimate that."""
    targets: tuple[LanguageCode, ...]


@dataclass(frozen=True, slots=True)
class VoiceFacts:
    """Facts that a voice is chosen by, the voices of other speakers left out."""

    speaker: Speaker
    present: frozenset[str]
    """Identities of all interpreted speakers."""
    unavailable: frozenset[str]
    """Ids of voices that Palabra does not have."""
    revision: int
    """Number of the list of plugins that is asked."""


@dataclass(frozen=True, slots=True)
class VoiceDecision:
    """The voice of one speaker in one language, and the facts that it was chosen by."""

    verdict: Verdict
    facts: VoiceFacts | None = None
    """None where no plugin was asked."""
    is_provisional: bool = False
    """True where other speakers may have been given the same voice at the same time."""
    holds: bool = True
    """False where it is only remembered, and another is awaited."""

    @property
    def choice(self) -> VoiceChoice | None:
        """The voice; None for the default one."""
        return self.verdict.choice

    def resumed(self, facts: VoiceFacts) -> VoiceDecision:
        """The same once more: it holds if the speaker has not changed meanwhile."""
        before = self.facts
        holds = (
            self.holds
            and before is not None
            and (before.speaker, before.revision) == (facts.speaker, facts.revision)
            and not self.needs_any_of(facts.unavailable)
        )
        return replace(self, holds=holds, is_provisional=True)

    def needs_any_of(self, unavailable: frozenset[str]) -> bool:
        """Tell if the choice may bring one of these voices to be heard."""
        return not voice_ids(self.choice).isdisjoint(unavailable)

    def is_missing(self, unavailable: frozenset[str]) -> bool:
        """Tell if the voice was found missing since it was chosen."""
        known = self.facts.unavailable if self.facts else frozenset[str]()
        return self.needs_any_of(unavailable - known)

    def is_due(self, facts: VoiceFacts) -> bool:
        """Tell if there is a reason to ask, as things are now."""
        return not self.holds or self.is_provisional or self.facts != facts


@dataclass(slots=True)
class _KnownSpeaker:
    """A speaker who is interpreted now, or was."""

    speaker: Speaker
    targets: tuple[LanguageCode, ...] = ()
    """Empty while the speaker is away."""
    remembered_language: LanguageCode | None = None
    """The language spoken before leaving, until the present one is known."""
    decisions: dict[LanguageCode, VoiceDecision] = field(
        default_factory=dict[LanguageCode, VoiceDecision]
    )
    voices: Mapping[LanguageCode, VoiceChoice] = field(
        default_factory=dict[LanguageCode, VoiceChoice]
    )
    """Voices that hold in the targets, the default left out; plugins may look at them."""
    is_decided: bool = True
    """True where a verdict holds in each target."""

    def verdicts(self, targets: Sequence[LanguageCode]) -> dict[LanguageCode, Verdict]:
        decisions = ((target, self.decisions.get(target)) for target in targets)
        return {target: it.verdict for target, it in decisions if it is not None and it.holds}

    def sum_up(self) -> None:
        verdicts = self.verdicts(self.targets)
        voices = {target: it.choice for target, it in verdicts.items() if it.choice is not None}
        self.voices = MappingProxyType(voices)
        self.is_decided = len(verdicts) == len(self.targets)

    def is_waiting(self, unavailable: frozenset[str]) -> bool:
        if not self.is_decided or not unavailable:
            return not self.is_decided

        return any(self.decisions[target].is_missing(unavailable) for target in self.targets)


class VoiceAssignments:
    """All interpreted speakers of a room, those who left, and their voices."""

    def __init__(self, room: str) -> None:
        self._room = room
        self._known: dict[str, _KnownSpeaker] = {}
        """By identity; of those who are away, the last to leave comes last."""
        self._present: dict[str, _KnownSpeaker] = {}
        """Speakers who are interpreted now, in the order of their coming."""
        self._identities: frozenset[str] = frozenset()
        self._unavailable: frozenset[str] = frozenset()
        self._revision = 0

    @property
    def speakers(self) -> tuple[Speaker, ...]:
        """The speakers who are interpreted now, in the order of their coming."""
        return tuple(it.speaker for it in self._present.values())

    def follow(
        self, speakers: Sequence[InterpretedSpeaker], revision: int, *, is_asked: bool
    ) -> None:
        """Take over the speakers who are interpreted now, and the plugins that choose voices.

        Args:
            speakers: All of them, in the order of their coming.
            revision: A new number for each new list of plugins.
            is_asked: True where a plugin chooses voices.
        """
        self._revision = revision
        self._identities = frozenset(it.speaker.identity for it in speakers)
        for identity in self._present.keys() - self._identities:
            known = self._known.pop(identity)
            known.targets = ()
            self._known[identity] = known

        self._present = {it.speaker.identity: self._know(it, is_asked=is_asked) for it in speakers}
        absent = [identity for identity in self._known if identity not in self._present]
        for identity in absent[:-_ABSENT_KEPT]:
            del self._known[identity]

    def learn_timbre(self, identity: str, timbre: Timbre) -> None:
        """Note a speaker's timbre; it stays known when the speaker leaves."""
        known = self._known.get(identity)
        if known is not None:
            known.speaker = replace(known.speaker, timbre=timbre)

    def mark_unavailable(self, voice_id: str) -> None:
        """Note that Palabra does not have a voice."""
        self._unavailable |= {voice_id}

    def speaker(self, identity: str) -> Speaker:
        """Tell what is known of a speaker, present or not."""
        known = self._known.get(identity)
        if known is None:
            return Speaker(identity=identity, name=shown_name("", identity))

        return known.speaker

    def without_timbre(self) -> list[str]:
        """List the present speakers whose timbre is not known."""
        return [who for who, it in self._present.items() if it.speaker.timbre is None]

    def verdicts(
        self, identity: str, targets: Sequence[LanguageCode]
    ) -> dict[LanguageCode, Verdict]:
        """Give the verdicts that hold for a present speaker, out of some targets."""
        known = self._present.get(identity)
        return {} if known is None else known.verdicts(targets)

    def waiting(self) -> list[str]:
        """List the speakers who have no voice, or a missing one, until plugins are asked."""
        return [who for who, it in self._present.items() if it.is_waiting(self._unavailable)]

    def due(self) -> list[str]:
        """List the speakers with any reason to ask for a voice."""
        return [who for who, it in self._present.items() if any(self._due_in(it))]

    def languages_due(self, identity: str) -> list[LanguageCode]:
        """List the languages in which there is a reason to ask for a speaker's voice."""
        known = self._present.get(identity)
        return [] if known is None else list(self._due_in(known))

    def question(
        self, identity: str, language: LanguageCode
    ) -> tuple[VoiceRequest, VoiceFacts] | None:
        """Make a request of things as they are; None if the speaker left, or it is answered."""
        known = self._present.get(identity)
        if known is None or language not in known.targets:
            return None

        before, facts = known.decisions.get(language), self._facts(known)
        if before is not None and not before.is_due(facts):
            return None

        is_good = before is not None and not before.needs_any_of(self._unavailable)
        others = {who: it.voices for who, it in self._present.items() if who != identity}
        request = VoiceRequest(
            room=self._room,
            speaker=known.speaker,
            target_language=language,
            current=before.choice if before is not None and is_good else None,
            others=MappingProxyType(others),
            unavailable=self._unavailable,
        )
        return request, facts

    def decide(self, identity: str, language: LanguageCode, decision: VoiceDecision) -> bool:
        """Take in a decision, even by facts of before; return if it is any news."""
        known = self._known.get(identity)
        if known is None:
            return False

        before = known.decisions.get(language)
        known.decisions[language] = decision
        known.sum_up()
        return before is None or not before.holds or before.choice != decision.choice

    def _due_in(self, known: _KnownSpeaker) -> Iterator[LanguageCode]:
        facts, decisions = self._facts(known), known.decisions
        return (it for it in known.targets if it not in decisions or decisions[it].is_due(facts))

    def _facts(self, known: _KnownSpeaker) -> VoiceFacts:
        return VoiceFacts(known.speaker, self._identities, self._unavailable, self._revision)

    def _know(self, it: InterpretedSpeaker, *, is_asked: bool) -> _KnownSpeaker:
        """Take over a speaker; remembered voices hold if the facts are as they were."""
        speaker = it.speaker
        known = self._known.setdefault(speaker.identity, _KnownSpeaker(speaker))
        if speaker.identity not in self._present:
            known.remembered_language = known.speaker.source_language
        if speaker.source_language is not None:
            known.remembered_language = None

        language = speaker.source_language or known.remembered_language
        known.speaker = replace(speaker, source_language=language, timbre=known.speaker.timbre)
        facts = self._facts(known)
        for target in it.targets:
            before = known.decisions.get(target)
            if not is_asked:
                # a plugin that is asked later begins with the voice that listeners hear
                known.decisions[target] = VoiceDecision(Verdict())
            elif before is not None and target not in known.targets:
                known.decisions[target] = before.resumed(facts)

        known.targets = it.targets
        known.sum_up()
        return known
