"""Pages of Markdown, taken apart: their sections, code, links and anchors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scripts.reference.tables import anchor

ROOT: Final = Path(__file__).parent.parent
_BLOCK: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING: Final = re.compile(r"^(#+) (.+)$")
_LINK: Final = re.compile(r"\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Code:
    """A block of code."""

    page: str
    line: int
    """Of its first line, in the page."""
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Page:
    """A page."""

    path: Path

    @property
    def text(self) -> str:
        """All of it."""
        return self.path.read_text(encoding="utf-8")

    @property
    def name(self) -> str:
        """Where it stands in the project."""
        return str(self.path.relative_to(ROOT))

    def code(self, language: str) -> list[Code]:
        """Its blocks in a language."""
        text = self.text
        return [
            Code(self.name, text.count("\n", 0, found.start(2)) + 1, found[1], found[2])
            for found in _BLOCK.finditer(text)
            if found[1] == language
        ]

    @property
    def prose(self) -> str:
        """The page without its blocks of code."""
        return _BLOCK.sub("", self.text)

    @property
    def headings(self) -> list[str]:
        """Its headings, as written."""
        return [found[2] for line in self.prose.splitlines() if (found := _HEADING.match(line))]

    def modules(self) -> dict[str, str]:
        """Its Python by the name of its module: plugins as entry points name them, and tests."""
        names = iter(re.findall(r'"(\w+):plugin"', self.text))
        return {
            f"test_{self.path.stem}" if "def test_" in code.text else next(names): code.text
            for code in self.code("python")
        }

    def section(self, heading: str) -> str:
        """What stands under a heading, up to the next one; empty where there is none."""
        lines: list[str] = []
        is_there = False
        for line in self.prose.splitlines():
            found = _HEADING.match(line)
            is_there = found[2] == heading if found else is_there
            if is_there and not found:
                lines.append(line)
        return "\n".join(lines).strip()

    def broken_links(self) -> Iterator[str]:
        """Its links to what is not there."""
        for link in _LINK.findall(self.prose):
            if re.match(r"\w+:", link):
                continue
            file, _, fragment = link.partition("#")
            target = Page((self.path.parent / file).resolve() if file else self.path)
            if not target.path.exists() or not target.has(fragment):
                yield link

    def has(self, fragment: str) -> bool:
        """Whether a link may end with this."""
        return not fragment or f"#{fragment}" in map(anchor, self.headings)
