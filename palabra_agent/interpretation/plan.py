"""Decides which speakers are interpreted into what, and who still counts as there. Pure.

Hearing is not restricted: each channel is published for the whole room (`meeting/meeting.py`). Who
reads what is decided in `transcript_writer.py`, who wishes for what in `wishes.py`.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from palabra_agent.interpretation.ports import EncryptionProblem, MeetingView, Person
from palabra_agent.interpretation.settings import Regime
from palabra_agent.interpretation.wishes import source_language_of, spoken_language_of
from palabra_agent.languages import LanguageCode, same_language
from palabra_agent.session import Brief


@dataclass(frozen=True, slots=True)
class Plan:
    """The interpretation that should be going on."""

    briefs: Mapping[str, Brief]
    """The brief of each speaker who is interpreted, by identity."""
    left_out: tuple[str, ...] = ()
    """Identities of speakers beyond the room's limit."""
    encryption_problems: tuple[EncryptionProblem, ...] = ()
    """Those of speakers who are to be interpreted, each kind once."""


def brief_for(person: Person, regime: Regime, detected: LanguageCode | None = None) -> Brief | None:
    """The brief of a session for a person; None where nothing is to be interpreted."""
    if not regime.rule_for(person.identity).is_interpreted:
        return None

    spoken = spoken_language_of(person, regime, detected)
    targets = tuple(
        code for code in regime.offered if spoken is None or not same_language(code, spoken)
    )
    return Brief(source_language_of(person, regime), targets) if targets else None


def plan(
    view: MeetingView,
    regime: Regime,
    detected: Mapping[str, LanguageCode] | None = None,
    held: Collection[str] = (),
) -> Plan:
    """Decide who is interpreted into what.

    All people with a microphone are, into each offered language but their own, first come first
    served up to the limit. A speaker who is interpreted already (`held`) stays so.
    """
    briefs: dict[str, Brief] = {}
    left_out: list[str] = []
    problems: dict[EncryptionProblem, None] = {}
    for person in sorted(view.people, key=lambda person: person.identity not in held):
        brief = brief_for(person, regime, (detected or {}).get(person.identity))
        if brief is None:
            continue

        if person.encryption_problem is not None:
            problems[person.encryption_problem] = None

        if person.microphone is None:
            continue

        if len(briefs) < regime.max_speakers:
            briefs[person.identity] = brief
        else:
            left_out.append(person.identity)

    return Plan(briefs, tuple(left_out), tuple(problems))


class Lingering:
    """Remembers which speakers were there, and how long they may be missed. Times are in seconds.

    A reconnect, of the speaker or of ourselves, makes people vanish and come back as new
    participants with new tracks; a speaker's session, voice and channel must survive that.
    """

    def __init__(self, linger_seconds: float) -> None:
        self.linger_seconds = linger_seconds
        """For those who are missed from now on."""
        self._present: frozenset[str] = frozenset()
        self._leave_at: dict[str, float] = {}

    def observe(
        self, present: Collection[str], *, is_connected: bool, now: float
    ) -> frozenset[str]:
        """Take in which speakers are there now; return those who count as there.

        While we are disconnected ourselves no absence counts; its time starts when we are back.
        """
        missing = (self._present | self._leave_at.keys()) - set(present)
        self._present = frozenset(present)
        self._leave_at = {who: self._deadline(who, is_connected, now) for who in missing}
        self._leave_at = {who: at for who, at in self._leave_at.items() if at > now}
        return self._present | self._leave_at.keys()

    @property
    def next_departure(self) -> float | None:
        """The time at which the next one who is missed stops counting, or None."""
        earliest = min(self._leave_at.values(), default=math.inf)
        return None if math.isinf(earliest) else earliest

    def _deadline(self, identity: str, is_connected: bool, now: float) -> float:
        if not is_connected:
            return math.inf

        known = self._leave_at.get(identity, math.inf)
        return now + self.linger_seconds if math.isinf(known) else known
