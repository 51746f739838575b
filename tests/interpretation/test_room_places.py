"""Speakers and the room's places for them: a session begins with speech, and the limit holds."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from palabra_agent.interpretation.ports import Notice, RoomState
from palabra_agent.interpretation.settings import Regime
from tests.clock import eventually, in_jumping_time, passing
from tests.fakes import FakeSessions, FakeSound, frame, level_of
from tests.interpretation.room_stage import ES, LINGER, RoomStage, interpreted_room

pytestmark = pytest.mark.unit

AHEAD = 1.0
"""An open microphone has a session after so long without a word."""

LIMIT_SENTENCE = "not all speakers are interpreted: the limit is 1 at a time"


async def speaks(microphone: FakeSound, seconds: float) -> None:
    """Let a person say something for so long."""
    for _ in range(round(seconds / 0.1)):
        microphone.play(*(frame(1000) for _ in range(5)))
        await passing(0.1)


@in_jumping_time
async def test_a_session_begins_with_the_first_word_and_hears_it() -> None:
    """At once, and with all that was said before it was open."""
    sessions = FakeSessions()
    sessions.seconds_to_open = 2
    async with interpreted_room(ES, sessions=sessions) as stage:
        microphone = stage.meeting.person_joins("ann", speak="en")
        await eventually(lambda: microphone.listeners)
        await passing(AHEAD - 0.5)
        assert sessions.attempts == []
        microphone.play(*(frame(level) for level in range(1000, 1100)))
        await eventually(lambda: sessions.attempts, seconds=0.5)
        await eventually(lambda: sessions.opened and len(sessions.last.heard) == 100)

        assert [level_of(it) for it in sessions.last.heard] == [*range(1000, 1100)]


@in_jumping_time
async def test_a_session_is_opened_ahead_of_the_first_word() -> None:
    """For an open microphone that has been there for a moment; a muted one has to be opened."""
    async with interpreted_room(ES) as stage:
        began = asyncio.get_running_loop().time()
        stage.meeting.person_joins("ann", speak="en")
        stage.meeting.person_joins("bob", speak="en", is_muted=True)
        await eventually(lambda: stage.sessions.attempts)
        assert asyncio.get_running_loop().time() - began == pytest.approx(AHEAD, abs=0.1)

        await passing(30)
        assert len(stage.sessions.attempts) == 1
        stage.meeting.person_changes("bob", is_muted=False)
        await passing(AHEAD - 0.1)
        assert len(stage.sessions.attempts) == 1
        await eventually(lambda: len(stage.sessions.attempts) == 2, seconds=1)


@in_jumping_time
async def test_short_visits_without_a_word_cost_nothing() -> None:
    """However many there are."""
    async with interpreted_room(ES) as stage:
        for number in range(50):
            stage.meeting.person_joins(f"visitor-{number}", speak="en")
            await passing(AHEAD - 0.5)
            stage.meeting.person_leaves(f"visitor-{number}")

        assert stage.sessions.attempts == []


@in_jumping_time
async def test_short_visits_hold_no_more_sessions_than_the_limit() -> None:
    """Each of the visitors speaks, and lingers with a session that takes its time to end."""
    sessions = FakeSessions()
    sessions.seconds_to_open, sessions.seconds_to_close = 1, 3
    async with interpreted_room(ES, sessions=sessions, max_speakers=2) as stage:
        for number in range(28):
            who = f"visitor-{number}"
            microphone = stage.meeting.person_joins(who, speak="en")
            await speaks(microphone, 1.0)
            await passing(0.5)
            stage.meeting.person_leaves(who)
        await passing(2 * LINGER)

        assert sessions.most_at_a_time == 2
        assert len(sessions.attempts) <= 28
        assert sessions.live == []


@in_jumping_time
async def test_a_speaker_who_is_there_is_not_ended_for_visitors() -> None:
    """Who speaks keeps their place, and the visitor is told that there is none for them."""
    async with interpreted_room(ES, max_speakers=1) as stage:
        ann, session = await stage.speaker_joins("ann", speak="en")
        bob = stage.meeting.person_joins("bob", speak="en")
        await eventually(lambda: bob.listeners)
        for _ in range(20):
            await speaks(ann, 1.0)
            await speaks(bob, 1.0)

        assert session.is_open
        assert len(stage.sessions.attempts) == 1
        assert stage.meeting.status.state == RoomState.DEGRADED
        assert stage.meeting.status.error == LIMIT_SENTENCE
        (notice,) = [it for it in stage.meeting.texts.sent if isinstance(it, Notice)]
        assert notice.recipients == ("bob",)
        assert notice.text == (
            "You are not interpreted now: the limit of speakers here is 1 at a time."
        )


@in_jumping_time
async def test_a_place_passes_on_to_the_one_who_speaks() -> None:
    """From one who is silent for long, muted, or away for a moment; their words are not lost."""
    async with interpreted_room(ES, max_speakers=1) as stage:
        ann, first = await stage.speaker_joins("ann", speak="en")
        bob = stage.meeting.person_joins("bob", speak="en")
        await eventually(lambda: bob.listeners)
        await passing(60)
        assert first.is_open
        await speaks(bob, 0.3)
        await eventually(lambda: not first.is_open and stage.sessions.live)
        second = stage.sessions.last
        await eventually(lambda: len(second.heard) == 15)

        stage.meeting.person_changes("bob", is_muted=True)
        await passing(5)
        await speaks(ann, 0.3)
        await eventually(lambda: not second.is_open and stage.sessions.live, seconds=15)
        third = stage.sessions.last
        await eventually(lambda: len(third.heard) == 15)

        stage.meeting.person_leaves("ann")
        await passing(1)
        assert third.is_open
        stage.meeting.person_changes("bob", is_muted=False)
        await speaks(bob, 0.3)
        await eventually(lambda: not third.is_open and stage.sessions.live, seconds=1)
        assert stage.sessions.most_at_a_time == 1


@in_jumping_time
async def test_the_limit_may_change() -> None:
    """More places are taken at once; of too many those are ended who do not speak."""
    async with interpreted_room(ES, max_speakers=1) as stage:
        ann, _ = await stage.speaker_joins("ann", speak="en")
        await speaks(ann, 0.3)
        regime = stage.settings.value.regime
        stage.meeting.person_joins("bob", speak="en")
        await passing(10)
        assert len(stage.sessions.live) == 1

        stage.change(regime=_with_limit(stage, 2))
        await eventually(lambda: len(stage.sessions.live) == 2)
        stage.change(regime=regime)
        await eventually(lambda: len(stage.sessions.live) == 1)
        assert len(stage.sessions.opened) == 2
        assert stage.sessions.opened[0].is_open


@in_jumping_time
async def test_sessions_begin_no_faster_than_is_sensible() -> None:
    """A bounded number a minute; the room says so while speakers wait for it."""
    async with interpreted_room(ES, max_speakers=1) as stage:
        for number in range(60):
            who = f"visitor-{number}"
            await speaks(stage.meeting.person_joins(who, speak="en"), 0.3)
            stage.meeting.person_leaves(who)
            await passing(0.2)

        assert len(stage.sessions.attempts) == 13
        assert "new speakers have to wait" in " ".join(it.error for it in stage.meeting.shown)


def _with_limit(stage: RoomStage, most: int) -> Regime:
    return replace(stage.settings.value.regime, max_speakers=most)
