"""Listening: in a thread of its own, with what was heard before, until it is enough."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np
import pytest
from numpy.typing import NDArray
from palabra_agent_voice_timbre import TimbreConfig, plugin
from palabra_agent_voice_timbre.hearing import ENOUGH, Evidence, Hearing, open_hearing
from palabra_agent_voice_timbre.policies import LocalDetection

from palabra_agent.plugin import NoSettings, RoomInfo, Speech, Timbre
from palabra_agent.testing import a_speaker
from tests.plugins.voice_timbre.spoken import synthetic_voice

pytestmark = pytest.mark.unit

ROOM: Final = RoomInfo("board", NoSettings())
LOCAL: Final = TimbreConfig(detection="local")


def speech(samples: NDArray[np.int16], identity: str = "alice") -> Speech:
    """Something that somebody said."""
    return Speech(speaker=a_speaker(identity), samples=samples, sample_rate=48_000)


def silence(seconds: float) -> NDArray[np.int16]:
    """Read-only samples, as the host gives them."""
    samples = np.zeros(round(seconds * 48_000), np.int16)
    samples.flags.writeable = False
    return samples


class Scripted:
    """Hears what it is told to hear, and remembers what it listened to."""

    def __init__(self, *pitches: list[float]) -> None:
        self.pitches_left = list(pitches)
        self.seconds: list[float] = []
        self.threads: set[str] = set()

    def pitches(self, samples: NDArray[np.int16], sample_rate: int) -> list[float]:
        """Give what is next."""
        self.seconds.append(samples.size / sample_rate)
        self.threads.add(threading.current_thread().name)
        return self.pitches_left.pop(0)


async def test_evidence_adds_up() -> None:
    """What tells too little is kept, only what is new is listened to, and the median is told."""
    scripted = Scripted([100.0] * 20, [110.0] * (ENOUGH - 1))
    with ThreadPoolExecutor(1) as thread:
        hearing = Hearing(scripted, thread)
        first = await hearing.estimate_pitch(speech(silence(2)))
        second = await hearing.estimate_pitch(speech(silence(3)))

    assert (first, second) == (None, 110.0)
    assert scripted.seconds == [2.0, 1.0]


async def test_a_long_speech_is_not_listened_to_as_a_whole() -> None:
    """However much is given, an estimate costs no more than that of two seconds."""
    scripted = Scripted([])
    with ThreadPoolExecutor(1) as thread:
        await Hearing(scripted, thread).estimate_pitch(speech(silence(30)))

    assert scripted.seconds == [2.0]


async def test_voices_are_not_mixed_up() -> None:
    """What one speaker is heard saying tells nothing of another, and all of it in one thread."""
    few, many = [100.0] * (ENOUGH - 1), [200.0] * ENOUGH
    scripted = Scripted(few, many, [100.0])
    with ThreadPoolExecutor(1) as thread:
        hearing = Hearing(scripted, thread)
        told = [
            await hearing.estimate_pitch(speech(silence(2), who))
            for who in ("alice", "bob", "alice")
        ]

    assert told == [None, 200.0, 100.0]
    assert len(scripted.threads) == 1
    assert threading.current_thread().name not in scripted.threads


async def test_what_is_no_voice_is_listened_to_less_and_less() -> None:
    """After 5 seconds of music or whispers, one second in four is listened to."""
    scripted = Scripted(*[[] for _ in range(6)])
    with ThreadPoolExecutor(1) as thread:
        hearing = Hearing(scripted, thread)
        for _ in range(12):
            assert await hearing.estimate_pitch(speech(silence(5))) is None

    assert scripted.seconds == [2.0, 1.0, 1.0, 1.0, 1.0, 1.0]


def test_only_so_many_voices_are_remembered() -> None:
    """A crowd that was never heard for long enough takes no more room than a hundred."""
    evidence = Evidence()
    for number in range(101):
        evidence.seconds_wanted(f"guest-{number}")

    assert evidence.seconds_wanted("guest-1") == 1.0
    assert evidence.seconds_wanted("guest-0") == 2.0


async def test_a_room_hears_its_speakers() -> None:
    """Opened from the recipe, the plugin tells high from low, and nothing of silence."""
    async with plugin.open(ROOM, LOCAL) as policy:
        assert isinstance(policy, LocalDetection)
        nothing = await policy.estimate_timbre(speech(silence(2)))
        low = await policy.estimate_timbre(speech(synthetic_voice(110), "bob"))
        high = await policy.estimate_timbre(speech(synthetic_voice(210), "carol"))

    assert nothing is None
    assert isinstance(low, Timbre)
    assert isinstance(high, Timbre)
    assert low.pitch_hz == pytest.approx(110, rel=0.05)
    assert high.pitch_hz == pytest.approx(210, rel=0.05)


async def test_a_crowd_does_not_make_everybody_wait() -> None:
    """Of twenty at once eight are listened to, the others when they are asked about next."""
    everybody = [f"guest-{number}" for number in range(20)]
    scripted = Scripted(*[[150.0] * ENOUGH for _ in everybody])
    told: list[int] = []
    with ThreadPoolExecutor(1) as thread:
        hearing = Hearing(scripted, thread)
        while everybody:
            async with asyncio.TaskGroup() as group:
                asked = {
                    who: group.create_task(hearing.estimate_pitch(speech(silence(2), who)))
                    for who in everybody
                }
            everybody = [who for who, task in asked.items() if task.result() is None]
            told.append(20 - len(everybody))

    assert told == [8, 16, 20]
    assert scripted.seconds == [2.0] * 20


async def test_closing_drops_what_waits() -> None:
    """A room that ends waits for no voice, and leaves no thread behind."""
    last_begins = asyncio.Event()

    async def wait_for(hearing: Hearing, number: int) -> None:
        if number == 4:
            last_begins.set()

        await hearing.estimate_pitch(speech(silence(2), f"guest-{number}"))

    async with asyncio.TaskGroup() as group, open_hearing() as hearing:
        threads = [it for it in threading.enumerate() if it.name.startswith("voice-timbre")]
        waiting = [group.create_task(wait_for(hearing, it)) for it in range(5)]
        await last_begins.wait()

    for thread in threads:
        await asyncio.to_thread(thread.join, 5)

    assert waiting[-1].cancelled()
    assert [thread.is_alive() for thread in threads] == [False]
