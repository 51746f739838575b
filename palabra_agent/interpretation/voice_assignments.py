"""Voices chosen for each interpreted speaker in each language, and the facts behind them. Pure.

A voice is asked for again when the facts differ from those that it was chosen by. The voices of
other speakers are told with each question, but a change of theirs alone raises none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from palabra_agent.capabilities.voice import Verdict, VoiceRequest
from palabra_agent.languages import LanguageCode
from palabra_agent.texts import shown_name
from palabra_agent.voices import ClonedVoice, Speaker, Timbre, VoiceChoice, voice_ids

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


@dataclass(slots=True)
class VoiceDecision:
    """The voice of one speaker in one language, and the facts that it was chosen by."""

    verdict: Verdict | None = None
    """None while no decision holds."""
    choice: VoiceChoice | None = None
    """The last choice, whether or not it still holds."""
    facts: VoiceFacts | None = None
    """Facts that it was chosen by; None where no plugin was asked."""
    is_provisional: bool = False
    """True where other speakers may have been given the same voice at the same time."""

    def resume(self, facts: VoiceFacts) -> None:
        """Begin, perhaps once more: a remembered voice holds if the speaker has not changed."""
        before = self.facts
        if (
            before is None
            or before.speaker != facts.speaker
            or before.revision != facts.revision
            or self.needs_any_of(facts.unavailable)
        ):
            self.verdict = None

        self.is_provisional = True

    def needs_any_of(self, unavailable: frozenset[str]) -> bool:
        """Tell if the choice may bring one of these voices to be heard."""
        return not voice_ids(self.choice).isdisjoint(unavailable)

    def is_awaited(self, unavailable: frozenset[str]) -> bool:
        """Tell if the speaker waits for a voice: there is none, or it was found missing since."""
        if self.verdict is None:
            return True

        known = self.facts.unavailable if self.facts else frozenset[str]()
        return self.needs_any_of(unavailable - known)

    def is_due(self, facts: VoiceFacts) -> bool:
        """Tell if there is a reason to ask, as things are now."""
        return self.verdict is None or self.is_provisional or self.facts != facts


@dataclass(frozen=True, slots=True)
class VoiceQuestion:
    """A request to the plugins, with the facts that it was made from."""

    request: VoiceRequest
    facts: VoiceFacts
    is_parallel: bool
    """True where other speakers are asked about at the same time, so that it lacks their voices."""


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
    """Voices that hold in the targets, the default left out; plugins are shown them."""
    is_decided: bool = True
    """True where there is a verdict on each target."""

    def verdicts(self, targets: Sequence[LanguageCode]) -> dict[LanguageCode, Verdict]:
        decisions = ((target, self.decisions.get(target)) for target in targets)
        return {target: it.verdict for target, it in decisions if it and it.verdict}

    def sum_up(self) -> None:
        verdicts = self.verdicts(self.targets)
        # plugins may look at it, and not change it
        self.voices = MappingProxyType(
            {target: it.choice for target, it in verdicts.items() if it.choice}
        )
        self.is_decided = len(verdicts) == len(self.targets)

    def is_waiting(self, unavailable: frozenset[str]) -> bool:
        if not unavailable:
            return not self.is_decided

        return any(self.decisions[target].is_awaited(unavailable) for target in self.targets)


class VoiceAssignments:
    """All interpreted speakers of a room, those who left, and their voices."""

    def __init__(self) -> None:
        self._known: dict[str, _KnownSpeaker] = {}
        """By identity; of those who are away, the last to leave comes last."""
        self._present: dict[str, _KnownSpeaker] = {}
        """Speakers who are interpreted now, in the order of their coming."""
        self._identities: frozenset[str] = frozenset()
        self._unavailable: frozenset[str] = frozenset()
        self._revision = 0

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

        self._present = {it.speaker.identity: self._know(it.speaker) for it in speakers}
        for it in speakers:
            self._target(self._present[it.speaker.identity], it.targets, is_asked=is_asked)

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

    def cloned(self) -> frozenset[tuple[str, LanguageCode]]:
        """Tell whose own voice is imitated, and in which language."""
        return frozenset(
            (who, target)
            for who, known in self._present.items()
            for target, choice in known.voices.items()
            if isinstance(choice, ClonedVoice)
        )

    def waiting(self) -> list[str]:
        """List the speakers who have no voice, or a missing one, until plugins are asked."""
        return [who for who, it in self._present.items() if it.is_waiting(self._unavailable)]

    def due(self) -> list[str]:
        """List the speakers with any reason to ask for a voice."""
        return [who for who in self._present if self.languages_due(who)]

    def languages_due(self, identity: str) -> list[LanguageCode]:
        """List the languages in which there is a reason to ask for a speaker's voice."""
        known = self._present.get(identity)
        if known is None:
            return []

        facts = self._facts(known)
        return [target for target in known.targets if known.decisions[target].is_due(facts)]

    def question(
        self, room: str, identity: str, language: LanguageCode, *, is_parallel: bool
    ) -> VoiceQuestion | None:
        """Make a question of things as they are; None if the speaker left, or it is answered."""
        known = self._present.get(identity)
        if known is None or language not in known.targets:
            return None

        decision, facts = known.decisions[language], self._facts(known)
        if not decision.is_due(facts):
            return None

        others = {who: it.voices for who, it in self._present.items() if who != identity}
        request = VoiceRequest(
            room=room,
            speaker=known.speaker,
            target_language=language,
            current=None if decision.needs_any_of(self._unavailable) else decision.choice,
            others=MappingProxyType(others),
            unavailable=self._unavailable,
        )
        return VoiceQuestion(request, facts, is_parallel)

    def decide(self, question: VoiceQuestion, verdict: Verdict) -> bool:
        """Take in the verdict on a question, even on facts of before; return if it is any news."""
        request = question.request
        known = self._known.get(request.speaker.identity)
        decision = known.decisions.get(request.target_language) if known else None
        if known is None or decision is None:
            return False

        is_news = decision.verdict is None or decision.choice != verdict.choice
        known.decisions[request.target_language] = VoiceDecision(
            verdict, verdict.choice, question.facts, question.is_parallel
        )
        known.sum_up()
        return is_news

    def _facts(self, known: _KnownSpeaker) -> VoiceFacts:
        return VoiceFacts(known.speaker, self._identities, self._unavailable, self._revision)

    def _know(self, speaker: Speaker) -> _KnownSpeaker:
        known = self._known.setdefault(speaker.identity, _KnownSpeaker(speaker))
        if speaker.identity not in self._present:
            known.remembered_language = known.speaker.source_language
        if speaker.source_language is not None:
            known.remembered_language = None

        known.speaker = replace(
            speaker,
            source_language=speaker.source_language or known.remembered_language,
            timbre=known.speaker.timbre,
        )
        return known

    def _target(
        self, known: _KnownSpeaker, targets: tuple[LanguageCode, ...], *, is_asked: bool
    ) -> None:
        """Interpret a speaker into these; remembered voices hold if the facts are as they were."""
        facts = self._facts(known)
        for target in targets:
            decision = known.decisions.setdefault(target, VoiceDecision())
            if not is_asked:
                # a plugin that is asked later begins with the voice that listeners hear
                known.decisions[target] = VoiceDecision(Verdict())
            elif target not in known.targets:
                decision.resume(facts)

        known.targets = targets
        known.sum_up()
