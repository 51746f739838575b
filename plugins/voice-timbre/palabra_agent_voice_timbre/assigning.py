"""Voices of classes: each is given to another speaker while they last, and kept by them. Pure."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from palabra_agent.plugin import (
    FixedVoice,
    LanguageCode,
    TimbreMatchedVoice,
    VoiceRequest,
    voice_ids,
)

REMEMBERED: Final = 500
"""Speakers per class and language whose voices are remembered after they left."""


@dataclass(frozen=True, slots=True)
class _Given:
    voice: str
    is_promise: bool
    """True where it is set aside for a speaker who may turn out to need another class."""


_Table: TypeAlias = OrderedDict[str, _Given]
"""By identity, the last asked about being the last."""


class ClassVoices:
    """Remembers, for one room, the voices that speakers were given or promised."""

    def __init__(self) -> None:
        self._tables: defaultdict[tuple[int, LanguageCode], _Table] = defaultdict(OrderedDict)
        """By class and language."""

    def give(self, place: int, voices: Sequence[str], request: VoiceRequest) -> str:
        """Give one of the voices of a class, the same as before if it is still among them.

        A promised voice is given unless another speaker has it; other promises are free again.

        Args:
            place: Which class.
            voices: Those that may be given; at least one.
            request: The speaker, the language, and the voices of others.
        """
        for (other, language), table in self._tables.items():
            if other != place and language == request.target_language:
                table.pop(request.speaker.identity, None)

        return self._give(place, voices, request, is_promise=False)

    def promise(self, place: int, voices: Sequence[str], request: VoiceRequest) -> str:
        """Set one of the voices of a class aside, until the speaker's class is known."""
        return self._give(place, voices, request, is_promise=True)

    def _give(
        self, place: int, voices: Sequence[str], request: VoiceRequest, *, is_promise: bool
    ) -> str:
        table = self._tables[place, request.target_language]
        before = table.pop(request.speaker.identity, None)
        if before is not None and before.voice in voices and before.is_promise == is_promise:
            given = before
        else:
            favoured = {before.voice} if before else _own(request)
            given = _Given(_least_used(voices, favoured, table, request), is_promise)

        table[request.speaker.identity] = given
        if len(table) > REMEMBERED:
            table.popitem(last=False)

        return given.voice


def _own(request: VoiceRequest) -> frozenset[str]:
    """Give the voice that they have to themselves, given before the room's config was changed."""
    held = voice_ids(request.current)
    # looking at all other speakers takes its time in a large room
    return held - request.taken if held else held


def _least_used(
    voices: Sequence[str], favoured: Collection[str], table: _Table, request: VoiceRequest
) -> str:
    """Pick a voice that is free, not set aside and not remembered; else one that few have."""
    had, set_aside, remembered = Counter[str](), Counter[str](), Counter[str]()
    for others in request.others.values():
        held = others.get(request.target_language)
        if isinstance(held, FixedVoice):
            had[held.voice_id] += 1
        elif isinstance(held, TimbreMatchedVoice):
            set_aside.update({held.high, held.low})
    for given in table.values():
        remembered[given.voice] += 1

    def use(voice: str) -> tuple[int, int, bool, int]:
        return had[voice], set_aside[voice], voice not in favoured, remembered[voice]

    return min(voices, key=use)
