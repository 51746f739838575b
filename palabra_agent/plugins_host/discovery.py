"""Which plugins are installed: the entry points of our group, read without importing anything."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint, distributions
from typing import Final

from palabra_agent.config.wording import listed, shown
from palabra_agent.errors import Phase
from palabra_agent.languages import did_you_mean
from palabra_agent.plugin import ENTRY_POINTS

NAME_RULE: Final = "letters, digits, `-`, `_` and `.`, at most 64, the first a letter or digit"
_USABLE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

_UNKNOWN: Final = "unknown"
_LONGEST_GUESS: Final = 60

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """One entry point, and who brings it."""

    name: str
    entry_point: EntryPoint
    distribution: str
    version: str

    @property
    def is_usable(self) -> bool:
        """Whether a room config can name it."""
        return _USABLE_NAME.fullmatch(self.name) is not None


def find_plugins(entry_points: Iterable[EntryPoint] | None = None) -> dict[str, list[Found]]:
    """Everything that is installed under each name, in the order of names.

    Args:
        entry_points: Those to take instead of the ones that are installed.
    """
    found: dict[str, list[Found]] = {}
    for each in installed() if entry_points is None else entry_points:
        if each.group == ENTRY_POINTS:
            brought = Found(each.name, each, *_origin(each.dist))
            found.setdefault(each.name, []).append(brought)
    return {
        name: sorted(those, key=lambda each: (each.distribution, each.version))
        for name, those in sorted(found.items())
    }


def installed() -> Iterator[EntryPoint]:
    """The entry points of every installed distribution; one that cannot be read is passed over."""
    seen: set[str] = set()
    for distribution in distributions():
        name, _ = _origin(distribution)
        if name != _UNKNOWN:
            # as installers spell it; of two on the path, the first is the one that is imported
            spelt = re.sub(r"[-_.]+", "-", name).lower()
            if spelt in seen:
                continue
            seen.add(spelt)
        yield from _entry_points(distribution, name)


def _entry_points(distribution: Distribution, name: str) -> Iterable[EntryPoint]:
    try:
        return distribution.entry_points
    except Exception as error:  # noqa: BLE001 - one broken distribution must not hide the others
        words = {"distribution": name, "phase": Phase.LOAD.value, "error": type(error).__name__}
        logger.warning("the entry points of a distribution cannot be read", extra=words)
        return ()


def _origin(distribution: Distribution | None) -> tuple[str, str]:
    """Name and version, as far as its metadata can be read."""
    if distribution is None:
        return _UNKNOWN, _UNKNOWN
    try:
        metadata = distribution.metadata
        return str(metadata["Name"] or _UNKNOWN), str(metadata["Version"] or _UNKNOWN)
    except Exception:  # noqa: BLE001 - whatever is wrong with it, its plugin may work
        return _UNKNOWN, _UNKNOWN


def not_installed(name: str, installed: Sequence[str]) -> str:
    """Say that nothing has this name, and what was probably meant."""
    words = f"{shown(name)} is not installed"
    hint = did_you_mean(name[:_LONGEST_GUESS], installed)
    if hint:
        return f"{words}{hint}"
    return f"{words}; installed are {listed(installed)}" if installed else f"{words}; no plugin is"
