"""The demo's script and its order of turns."""

from __future__ import annotations

import pytest

from palabra_agent.local.meeting import (
    ALICE,
    BRUNO,
    CAST,
    LANGUAGE_NAMES,
    LANGUAGES,
    SCRIPT,
    interpretations,
    turns,
)
from palabra_emulator.script import load_script

pytestmark = pytest.mark.unit


def test_the_script_is_one_that_the_emulator_takes() -> None:
    """Every sentence is there in each of the meeting's languages."""
    script = load_script(SCRIPT)

    assert all(set(sentence.texts) == set(LANGUAGES) for sentence in script.sentences)


def test_each_speaker_says_every_line_once_and_in_order() -> None:
    """That is what the emulator recognises: the n-th utterance is the n-th line."""
    said = [line for turn in turns(8) for line in turn]

    for speaker in (ALICE, BRUNO):
        assert [line.number for line in said if line.speaker == speaker] == list(range(8))


def test_people_also_talk_at_the_same_time() -> None:
    """Most turns are one person's, and some are both's."""
    sizes = [len(turn) for turn in turns(8)]

    assert sizes.count(2) == 2
    assert sizes[:2] == [1, 1]


def test_whoever_hears_another_language_needs_an_interpreter() -> None:
    """Nobody needs one for their own language, nor for somebody who says nothing."""
    needed = {(speaker.identity, listener.identity) for speaker, listener in interpretations()}

    assert needed == {
        ("alice", "bruno"),
        ("alice", "clara"),
        ("bruno", "alice"),
        ("bruno", "clara"),
    }
    assert set(LANGUAGE_NAMES) == {str(member.listens) for member in CAST}


def test_people_say_in_the_room_what_they_speak_and_hear() -> None:
    """The attributes are those of the contract; a listener says nothing about speaking."""
    assert ALICE.attributes == {"palabra.speak": "en", "palabra.listen": "en"}
    assert CAST[2].attributes == {"palabra.listen": "de"}
