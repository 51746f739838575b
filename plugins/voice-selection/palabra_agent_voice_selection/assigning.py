"""Voices of pools: each is given to another speaker while they last, and kept by them. Pure."""

from __future__ import annotations

from collections import Counter, OrderedDict
from typing import Final, TypeAlias

from palabra_agent.plugin import FixedVoice, LanguageCode, VoiceRequest, voice_ids

REMEMBERED: Final = 500
"""Speakers per pool and language whose voices are remembered after they left."""

PoolIds: TypeAlias = tuple[str, ...]


class PoolVoices:
    """Remembers, for one room, the voices that speakers were given out of pools."""

    def __init__(self) -> None:
        self._tables: dict[tuple[PoolIds, LanguageCode], _Table] = {}

    def give(self, pool: PoolIds, request: VoiceRequest) -> FixedVoice | None:
        """Give a voice, the same as before if it is still available; None where none is."""
        table = self._tables.setdefault((pool, request.target_language), _Table(pool))
        voice_id = table.give(request)
        return None if voice_id is None else FixedVoice(voice_id)


class _Table:
    """One pool in one language."""

    def __init__(self, pool: PoolIds) -> None:
        self._pool = pool
        self._given: OrderedDict[str, str] = OrderedDict()
        """Voice by identity, the last asked about being the last."""
        self._turn = 0
        """The place in the pool of the next voice, among those that are used equally little."""

    def give(self, request: VoiceRequest) -> str | None:
        usable = set(self._pool) - request.unavailable
        if not usable:
            return None

        identity = request.speaker.identity
        before = self._given.get(identity) or _had(request)
        voice_id = before if before in usable else self._least_used(usable, request)
        self._remember(identity, voice_id)
        return voice_id

    def _least_used(self, usable: set[str], request: VoiceRequest) -> str:
        """Pick a voice that is free, else one of speakers who left, else one that few have."""
        heard = _heard(request)
        promised = Counter(self._given.values())

        turns = [*self._pool[self._turn :], *self._pool[: self._turn]]
        in_turn = [voice_id for voice_id in turns if voice_id in usable]
        voice_id = min(in_turn, key=lambda each: (heard[each], promised[each]))
        self._turn = self._pool.index(voice_id) + 1
        return voice_id

    def _remember(self, identity: str, voice_id: str) -> None:
        self._given[identity] = voice_id
        self._given.move_to_end(identity)
        if len(self._given) > REMEMBERED:
            self._given.popitem(last=False)


def _had(request: VoiceRequest) -> str | None:
    """Give the voice that they have to themselves, given before the room's config was changed."""
    match request.current:
        case FixedVoice(voice_id) if voice_id not in request.taken:
            return voice_id
        case _:
            return None


def _heard(request: VoiceRequest) -> Counter[str]:
    """Count the other speakers that have each voice in this language now."""
    held = (voices.get(request.target_language) for voices in request.others.values())
    return Counter(voice_id for choice in held for voice_id in voice_ids(choice))
