"""Pools: distinct voices while they last, and the same voice for the same person."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from palabra_agent_voice_selection.assigning import REMEMBERED, PoolVoices

from palabra_agent.plugin import FixedVoice, TimbreMatchedVoice
from tests.plugins.voice_selection.asking import Rules, opened, question, told

pytestmark = pytest.mark.unit

POOL = ("a", "b", "c")


def deal(dealer: PoolVoices, identity: str, **facts: object) -> str | None:
    """What a speaker is dealt from the pool of three."""
    voice = dealer.give(POOL, question(identity, **facts))  # type: ignore[arg-type] # facts of any kind
    return None if voice is None else voice.voice_id


def test_different_speakers_get_different_voices() -> None:
    """Voices are dealt in their order, whoever asks again."""
    dealer = PoolVoices()
    assert [deal(dealer, who) for who in ("alice", "bob", "alice", "carol")] == ["a", "b", "a", "c"]


def test_a_speaker_who_comes_back_gets_the_same_voice() -> None:
    """Nobody who comes meanwhile gets the voice of somebody who left, while others are free."""
    dealer = PoolVoices()
    before = [deal(dealer, who) for who in ("alice", "bob")]
    newcomer = deal(dealer, "carol", others={"bob": FixedVoice("b")})
    again = deal(dealer, "alice", others={"bob": FixedVoice("b"), "carol": FixedVoice("c")})

    assert (before, newcomer, again) == (["a", "b"], "c", "a")


def test_languages_are_dealt_for_themselves() -> None:
    """A voice that somebody has in one language is free in another."""
    dealer = PoolVoices()
    spanish = [deal(dealer, who) for who in ("alice", "bob")]
    german = [deal(dealer, who, target="de") for who in ("bob", "alice")]

    assert spanish == german == ["a", "b"]


def test_what_others_have_is_dealt_last() -> None:
    """A voice that another rule or plugin gave to somebody is taken, timbre lists included."""
    dealer = PoolVoices()
    assert deal(dealer, "alice", others={"bob": FixedVoice("a")}) == "b"
    assert deal(dealer, "carol", others={"bob": TimbreMatchedVoice("a", "c")}) == "b"
    assert deal(PoolVoices(), "dave", others={"x": TimbreMatchedVoice("a", "b")}) == "c"


def test_an_exhausted_pool_deals_what_fewest_have() -> None:
    """The fourth of three takes the voice of one who left, else that of the least."""
    dealer = PoolVoices()
    for who in ("alice", "bob", "carol"):
        deal(dealer, who)
    present = {"bob": FixedVoice("b"), "carol": FixedVoice("c")}
    assert deal(dealer, "dave", others=present) == "a"

    crowded = {"bob": FixedVoice("b"), "dave": FixedVoice("a"), "erin": FixedVoice("a")}
    assert deal(dealer, "frank", others={**crowded, "carol": FixedVoice("b")}) == "c"


def test_a_missing_voice_is_replaced() -> None:
    """Who had a voice that Palabra lacks gets another, and keeps it."""
    dealer = PoolVoices()
    assert deal(dealer, "alice") == "a"
    assert deal(dealer, "alice", unavailable=["a"]) == "b"
    assert deal(dealer, "bob", unavailable=["a"]) == "c"
    assert deal(dealer, "alice", unavailable=["a"]) == "b"
    assert deal(dealer, "alice", unavailable=["a", "b", "c"]) is None


async def test_a_pool_without_voices_is_passed_over() -> None:
    """Where Palabra has none of them, the next rule is tried."""
    async with opened([{"voice": {"pool": ["a"]}}, {"voice": "v"}]) as policy:
        assert told(await policy.choose_voice(question(unavailable=["a"]))) == "v"
        reason = told(await policy.choose_voice(question(unavailable=["a", "v"])))

    assert reason.startswith("rules[0]: no voice of the pool is available; rules[1]:")


def test_a_changed_config_leaves_voices_as_they_are() -> None:
    """Who has a voice of the pool keeps it in a new policy, unless somebody else has it too."""
    assert deal(PoolVoices(), "alice", current=FixedVoice("c")) == "c"
    assert deal(PoolVoices(), "alice", current=FixedVoice("z")) == "a"
    shared = {"bob": FixedVoice("c")}
    assert deal(PoolVoices(), "alice", current=FixedVoice("c"), others=shared) == "a"


async def test_equal_pools_are_one() -> None:
    """Two rules with the same pool deal from it together."""
    rules: Rules = [
        {"speaker": "bob", "voice": {"pool": ["a", "b"]}},
        {"voice": {"pool": ["a", "b"]}},
    ]
    async with opened(rules) as policy:
        voices = [told(await policy.choose_voice(question(who))) for who in ("bob", "eve")]

    assert voices == ["a", "b"]


def test_what_is_remembered_is_bounded() -> None:
    """Of very many who came and went, the first are forgotten and those present are not."""
    dealer = PoolVoices()
    assert deal(dealer, "alice") == "a"
    for guest in range(REMEMBERED + 50):
        deal(dealer, f"guest-{guest}")
        deal(dealer, "alice")

    tables = list(dealer._tables.values())  # pyright: ignore[reportPrivateUsage] - its size is the claim
    assert [len(table._given) for table in tables] == [REMEMBERED]  # pyright: ignore[reportPrivateUsage]
    assert deal(dealer, "alice") == "a"


@given(
    pool=st.lists(st.text("abcdef", min_size=1, max_size=2), min_size=1, max_size=6, unique=True),
    people=st.lists(st.sampled_from("ABCDEFGH"), max_size=20),
    missing=st.sets(st.text("abcdef", min_size=1, max_size=2), max_size=3),
)
def test_voices_are_shared_only_where_they_are_too_few(
    pool: list[str], people: list[str], missing: set[str]
) -> None:
    """However people come, each voice goes to one more than any other at most."""
    dealer, has = PoolVoices(), dict[str, FixedVoice]()
    for who in people:
        others = {other: voice for other, voice in has.items() if other != who}
        voice = dealer.give(tuple(pool), question(who, others=others, unavailable=list(missing)))
        assert (voice is None) == (set(pool) <= missing)
        if voice is not None:
            assert voice.voice_id not in missing
            assert has.get(who, voice) == voice
            has[who] = voice

    held = [voice.voice_id for voice in has.values()]
    counts = [held.count(voice_id) for voice_id in pool if voice_id not in missing]
    assert max(counts, default=0) - min(counts, default=0) <= 1


async def test_a_large_room_shares_the_pool() -> None:
    """Of twenty speakers each has a voice of their own, in each of eight languages."""
    rules: Rules = [
        *({"speaker": f"staff-{number}-*", "voice": "v"} for number in range(20)),
        {"voice": {"pool": [f"v{number}" for number in range(30)]}},
    ]
    async with opened(rules) as policy:
        for target in "es de fr it pt ja zh ko".split():
            dealt = [await policy.choose_voice(question(f"guest-{n}", target)) for n in range(20)]
            assert dealt == [FixedVoice(f"v{number}") for number in range(20)]
