"""The demo's page and its lines: what people see of a progress."""

from __future__ import annotations

import io

import pytest
from rich.console import Console, ConsoleDimensions

from palabra_agent.local.demo_meeting import ALICE, BRUNO, CLARA, MeetingProgress, Row, Text
from palabra_agent.local.demo_view import PlainView, newest_rows, page, print_report, row_height

pytestmark = pytest.mark.unit


def _drawn(progress: MeetingProgress, width: int = 100, height: int = 30) -> str:
    console = Console(
        width=width, height=height, record=True, file=io.StringIO(), color_system=None
    )
    console.print(page(progress, 83, ConsoleDimensions(width, height)), height=height)
    return console.export_text()


def _row(number: int) -> Row:
    texts = {"en": f"Sentence {number}.", "es": f"Frase {number}.", "de": f"Satz {number}."}
    return Row(ALICE, {code: Text(words, is_final=True) for code, words in texts.items()})


def test_everything_is_on_the_page() -> None:
    """People, the interpreter, captions in three columns, channels with their delays."""
    progress = MeetingProgress()
    progress.interpreter = "live"
    progress.page = "http://127.0.0.1:8088/"
    progress.speaking = {"bruno"}
    progress.rows.append(_row(1))
    progress.heard(ALICE, CLARA, 0.87)
    drawn = _drawn(progress)

    assert "01:23" in drawn
    assert "○ Alice" in drawn
    assert "● Bruno" in drawn
    assert "hears German" in drawn
    assert "◆ Interpreter   live" in drawn
    captions = next(line for line in drawn.splitlines() if "Sentence 1." in line)
    assert captions.split() == ["Alice", "Sentence", "1.", "Frase", "1.", "Satz", "1."]
    assert "German 0.9 s" in drawn
    assert "English –" in drawn
    assert "join in a browser: http://127.0.0.1:8088/ " in drawn


@pytest.mark.parametrize(("width", "height"), [(40, 10), (80, 24), (200, 60)])
def test_the_page_fits_any_terminal(width: int, height: int) -> None:
    """Never more lines than there are, with the newest caption among them."""
    progress = MeetingProgress()
    progress.rows.extend(_row(number) for number in range(50))
    lines = _drawn(progress, width, height).rstrip("\n").splitlines()

    assert len(lines) <= height
    assert height < 20 or any("49." in line for line in lines)


def test_as_many_rows_as_fit_are_shown_oldest_first() -> None:
    """Each takes its lines and a blank one; the newest is shown even where it does not fit."""
    rows = [_row(number) for number in range(10)]

    assert newest_rows(rows, 30, 6) == rows[-3:]
    assert newest_rows(rows, 30, 0) == rows[-1:]
    assert newest_rows([], 30, 6) == []
    assert row_height(Row(BRUNO, {"es": Text("x" * 100, is_final=True)}), 30) == 4
    assert row_height(Row(BRUNO), 30) == 1


def test_plain_lines_tell_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal each event is one line with its time."""
    view = PlainView()
    view.announce("worker registered")
    with view.showing():
        view.spoke(ALICE, "Hello.")
        view.settled(_row(1), "en")
        view.settled(_row(1), "es")
        view.heard(ALICE, BRUNO, 0.91)
        view.update()
    view.conclude(MeetingProgress())

    assert [line[8:] for line in capsys.readouterr().out.splitlines()] == [
        "worker registered",
        "Alice says: Hello.",
        "    [en] caption: Sentence 1.",
        "    [es] Alice, translated: Frase 1.",
        "    Bruno hears Alice in Spanish 0.9 s after the last word",
    ]


def test_a_failed_check_says_what_was_missing(capsys: pytest.CaptureFixture[str]) -> None:
    """Each listener has a line, and the last ones say what is missing and what was wrong."""
    progress = MeetingProgress()
    progress.interpreter = "degraded: Palabra cannot be reached"
    for proof in progress.proofs[:-1]:
        proof.heard_after, proof.read = 0.9, "Satz."
    progress.proofs[-1].read = "Satz."
    print_report(progress, 45)
    out = capsys.readouterr().out

    assert out.count("✓") == 3
    assert "✗ Clara ← Bruno, German: NOT HEARD; read “Satz.”" in out
    assert "The check failed after 45 s: Clara has not heard de from Bruno." in out
    assert "The interpreter: degraded: Palabra cannot be reached." in out


def test_a_passed_check_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """The last line is the result."""
    progress = MeetingProgress()
    for proof in progress.proofs:
        proof.heard_after, proof.read = 0.9, "Satz."
    print_report(progress, 12)

    assert capsys.readouterr().out.endswith("\nThe check passed in 12 s.\n")
