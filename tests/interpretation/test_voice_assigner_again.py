"""Which voices hold, and which are asked for again, when people and facts come and go."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palabra_agent.capabilities.capability import Verdict
from palabra_agent.capabilities.voice import VoiceRequest
from palabra_agent.interpretation.voice_assignments import InterpretedSpeaker
from palabra_agent.voices import ClonedVoice, FixedVoice, Speaker, TimbreMatchedVoice, VoiceChoice
from tests.clock import JumpingLoop, eventually, in_jumping_time, passing
from tests.interpretation.assigning import (
    DE,
    EN,
    ES,
    A,
    B,
    assigning,
    by_attribute,
    interpreted,
)
from tests.interpretation.fake_plugins import FakePlugins

pytestmark = pytest.mark.unit

HANG = 1.0
"""Seconds in which a plugin that hangs is given up."""


@pytest.mark.parametrize(
    "after",
    [
        interpreted("ann", voice="b", source_language=EN),
        interpreted("ann", source_language=DE),
        interpreted("ann"),
        InterpretedSpeaker(Speaker(identity="ann", name="Dr Ann", source_language=EN), (ES,)),
    ],
)
@in_jumping_time
async def test_facts_about_a_speaker_are_reason_to_ask_again(after: InterpretedSpeaker) -> None:
    """Another attribute, language or name is told the plugins soon; until then the voice stays."""
    async with assigning() as scene:
        scene.follow(interpreted("ann", source_language=EN))
        await scene.decided()
        current = scene.voice_of("ann")
        scene.forget()
        scene.follow(after)
        assert scene.voice_of("ann") == current

        await scene.decided()

    [request] = scene.plugins.asked
    assert (request.speaker, request.current) == (after.speaker, current)


@in_jumping_time
async def test_an_attribute_changes_the_voice() -> None:
    """Somebody who wishes for another voice gets it."""
    async with assigning(FakePlugins(by_attribute)) as scene:
        scene.follow(interpreted("ann", voice="a"))
        await scene.decided()
        assert scene.voice_of("ann") == A

        before = len(scene.changes)
        scene.follow(interpreted("ann", voice="b"))
        await scene.decided()
        assert scene.voice_of("ann") == B
        assert len(scene.changes) == before + 1

        scene.follow(interpreted("ann"))
        await scene.decided()
        assert scene.voice_of("ann") is None


@in_jumping_time
async def test_somebody_leaving_is_reason_to_ask_again() -> None:
    """Who leaves is not told of any more, and their voice is free."""
    async with assigning(FakePlugins(lambda it: None if A.voice_id in it.taken else A)) as scene:
        scene.follow(interpreted("ann"), interpreted("bob"))
        await scene.decided()
        assert (scene.voice_of("ann"), scene.voice_of("bob")) == (A, None)

        scene.follow(interpreted("bob"))
        await scene.decided()
        assert scene.voice_of("bob") == A
        assert scene.plugins.asked[-1].others == {}


@in_jumping_time
async def test_who_comes_back_has_their_voices_at_once() -> None:
    """A speaker who rejoins as they were sounds as they did, before anybody is asked."""
    async with assigning() as scene:
        scene.follow(interpreted("ann"), interpreted("bob"))
        await scene.decided()
        voices = scene.voice_of("ann"), scene.voice_of("bob")
        scene.follow(interpreted("ann"))
        await scene.decided()
        scene.forget()
        scene.follow(interpreted("ann"), interpreted("bob"))
        assert (scene.voice_of("ann"), scene.voice_of("bob")) == voices

        await scene.decided()
        assert (scene.voice_of("ann"), scene.voice_of("bob")) == voices
        [request] = scene.asked_of("bob")
        assert request.current == voices[1]


@in_jumping_time
async def test_who_comes_back_as_another_is_asked_about_first() -> None:
    """Remembered voices do not hold for other facts; but the plugins are told them."""
    async with assigning(FakePlugins(by_attribute)) as scene:
        scene.follow(interpreted("ann", voice="a"))
        await scene.decided()
        scene.follow()
        await passing(60)
        scene.follow(interpreted("ann", voice="b"))
        assert scene.assigner.voices_of("ann", (ES,)) is None

        await eventually(scene.is_decided)
        assert scene.voice_of("ann") == B
        assert scene.plugins.asked[-1].current == A


@in_jumping_time
async def test_who_comes_back_is_taken_to_speak_as_they_did() -> None:
    """The language that was heard is remembered, until another is heard or said."""
    async with assigning() as scene:
        scene.follow(interpreted("ann"))
        await scene.decided()
        scene.follow(interpreted("ann", source_language=EN))
        await scene.decided()
        voice = scene.voice_of("ann")
        scene.follow()
        scene.follow(interpreted("ann"))
        assert scene.voice_of("ann") == voice

        await scene.decided()
        assert scene.plugins.asked[-1].speaker.source_language == EN

        scene.follow(interpreted("ann", source_language=DE))
        scene.follow(interpreted("ann"))
        await scene.decided()
        assert scene.plugins.asked[-1].speaker.source_language is None


@in_jumping_time
async def test_a_target_that_comes_back_has_its_voice_at_once() -> None:
    """A language that nobody wanted for a while sounds as before; it is asked about once more."""
    async with assigning() as scene:
        scene.follow(interpreted("ann", ES, DE))
        await scene.decided()
        voice = scene.voice_of("ann", DE)
        scene.follow(interpreted("ann", ES))
        await passing(5)
        scene.forget()
        scene.follow(interpreted("ann", ES, DE))
        assert scene.voice_of("ann", DE) == voice

        await passing(5)
        assert [it.current for it in scene.plugins.asked] == [voice]


@in_jumping_time
async def test_a_missing_voice_is_replaced_at_once() -> None:
    """What Palabra does not have is asked for anew, by everybody who has it, and told to all."""
    async with assigning(FakePlugins(seconds=0.01)) as scene:
        scene.follow(interpreted("ann", ES, DE), interpreted("bob"))
        await eventually(scene.is_decided)
        scene.forget()
        voice = scene.voice_of("ann")
        assert isinstance(voice, FixedVoice)
        scene.assigner.mark_unavailable(voice.voice_id)
        await passing(0.1)
        assert scene.voice_of("ann") not in (voice, scene.voice_of("bob"), None)
        assert [it.speaker.identity for it in scene.plugins.asked] == ["ann", "ann", "bob"]
        assert all(it.unavailable == {voice.voice_id} for it in scene.plugins.asked)
        assert all(it.current is None for it in scene.asked_of("ann"))


@in_jumping_time
async def test_a_voice_that_went_missing_is_not_remembered() -> None:
    """Who comes back to a voice that is missing since is asked about first."""
    choice = TimbreMatchedVoice("high", "low")
    async with assigning(FakePlugins(lambda it: None if it.unavailable else choice)) as scene:
        scene.follow(interpreted("ann"))
        await scene.decided()
        scene.follow()
        scene.assigner.mark_unavailable("low")
        scene.follow(interpreted("ann"))
        assert scene.assigner.voices_of("ann", (ES,)) is None

        await scene.decided()
        assert scene.voice_of("ann") is None


@in_jumping_time
async def test_an_answer_with_a_missing_voice_is_asked_for_anew() -> None:
    """A voice that is found missing while it is chosen is given up for the next."""
    async with assigning(FakePlugins(seconds=0.3)) as scene:
        scene.follow(interpreted("ann"))
        await eventually(lambda: scene.plugins.asked)
        scene.assigner.mark_unavailable("voice-0")
        await passing(0.35)
        assert scene.voice_of("ann") == FixedVoice("voice-0")

        await passing(0.3)
        assert scene.voice_of("ann") == FixedVoice("voice-1")


def give_b(_request: VoiceRequest) -> VoiceChoice | None:
    """Give everybody the same voice."""
    return B


@in_jumping_time
async def test_other_plugins_are_asked_about_everybody() -> None:
    """Where the plugins change each voice is asked for again, and holds until it is answered."""
    plugins = FakePlugins(lambda _: A)
    async with assigning(plugins) as scene:
        scene.follow(interpreted("ann"), interpreted("bob"))
        await scene.decided()
        scene.follow(interpreted("ann"))
        plugins.choose = give_b
        scene.revision += 1
        scene.follow(interpreted("ann"), interpreted("bob"))
        assert scene.voice_of("ann") == A
        # nobody hears bob yet
        assert scene.assigner.voices_of("bob", (ES,)) is None

        await scene.decided()
        assert (scene.voice_of("ann"), scene.voice_of("bob")) == (B, B)


@in_jumping_time
async def test_plugins_may_come_and_go() -> None:
    """Whoever has the default voice keeps it until new plugins answer, and gets it back after."""
    plugins = FakePlugins(lambda _: A, seconds=0.2)
    plugins.choose_voices = False
    async with assigning(plugins) as scene:
        scene.follow(interpreted("ann"))
        plugins.choose_voices = True
        assert scene.voice_of("ann") is None

        scene.revision += 1
        scene.follow(interpreted("ann"))
        assert scene.voice_of("ann") is None

        await scene.decided()
        assert scene.voice_of("ann") == A

        plugins.choose_voices = False
        scene.revision += 1
        scene.follow(interpreted("ann"))
        assert scene.voice_of("ann") is None
        assert scene.assigner.explain("ann", ES) == Verdict()


@in_jumping_time
async def test_an_answer_of_plugins_that_went_counts_for_nothing() -> None:
    """Where nobody chooses voices any more, what was asked before is not explained either."""
    plugins = FakePlugins(lambda _: ClonedVoice(), seconds=0.3)
    async with assigning(plugins) as scene:
        scene.follow(interpreted("ann"))
        await eventually(lambda: plugins.asked)
        plugins.choose_voices = False
        scene.revision += 1
        scene.follow(interpreted("ann"))
        await passing(1)
        assert scene.voice_of("ann") is None
        assert scene.assigner.explain("ann", ES) == Verdict()
        assert scene.changes == []


@in_jumping_time
async def test_leaving_while_being_asked_about_harms_nobody() -> None:
    """An answer on somebody who left is kept for when they come back."""
    async with assigning(FakePlugins(seconds=0.3)) as scene:
        scene.follow(interpreted("ann"), interpreted("bob"))
        await passing(0.1)
        scene.follow(interpreted("bob"))
        await passing(0.05)
        scene.follow()
        await passing(1)
        # who waits in line waits for nobody who is gone
        assert [it.speaker.identity for it in scene.plugins.asked] == ["ann", "bob"]

        scene.follow(interpreted("ann"))
        assert scene.voice_of("ann") == FixedVoice("voice-0")


@in_jumping_time
async def test_only_so_many_are_remembered() -> None:
    """Of those who left, the last 500 are known when they come back."""
    async with assigning() as scene:
        for number in range(502):
            scene.follow(interpreted(f"p{number}"))
            await eventually(scene.is_decided)

        scene.follow(interpreted("p0"), interpreted("p1"), interpreted("p501"))
        assert not scene.is_decided("p0")
        assert scene.is_decided("p1", "p501")
        await scene.decided()


moves = st.one_of(
    st.tuples(st.just("come"), st.sampled_from("abc")),
    st.tuples(st.just("leave"), st.sampled_from("abc")),
    st.tuples(st.just("wish"), st.sampled_from("abc")),
    st.tuples(st.just("miss"), st.sampled_from(["voice-0", "voice-1"])),
    st.tuples(st.just("plugins"), st.just("")),
    st.tuples(st.just("hang"), st.just("")),
    st.tuples(st.just("wait"), st.just("")),
)


@settings(deadline=None, max_examples=50)
@given(st.lists(moves, max_size=30), st.sampled_from([0.0, 0.3, 0.9]))
def test_in_the_end_everybody_was_asked_about_as_things_are(
    story: list[tuple[str, str]], seconds: float
) -> None:
    """Whatever happens in whatever order, the last questions were put with the facts that hold."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        runner.run(live_through(story, seconds))


async def live_through(story: list[tuple[str, str]], seconds: float) -> None:
    """Let things happen, then see how everybody stands."""
    there, missing, wishes = dict[str, InterpretedSpeaker](), set[str](), 0
    async with assigning(FakePlugins(seconds=seconds)) as scene:
        for move, what in story:
            match move:
                case "come":
                    there.setdefault(what, interpreted(what, ES, DE))
                case "leave":
                    there.pop(what, None)
                case "wish" if what in there:
                    wishes += 1
                    there[what] = interpreted(what, ES, DE, voice=f"wish-{wishes}")
                case "miss":
                    missing.add(what)
                    scene.assigner.mark_unavailable(what)
                case "plugins":
                    scene.revision += 1
                case "hang":
                    scene.plugins.hang_seconds = HANG
                case _:
                    await passing(0.2)

            scene.follow(*there.values())

        await passing(60)
        asked = len(scene.plugins.asked)
        for it in there.values():
            for target in it.targets:
                request = [
                    asked
                    for asked in scene.asked_of(it.speaker.identity)
                    if asked.target_language == target
                ][-1]
                assert request.speaker == it.speaker
                assert request.unavailable == missing
                assert request.others.keys() == there.keys() - {it.speaker.identity}

        assert scene.is_decided()
        await passing(60)
        assert len(scene.plugins.asked) == asked
