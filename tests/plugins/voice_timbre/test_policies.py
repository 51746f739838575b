"""Which voice whom: Palabra's own detection, and voices dealt by the pitch that was heard."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import permutations, product
from typing import Any, Final

import pytest
from palabra_agent_voice_timbre import TimbreConfig, plugin
from palabra_agent_voice_timbre.assigning import REMEMBERED, ClassVoices

from palabra_agent.plugin import (
    FixedVoice,
    NoSettings,
    Passed,
    RoomInfo,
    TimbreEstimator,
    TimbreMatchedVoice,
    VoiceAnswer,
    VoiceChoice,
    VoicePolicy,
)
from palabra_agent.testing import a_speaker, voice_request

pytestmark = pytest.mark.unit

LOW_HZ: Final = 110.0
HIGH_HZ: Final = 210.0
TWO_EACH: Final = {
    "detection": "local",
    "high": {"default": ["maria", "ana"]},
    "low": {"default": ["jose", "luis"]},
}


class Meeting:
    """Asks one policy about everybody, and tells it what came of that, as the host does."""

    def __init__(self, policy: VoicePolicy) -> None:
        self._policy = policy
        self._voices: dict[str, dict[str, VoiceChoice]] = {}
        self.unavailable: frozenset[str] = frozenset()

    async def ask(
        self, identity: str, pitch_hz: float | None = None, target: str = "es"
    ) -> VoiceAnswer:
        """Ask about somebody, with all that is known by now."""
        request = voice_request(
            a_speaker(identity, pitch_hz=pitch_hz),
            target,
            current=self._voices.get(identity, {}).get(target),
            others={who: it for who, it in self._voices.items() if who != identity},
            unavailable=self.unavailable,
        )
        answer = await self._policy.choose_voice(request)
        if answer is not None and not isinstance(answer, Passed):
            self._voices.setdefault(identity, {})[target] = answer

        return answer

    def leave(self, identity: str) -> None:
        """Let somebody go; the policy is told of it by their absence."""
        del self._voices[identity]

    def move_to(self, policy: VoicePolicy) -> None:
        """Ask another policy from now on."""
        self._policy = policy


@asynccontextmanager
async def open_policy(config: Mapping[str, Any]) -> AsyncGenerator[VoicePolicy]:
    """Open the plugin for a room, by its recipe."""
    room = RoomInfo("board", NoSettings())
    async with plugin.open(room, TimbreConfig.model_validate(config)) as policy:
        assert isinstance(policy, VoicePolicy)
        yield policy


@asynccontextmanager
async def open_meeting(config: Mapping[str, Any]) -> AsyncGenerator[Meeting]:
    """Open the plugin, and a meeting that asks it."""
    async with open_policy(config) as policy:
        yield Meeting(policy)


@pytest.mark.parametrize(
    ("config", "target", "unavailable", "expected"),
    [
        ({}, "es", [], TimbreMatchedVoice("default_high", "default_low")),
        ({"high": {"es": "default_high"}}, "es", [], TimbreMatchedVoice()),
        ({"high": {"es": "maria"}}, "es", [], TimbreMatchedVoice("maria", "default_low")),
        ({"high": {"es": "maria"}}, "de", [], TimbreMatchedVoice()),
        ({"high": {"es": "maria"}}, "es-mx", [], TimbreMatchedVoice("maria", "default_low")),
        ({"high": {"es": "m", "es-mx": "x"}}, "es-mx", [], TimbreMatchedVoice("x", "default_low")),
        ({"high": {"es": "maria"}, "low": {"es": "jose"}}, "de", [], Passed("no voices for de")),
        ({"high": {"es": "maria"}, "low": {"default": "jose"}}, "de", [],
         TimbreMatchedVoice("default_high", "jose")),
        ({"high": {"es": "maria", "default": "ana"}}, "es", ["maria"],
         TimbreMatchedVoice("ana", "default_low")),
        ({"high": {"es": "maria"}}, "es", ["maria"], TimbreMatchedVoice()),
        ({"high": {"es": "maria"}}, "es", ["maria", "default_high"],
         Passed("none of the voices for es is available")),
    ],
)  # fmt: skip
async def test_palabra_gets_one_high_and_one_low_voice(
    config: dict[str, Any], target: str, unavailable: list[str], expected: VoiceAnswer
) -> None:
    """The nearest said of a language is given; what Palabra lacks is replaced, or passed."""
    async with open_meeting(config) as meeting:
        meeting.unavailable = frozenset(unavailable)

        assert await meeting.ask("alice", target=target) == expected


async def test_only_local_detection_listens() -> None:
    """With Palabra's detection nobody's speech is collected."""
    async with open_policy({}) as palabra, open_policy({"detection": "local"}) as local:
        assert not isinstance(palabra, TimbreEstimator)
        assert isinstance(local, TimbreEstimator)


@pytest.mark.parametrize(
    ("pitch_hz", "expected"), [(80, "low"), (165, "low"), (166, "high"), (260, "high")]
)
async def test_the_threshold_divides(pitch_hz: float, expected: str) -> None:
    """A voice of up to 165 Hz gets a low one, any other a high one."""
    async with open_meeting({"detection": "local"}) as meeting:
        assert await meeting.ask("alice", pitch_hz) == FixedVoice(f"default_{expected}")


async def test_more_classes_than_two() -> None:
    """A pitch belongs to the first class that reaches it; one without voices here passes."""
    config = {
        "detection": "local",
        "classes": [
            {"up_to_hz": 120, "voices": {"default": "bass"}},
            {"up_to_hz": 180, "voices": {"default": "tenor"}},
            {"voices": {"es": "soprano"}},
        ],
    }
    async with open_meeting(config) as meeting:
        voices = [await meeting.ask(f"guest-{hz}", hz) for hz in (100, 120, 150, 230)]
        begun = await meeting.ask("alice")
        passed = [await meeting.ask("dora", hz, "de") for hz in (230, None)]

    assert voices == [*map(FixedVoice, ("bass", "bass", "tenor", "soprano"))]
    assert begun == TimbreMatchedVoice("soprano", "bass")
    assert passed == [
        Passed("none of the voices for de is available"),
        Passed("timbre not known yet"),
    ]


async def test_voices_are_distinct_while_they_last_then_least_used() -> None:
    """The third of two voices is the one that the fewest have."""
    async with open_meeting(TWO_EACH) as meeting:
        voices = [await meeting.ask(who, HIGH_HZ) for who in ("alice", "bea", "carol", "dora")]
        meeting.leave("alice")
        meeting.leave("carol")
        fifth = await meeting.ask("eve", HIGH_HZ)

    assert voices == [*map(FixedVoice, ("maria", "ana", "maria", "ana"))]
    assert fifth == FixedVoice("maria")


async def test_what_others_have_by_other_plugins_is_taken() -> None:
    """A voice that somebody was given elsewhere is dealt last."""
    async with open_meeting({"low": {"es": "jose"}}) as meeting, open_policy(TWO_EACH) as policy:
        await meeting.ask("bob")
        meeting.move_to(policy)

        assert await meeting.ask("alan", LOW_HZ) == FixedVoice("luis")


async def test_one_who_comes_back_has_the_same_voice() -> None:
    """A voice is kept for its speaker, and lent only when there is no other."""
    async with open_meeting(TWO_EACH) as meeting:
        before = [await meeting.ask(who, LOW_HZ) for who in ("alan", "bob")]
        meeting.leave("alan")
        third = await meeting.ask("carl", LOW_HZ)
        back = await meeting.ask("alan", LOW_HZ)

    assert before == [FixedVoice("jose"), FixedVoice("luis")]
    assert third == FixedVoice("jose")
    assert back == FixedVoice("jose")


async def test_the_absent_ones_voice_is_dealt_after_a_free_one() -> None:
    """While there is a voice that nobody was ever given, the absent keep theirs to themselves."""
    async with open_meeting(TWO_EACH) as meeting:
        await meeting.ask("alan", LOW_HZ)
        meeting.leave("alan")

        assert await meeting.ask("bob", LOW_HZ) == FixedVoice("luis")


async def test_the_same_facts_have_the_same_answer() -> None:
    """Asked again, and in other languages, everybody keeps what they have."""
    async with open_meeting(TWO_EACH) as meeting:
        people = [("alice", HIGH_HZ), ("bob", LOW_HZ), ("carol", HIGH_HZ), ("dave", None)]
        first = [await meeting.ask(*person) for person in people]
        await meeting.ask("bob", LOW_HZ, "de")
        again = [await meeting.ask(*person) for person in reversed(people)]

    assert again == first[::-1]


async def test_a_voice_that_is_missing_is_replaced() -> None:
    """What Palabra does not have is not dealt again; then the reserve, then nothing."""
    async with open_meeting(TWO_EACH) as meeting:
        answers = [await meeting.ask("alice", HIGH_HZ)]
        for voice in ("maria", "ana", "default_high"):
            meeting.unavailable |= {voice}
            answers.append(await meeting.ask("alice", HIGH_HZ))

    assert answers == [
        *map(FixedVoice, ("maria", "ana", "default_high")),
        Passed("none of the voices for es is available"),
    ]


@pytest.mark.parametrize(("pitch_hz", "expected"), [(LOW_HZ, "luis"), (HIGH_HZ, "ana")])
async def test_who_is_known_keeps_the_voice_that_they_began_with(
    pitch_hz: float, expected: str
) -> None:
    """Until then Palabra chooses between two voices, and it is one of these that is dealt."""
    async with open_meeting(TWO_EACH) as meeting:
        begun = [await meeting.ask(who) for who in ("alice", "bob")]
        known = await meeting.ask("bob", pitch_hz)

    assert begun == [TimbreMatchedVoice("maria", "jose"), TimbreMatchedVoice("ana", "luis")]
    assert known == FixedVoice(expected)


@pytest.mark.parametrize("order", list(permutations(("alice", "bea", "carol"))), ids="-".join)
@pytest.mark.parametrize("pitches", list(product((LOW_HZ, HIGH_HZ), repeat=3)))
async def test_whoever_is_known_first_voices_are_distinct_while_they_last(
    order: Sequence[str], pitches: Sequence[float]
) -> None:
    """Three who were promised voices of two end with as many different ones as there are."""
    heard: dict[str, float] = dict(zip(sorted(order), pitches, strict=True))
    async with open_meeting(TWO_EACH) as meeting:
        for identity in heard:
            await meeting.ask(identity)

        dealt = {identity: await meeting.ask(identity, heard[identity]) for identity in order}

    for pitch_hz in (LOW_HZ, HIGH_HZ):
        alike = [dealt[identity] for identity in heard if heard[identity] == pitch_hz]

        assert len(set(alike)) == min(len(alike), 2)


async def test_what_was_promised_in_vain_is_free_again() -> None:
    """The voice of the other class is given to the next who needs it."""
    async with open_meeting(TWO_EACH) as meeting:
        await meeting.ask("alice")
        await meeting.ask("alice", HIGH_HZ)

        assert await meeting.ask("bob", LOW_HZ) == FixedVoice("jose")


async def test_the_next_plugin_may_have_them_until_they_are_known() -> None:
    """With `pass`, nothing is chosen for a voice that was not heard."""
    async with open_meeting({**TWO_EACH, "until_known": "pass"}) as meeting:
        answers = [await meeting.ask("alice"), await meeting.ask("alice", HIGH_HZ)]

    assert answers == [Passed("timbre not known yet"), FixedVoice("maria")]


async def test_voices_outlive_a_change_of_the_config() -> None:
    """Opened anew with more voices, the plugin leaves everybody the voice that is theirs alone."""
    more = {**TWO_EACH, "low": {"default": ["pedro", "jose", "luis"]}}
    async with open_meeting(TWO_EACH) as meeting, open_policy(more) as successor:
        before = [await meeting.ask(who, LOW_HZ) for who in ("alan", "bob", "carl")]
        meeting.move_to(successor)
        after = [await meeting.ask(who, LOW_HZ) for who in ("alan", "bob", "carl")]

    assert before == [*map(FixedVoice, ("jose", "luis", "jose"))]
    assert after == [*map(FixedVoice, ("pedro", "luis", "jose"))]


@pytest.mark.parametrize("pitch_hz", [None, LOW_HZ], ids=["not known", "known"])
async def test_a_large_room_shares_the_voices_evenly(pitch_hz: float | None) -> None:
    """Twenty speakers in eight languages are dealt ten voices: two have each of them, in each."""
    ten_each = {key: {"default": [f"{key}-{n}" for n in range(10)]} for key in ("high", "low")}
    languages = "es de fr it pt ja zh ko".split()
    async with open_meeting({"detection": "local", **ten_each}) as meeting:
        dealt = Counter(
            [
                (target, await meeting.ask(identity, pitch_hz, target))
                for identity, target in product(map(str, range(20)), languages)
            ]
        )

    assert sum(dealt.values()) == 160
    assert {target for target, _ in dealt} == set(languages)
    assert set(dealt.values()) == {2} if pitch_hz else set(dealt.values()) <= {1, 2}


def test_only_so_many_speakers_are_remembered() -> None:
    """A room that people come to and go from all day forgets whom it asked about last."""
    dealer = ClassVoices()
    for number in range(REMEMBERED + 1):
        dealer.give(0, ["jose", "luis"], voice_request(f"guest-{number}"))

    assert dealer.give(0, ["luis", "jose"], voice_request("guest-1")) == "luis"
    assert dealer.give(0, ["maria", "jose", "luis"], voice_request("guest-0")) == "maria"
