"""Pauses that cost nothing: when they begin, that no word is lost at their end, what they cost.

No fault, but the same stage: the emulator is the one who charges, and who knows what it has heard.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Final, Literal, TypeAlias

import pytest

from palabra_agent.audio.frame import FrameReader
from palabra_agent.audio.pcm import FRAME_MS, SAMPLE_RATE, Pcm
from palabra_agent.audio.tones import tone, tone_level_db
from palabra_agent.palabra.client import make_sessions
from palabra_agent.palabra.rest.api import AppCredentials, open_api
from palabra_agent.palabra.session.activity import SilenceLimits
from palabra_agent.palabra.session.session import PalabraSession
from palabra_agent.palabra.task.sections import WebSocketFormat
from palabra_agent.session import Brief
from palabra_emulator.interpreting.utterances import HEARING_RATE
from tests.clock import eventually

from .faulty_room import CALM, EN, ES, OVER_WEBSOCKET, FaultyRoom, faulty_room, people_come
from .words import heard, new_word, times_held

pytestmark = pytest.mark.unit

_LARGE_CHUNKS = OVER_WEBSOCKET.model_copy(
    update={"websocket": WebSocketFormat(sample_rate=SAMPLE_RATE)}
)
_SOON = SilenceLimits(idle_pause_seconds=0.5)
_LATE = SilenceLimits(idle_pause_seconds=600)
Dialect: TypeAlias = Literal["legacy", "legacy+ack"]
DIALECTS: Final[tuple[Dialect, ...]] = ("legacy+ack", "legacy")

_TOLERANCE: Final = 0.3
"""Seconds by which two bills may differ for each time that hearing begins and ends."""

FRAME_SECONDS: Final = FRAME_MS / 1000
_LOUD_DB: Final = -30.0


def seconds_between(room: FaultyRoom, first: str, then: str) -> float:
    """How long it took from the newest of one event to the newest of another."""
    return room.events(then)[-1].time - room.events(first)[-1].time


async def says(room: FaultyRoom, word: Pcm) -> None:
    """Let the speaker say something, and wait until it is read."""
    before = len(room.events("translated"))
    await room.microphone.play(word)
    await eventually(lambda: len(room.events("translated")) > before, seconds=10)


def assert_bills_agree(room: FaultyRoom, *, pauses: int) -> None:
    """Our bill is Palabra's, give or take what passes between us and them at each change."""
    [theirs] = [it.data["billed_seconds"] for it in room.events("ended")]
    [ours] = [it["billed_seconds"] for it in room.logged("uplink closed")]
    [bill] = room.logged("interpretation billed")
    assert ours == pytest.approx(theirs, abs=_TOLERANCE * (pauses + 1))
    assert bill["billed_seconds"] == pytest.approx(ours, abs=0.05)
    assert (bill["speakers"], bill["sessions"]) == (1, 1)


async def until_paused(room: FaultyRoom, times: int) -> None:
    """Wait until the task has been paused so often."""
    await eventually(lambda: len(room.events("paused")) == times, seconds=30)


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_the_first_word_after_a_pause_is_heard_whole(
    caplog: pytest.LogCaptureFixture, dialect: Dialect
) -> None:
    """Sample by sample, in chunks as Palabra recommends them; the pauses are on neither bill."""
    word = new_word(7)
    async with faulty_room(
        caplog, settings=_LARGE_CHUNKS, limits=_SOON, talks=False, dialect=dialect
    ) as room:
        people_come(room)
        await until_paused(room, 1)
        await says(room, word)
        await until_paused(room, 2)
        assert 2.0 <= seconds_between(room, "translated", "paused") < 5.0

        recording = await heard(room)
        assert (times_held(recording, word), times_held(recording, new_word(8))) == (1, 0)
        asked = {"create": 1, "set_task": 2, "pause_task": 2}
        assert room.outcome() == replace(CALM, asked=asked)

    assert_bills_agree(room, pauses=2)


async def test_a_word_does_not_wait_behind_a_question(caplog: pytest.LogCaptureFixture) -> None:
    """A server that acknowledges nothing is asked whether it is paused, and a word comes then."""
    word = new_word(7)
    async with faulty_room(
        caplog, settings=_LARGE_CHUNKS, limits=_SOON, talks=False, dialect="legacy"
    ) as room:
        people_come(room)
        await until_paused(room, 1)
        asked = len(room.commands("get_task"))
        await eventually(lambda: len(room.commands("get_task")) > asked)
        await says(room, word)
        # the word's recognition among it, or its second; a question takes two seconds more
        resumed = room.commands("set_task")[-1].time
        assert resumed - room.commands("get_task")[asked].time < 1.0
        assert room.events("translated")[-1].time - resumed < 3.0
        assert times_held(await heard(room), word) == 1
        assert {it.data["outcome"] for it in room.commands()} == {"ok"}


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_pause_that_cannot_end_at_once_costs_no_word(
    caplog: pytest.LogCaptureFixture, dialect: Dialect
) -> None:
    """F24: resuming is tried again two seconds later; what was said meanwhile is heard whole."""
    word = new_word(9)
    async with faulty_room(
        caplog, settings=_LARGE_CHUNKS, limits=_SOON, talks=False, dialect=dialect
    ) as room:
        await room.arm("F24", variant="resume")
        people_come(room)
        await until_paused(room, 1)
        await says(room, word)
        assert times_held(await heard(room), word) == 1
        asked = {"create": 1, "set_task": 3, "pause_task": 1}
        assert room.outcome() == replace(CALM, asked=asked)
        refused, obeyed = room.commands("set_task")[1:]
        assert obeyed.time - refused.time >= 2.0

    assert_bills_agree(room, pauses=1)


def sounds(recording: Pcm, hz: float) -> bool:
    """Whether a tone is in a recording, for a tenth of a second at least."""
    size = HEARING_RATE // 20
    windows = recording[: recording.size // size * size].reshape(-1, size)
    return any(tone_level_db(it, hz, rate=HEARING_RATE) > _LOUD_DB for it in windows)


async def play(session: PalabraSession, hz: float) -> None:
    """Say something at the speed of speech, in a session that is used alone."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    for frame in FrameReader().cut(tone(hz, 0.8)):
        session.write(frame)
        due += FRAME_SECONDS
        await asyncio.sleep(due - loop.time())


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_client_alone_pauses_and_resumes(
    caplog: pytest.LogCaptureFixture, dialect: Dialect
) -> None:
    """What was said before is interpreted, in the pause nothing is heard or billed, then all is."""
    before, meanwhile, after = 500, 1_000, 1_500
    async with (
        faulty_room(caplog, talks=False, dialect=dialect) as room,
        open_api(room.emulator.url, AppCredentials("local", "local")) as api,
        make_sessions(api, _LARGE_CHUNKS).open(Brief(EN, (ES,))) as session,
    ):
        await play(session, before)
        session.pause()
        await until_paused(room, 1)
        assert len(room.events("translated")) == 1
        billed = session.billed_seconds
        await play(session, meanwhile)
        assert session.billed_seconds == billed

        session.resume()
        await play(session, after)
        await eventually(lambda: len(room.events("translated")) == 2, seconds=30)
        recording = await heard(room)
        notes = (before, meanwhile, after)
        assert [sounds(recording, hz) for hz in notes] == [True, False, True]
        assert room.asked() == {"create": 1, "set_task": 2, "pause_task": 1}


async def test_who_is_muted_is_not_paid_for(caplog: pytest.LogCaptureFixture) -> None:
    """A muted microphone is paused as soon as nothing is left to interpret; then it wakes up."""
    word = new_word(7)
    async with faulty_room(caplog, limits=_LATE, talks=False) as room:
        people_come(room)
        await eventually(lambda: room.logged("palabra session opened"))
        room.meeting.person_changes("alice", is_muted=True)
        await until_paused(room, 1)
        assert seconds_between(room, "running", "paused") < 4.0

        room.meeting.person_changes("alice", is_muted=False)
        await says(room, word)
        assert times_held(await heard(room), word) == 1
        asked = {"create": 1, "set_task": 2, "pause_task": 1}
        assert room.outcome() == replace(CALM, asked=asked)

    assert_bills_agree(room, pauses=1)
