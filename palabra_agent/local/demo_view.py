"""How the demo shows itself: a live page in a terminal, and plain lines everywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Final, Protocol

from rich.console import Console
from rich.live import Live

from palabra_agent.local.board import Board, Row
from palabra_agent.local.demo_page import page
from palabra_agent.local.meeting import LANGUAGE_NAMES, Member

_REFRESH_SECONDS: Final = 0.2


class View(Protocol):
    """Whoever watches the demo."""

    def announce(self, what: str) -> None:
        """Something is ready."""
        ...

    def showing(self) -> AbstractContextManager[None]:
        """Show the meeting while the block runs."""
        ...

    def spoke(self, speaker: Member, text: str) -> None:
        """Somebody begins to say something."""
        ...

    def settled(self, row: Row, language: str) -> None:
        """A caption is final."""
        ...

    def heard(self, speaker: Member, listener: Member, delay: float) -> None:
        """Somebody hears the translation of what somebody said."""
        ...

    def update(self) -> None:
        """The board may have changed."""
        ...

    def report(self, board: Board, seconds: float) -> None:
        """The check is over."""
        ...

    def conclude(self, board: Board) -> None:
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

    def report(self, board: Board, seconds: float) -> None:
        """Print what was proven and what was missing."""
        print_report(board, seconds)

    def conclude(self, board: Board) -> None:
        """Nothing to put away."""

    def _line(self, words: str) -> None:
        seconds = time.monotonic() - self._started
        sys.stdout.write(f"{seconds:6.1f}  {words}\n")
        sys.stdout.flush()


class LiveView:
    """A page that shows the meeting as it is."""

    def __init__(self, board: Board) -> None:
        self._board = board
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

    def report(self, board: Board, seconds: float) -> None:
        """Print what was proven and what was missing."""
        print_report(board, seconds)

    def conclude(self, board: Board) -> None:
        """Say how it was, if it was at all."""
        if not board.rows:
            return

        delays = [
            f"{LANGUAGE_NAMES[channel.language]} {channel.median_delay:.1f} s"
            for channel in board.channels.values()
            if channel.median_delay is not None
        ]
        self._console.print(
            f"The meeting is over; utterances interpreted: {len(board.rows)}."
            + (f" Usual delay after the last word: {', '.join(delays)}." if delays else ""),
            highlight=False,
        )


def print_report(board: Board, seconds: float) -> None:
    """Print a check's result, one line for each listener and speaker."""
    lines = ["", "What the listeners got of the interpretation:"]
    for proof in board.proofs:
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

    missing = board.missing()
    if missing:
        lines += ["", f"The check failed after {seconds:.0f} s: {'; '.join(missing)}."]
        lines += [f"The interpreter: {board.interpreter or 'not in the room'}."]
    else:
        lines += ["", f"The check passed in {seconds:.0f} s."]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
