"""The first words: what is said while a session opens is heard whole, and late only for a moment.

The first session, one that is rebuilt, one on another transport. The emulator is the one who knows
what it has heard.
"""

from __future__ import annotations

import asyncio
from typing import Final

import numpy as np
import pytest

from palabra_agent.audio.pcm import SAMPLE_RATE, Pcm
from palabra_agent.local.livekit_server import RunningLiveKit
from palabra_agent.palabra.task.sections import Transcription, WebSocketFormat
from palabra_agent.palabra.task.settings import TaskSettings
from tests.clock import eventually

from .faulty_room import (
    ES,
    OVER_WEBSOCKET,
    FaultyRoom,
    faulty_room,
    palabra,
    people_come,
)
from .words import heard, new_word, resembles, times_held

_WHOLE_SAMPLES = OVER_WEBSOCKET.model_copy(
    update={"websocket": WebSocketFormat(sample_rate=SAMPLE_RATE, chunk_ms=40)}
)
_PATIENT = _WHOLE_SAMPLES.model_copy(
    update={"transcription": Transcription(segment_confirmation_silence_threshold=1.5)}
)
"""Palabra tells no sentence so soon that it could be told before its session is lost."""
_OVER_WEBRTC = TaskSettings(transcription=Transcription(segment_confirmation_silence_threshold=0.3))
_AUTO = _WHOLE_SAMPLES.model_copy(update={"transport": "auto"})
_SLOW_MS: Final = 1_500
"""A second slower than usual."""

_SILENCE: Final = np.zeros(SAMPLE_RATE, np.int16)
_ALIKE: Final = 0.8
"""So much of each tenth of a second must come through the codecs of WebRTC."""


async def says(room: FaultyRoom, *sounds: Pcm) -> float:
    """Say something, and wait until it is read; return how long that took after its end."""
    loop = asyncio.get_running_loop()
    before, began = room.captions(ES), loop.time()
    async with asyncio.TaskGroup() as group:
        group.create_task(room.microphone.play(np.concatenate(sounds)))
        await eventually(lambda: room.captions(ES) > before, "a caption")

    return loop.time() - began - sum(it.size for it in sounds) / SAMPLE_RATE


@pytest.mark.unit
async def test_who_speaks_at_once_is_heard_whole(caplog: pytest.LogCaptureFixture) -> None:
    """Sample by sample, though Palabra is slow; after the first pause they wait no longer."""
    word = new_word(7)
    async with faulty_room(
        caplog, settings=_WHOLE_SAMPLES, talks=False, ready_delay_ms=_SLOW_MS
    ) as room:
        people_come(room)
        await eventually(lambda: room.microphone.listeners)
        first = await says(room, word)
        assert times_held(await heard(room), word) == 1

        await room.microphone.play(_SILENCE)
        assert await says(room, new_word(8)) < first - _SLOW_MS / 2000


@pytest.mark.unit
async def test_a_session_that_is_rebuilt_hears_what_was_said_meanwhile(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Also what the lost one had heard and not told; what it had told is not told again."""
    told, lost, meanwhile = (new_word(seed) for seed in (7, 8, 9))
    async with faulty_room(caplog, settings=_PATIENT, talks=False, ready_delay_ms=_SLOW_MS) as room:
        people_come(room)
        await says(room, told)
        await room.microphone.play(lost)
        await room.strikes("F17")
        await says(room, meanwhile)

        recording = await heard(room)
        assert [times_held(recording, it) for it in (told, lost, meanwhile)] == [0, 1, 1]


@pytest.mark.livekit
@pytest.mark.asyncio(loop_scope="session")
async def test_who_speaks_at_once_is_heard_whole_over_webrtc(
    caplog: pytest.LogCaptureFixture, livekit_server: RunningLiveKit
) -> None:
    """As far as a codec lets anything through as it was."""
    word, unsaid = new_word(7), new_word(8)
    place = palabra(livekit_server, ready_delay_ms=_SLOW_MS)
    async with faulty_room(caplog, place, settings=_OVER_WEBRTC, talks=False) as room:
        people_come(room)
        await eventually(lambda: room.microphone.listeners)
        first = await says(room, word)
        recording = await heard(room)
        assert resembles(recording, word) > _ALIKE
        assert resembles(recording, unsaid) < _ALIKE

        await room.microphone.play(_SILENCE)
        assert await says(room, new_word(9)) < first - _SLOW_MS / 2000


@pytest.mark.livekit
@pytest.mark.asyncio(loop_scope="session")
async def test_another_transport_hears_what_was_said_meanwhile(
    caplog: pytest.LogCaptureFixture, livekit_server: RunningLiveKit
) -> None:
    """WebRTC turns out to be of no use, and the WebSocket hears the words that were for it."""
    word = new_word(7)
    place = palabra(livekit_server)
    async with faulty_room(caplog, place, settings=_AUTO, talks=False) as room:
        await room.arm("F6")
        people_come(room)
        await eventually(lambda: room.microphone.listeners)
        await says(room, word)

        assert times_held(await heard(room), word) == 1
