"""RPC method by which any participant learns how the interpretation goes, in numbers alone.

There are no names and no identities in it, but what the caller may know of themselves: how many
people hear them interpreted.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final

from palabra_agent.interpretation.ear_voice_span import Quantiles
from palabra_agent.interpretation.progress import LanguageProgress, Progress
from palabra_agent.meeting.rpc import Call
from palabra_agent.room.stops import Stops

STATUS: Final = "palabra.status"
"""Name of the RPC method."""


class StatusReport:
    """Answers how the interpretation of one room goes."""

    def __init__(self, progress: Progress, stops: Stops) -> None:
        self._progress = progress
        self._stops = stops

    async def status(self, call: Call) -> Mapping[str, Any]:
        """Tell of each language with a channel, and how many listen to the caller.

        Whatever the payload: there is nothing to choose. What is not known is left out.
        """
        progress, now = self._progress, asyncio.get_running_loop().time()
        told: dict[str, Any] = {
            "interpreted": len(progress.plan.briefs),
            "waiting": len(progress.plan.left_out),
            "channels": [_told(it) for it in progress.languages(now)],
            "stops": _stops(self._stops),
        }
        listeners = progress.listeners_of(call.caller)
        return told if listeners is None else told | {"listeners": listeners}


def _told(language: LanguageProgress) -> dict[str, Any]:
    spans = {"start": language.start_spans, "end": language.end_spans}
    known = {name: _seconds(it) for name, it in spans.items() if it is not None}
    told: dict[str, Any] = {
        "language": language.language,
        "speakers": language.speakers,
        "listeners": language.listeners,
        "lag_seconds": round(language.lag_seconds, 1),
    }
    if language.seconds_left is not None:
        told["seconds_left"] = round(language.seconds_left, 1)

    return told | ({"ear_voice_span": known} if known else {})


def _stops(stops: Stops) -> dict[str, float]:
    told: dict[str, float] = {"count": stops.count}
    if not stops.count:
        return told

    ago = time.monotonic() - stops.ended_at
    lengths = {"longest": round(stops.longest, 2), "last": round(stops.last, 2)}
    return {**told, **lengths, "seconds_ago": round(ago)}


def _seconds(spans: Quantiles) -> dict[str, float]:
    return {"count": spans.count, "p50": round(spans.p50, 2), "p90": round(spans.p90, 2)}
