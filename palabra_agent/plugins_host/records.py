"""What is known of the plugins that this installation has, as people are told it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

UNKNOWN_KIND: Final = "plugin"
"""The kind of one whose recipe does not tell, or was not read, what it opens."""


class PluginStatus(StrEnum):
    """Whether a room may have a plugin."""

    READY = "ready"
    NOT_ALLOWED = "not allowed"
    """The worker's `allowed_plugins` leave it out; it was not even imported."""
    FAILED = "failed to load"
    AMBIGUOUS = "two distributions have this name"
    """Neither is used, and neither was imported."""
    WRONG_SETTINGS = "wrong settings"
    """What the worker's settings say of it is not what it wants."""
    NEEDS_SETTINGS = "needs settings"
    """The worker's settings do not mention it, and it cannot do without."""


@dataclass(frozen=True, slots=True)
class PluginRecord:
    """One name in the group of entry points."""

    name: str
    """As room configs use it."""
    distribution: str
    """Who brings it: the name of the installed package, several where there are several."""
    version: str
    kind: str = UNKNOWN_KIND
    """What it opens, as far as its recipe says so: `voice policy`, or several such words."""
    status: PluginStatus = PluginStatus.READY
    error: str = ""
    """What is wrong, in a sentence without anything that the plugin itself said."""
    said: str = ""
    """What the plugin itself said to it: for the operator's terminal, not for logs or rooms."""

    @property
    def is_ready(self) -> bool:
        """Whether rooms may have it."""
        return self.status is PluginStatus.READY

    @property
    def is_broken(self) -> bool:
        """Whether somebody should mend it, or what is said of it."""
        return self.status in _BROKEN

    def __str__(self) -> str:
        words = f"{self.name}: {self.status}"
        words += f": {self.error}" if self.error else ""
        return f"{words} ({self.said})" if self.said else words


_BROKEN: Final = frozenset(
    {PluginStatus.FAILED, PluginStatus.AMBIGUOUS, PluginStatus.WRONG_SETTINGS}
)
