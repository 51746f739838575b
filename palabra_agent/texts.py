"""Text of others as it may stand beside ours: one line, which shows all that it does.

Participants choose their names, Palabra and LiveKit the words of their errors, plugins their
reasons. A line break in one of them begins a line that seems to be another speaker's, an escape
sequence rules the terminal that it is printed on, and a direction mark turns around the words
beside it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

LONGEST_TEXT: Final = 5_000
"""The most characters of what one person says without a pause."""
LONGEST_NAME: Final = 60
"""The most characters of a name; what was cut off is shown by an ellipsis."""

_NAMELESS: Final = "?"
_ELLIPSIS: Final = "…"
_REPLACEMENT: Final = "?"
"""As Python has it where UTF-8 cannot hold the half of a surrogate pair."""
_JOINERS: Final = "\u200c\u200d"
"""Between letters of many scripts, and between the parts of an emoji."""
_VISIBLE_FORMATS: Final = frozenset(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
)
"""Signs of numbers and of verses: Unicode counts them as format characters, but they are seen."""
_BLANK_LETTERS: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0\U0001d159")
"""Letters and signs by category, which show nothing."""
_MOST_MARKS: Final = 6
"""Combining marks on one letter, as many as Burmese and Tibetan need; towers of them cover the
lines above."""
_READ_BESIDE: Final = 1_000
"""Characters that are looked at beside as many as may stay: a book in a name costs nothing."""

_ESCAPE_SEQUENCE: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x00-\x1f\x7f-\x9f]*(?:\x07|\x1b\\|\x9c)"
)
"""Colours, movements of the cursor, titles of windows, links: all of it, not the escape alone."""


def one_line(text: str, longest: int | None = None) -> str:
    """Put a text on one line, without what cannot be seen or acts on what stands beside it.

    White space of any kind becomes a single space. Control and direction characters and escape
    sequences go, and so do marks that no script piles up so high; halves of surrogate pairs are
    replaced. The joiners that scripts and emoji need stay. What shows nothing is empty.

    Args:
        text: From anywhere.
        longest: The most characters; a longer one ends in an ellipsis.
    """
    if longest is not None:
        text = text[: longest + _READ_BESIDE]
    if not (text.isascii() and text.isprintable()):
        text = "".join(_shown(_ESCAPE_SEQUENCE.sub("", text)))

    line = " ".join(text.split())
    if longest is None or len(line) <= longest:
        return line

    return line[: longest - 1].rstrip(f" {_JOINERS}") + _ELLIPSIS


def shown_name(name: str, identity: str) -> str:
    """Name a participant beside their words; by their identity where the name shows nothing."""
    return one_line(name, LONGEST_NAME) or one_line(identity, LONGEST_NAME) or _NAMELESS


def _shown(text: str) -> Iterator[str]:
    """Leave out the characters that are not seen, or have no letter to stand on."""
    marks, may_join = _MOST_MARKS, False  # none may come before a letter
    for each in text:
        category = unicodedata.category(each)
        if each.isspace() or each in _BLANK_LETTERS:
            marks, may_join = _MOST_MARKS, False
            yield " "
        elif each in _JOINERS:
            if may_join:
                yield each
            may_join = False
        elif category.startswith("M"):
            marks += 1
            if marks <= _MOST_MARKS:
                may_join = True
                yield each
        elif category == "Cs":
            yield _REPLACEMENT
        elif category not in {"Cc", "Cf"} or each in _VISIBLE_FORMATS:
            marks, may_join = 0, True
            yield each
