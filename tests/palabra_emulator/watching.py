"""A running emulator watched, and disturbed, through its own API under `/emulator/`."""

from __future__ import annotations

import io
import wave
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import numpy as np
from pydantic import TypeAdapter

from palabra_agent.audio.pcm import Pcm
from palabra_emulator.interpreting.utterances import HEARING_RATE
from tests.clock import eventually

FAULTS_PATH: Final = "/emulator/faults"
_OVER: Final = frozenset({"ended", "deleted"})


@dataclass(frozen=True, slots=True)
class SessionState:
    """A session as `/emulator/sessions` shows it."""

    id: str
    state: str
    room: str
    transport: str | None
    marker_hz: int
    source_language: str | None
    targets: frozenset[str]
    billed_seconds: float
    utterances: int
    end_reason: str | None

    @property
    def is_over(self) -> bool:
        """Whether nothing of it runs any more."""
        return self.state in _OVER


@dataclass(frozen=True, slots=True)
class JournalLine:
    """A line of the journal."""

    session: str | None
    event: str
    data: dict[str, Any]


_SESSIONS: Final = TypeAdapter(dict[str, list[SessionState]])
_LINE: Final = TypeAdapter(JournalLine)


async def sessions_at(url: str) -> list[SessionState]:
    """Every session of the last ten minutes, oldest first."""
    return _SESSIONS.validate_json(await _read(url, "sessions"))["sessions"]


async def session_at(url: str, session_id: str) -> SessionState:
    """One session."""
    return next(it for it in await sessions_at(url) if it.id == session_id)


async def newest_session(url: str, source_language: str | None = None) -> SessionState:
    """The newest session, or the newest one from a language."""
    return next(
        it
        for it in reversed(await sessions_at(url))
        if source_language in {None, it.source_language}
    )


async def state_of(url: str, session_id: str) -> str:
    """A session's state."""
    return (await session_at(url, session_id)).state


async def until_state(url: str, session_id: str, state: str, seconds: float = 60.0) -> None:
    """Wait until a session is in a state."""

    async def is_in() -> bool:
        return await state_of(url, session_id) == state

    await eventually(is_in, f"a session that is {state}", seconds)


async def journal_at(url: str) -> list[JournalLine]:
    """Everything that happened, oldest first."""
    return [_LINE.validate_json(line) for line in (await _read(url, "journal")).splitlines()]


async def events_of(url: str, session_id: str, event: str = "") -> list[JournalLine]:
    """What the journal says of one session; of one kind where that is named."""
    return [
        it for it in await journal_at(url) if it.session == session_id and event in {"", it.event}
    ]


async def commands_of(url: str, session_id: str) -> list[tuple[str, str]]:
    """What a session was told, with the outcomes, oldest first."""
    told = await events_of(url, session_id, "command")
    return [(it.data["message_type"], it.data["outcome"]) for it in told]


async def heard_by(url: str, session_id: str) -> Pcm:
    """The sound that a session took in, at `HEARING_RATE`."""
    path = f"/emulator/sessions/{session_id}/heard.wav"
    async with aiohttp.ClientSession(url) as http, http.get(path) as answer:
        with wave.open(io.BytesIO(await answer.read())) as sound:
            assert sound.getframerate() == HEARING_RATE
            return np.frombuffer(sound.readframes(sound.getnframes()), np.int16)


async def arm(url: str, **wish: object) -> dict[str, Any]:
    """Let something go wrong; what was armed."""
    async with aiohttp.ClientSession(url) as http, http.post(FAULTS_PATH, json=wish) as answer:
        assert answer.status == 201, await answer.text()
        armed: dict[str, Any] = await answer.json()
        return armed


async def struck(url: str) -> None:
    """Wait until all that was armed has struck."""

    async def is_over() -> bool:
        async with aiohttp.ClientSession(url) as http, http.get(FAULTS_PATH) as answer:
            return not (await answer.json())["armed"]

    await eventually(is_over, "the stroke")


async def _read(url: str, what: str) -> str:
    async with aiohttp.ClientSession(url) as http, http.get(f"/emulator/{what}") as answer:
        return await answer.text()
