"""Deals the voices of pools: each to another speaker while they last, and the same one again."""

from __future__ import annotations

from collections import Counter, OrderedDict
from typing import Final, TypeAlias

from palabra_agent.plugin import FixedVoice, LanguageCode, VoiceRequest, voice_ids

REMEMBERED: Final = 500
"""Speakers per pool and language whose voices are remembered after they left."""

PoolIds: TypeAlias = tuple[str, ...]


class PoolVoices:
    """Remembers, for one room, who was dealt what."""

    def __init__(self) -> None:
        self._tables: dict[tuple[PoolIds, LanguageCode], _Table] = {}

    def deal(self, pool: PoolIds, request: VoiceRequest) -> FixedVoice | None:
        """Deal a voice, the same as before if it is still to be had; None where none is."""
        table = self._tables.setdefault((pool, request.target_language), _Table(pool))
        voice_id = table.deal(request)
        return None if voice_id is None else FixedVoice(voice_id)


class _Table:
    """One pool in one language."""

    def __init__(self, pool: PoolIds) -> None:
        self._pool = pool
        self._dealt: OrderedDict[str, str] = OrderedDict()
        """Voice by identity, those last who were asked about last."""
        self._turn = 0
        """Whose turn it is among voices that are used equally little."""

    def deal(self, request: VoiceRequest) -> str | None:
        usable = set(self._pool) - request.unavailable
        if not usable:
            return None

        identity = request.speaker.identity
        before = self._dealt.get(identity) or _had(request)
        voice_id = before if before in usable else self._least_used(usable, request)
        self._remember(identity, voice_id)
        return voice_id

    def _least_used(self, usable: set[str], request: VoiceRequest) -> str:
        """Whatever nobody has, else what only people have who left, else what few have."""
        heard = _heard(request)
        promised = Counter(self._dealt.values())

        turns = [*self._pool[self._turn :], *self._pool[: self._turn]]
        in_turn = [voice_id for voice_id in turns if voice_id in usable]
        voice_id = min(in_turn, key=lambda each: (heard[each], promised[each]))
        self._turn = self._pool.index(voice_id) + 1
        return voice_id

    def _remember(self, identity: str, voice_id: str) -> None:
        self._dealt[identity] = voice_id
        self._dealt.move_to_end(identity)
        if len(self._dealt) > REMEMBERED:
            self._dealt.popitem(last=False)


def _had(request: VoiceRequest) -> str | None:
    """The voice that they have to themselves, dealt before the room's config was changed."""
    match request.current:
        case FixedVoice(voice_id) if voice_id not in request.taken:
            return voice_id
        case _:
            return None


def _heard(request: VoiceRequest) -> Counter[str]:
    """How many others have each voice in this language now."""
    held = (voices.get(request.target_language) for voices in request.others.values())
    return Counter(voice_id for choice in held for voice_id in voice_ids(choice))
