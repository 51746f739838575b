"""The demo's meeting: its script, its turns, captions joined by order, delays, and proofs."""

from __future__ import annotations

import pytest

from palabra_agent.local.demo_meeting import (
    ALICE,
    BRUNO,
    CLARA,
    LANGUAGE_NAMES,
    LANGUAGES,
    MEMBERS,
    SCRIPT,
    MeetingProgress,
    Row,
    Text,
    interpretations,
    turns,
)
from palabra_agent.local.reception import ReceivedCaption
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


def test_a_listener_of_another_language_needs_an_interpreter() -> None:
    """None is needed for one's own language, nor for a member who says nothing."""
    needed = {(speaker.identity, listener.identity) for speaker, listener in interpretations()}

    assert needed == {
        ("alice", "bruno"),
        ("alice", "clara"),
        ("bruno", "alice"),
        ("bruno", "clara"),
    }
    assert set(LANGUAGE_NAMES) == {str(member.listens) for member in MEMBERS}


def test_people_say_in_the_room_what_they_speak_and_hear() -> None:
    """The attributes are those of the contract; a listener says nothing about speaking."""
    assert ALICE.attributes == {"palabra.speak": "en", "palabra.listen": "en"}
    assert MEMBERS[2].attributes == {"palabra.listen": "de"}


def _caption(
    speaker: str, language: str, text: str, *, segment: str, final: bool = True, translated: bool
) -> ReceivedCaption:
    return ReceivedCaption(
        segment_id=segment,
        speaker=speaker,
        text=text,
        language=language,
        is_final=final,
        is_translated=translated,
        track_id="",
        at=0.0,
    )


def test_an_original_and_its_translations_share_a_row() -> None:
    """The second caption of a speaker in each language belongs to the second utterance."""
    progress = MeetingProgress()
    progress.read([_caption("alice", "en", "One.", segment="1-o", translated=False)], ALICE)
    progress.read([_caption("alice", "en", "Two.", segment="2-o", translated=False)], ALICE)
    progress.read([_caption("alice", "es", "Uno.", segment="1-es", translated=True)], BRUNO)
    progress.read([_caption("alice", "de", "Eins.", segment="1-de", translated=True)], CLARA)
    progress.read([_caption("alice", "es", "Dos.", segment="2-es", translated=True)], BRUNO)

    assert [{code: text.words for code, text in row.texts.items()} for row in progress.rows] == [
        {"en": "One.", "es": "Uno.", "de": "Eins."},
        {"en": "Two.", "es": "Dos."},
    ]


def test_a_partial_is_replaced_until_it_is_final() -> None:
    """A later version takes the place; nothing takes the place of a final one."""
    progress = MeetingProgress()

    def hear(text: str, *, final: bool) -> list[tuple[Row, str]]:
        said = _caption("alice", "en", text, segment="1", final=final, translated=False)
        return progress.read([said], ALICE)

    assert hear("Good", final=False) == []
    assert hear("Good morning", final=False) == []
    assert hear("Good morning.", final=True) == [(progress.rows[0], "en")]
    assert hear("Good mor", final=False) == []
    assert hear("Good morning.", final=True) == []
    assert progress.rows[0].texts == {"en": Text("Good morning.", is_final=True)}


def test_each_member_must_hear_and_read_all_they_do_not_understand() -> None:
    """Four interpretations are needed, each heard and read; what is missing is named."""
    progress = MeetingProgress()
    assert len(progress.missing()) == 8
    assert progress.missing()[0] == "Bruno has not heard es from Alice"

    states: list[bool] = []
    for speaker, listener, language in (
        (ALICE, BRUNO, "es"),
        (ALICE, CLARA, "de"),
        (BRUNO, ALICE, "en"),
        (BRUNO, CLARA, "de"),
    ):
        states.append(progress.is_proven)
        read = _caption(speaker.identity, language, "…", segment="1", translated=True)
        progress.read([read], listener)
        progress.heard(speaker, listener, 0.9)

    assert [*states, progress.is_proven] == [False, False, False, False, True]
    assert progress.missing() == []


def test_only_a_final_translation_into_the_reader_s_language_proves_anything() -> None:
    """Partials, originals and other languages do not count, nor does a stranger's caption."""
    progress = MeetingProgress()
    for useless in (
        _caption("alice", "es", "Uno", segment="1", final=False, translated=True),
        _caption("alice", "es", "Uno", segment="2", translated=False),
        _caption("alice", "de", "Eins", segment="3", translated=True),
        _caption("mallory", "es", "Uno", segment="4", translated=True),
    ):
        progress.read([useless], BRUNO)

    assert "Bruno has not read es from Alice" in progress.missing()


def test_delays_are_kept_per_channel() -> None:
    """The newest and the usual delay of a channel."""
    progress = MeetingProgress()
    german, spanish = progress.channels["de"], progress.channels["es"]

    for delay in (0.8, 3.0, 1.0):
        progress.heard(ALICE, CLARA, delay)

    assert (german.last_delay, german.median_delay) == (1.0, 1.0)
    assert (spanish.last_delay, spanish.median_delay) == (None, None)
