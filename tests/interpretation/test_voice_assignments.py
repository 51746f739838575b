"""Reasons to ask for a voice, and what is remembered of speakers who leave."""

from __future__ import annotations

from dataclasses import replace

import pytest

from palabra_agent.capabilities.capability import Verdict
from palabra_agent.interpretation.voice_assignments import (
    InterpretedSpeaker,
    VoiceAssignments,
    VoiceDecision,
)
from palabra_agent.languages import LanguageCode
from palabra_agent.voices import FixedVoice, Timbre, VoiceChoice
from tests.interpretation.assigning import DE, EN, ES, interpreted

pytestmark = pytest.mark.unit

A = FixedVoice("a")
ANN, BOB = interpreted("ann", ES), interpreted("bob", ES)


def following(*speakers: InterpretedSpeaker) -> VoiceAssignments:
    """Make the assignments of a room with these speakers, whom a plugin is asked about."""
    room = VoiceAssignments("board")
    room.follow(speakers, 1, is_asked=True)
    return room


def choose(
    room: VoiceAssignments, identity: str, choice: VoiceChoice = A, language: LanguageCode = ES
) -> bool:
    """Ask for a voice and take in the answer; returns if it is news."""
    asked = room.question(identity, language)
    assert asked is not None, "there is nothing to ask"
    return room.decide(identity, language, VoiceDecision(Verdict(choice, "dice"), asked[1]))


def test_a_voice_is_asked_for_once() -> None:
    """Each language of a new speaker is due; what was answered is not asked again."""
    room = following(interpreted("ann", ES, DE))
    assert room.languages_due("ann") == [ES, DE]
    assert choose(room, "ann")

    assert room.languages_due("ann") == [DE]
    assert room.question("ann", ES) is None
    assert room.waiting() == ["ann"]
    assert {it: verdict.choice for it, verdict in room.verdicts("ann", (ES, DE)).items()} == {ES: A}


@pytest.mark.parametrize(
    "others",
    [
        pytest.param([interpreted("ann", ES, voice="b")], id="the speaker's attributes"),
        pytest.param([ANN, BOB], id="who is present"),
    ],
)
def test_other_facts_are_a_reason_to_ask_again(others: list[InterpretedSpeaker]) -> None:
    """The voice holds meanwhile."""
    room = following(ANN)
    choose(room, "ann")
    room.follow(others, 1, is_asked=True)

    assert room.languages_due("ann") == [ES]
    assert "ann" not in room.waiting()


def test_new_plugins_and_a_timbre_are_a_reason_to_ask_again() -> None:
    """So is a voice that Palabra does not have, with which the speaker is not kept."""
    room = following(ANN)
    choose(room, "ann")
    room.follow([ANN], 2, is_asked=True)
    assert room.due() == ["ann"]

    choose(room, "ann")
    room.learn_timbre("ann", Timbre(120.0))
    assert room.due() == ["ann"]
    assert room.without_timbre() == []

    choose(room, "ann")
    room.mark_unavailable("a")
    assert room.waiting() == ["ann"]
    asked = room.question("ann", ES)
    assert asked is not None
    assert asked[0].current is None
    assert asked[0].unavailable == {"a"}


def test_the_voices_of_others_are_told_and_are_no_reason() -> None:
    """Else two speakers' plugins would be asked about each other for ever."""
    room = following(ANN, BOB)
    choose(room, "ann")
    choose(room, "bob", FixedVoice("b"))
    assert room.due() == []

    room.follow([replace(ANN, targets=(ES, DE)), BOB], 1, is_asked=True)
    asked = room.question("ann", DE)
    assert asked is not None
    assert asked[0].others == {"bob": {ES: FixedVoice("b")}}


@pytest.mark.parametrize(
    ("comes_back", "holds"), [(ANN, True), (interpreted("ann", ES, voice="b"), False)]
)
def test_who_comes_back_keeps_the_voice_if_nothing_changed(
    comes_back: InterpretedSpeaker, *, holds: bool
) -> None:
    """It is asked for all the same: meanwhile others may have been given it."""
    room = following(ANN)
    choose(room, "ann")
    room.follow([], 1, is_asked=True)
    assert (room.due(), room.verdicts("ann", (ES,))) == ([], {})

    room.follow([comes_back], 1, is_asked=True)
    assert room.due() == ["ann"]
    assert bool(room.verdicts("ann", (ES,))) == holds


def test_a_detected_language_is_remembered_until_it_is_known_again() -> None:
    """A speaker who comes back is told with the language spoken before."""
    room = following(interpreted("ann", ES, source_language=EN))
    room.follow([], 1, is_asked=True)
    room.follow([ANN], 1, is_asked=True)
    assert room.speaker("ann").source_language == EN

    room.follow([interpreted("ann", ES, source_language=DE)], 1, is_asked=True)
    assert room.speaker("ann").source_language == DE


def test_five_hundred_who_left_are_remembered() -> None:
    """Of more, those who left first are forgotten."""
    everybody = [interpreted(f"p{number:03}", ES) for number in range(501)]
    room = following(*everybody)
    for it in everybody:
        room.learn_timbre(it.speaker.identity, Timbre(120.0))
    room.follow(everybody[1:], 1, is_asked=True)
    room.follow([], 1, is_asked=True)

    identities = [it.speaker.identity for it in everybody]
    assert [who for who in identities if room.speaker(who).timbre is None] == ["p000"]
    assert not room.decide("p000", ES, VoiceDecision(Verdict(A, "dice")))


def test_without_plugins_the_default_voice_holds_at_once() -> None:
    """A plugin that is asked later begins with it."""
    room = VoiceAssignments("board")
    room.follow([ANN], 1, is_asked=False)

    assert room.waiting() == []
    assert [it.choice for it in room.verdicts("ann", (ES,)).values()] == [None]
