"""The plugins that are not even imported, and why."""

from __future__ import annotations

from collections.abc import Sequence

from palabra_agent.errors import Phase, PluginError
from palabra_agent.plugins_host.discovery import Found
from palabra_agent.plugins_host.loading import log, shown_name
from palabra_agent.plugins_host.records import PluginRecord, PluginStatus


def not_allowed(found: Sequence[Found]) -> PluginRecord:
    """Record one that the worker's settings leave out."""
    return _record(found, PluginStatus.NOT_ALLOWED)


def ambiguous(found: Sequence[Found]) -> PluginRecord:
    """Record a name that several entry points have."""
    bringing = dict.fromkeys(f"{each.distribution} {each.version}" for each in found)
    verb = "bring it" if len(bringing) > 1 else "has several entry points of this name"
    reason = f"{' and '.join(bringing)} {verb}, and none of them is used"
    error = PluginError(shown_name(found[0]), Phase.LOAD, reason)
    log(error)
    return _record(found, PluginStatus.AMBIGUOUS, error.reason)


def too_late(found: Sequence[Found], seconds: float) -> PluginRecord:
    """Record one whose turn came when the time for all was over."""
    reason = f"the {seconds:g} s that all plugins together may take were over"
    log(PluginError(shown_name(found[0]), Phase.LOAD, reason))
    return _record(found, PluginStatus.FAILED, reason)


def _record(found: Sequence[Found], status: PluginStatus, error: str = "") -> PluginRecord:
    return PluginRecord(
        shown_name(found[0]),
        ", ".join(dict.fromkeys(each.distribution for each in found)),
        ", ".join(dict.fromkeys(each.version for each in found)),
        status=status,
        error=error,
    )
