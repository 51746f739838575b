"""The word that ends a pause, over WebRTC: whole, once, and in order, whatever the server says."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import Final

import numpy as np
import pytest

from palabra_agent.audio.pcm import SAMPLE_RATE, Pcm
from palabra_agent.audio.tones import tone, tone_level_db
from palabra_agent.local.livekit_server import RunningLiveKit
from palabra_agent.palabra.session.activity import SilenceLimits
from palabra_emulator.interpreting.utterances import HEARING_RATE
from palabra_emulator.server import run_emulator

from .faulty_room import CALM, faulty_room, options, people_come
from .test_pauses import DIALECTS, Dialect, says, until_paused
from .test_webrtc_faults import OVER_WEBRTC
from .words import heard

pytestmark = [pytest.mark.livekit, pytest.mark.asyncio(loop_scope="session")]

_NOTES: Final = tuple(range(500, 2000, 150))
_NOTE_SECONDS: Final = 0.08
_WINDOW: Final = HEARING_RATE // 25
_HOP: Final = HEARING_RATE // 100
_LOUD_DB: Final = -30.0
_SOON: Final = SilenceLimits(idle_pause_seconds=0.5)


def melody() -> Pcm:
    """A word of ten notes, each of which is another one."""
    silence = np.zeros(SAMPLE_RATE // 10, np.int16)
    return np.concatenate([silence, *(tone(hz, _NOTE_SECONDS) for hz in _NOTES), silence])


def notes_of(sound: Pcm) -> dict[int, float]:
    """The notes of a sound in their order, each with how long it lasts.

    Fails where one comes twice.
    """
    windows = np.lib.stride_tricks.sliding_window_view(sound, _WINDOW)[::_HOP]
    loudest = [
        max((tone_level_db(window, hz, rate=HEARING_RATE), hz) for hz in _NOTES)
        for window in windows
    ]
    heard_notes = (hz for level, hz in loudest if level > _LOUD_DB)
    lasting = [(hz, len(list(run)) * _HOP / HEARING_RATE) for hz, run in groupby(heard_notes)]
    assert len(lasting) == len(dict(lasting)), lasting
    return dict(lasting)


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_the_first_word_after_a_pause_is_heard_whole_and_once(
    caplog: pytest.LogCaptureFixture, livekit_server: RunningLiveKit, dialect: Dialect
) -> None:
    """Note by note: it is sent as soon as the task was told to run, on another way than that."""
    place = run_emulator(replace(options(livekit_server), dialect=dialect))
    async with faulty_room(caplog, place, settings=OVER_WEBRTC, limits=_SOON, talks=False) as room:
        people_come(room)
        await until_paused(room, 1)
        await says(room, melody())
        # a word in running speech is heard some 0.2 s earlier; a question takes two seconds more
        resumed = room.commands("set_task")[-1].time
        assert room.events("translated")[-1].time - resumed < 3.0

        notes = notes_of(await heard(room))
        assert tuple(notes) == _NOTES
        assert {hz: it for hz, it in notes.items() if not 0.05 <= it <= 0.12} == {}
        asked = {"create": 1, "set_task": 2, "pause_task": 1}
        assert room.outcome() == replace(CALM, asked=asked)
