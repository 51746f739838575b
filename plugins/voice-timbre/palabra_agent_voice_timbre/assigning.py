"""Deals voices: each to another speaker while they last, and the same one again. Pure."""

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
class _Dealt:
    voice: str
    is_promise: bool
    """Whether it is set aside for somebody who may turn out to need none of this class."""


_Table: TypeAlias = OrderedDict[str, _Dealt]
"""By identity, those last who were asked about last."""


class ClassVoices:
    """Remembers, for one room, who was dealt what."""

    def __init__(self) -> None:
        self._tables: defaultdict[tuple[int, LanguageCode], _Table] = defaultdict(OrderedDict)
        """By class and language."""

    def deal(self, place: int, voices: Sequence[str], request: VoiceRequest) -> str:
        """Deal one of the voices of a class, the same as before if it is still among them.

        What was only promised is dealt unless somebody else has it, and another is free again.

        Args:
            place: Which class.
            voices: Those that may be dealt; at least one.
            request: Whom for, in which language, and who has what.
        """
        for (other, language), table in self._tables.items():
            if other != place and language == request.target_language:
                table.pop(request.speaker.identity, None)

        return self._deal(place, voices, request, is_promise=False)

    def promise(self, place: int, voices: Sequence[str], request: VoiceRequest) -> str:
        """Set one of the voices of a class aside, until it is known who needs which class."""
        return self._deal(place, voices, request, is_promise=True)

    def _deal(
        self, place: int, voices: Sequence[str], request: VoiceRequest, *, is_promise: bool
    ) -> str:
        table = self._tables[place, request.target_language]
        before = table.pop(request.speaker.identity, None)
        if before is not None and before.voice in voices and before.is_promise == is_promise:
            dealt = before
        else:
            favoured = {before.voice} if before else _own(request)
            dealt = _Dealt(_least_used(voices, favoured, table, request), is_promise)

        table[request.speaker.identity] = dealt
        if len(table) > REMEMBERED:
            table.popitem(last=False)

        return dealt.voice


def _own(request: VoiceRequest) -> frozenset[str]:
    """What they have to themselves, dealt before the room's config was changed."""
    held = voice_ids(request.current)
    # looking at everybody else takes its time in a large room
    return held - request.taken if held else held


def _least_used(
    voices: Sequence[str], favoured: Collection[str], table: _Table, request: VoiceRequest
) -> str:
    """What nobody has, is set aside for, or had before they left; else what few have."""
    had, set_aside, remembered = Counter[str](), Counter[str](), Counter[str]()
    for others in request.others.values():
        held = others.get(request.target_language)
        if isinstance(held, FixedVoice):
            had[held.voice_id] += 1
        elif isinstance(held, TimbreMatchedVoice):
            set_aside.update({held.high, held.low})
    for dealt in table.values():
        remembered[dealt.voice] += 1

    def use(voice: str) -> tuple[int, int, bool, int]:
        return had[voice], set_aside[voice], voice not in favoured, remembered[voice]

    return min(voices, key=use)
