"""Texts as they are spoken: the time that one takes, and where a long one is split. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_WORDS_PER_SECOND: Final = 2.5
_SIGNS_PER_SECOND: Final = 6.0
"""For writing without spaces."""

_WORD: Final = re.compile(r"\s*\S+")
_SENTENCE_END: Final = re.compile(r"[.!?…。！？؟।][\"'»”’)\]]*\s*$")
_NEAR: Final = 0.15
"""A translation is cut at a sentence's end so near, as a share of its length, else within one."""


@dataclass(frozen=True, slots=True)
class SplitRules:
    """`sentence_splitter` of a task: when a sentence is long enough to be told in parts."""

    is_enabled: bool = True
    sentence_characters: float = 80
    sentence_seconds: float = 4
    """A part ends with a sentence if it is at least so long, both ways."""
    forced_characters: float = 100
    forced_seconds: float = 6
    """A part ends with any word if it is at least so long, both ways."""


@dataclass(frozen=True, slots=True)
class SplitPlace:
    """A place at which a text is split."""

    position: int
    """The characters before it."""
    seconds: float
    """The time that it takes to say them."""


def spoken_seconds(text: str) -> float:
    """The time that it takes to speak a text."""
    pieces, pace = _pieces(text)
    return max(1, len(pieces)) / pace


def beginning(text: str, seconds: float) -> str:
    """As much of a text as is spoken in some time, at least its first word."""
    pieces, pace = _pieces(text)
    return "".join(pieces[: max(1, round(seconds * pace))]).strip()


def split_places(text: str, rules: SplitRules) -> Iterator[SplitPlace]:
    """The places at which the rules split a text, which is known only as far as it was said."""
    pieces, pace = _pieces(text)
    previous = SplitPlace(0, 0.0)
    position = 0
    for count, piece in enumerate(pieces[:-1] if rules.is_enabled else [], start=1):
        position += len(piece)
        characters, seconds = position - previous.position, count / pace - previous.seconds
        is_sentence = bool(_SENTENCE_END.search(piece))
        if (characters >= rules.forced_characters and seconds >= rules.forced_seconds) or (
            is_sentence
            and characters >= rules.sentence_characters
            and seconds >= rules.sentence_seconds
        ):
            previous = SplitPlace(position, count / pace)
            yield previous


def share_of(text: str, start: float, end: float) -> str:
    """What stands between two shares (0 to 1) of a text; shares that meet leave nothing out."""
    return text[_position(text, start) : _position(text, end)].strip()


def _position(text: str, share: float) -> int:
    """The place nearest to a share of a text at which it may be cut, best between sentences."""
    if share in {0.0, 1.0}:
        return len(text) if share else 0

    pieces, _ = _pieces(text)
    ends = [0]
    for piece in pieces:
        ends.append(ends[-1] + len(piece))

    wanted = share * len(text)
    sentences = [
        end
        for end, piece in zip(ends[1:], pieces, strict=True)
        if _SENTENCE_END.search(piece) and abs(end - wanted) <= _NEAR * len(text)
    ]
    return min(sentences or ends, key=lambda end: abs(end - wanted))


def _pieces(text: str) -> tuple[list[str], float]:
    """The words of a text, or its signs where it has no spaces, and how many fill a second."""
    words = _WORD.findall(text)
    return (words, _WORDS_PER_SECOND) if len(words) > 1 else (list(text), _SIGNS_PER_SECOND)
