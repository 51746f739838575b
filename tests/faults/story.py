"""What a fault led to, as people, operators and Palabra could see it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from palabra_agent.interpretation.ports import RoomStatus

_ORDINARY: Final = frozenset(vars(logging.makeLogRecord({})))


@dataclass(frozen=True, slots=True)
class Story:
    """What a fault led to, as everybody could see it."""

    room: list[str]
    """What the room showed, in order: its state, with the sentence that went with it."""
    said: list[str]
    """What the interpreter said to everybody."""
    log: list[str]
    """Warnings and errors, each with its reason."""
    asked: Mapping[str, int]
    """How often Palabra was asked what; asking how a task is going does not count."""


CALM: Final = Story(room=["live"], said=[], log=[], asked={"create": 1, "set_task": 1})
"""Nothing was seen of anything."""


def lost_and_found(why: str) -> Story:
    """A session was lost: the room showed why until the next one was there."""
    sentence = f"the Palabra session was lost: {why}"
    return Story(
        room=["live", f"degraded: {sentence}", "live"],
        said=[],
        log=[f"interpretation of a speaker interrupted: {sentence}"],
        asked={"create": 2, "set_task": 2, "delete": 1},
    )


def is_ours(record: logging.LogRecord) -> bool:
    """Whether our side logged it, and not the emulator."""
    return record.name.startswith("palabra_agent") and "emulator" not in record.name


def facts_of(record: logging.LogRecord) -> dict[str, Any]:
    """What was logged beside the message."""
    return {key: it for key, it in vars(record).items() if key not in _ORDINARY | {"message"}}


def line_of(record: logging.LogRecord, *, everything: bool = False) -> str:
    """A record as a line: the message with its reason, or with everything."""
    facts = facts_of(record)
    told = (
        facts if everything else {key: facts[key] for key in ("reason", "chunks") if key in facts}
    )
    return ": ".join((record.getMessage(), *map(str, told.values())))


def without_repetitions(shown: list[RoomStatus]) -> list[str]:
    """What was shown, in order, each change once."""
    told: list[str] = []
    for it in shown:
        line = f"{it.state}: {it.error}" if it.error else str(it.state)
        if told[-1:] != [line]:
            told.append(line)

    return told
