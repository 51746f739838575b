"""Who is interpreted, what is known of them, and which voices were chosen for them. Pure.

A voice is asked for again when the facts are others than those that it was chosen by. The voices of
others are told with each question, but a change of theirs alone raises none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from palabra_agent.interpretation.part import Facts, Part
from palabra_agent.languages import LanguageCode
from palabra_agent.voices import (
    ClonedVoice,
    Speaker,
    Timbre,
    Verdict,
    VoiceChoice,
    VoiceRequest,
)

_ABSENT_KEPT: Final = 500
"""So many who left are remembered, for when they come back."""


@dataclass(frozen=True, slots=True)
class Role:
    """Somebody who is interpreted, and into what."""

    speaker: Speaker
    """Without a timbre: that is found here."""
    targets: tuple[LanguageCode, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A question, as it is asked."""

    request: VoiceRequest
    facts: Facts
    is_blind: bool
    """Whether others are asked about at the same time, so that it cannot tell their new voices."""


@dataclass(slots=True)
class _Person:
    """Somebody who is interpreted now, or was."""

    speaker: Speaker
    targets: tuple[LanguageCode, ...] = ()
    """Empty while they are away."""
    recalled: LanguageCode | None = None
    """What they spoke before they left, until it is known what they speak now."""
    parts: dict[LanguageCode, Part] = field(default_factory=dict[LanguageCode, Part])
    voices: Mapping[LanguageCode, VoiceChoice] = field(
        default_factory=dict[LanguageCode, VoiceChoice]
    )
    """Those that hold in the targets, the default left out; plugins are shown them."""
    is_decided: bool = True
    """Whether there is a verdict on each target."""

    def decided(self, targets: Sequence[LanguageCode]) -> dict[LanguageCode, Verdict]:
        """The verdicts that hold, out of some targets."""
        parts = ((target, self.parts.get(target)) for target in targets)
        return {target: it.verdict for target, it in parts if it and it.verdict}

    def settle(self) -> None:
        """Sum up which voices hold."""
        verdicts = self.decided(self.targets)
        voices = {target: it.choice for target, it in verdicts.items() if it.choice}
        # theirs to look at, not to change
        self.voices = MappingProxyType(voices)
        self.is_decided = len(verdicts) == len(self.targets)

    def is_waiting(self, unavailable: frozenset[str]) -> bool:
        """Whether a voice is to be chosen before they are heard as they should be."""
        if not unavailable:
            return not self.is_decided

        return any(self.parts[target].is_waiting(unavailable) for target in self.targets)


class Cast:
    """Everybody who is interpreted, and those who were."""

    def __init__(self) -> None:
        self._people: dict[str, _Person] = {}
        """By identity; of those who are away, who left last comes last."""
        self._present: dict[str, _Person] = {}
        """Who is interpreted now, in the order in which they came."""
        self._company: frozenset[str] = frozenset()
        self._unavailable: frozenset[str] = frozenset()
        self._revision = 0

    def follow(self, roles: Sequence[Role], revision: int, *, is_asked: bool) -> None:
        """Learn who is interpreted now, and by which plugins voices are chosen.

        Args:
            roles: Everybody, in the order in which they came.
            revision: Another number where other plugins are there than before.
            is_asked: Whether any of them chooses voices.
        """
        self._revision = revision
        self._company = frozenset(role.speaker.identity for role in roles)
        for identity in self._present.keys() - self._company:
            self._dismiss(identity)

        self._present = {role.speaker.identity: self._meet(role.speaker) for role in roles}
        for role in roles:
            self._enter(self._present[role.speaker.identity], role.targets, is_asked=is_asked)

        self._forget_some()

    def learn(self, identity: str, timbre: Timbre) -> None:
        """Learn how somebody's voice sounds; it stays known when they leave."""
        person = self._people.get(identity)
        if person is not None:
            person.speaker = replace(person.speaker, timbre=timbre)

    def miss(self, voice_id: str) -> None:
        """Learn that a voice is not to be had."""
        self._unavailable |= {voice_id}

    def speaker(self, identity: str) -> Speaker:
        """What is known of somebody, there or not."""
        person = self._people.get(identity)
        return Speaker(identity=identity, name=identity) if person is None else person.speaker

    def of_unknown_timbre(self) -> list[str]:
        """Who is there and was not heard for long enough."""
        return [who for who, it in self._present.items() if it.speaker.timbre is None]

    def verdicts(
        self, identity: str, targets: Sequence[LanguageCode]
    ) -> dict[LanguageCode, Verdict]:
        """What is decided on somebody who is there, out of some targets."""
        person = self._present.get(identity)
        return {} if person is None else person.decided(targets)

    def cloned(self) -> frozenset[tuple[str, LanguageCode]]:
        """Whose own voice is imitated, and in which language."""
        return frozenset(
            (who, target)
            for who, person in self._present.items()
            for target, choice in person.voices.items()
            if isinstance(choice, ClonedVoice)
        )

    def waiting(self) -> list[str]:
        """Who has no voice, or one that is missing, until they are asked about."""
        return [who for who, it in self._present.items() if it.is_waiting(self._unavailable)]

    def due(self) -> list[str]:
        """Whom there is any reason to ask about."""
        return [who for who in self._present if self.languages_due(who)]

    def languages_due(self, identity: str) -> list[LanguageCode]:
        """In which languages there is reason to ask about somebody."""
        person = self._present.get(identity)
        if person is None:
            return []

        facts = self._facts(person)
        return [target for target in person.targets if person.parts[target].is_due(facts)]

    def ask(
        self, room: str, identity: str, language: LanguageCode, *, is_blind: bool
    ) -> Question | None:
        """Put a question as things are now; None where they have left, or it is answered."""
        person = self._present.get(identity)
        if person is None or language not in person.targets:
            return None

        part, facts = person.parts[language], self._facts(person)
        if not part.is_due(facts):
            return None

        others = {who: it.voices for who, it in self._present.items() if who != identity}
        request = VoiceRequest(
            room=room,
            speaker=person.speaker,
            target_language=language,
            current=None if part.needs_any_of(self._unavailable) else part.choice,
            others=MappingProxyType(others),
            unavailable=self._unavailable,
        )
        return Question(request, facts, is_blind)

    def settle(self, question: Question, verdict: Verdict) -> bool:
        """Take in an answer, even one to facts of before; returns whether it is any news."""
        request = question.request
        person = self._people.get(request.speaker.identity)
        part = person.parts.get(request.target_language) if person else None
        if person is None or part is None:
            return False

        is_news = part.verdict is None or part.choice != verdict.choice
        person.parts[request.target_language] = Part(
            verdict, verdict.choice, question.facts, question.is_blind
        )
        person.settle()
        return is_news

    def _facts(self, person: _Person) -> Facts:
        return Facts(person.speaker, self._company, self._unavailable, self._revision)

    def _meet(self, speaker: Speaker) -> _Person:
        person = self._people.setdefault(speaker.identity, _Person(speaker))
        if speaker.identity not in self._present:
            person.recalled = person.speaker.source_language
        if speaker.source_language is not None:
            person.recalled = None

        person.speaker = replace(
            speaker,
            source_language=speaker.source_language or person.recalled,
            timbre=person.speaker.timbre,
        )
        return person

    def _enter(self, person: _Person, targets: tuple[LanguageCode, ...], *, is_asked: bool) -> None:
        """Begin with what is remembered, if it was chosen by the facts that there are."""
        facts = self._facts(person)
        for target in targets:
            part = person.parts.setdefault(target, Part())
            if not is_asked:
                # whoever is asked from now on begins with the voice that everybody hears
                person.parts[target] = Part(Verdict())
            elif target not in person.targets:
                part.enter(facts)

        person.targets = targets
        person.settle()

    def _dismiss(self, identity: str) -> None:
        person = self._people.pop(identity)
        person.targets = ()
        self._people[identity] = person

    def _forget_some(self) -> None:
        absent = [who for who in self._people if who not in self._present]
        for identity in absent[:-_ABSENT_KEPT]:
            del self._people[identity]
