"""What the demo knows of its meeting: captions joined by order, delays, and what is proven."""

from __future__ import annotations

import pytest

from palabra_agent.local.board import Board, Row, Text
from palabra_agent.local.meeting import ALICE, BRUNO, CLARA
from palabra_agent.local.texts import Caption

pytestmark = pytest.mark.unit


def _caption(
    speaker: str, language: str, text: str, *, segment: str, final: bool = True, translated: bool
) -> Caption:
    return Caption(
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
    board = Board()
    board.read([_caption("alice", "en", "One.", segment="1-o", translated=False)], ALICE)
    board.read([_caption("alice", "en", "Two.", segment="2-o", translated=False)], ALICE)
    board.read([_caption("alice", "es", "Uno.", segment="1-es", translated=True)], BRUNO)
    board.read([_caption("alice", "de", "Eins.", segment="1-de", translated=True)], CLARA)
    board.read([_caption("alice", "es", "Dos.", segment="2-es", translated=True)], BRUNO)

    assert [{code: text.words for code, text in row.texts.items()} for row in board.rows] == [
        {"en": "One.", "es": "Uno.", "de": "Eins."},
        {"en": "Two.", "es": "Dos."},
    ]


def test_a_partial_is_replaced_until_it_is_final() -> None:
    """A later version takes the place; nothing takes the place of a final one."""
    board = Board()

    def hear(text: str, *, final: bool) -> list[tuple[Row, str]]:
        said = _caption("alice", "en", text, segment="1", final=final, translated=False)
        return board.read([said], ALICE)

    assert hear("Good", final=False) == []
    assert hear("Good morning", final=False) == []
    assert hear("Good morning.", final=True) == [(board.rows[0], "en")]
    assert hear("Good mor", final=False) == []
    assert hear("Good morning.", final=True) == []
    assert board.rows[0].texts == {"en": Text("Good morning.", is_final=True)}


def test_everybody_must_hear_and_read_everybody_they_do_not_understand() -> None:
    """Four interpretations are needed, each heard and read; what is missing is named."""
    board = Board()
    assert len(board.missing()) == 8
    assert board.missing()[0] == "Bruno has not heard es from Alice"

    states: list[bool] = []
    for speaker, listener, language in (
        (ALICE, BRUNO, "es"),
        (ALICE, CLARA, "de"),
        (BRUNO, ALICE, "en"),
        (BRUNO, CLARA, "de"),
    ):
        states.append(board.is_proven)
        read = _caption(speaker.identity, language, "…", segment="1", translated=True)
        board.read([read], listener)
        board.heard(speaker, listener, 0.9)

    assert [*states, board.is_proven] == [False, False, False, False, True]
    assert board.missing() == []


def test_only_a_final_translation_into_the_reader_s_language_proves_anything() -> None:
    """Partials, originals and other languages do not count, nor does a stranger's caption."""
    board = Board()
    for useless in (
        _caption("alice", "es", "Uno", segment="1", final=False, translated=True),
        _caption("alice", "es", "Uno", segment="2", translated=False),
        _caption("alice", "de", "Eins", segment="3", translated=True),
        _caption("mallory", "es", "Uno", segment="4", translated=True),
    ):
        board.read([useless], BRUNO)

    assert "Bruno has not read es from Alice" in board.missing()


def test_delays_are_kept_per_channel() -> None:
    """The newest and the usual delay of a channel."""
    board = Board()
    german, spanish = board.channels["de"], board.channels["es"]

    for delay in (0.8, 3.0, 1.0):
        board.heard(ALICE, CLARA, delay)

    assert (german.last_delay, german.median_delay) == (1.0, 1.0)
    assert (spanish.last_delay, spanish.median_delay) == (None, None)
