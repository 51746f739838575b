"""The page that the demo draws in a terminal: a board made visible. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final

from rich.console import ConsoleDimensions, Group, RenderableType
from rich.layout import Layout
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text as Words

from palabra_agent.local.board import Board, Channel, Row
from palabra_agent.local.meeting import CAST, LANGUAGE_NAMES, LANGUAGES, Member

_FAINT: Final = "bright_black"
_COLOURS: Final = {"alice": "cyan", "bruno": "magenta", "clara": "yellow"}
_NAME_WIDTH: Final = 10
_MARGIN: Final = 2
_TOP_LINES: Final = 2 + len(CAST) + 1 + 3
"""Heading, people and the interpreter, rule and column heads."""
_GUTTER: Final = 2
_BOTTOM_LINES: Final = 3
"""Rule, channels, hint."""


def page(board: Board, seconds: float, size: ConsoleDimensions) -> RenderableType:
    """Draw everything for a terminal of this size."""
    lines = max(3, size.height - _TOP_LINES - _BOTTOM_LINES)
    rows = newest_rows(list(board.rows), column_width(size.width), lines)
    rule = Rule(style=_FAINT)
    top = Group(_heading(seconds), Words(), _people(board), rule, _column_heads(), Words())

    whole = Layout()
    whole.split_column(
        Layout(_within_margins(top), size=_TOP_LINES),
        Layout(_within_margins(_captions(rows))),
        Layout(_within_margins(Group(rule, _channels(board), _hint())), size=_BOTTOM_LINES),
    )
    return whole


def column_width(width: int) -> int:
    """How many letters of a caption fit into one line."""
    return max(8, (width - 2 * _MARGIN - _NAME_WIDTH) // len(LANGUAGES) - _GUTTER)


def newest_rows(rows: Sequence[Row], width: int, lines: int) -> list[Row]:
    """As many of the newest rows as fit into so many lines, oldest first; at least one."""
    shown: list[Row] = []
    for row in reversed(rows):
        lines -= row_height(row, width) + 1
        if lines < 0 and shown:
            break
        shown.append(row)

    return shown[::-1]


def row_height(row: Row, width: int) -> int:
    """How many lines a row takes: words wrap, which costs a little more than their length."""
    lengths = [len(text.words) for text in row.texts.values()] or [1]
    return max(math.ceil(length * 1.12 / width) for length in lengths) or 1


def _heading(seconds: float) -> RenderableType:
    heading = Table.grid(expand=True)
    heading.add_column()
    heading.add_column(justify="right", style=_FAINT)
    heading.add_row(
        Words.assemble(
            ("palabra-agent", "bold"), ("  one meeting, each in their own language", "")
        ),
        f"{int(seconds) // 60:02}:{int(seconds) % 60:02}",
    )
    return heading


def _people(board: Board) -> RenderableType:
    people = Table.grid(padding=(0, 3, 0, 0))
    for member in CAST:
        is_speaking = member.identity in board.speaking
        colour = _COLOURS[member.identity]
        people.add_row(
            Words.assemble(
                ("● " if is_speaking else "○ ", colour if is_speaking else _FAINT),
                (member.name, f"bold {colour}"),
            ),
            _speaks(member),
            f"hears {LANGUAGE_NAMES[member.listens]}",
            Words("speaking" if is_speaking else "", style=colour),
        )

    state = board.interpreter
    people.add_row(
        Words.assemble(("◆ ", "green" if state == "live" else "yellow"), ("Interpreter", "bold")),
        Words(state or "on its way", style="green" if state == "live" else "yellow"),
    )
    return people


def _speaks(member: Member) -> Words:
    if member.speaks is None:
        return Words("listens", style=_FAINT)

    return Words(f"speaks {LANGUAGE_NAMES[member.speaks]}")


def _column_heads() -> RenderableType:
    return _columns((Words(), *(Words(LANGUAGE_NAMES[code], _FAINT) for code in LANGUAGES)))


def _captions(rows: Sequence[Row]) -> RenderableType:
    lines: list[RenderableType] = []
    for row in rows:
        colour = _COLOURS[row.speaker.identity]
        name = Words(row.speaker.name, style=colour)
        texts = (_words(row, str(language), colour) for language in LANGUAGES)
        lines += [_columns((name, *texts)), Words()]

    return Group(*lines)


def _columns(cells: Iterable[Words]) -> RenderableType:
    table = Table.grid(expand=True, padding=(0, _GUTTER, 0, 0))
    table.add_column(width=_NAME_WIDTH - _GUTTER, no_wrap=True)
    for _ in LANGUAGES:
        table.add_column(ratio=1)
    table.add_row(*cells)
    return table


def _words(row: Row, language: str, colour: str) -> Words:
    text = row.texts.get(language)
    if text is None:
        return Words("")

    is_original = language == row.speaker.speaks
    style = f"bold {colour}" if is_original else ""
    return Words(text.words, style=style if text.is_final else f"{style} dim italic".strip())


def _channels(board: Board) -> RenderableType:
    line = Words("channels".ljust(_NAME_WIDTH), style=_FAINT)
    for channel in board.channels.values():
        line.append_text(_channel(channel))

    return line


def _channel(channel: Channel) -> Words:
    delay = channel.last_delay
    sign, style = ("♪ ", "green") if channel.is_sounding else ("· ", _FAINT)
    return Words.assemble(
        (sign, style),
        (LANGUAGE_NAMES[channel.language], "bold default" if channel.is_sounding else "default"),
        (f" {delay:.1f} s" if delay is not None else " –", "default" if delay else _FAINT),
        "     ",
    )


def _hint() -> RenderableType:
    hint = Words(style=_FAINT, no_wrap=True, overflow="ellipsis")
    hint.append("seconds: from a speaker's last word to the first translated sound")
    hint.append("   ·   Ctrl-C ends the meeting")
    return hint


def _within_margins(content: RenderableType) -> RenderableType:
    return Padding(content, (0, _MARGIN))
