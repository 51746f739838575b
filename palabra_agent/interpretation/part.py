"""One speaker in one language: the voice that was chosen, by what, and whether it holds. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from palabra_agent.voices import Speaker, Verdict, VoiceChoice, voice_ids


@dataclass(frozen=True, slots=True)
class Facts:
    """What a voice is chosen by, the voices of others left out."""

    speaker: Speaker
    company: frozenset[str]
    """Identities of everybody who is interpreted."""
    unavailable: frozenset[str]
    """Ids of voices that are not to be had."""
    revision: int
    """Which plugins are asked."""


@dataclass(slots=True)
class Part:
    """What came of asking for a voice."""

    verdict: Verdict | None = None
    """None while nothing is decided that holds."""
    choice: VoiceChoice | None = None
    """What was chosen last, whether it holds or not."""
    facts: Facts | None = None
    """What it was chosen by; None where nobody was asked."""
    is_provisional: bool = False
    """Whether others may have been given the same voice, without anybody being told."""

    def enter(self, facts: Facts) -> None:
        """Begin, perhaps once more: what is remembered holds if the speaker is as they were."""
        chosen_by = self.facts
        if (
            chosen_by is None
            or chosen_by.speaker != facts.speaker
            or chosen_by.revision != facts.revision
            or self.needs_any_of(facts.unavailable)
        ):
            self.verdict = None

        self.is_provisional = True

    def needs_any_of(self, unavailable: frozenset[str]) -> bool:
        """Whether one of these voices may be heard in it."""
        return not voice_ids(self.choice).isdisjoint(unavailable)

    def is_waiting(self, unavailable: frozenset[str]) -> bool:
        """Whether it cannot go on until a voice is chosen: there is none, or it was found missing.

        Args:
            unavailable: Ids of voices that are not to be had.
        """
        if self.verdict is None:
            return True

        known = self.facts.unavailable if self.facts else frozenset[str]()
        found_since = unavailable - known
        return bool(found_since) and self.needs_any_of(found_since)

    def is_due(self, facts: Facts) -> bool:
        """Whether there is reason to ask, as things are now."""
        return self.verdict is None or self.is_provisional or self.facts != facts
