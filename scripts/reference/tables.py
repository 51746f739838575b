"""Sections as Markdown. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from scripts.reference.sections import UNDOCUMENTED, Row, Section


def markdown(sections: Sequence[Section], level: int, heading: str = "") -> str:
    """Every section under its path, and in the end what Palabra does not document.

    Args:
        sections: The whole first, then what is in it.
        level: Of the headings.
        heading: What stands above the whole; nothing by default.
    """
    whole, *others = sections
    blocks = list(_section(whole, f"{'#' * level} {heading}" if heading else ""))
    for section in others:
        blocks += _section(section, f"{'#' * level} `{section.path}`")
    rows = [row for section in sections for row in section.rows if _is_undocumented(row)]
    if rows:
        blocks += [
            f"{'#' * level} Not documented by Palabra",
            "Sent only where they are set; what the service makes of them is not known."
            " Where each is known from stands in [palabra.md](palabra.md).",
            _table(
                ("key", "value", "meaning"), (_short(row) for row in rows if row.section is None)
            ),
        ]
    return "\n\n".join(filter(None, blocks))


def anchor(heading: str) -> str:
    """The name by which GitHub links to a heading."""
    kept = (letter for letter in heading.lower() if letter.isalnum() or letter in " -_")
    return "#" + "".join(kept).replace(" ", "-")


def _section(section: Section, heading: str) -> Iterator[str]:
    documented = [row for row in section.rows if not _is_undocumented(row)]
    if not documented and section.rows:
        return
    if heading:
        yield heading
        yield section.meaning
    if documented:
        yield _table(("key", "value", "default", "meaning"), map(_cells, documented))


def _cells(row: Row) -> tuple[str, str, str, str]:
    value = f"[{row.value}]({anchor(row.section)})" if row.section else row.value
    return f"`{row.key}`", value, row.default, row.meaning


def _is_undocumented(row: Row) -> bool:
    return row.meaning.startswith(UNDOCUMENTED)


def _short(row: Row) -> tuple[str, str, str]:
    """Without the word that stands above all of them already."""
    said = row.meaning.removeprefix(UNDOCUMENTED)
    meaning = row.meaning if said.startswith(",") else said.lstrip(":. ")
    value = row.value.removesuffix(" or `null`").removesuffix(", or `null`").removesuffix(",")
    return f"`{row.path}`", value, meaning[:1].upper() + meaning[1:]


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = chain((heads, ["---"] * len(heads)), rows)
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|") or "–"
