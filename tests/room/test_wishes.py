"""RPC methods by which people choose languages: what they answer, and what they refuse."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from palabra_agent.concurrency import Watched
from palabra_agent.interpretation.ports import MeetingView, Person
from palabra_agent.interpretation.settings import InterpretationSettings, Regime
from palabra_agent.interpretation.wishes import Wishes
from palabra_agent.languages import EVERY_TARGET, LanguageCode
from palabra_agent.meeting.rpc import Call, CallRefused
from palabra_agent.room.wishes import LANGUAGES, LISTEN, SPEAK, WishMethods

pytestmark = pytest.mark.unit

REGIME = Regime((LanguageCode("es"), LanguageCode("de")))
EXAMPLE = 'the payload must be a short JSON object such as {"language": "es"}'


class Room:
    """A room with Ann and Bob."""

    def __init__(self, regime: Regime = REGIME) -> None:
        self.wishes = Wishes()
        self.choosing = WishMethods(self.wishes, Watched(InterpretationSettings(regime)))
        self._now = 0.0
        self.look()

    def look(self) -> Person:
        """Take in who is there; returns Ann."""
        self._now += 1
        people = (Person("ann", "Ann"), Person("bob", "Bob"))
        return self.wishes.observe(MeetingView(people), self._now).people[0]

    async def call(self, method: str, payload: object, caller: str = "ann") -> Mapping[str, Any]:
        """Call a method; a text is sent as it is."""
        text = payload if isinstance(payload, str) else json.dumps(payload)
        return await self.choosing.methods[method](Call(caller, text))

    async def refusal(self, method: str, payload: object, caller: str = "ann") -> CallRefused:
        """Call a method that refuses; nothing may change."""
        before = self.look()
        with pytest.raises(CallRefused) as refused:
            await self.call(method, payload, caller)

        assert self.look() == before
        return refused.value


async def test_a_caller_chooses_what_they_hear_and_speak() -> None:
    """In any spelling; the answer tells what it was taken for."""
    room = Room()

    assert await room.call(LISTEN, {"language": "ES_mx"}) == {"language": "es"}
    assert room.look().listen == "es"
    assert await room.call(SPEAK, {"language": "en-US"}) == {"language": "en"}
    assert room.look().speak == "en"
    assert await room.call(LANGUAGES, "") == {
        "languages": ["es", "de"],
        "listen": "es",
        "speak": "en",
    }
    assert await room.call(LISTEN, {"language": "Original"}) == {"language": "original"}
    assert await room.call(SPEAK, {"language": "AUTO"}) == {"language": "auto"}
    room.look()
    assert await room.call(LANGUAGES, "whatever") == {
        "languages": ["es", "de"],
        "listen": "original",
        "speak": "auto",
    }


async def test_a_caller_may_choose_for_one_speaker() -> None:
    """Where each speaker has channels of their own."""
    room = Room(replace(REGIME, is_per_speaker=True))

    answer = await room.call(LISTEN, {"language": "de", "speaker": "bob"})
    assert answer == {"language": "de", "speaker": "bob"}
    assert room.look().listen_to == {"bob": "de"}
    assert room.look().listen is None
    refused = await room.refusal(LISTEN, {"language": "de", "speaker": "cid"})
    assert (refused.code, str(refused)) == (
        404,
        'speaker: no participant of the identity "cid" is in the room',
    )


@pytest.mark.parametrize(
    ("method", "payload", "code", "sentence"),
    [
        (
            LISTEN,
            {"language": "esp"},
            404,
            'language: "esp" is not offered, did you mean "es"? offered are es, de, original',
        ),
        (LISTEN, {"language": "fr"}, 404, 'language: "fr" is not offered; offered are es, de'),
        (SPEAK, {"language": "tlh"}, 404, 'language: "tlh" is not known'),
        (SPEAK, {"language": "original"}, 404, 'language: "original" is not known'),
        (LISTEN, {"language": ""}, 400, "language: must"),
        (LISTEN, {"language": None}, 400, "language: must be a string"),
        (LISTEN, {"language": 7}, 400, "language: must be a string"),
        (LISTEN, {"language": ["es"]}, 400, "language: must be a string"),
        (LISTEN, {"language": "x" * 3000}, 400, "language: must"),
        (LISTEN, {}, 400, "language: "),
        (LISTEN, {"langauge": "es"}, 400, "language: is missing; langauge: unknown key"),
        (LISTEN, {"language": "es", "speaker": "bob"}, 400, "speaker: has an effect with"),
        (LISTEN, "es", 400, EXAMPLE),
        (LISTEN, "", 400, EXAMPLE),
        (LISTEN, "[]", 400, EXAMPLE),
        (LISTEN, "[" * 4000, 400, EXAMPLE),
        (SPEAK, " " * 5000 + "{}", 400, EXAMPLE),
    ],
)
async def test_a_wrong_request_is_answered_in_words(
    method: str, payload: object, code: int, sentence: str
) -> None:
    """With what there is, and without a change."""
    refused = await Room().refusal(method, payload)

    assert (refused.code, str(refused)[: len(sentence)]) == (code, sentence)


@pytest.mark.parametrize("method", [LISTEN, SPEAK, LANGUAGES])
async def test_those_who_are_no_people_have_no_say(method: str) -> None:
    """Agents, recorders, and who has left."""
    refused = await Room().refusal(method, {"language": "es"}, "another-agent")

    assert (refused.code, str(refused)) == (
        403,
        "only people in the room can choose what they speak and hear",
    )


async def test_a_refusal_lists_every_language_there_is() -> None:
    """For an app, where the sentence is cut."""
    refused = await Room(Regime(EVERY_TARGET)).refusal(LISTEN, {"language": "tlh"})

    assert refused.data == {"languages": [*EVERY_TARGET]}


def test_a_caller_by_telephone_chooses_by_number() -> None:
    """In the order of the languages; a number that means none changes nothing."""
    room = Room()
    heard: list[str | None] = []
    for number in (2, 3, 9999, 1, 0):
        room.choosing.on_number("ann", number)
        heard.append(room.look().listen)
    room.choosing.on_number("another-agent", 1)

    assert heard == ["de", "de", "de", "es", "original"]
