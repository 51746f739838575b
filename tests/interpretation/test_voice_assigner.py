"""Who gets which voice, and when it is asked for."""

from __future__ import annotations

import logging
from dataclasses import replace
from itertools import pairwise
from typing import cast

import pytest

from palabra_agent.capabilities.capability import Verdict
from palabra_agent.capabilities.voice import VoiceRequest
from palabra_agent.languages import LanguageCode
from palabra_agent.voices import FixedVoice, Speaker, Timbre, VoiceChoice
from tests.clock import eventually, in_jumping_time, passing
from tests.interpretation.assigning import (
    AGAIN,
    DE,
    EN,
    ES,
    A,
    B,
    assigning,
    by_attribute,
    hear,
    interpreted,
)
from tests.interpretation.fake_plugins import PLUGIN, FakePlugins, deal

pytestmark = pytest.mark.unit

HANG = 1.0
"""Seconds in which a plugin that hangs is given up."""


def deal_anew(request: VoiceRequest) -> VoiceChoice | None:
    """Give everybody a voice that nobody else has now."""
    held = request.current if isinstance(request.current, FixedVoice) else None
    is_shared = held is not None and held.voice_id in request.taken
    return deal(replace(request, current=None) if is_shared else request)


@in_jumping_time
async def test_without_plugins_everybody_has_the_default_voice_at_once() -> None:
    """Where no plugin chooses voices nobody is asked and nobody waits."""
    plugins = FakePlugins()
    plugins.choose_voices = False
    async with assigning(plugins) as scene:
        scene.follow(interpreted("ann", ES, DE))
        assert scene.assigner.voices_of("ann", (ES, DE)) == {}
        assert scene.assigner.explain("ann", ES) == Verdict()

        await passing(2)
        assert plugins.asked == []


@in_jumping_time
async def test_nobody_has_voices_before_they_are_decided() -> None:
    """A speaker's voices are told together, when each target has a verdict."""
    plugins = FakePlugins(lambda it: A if it.target_language == ES else None, seconds=0.2)
    async with assigning(plugins) as scene:
        scene.follow(interpreted("ann", ES, DE))
        assert scene.assigner.voices_of("ann", (ES, DE)) is None
        assert scene.assigner.explain("ann", ES) is None

        await eventually(lambda: scene.assigner.explain("ann", ES))
        assert scene.assigner.voices_of("ann", (ES, DE)) is None

        await eventually(scene.is_decided)
        assert scene.assigner.voices_of("ann", (ES, DE)) == {ES: A}
        assert len(scene.changes) == 2
        assert scene.assigner.explain("ann", ES) == Verdict(A, PLUGIN)
        assert scene.assigner.explain("ann", DE) == Verdict(passed=((PLUGIN, "no wish"),))
        assert scene.assigner.explain("ann", EN) is None
        assert scene.assigner.explain("bob", ES) is None


@in_jumping_time
async def test_a_request_holds_the_facts() -> None:
    """What is known at the moment is told with each question."""
    async with assigning() as scene:
        scene.follow(interpreted("bob", ES, DE))
        await scene.decided()
        bobs = scene.assigner.voices_of("bob", (ES, DE)) or {}
        scene.follow(interpreted("bob", ES, DE), interpreted("ann", source_language=EN))
        await eventually(scene.is_decided)

    [request] = scene.asked_of("ann")
    assert request == VoiceRequest(
        room="board",
        speaker=interpreted("ann", source_language=EN).speaker,
        target_language=ES,
        others={"bob": bobs},
    )
    assert bobs.keys() == {ES, DE}


@in_jumping_time
async def test_speakers_who_come_at_once_get_different_voices() -> None:
    """Each is told the voices of those before, so that no two are given the same."""
    async with assigning() as scene:
        scene.follow(*(interpreted(f"p{number}", ES, DE) for number in range(20)))
        await eventually(scene.is_decided)
        voices = {scene.voice_of(f"p{number}") for number in range(20)}
        assert len(voices) == 20


@in_jumping_time
async def test_the_same_facts_are_asked_about_once() -> None:
    """Neither looking again nor the voices that were chosen are reasons to ask again."""
    async with assigning() as scene:
        scene.follow(interpreted("ann", ES, DE))
        await scene.decided()
        for _ in range(10):
            scene.follow(interpreted("ann", ES, DE))
            await passing(1)

        assert len(scene.plugins.asked) == 2

        scene.follow(interpreted("ann", ES, DE), interpreted("bob", ES, DE))
        await scene.decided()
        # both about ann again, for bob came; bob knows of her already
        assert len(scene.plugins.asked) == 6


@in_jumping_time
async def test_an_added_target_is_asked_about_at_once() -> None:
    """A new language has no voice until it is decided, and does not wait its half second."""
    async with assigning(FakePlugins(seconds=0.01)) as scene:
        scene.follow(interpreted("ann"))
        await eventually(scene.is_decided)
        scene.forget()
        scene.follow(interpreted("ann", ES, DE))
        assert scene.assigner.voices_of("ann", (ES,)) is not None
        assert scene.assigner.voices_of("ann", (ES, DE)) is None

        await eventually(scene.is_decided, seconds=0.1)
        assert [it.target_language for it in scene.plugins.asked] == [DE]


@in_jumping_time
async def test_a_plugin_that_hangs_delays_nobody_twice() -> None:
    """Everybody waits for the one deadline, and for no other; each has a voice of their own."""
    plugins = FakePlugins()
    plugins.hang_seconds = HANG
    async with assigning(plugins) as scene:
        scene.follow(*(interpreted(f"p{number}", ES, DE) for number in range(20)))
        await eventually(scene.is_decided, seconds=HANG + 0.05)
        assert len({scene.voice_of(f"p{number}") for number in range(20)}) == 20

        await passing(5)
        assert len(plugins.asked) == 40


@in_jumping_time
async def test_slow_plugins_are_not_waited_for_in_line() -> None:
    """With answers just within the deadline 20 speakers begin soon, and end up distinct."""
    plugins = FakePlugins(deal_anew, seconds=0.9)
    async with assigning(plugins) as scene:
        scene.follow(*(interpreted(f"p{number}", ES, DE) for number in range(20)))
        await eventually(scene.is_decided, seconds=1.1 + 2 * 0.9 + 0.1)
        await passing(60)
        assert len({scene.voice_of(f"p{number}") for number in range(20)}) == 20

        asked = len(plugins.asked)
        await passing(60)
        assert len(plugins.asked) == asked


@in_jumping_time
async def test_somebody_new_waits_for_nobody_else_asked_again() -> None:
    """While plugins are asked again about the others, one who comes is asked about at once."""
    plugins = FakePlugins()
    async with assigning(plugins) as scene:
        people = [interpreted(f"p{number}") for number in range(10)]
        scene.follow(*people)
        await scene.decided()
        plugins.seconds = 0.9
        scene.follow(*people[1:])
        await passing(0.2)
        scene.follow(*people[1:], interpreted("new"))
        await eventually(lambda: scene.is_decided("new"), seconds=1.0)
        await scene.decided()


@in_jumping_time
async def test_questions_about_the_same_speaker_are_half_a_second_apart() -> None:
    """However often the facts change, those who have voices are not asked about more often."""
    async with assigning(FakePlugins(by_attribute)) as scene:
        scene.follow(interpreted("ann", voice="a"))
        await scene.decided()
        scene.forget()
        for number in range(100):
            scene.follow(interpreted("ann", voice=f"v{number}"))
            await passing(0.02)

        await scene.decided()
        assert 4 <= len(scene.plugins.asked) <= 5
        pauses = [later - earlier for earlier, later in pairwise(scene.plugins.asked_at)]
        assert min(pauses) > AGAIN - 0.001
        assert scene.voice_of("ann") == FixedVoice("v99")


@in_jumping_time
async def test_one_whose_facts_never_rest_delays_no_other() -> None:
    """However often one speaker is asked about, the others have their turn before the next time."""
    async with assigning(FakePlugins(by_attribute)) as scene:
        scene.follow(interpreted("ann", voice="a"), interpreted("bob", voice="a"))
        await scene.decided()
        scene.plugins.seconds = 0.6
        for number in range(30):
            scene.follow(interpreted("ann", voice=f"v{number}"), interpreted("bob", voice="b"))
            await passing(0.1)
            if number == 15:
                assert scene.voice_of("bob") == B

        await scene.decided()
        assert scene.voice_of("ann") == FixedVoice("v29")


@in_jumping_time
async def test_a_stale_answer_is_used_and_asked_for_again() -> None:
    """Facts that change while a question is under way do not delay anybody."""
    async with assigning(FakePlugins(by_attribute, seconds=0.4)) as scene:
        scene.follow(interpreted("ann", voice="a"))
        await passing(0.2)
        scene.follow(interpreted("ann", voice="b"))
        await eventually(scene.is_decided, seconds=0.3)
        assert scene.voice_of("ann") == A

        await scene.decided()
        assert scene.voice_of("ann") == B


@in_jumping_time
async def test_a_timbre_is_a_fact() -> None:
    """Once a voice was heard for long enough, voices are asked for again; it is heard no more."""
    plugins = FakePlugins(lambda it: A if it.speaker.timbre else None)
    plugins.estimate_timbres = True
    async with assigning(plugins) as scene:
        scene.follow(interpreted("ann"), interpreted("bob"))
        await scene.decided()
        scene.forget()
        hear(scene.assigner, "ann", 2)
        hear(scene.assigner, "nobody", 2)
        await scene.decided()
        assert (scene.voice_of("ann"), scene.voice_of("bob")) == (A, None)
        assert [it.speaker.timbre for it in scene.plugins.asked] == [Timbre(120.0)]

        scene.follow(interpreted("ann"))
        hear(scene.assigner, "ann", 10)
        scene.follow()
        scene.follow(interpreted("ann"))
        hear(scene.assigner, "ann", 10)
        assert scene.voice_of("ann") == A

        await scene.decided()
        assert len(plugins.heard) == 1


@in_jumping_time
async def test_nobody_is_heard_where_no_plugin_listens() -> None:
    """Without an estimator no speech is kept; one that comes later begins to listen."""
    plugins = FakePlugins()
    async with assigning(plugins) as scene:
        scene.follow(interpreted("ann"))
        hear(scene.assigner, "ann", 5)
        plugins.estimate_timbres = True
        scene.revision += 1
        scene.follow(interpreted("ann"))
        await scene.decided()
        assert plugins.heard == []

        hear(scene.assigner, "ann", 2)
        await scene.decided()
        assert len(plugins.heard) == 1


@in_jumping_time
async def test_speakers_are_known_when_they_have_left() -> None:
    """Words may come later than that: with them plugins are told what is known of the speaker."""
    plugins = FakePlugins()
    plugins.estimate_timbres = True
    async with assigning(plugins) as scene:
        scene.follow(interpreted("ann", source_language=EN))
        hear(scene.assigner, "ann", 2)
        await scene.decided()
        ann = replace(interpreted("ann", source_language=EN).speaker, timbre=Timbre(120.0))
        assert scene.assigner.speaker("ann") == ann

        scene.follow()
        assert scene.assigner.speaker("ann") == ann
        assert scene.assigner.speaker("bob") == Speaker(identity="bob", name="bob")


@in_jumping_time
async def test_plugins_are_asked_once_for_a_full_room() -> None:
    """The voices of 20 speakers in 8 languages take 160 questions, and none is asked again."""
    targets = tuple(map(LanguageCode, "es de fr it pt ja zh ko".split()))
    plugins = FakePlugins(lambda _: A)
    async with assigning(plugins) as scene:
        scene.follow(*(interpreted(f"p{number}", *targets) for number in range(20)))
        await eventually(scene.is_decided)

    asked = {(it.speaker.identity, it.target_language) for it in plugins.asked}
    assert len(plugins.asked) == len(asked) == 160


@in_jumping_time
async def test_decisions_are_logged_without_names(caplog: pytest.LogCaptureFixture) -> None:
    """Each choice is told once, with language, kind and plugin; nobody is named."""
    caplog.set_level(logging.INFO)
    async with assigning(FakePlugins(by_attribute)) as scene:
        scene.follow(interpreted("ann", voice="a"), interpreted("bob"))
        await scene.decided()
        scene.follow(interpreted("ann", voice="a"))
        await scene.decided()

    told = [(it.getMessage(), facts_of(it)) for it in caplog.records]
    assert told == [
        ("voice chosen", ("es", "fixed", PLUGIN)),
        ("voice chosen", ("es", "default", None)),
    ]


def facts_of(record: logging.LogRecord) -> tuple[object, ...]:
    """What a decision's log line says."""
    return tuple(vars(record)[it] for it in ("language", "kind", "plugin"))


@in_jumping_time
async def test_facts_are_for_looking_at() -> None:
    """A plugin that writes into what it is asked changes nothing for anybody."""

    def scribble(request: VoiceRequest) -> VoiceChoice | None:
        for facts in (request.others, *request.others.values()):
            with pytest.raises(TypeError):
                cast("dict[str, object]", facts)["es"] = B

        return A

    async with assigning(FakePlugins(scribble)) as scene:
        scene.follow(interpreted("ann"), interpreted("bob"))
        await eventually(lambda: scene.is_decided("ann", "bob"))
        assert scene.plugins.asked[-1].others == {"ann": {ES: A}}
