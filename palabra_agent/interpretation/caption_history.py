"""The last things that were said in a room, for people who come when they had been said. Pure.

They get them as captions, each in the version that they would have read, under the same segment
ids: an app that has one already shows it once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from palabra_agent.interpretation.ports import Caption, MeetingView, Person
from palabra_agent.interpretation.settings import Regime
from palabra_agent.interpretation.utterance_versions import Version, reads_caption, version_for
from palabra_agent.languages import LanguageCode
from palabra_agent.session import Transcript

KEPT_UTTERANCES: Final = 20

_UNKNOWN: Final = LanguageCode("")


@dataclass(slots=True)
class _Utterance:
    targets: tuple[LanguageCode, ...]
    """What it is interpreted into, also where that is still to come."""
    versions: dict[Version, Caption] = field(default_factory=dict[Version, Caption])


class CaptionHistory:
    """The last final captions of all speakers, and the people who need none of them."""

    def __init__(self) -> None:
        self._utterances: OrderedDict[tuple[str, str, str], _Utterance] = OrderedDict()
        """By speaker, transcription and part, in the order in which they were said."""
        self._present: frozenset[str] = frozenset()

    def keep(
        self,
        transcript: Transcript,
        speaker: str,
        track_sid: str,
        targets: tuple[LanguageCode, ...] = (),
    ) -> None:
        """Remember a final transcript, whether or not it has readers now.

        Args:
            transcript: What was said.
            speaker: Identity of the speaker.
            track_sid: The track that it belongs to.
            targets: The languages that the speaker is interpreted into.
        """
        key = (speaker, transcript.transcription_id, transcript.part)
        utterance = self._utterances.setdefault(key, _Utterance(targets))
        version = transcript.language if transcript.is_translation else None
        utterance.versions[version] = Caption(transcript, speaker, (), track_sid)
        if len(self._utterances) > KEPT_UTTERANCES:
            self._utterances.popitem(last=False)

    def clear(self) -> None:
        """Forget what was said: no one who comes later is to read it."""
        self._utterances.clear()

    def for_newcomers(self, view: MeetingView, regime: Regime) -> Iterator[Caption]:
        """Make the captions for those who have come since the last call.

        Args:
            view: The meeting now.
            regime: The room's languages.
        """
        if not view.is_connected:
            return

        reachable = [it for it in view.people if it.is_reachable]
        new = [it for it in reachable if it.identity not in self._present]
        self._present = frozenset(it.identity for it in reachable)
        for (speaker, _, _), utterance in self._utterances.items() if new else ():
            yield from _captions_for(new, speaker, utterance, regime)


def _captions_for(
    people: list[Person], speaker: str, utterance: _Utterance, regime: Regime
) -> Iterator[Caption]:
    """One utterance's captions, each with those of the people who read it.

    A translation that is still to come reaches them when it does.
    """
    original = utterance.versions.get(None)
    spoken = original.transcript.language if original is not None else _UNKNOWN
    theirs = {
        person.identity: version_for(
            person, speaker=speaker, spoken=spoken, targets=utterance.targets, regime=regime
        )
        for person in people
    }
    for version, caption in utterance.versions.items():
        readers = tuple(
            person.identity
            for person in people
            if reads_caption(
                person,
                is_theirs=theirs[person.identity] == version,
                is_translation=version is not None,
            )
        )
        if readers:
            yield replace(caption, recipients=readers)
