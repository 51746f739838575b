"""The demo's output: a live page in a terminal, and plain lines everywhere else."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Final, Protocol

from rich.console import Console, ConsoleDimensions, Group, RenderableType
from rich.layout import Layout
from rich.live import Live
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text as Words

from palabra_agent.local.demo_meeting import (
    LANGUAGE_NAMES,
    LANGUAGES,
    MEMBERS,
    ChannelDisplay,
    MeetingProgress,
    Member,
    Row,
)

_REFRESH_SECONDS: Final = 0.2
_FAINT: Final = "bright_black"
_COLOURS: Final = {"alice": "cyan", "bruno": "magenta", "clara": "yellow"}
_NAME_WIDTH: Final = 10
_MARGIN: Final = 2
_TOP_LINES: Final = 2 + len(MEMBERS) + 1 + 3
"""Heading, people and the interpreter, rule and column heads."""
_GUTTER: Final = 2
_BOTTOM_LINES: Final = 3
"""Rule, channels, hint."""


class View(Protocol):
    """A way to show the demo."""

    def announce(self, what: str) -> None:
        """Something is ready."""
        ...

    def showing(self) -> AbstractContextManager[None]:
        """Show the meeting while the block runs."""
        ...

    def spoke(self, speaker: Member, text: str) -> None:
        """A speaker begins to say something."""
        ...

    def settled(self, row: Row, language: str) -> None:
        """A caption is final."""
        ...

    def heard(self, speaker: Member, listener: Member, delay: float) -> None:
        """A listener hears the translation of what a speaker said."""
        ...

    def update(self) -> None:
        """The progress may have changed."""
        ...

    def report(self, progress: MeetingProgress, seconds: float) -> None:
        """The check is over."""
        ...

    def conclude(self, progress: MeetingProgress) -> None:
        """Everything has ended."""
        ...


class PlainView:
    """One line for each thing that happens."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def announce(self, what: str) -> None:
        """Print it."""
        self._line(what)

    def showing(self) -> AbstractContextManager[None]:
        """Nothing to set up."""
        return nullcontext()

    def spoke(self, speaker: Member, text: str) -> None:
        """Print who says what."""
        self._line(f"{speaker.name} says: {text}")

    def settled(self, row: Row, language: str) -> None:
        """Print the caption; originals are told apart from translations."""
        kind = "caption" if language == row.speaker.speaks else f"{row.speaker.name}, translated"
        self._line(f"    [{language}] {kind}: {row.texts[language].words}")

    def heard(self, speaker: Member, listener: Member, delay: float) -> None:
        """Print the delay."""
        self._line(
            f"    {listener.name} hears {speaker.name} in {LANGUAGE_NAMES[listener.listens]}"
            f" {delay:.1f} s after the last word"
        )

    def update(self) -> None:
        """Nothing to redraw."""

    def report(self, progress: MeetingProgress, seconds: float) -> None:
        """Print what was proven and what was missing."""
        print_report(progress, seconds)

    def conclude(self, progress: MeetingProgress) -> None:
        """Nothing to put away."""

    def _line(self, words: str) -> None:
        seconds = time.monotonic() - self._started
        sys.stdout.write(f"{seconds:6.1f}  {words}\n")
        sys.stdout.flush()


class LiveView:
    """A page that shows the meeting as it is."""

    def __init__(self, progress: MeetingProgress) -> None:
        self._board = progress
        self._console = Console()
        self._live: Live | None = None
        self._started = time.monotonic()
        self._drawn = 0.0

    def announce(self, what: str) -> None:
        """Print it above the page that is to come."""
        self._console.print(f"[green]✓[/] {what}", highlight=False)

    @contextmanager
    def showing(self) -> Generator[None]:
        """Show the page on the terminal's other screen."""
        self._started = time.monotonic()
        with Live(console=self._console, screen=True, auto_refresh=False) as self._live:
            self.update()
            yield
        self._live = None

    def spoke(self, speaker: Member, text: str) -> None:
        """The page shows it by itself."""

    def settled(self, row: Row, language: str) -> None:
        """The page shows it by itself."""

    def heard(self, speaker: Member, listener: Member, delay: float) -> None:
        """The page shows it by itself."""

    def update(self) -> None:
        """Redraw the page, a few times a second."""
        now = time.monotonic()
        if self._live is None or now - self._drawn < _REFRESH_SECONDS:
            return

        self._drawn = now
        self._live.update(page(self._board, now - self._started, self._console.size), refresh=True)

    def report(self, progress: MeetingProgress, seconds: float) -> None:
        """Print what was proven and what was missing."""
        print_report(progress, seconds)

    def conclude(self, progress: MeetingProgress) -> None:
        """Say how it was, if it was at all."""
        if not progress.rows:
            return

        delays = [
            f"{LANGUAGE_NAMES[channel.language]} {channel.median_delay:.1f} s"
            for channel in progress.channels.values()
            if channel.median_delay is not None
        ]
        self._console.print(
            f"The meeting is over; utterances interpreted: {len(progress.rows)}."
            + (f" Usual delay after the last word: {', '.join(delays)}." if delays else ""),
            highlight=False,
        )


def print_report(progress: MeetingProgress, seconds: float) -> None:
    """Print a check's result, one line for each listener and speaker."""
    lines = ["", "What the listeners got of the interpretation:"]
    for proof in progress.proofs:
        sign = "✓" if proof.is_complete else "✗"
        language = LANGUAGE_NAMES[proof.listener.listens]
        heard = (
            f"heard {proof.heard_after:.1f} s after the last word"
            if proof.heard_after is not None
            else "NOT HEARD"
        )
        read = f"read “{proof.read}”" if proof.read else "NOT READ"
        lines.append(
            f"  {sign} {proof.listener.name} ← {proof.speaker.name}, {language}: {heard}; {read}"
        )

    missing = progress.missing()
    if missing:
        lines += ["", f"The check failed after {seconds:.0f} s: {'; '.join(missing)}."]
        lines += [f"The interpreter: {progress.interpreter or 'not in the room'}."]
    else:
        lines += ["", f"The check passed in {seconds:.0f} s."]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def page(progress: MeetingProgress, seconds: float, size: ConsoleDimensions) -> RenderableType:
    """Draw everything for a terminal of this size."""
    lines = max(3, size.height - _TOP_LINES - _BOTTOM_LINES)
    rows = newest_rows(list(progress.rows), column_width(size.width), lines)
    rule = Rule(style=_FAINT)
    top = Group(_heading(seconds), Words(), _people(progress), rule, _column_heads(), Words())

    whole = Layout()
    whole.split_column(
        Layout(_within_margins(top), size=_TOP_LINES),
        Layout(_within_margins(_captions(rows))),
        Layout(
            _within_margins(Group(rule, _channels(progress), _hint(progress))), size=_BOTTOM_LINES
        ),
    )
    return whole


def column_width(width: int) -> int:
    """The number of letters of a caption that fit into one line."""
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
    """The number of lines that a row takes: wrapped words cost a little more."""
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


def _people(progress: MeetingProgress) -> RenderableType:
    people = Table.grid(padding=(0, 3, 0, 0))
    for member in MEMBERS:
        is_speaking = member.identity in progress.speaking
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

    state = progress.interpreter
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


def _channels(progress: MeetingProgress) -> RenderableType:
    line = Words("channels".ljust(_NAME_WIDTH), style=_FAINT)
    for channel in progress.channels.values():
        line.append_text(_channel(channel))

    return line


def _channel(channel: ChannelDisplay) -> Words:
    delay = channel.last_delay
    sign, style = ("♪ ", "green") if channel.is_sounding else ("· ", _FAINT)
    return Words.assemble(
        (sign, style),
        (LANGUAGE_NAMES[channel.language], "bold default" if channel.is_sounding else "default"),
        (f" {delay:.1f} s" if delay is not None else " –", "default" if delay else _FAINT),
        "     ",
    )


def _hint(progress: MeetingProgress) -> RenderableType:
    hint = Words(style=_FAINT, no_wrap=True, overflow="ellipsis")
    if progress.page:
        hint.append("join in a browser: ")
        hint.append(progress.page, style="default")
        hint.append("   ·   ")
    hint.append("Ctrl-C ends the meeting")
    hint.append("   ·   seconds: from a speaker's last word to the first translated sound")
    return hint


def _within_margins(content: RenderableType) -> RenderableType:
    return Padding(content, (0, _MARGIN))
