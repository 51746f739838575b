"""A room on demand: what is interpreted follows from who listens to what, and no more than that."""

from __future__ import annotations

import asyncio

import pytest

from palabra_agent.interpretation.ports import MeetingView, Notice, RoomState
from palabra_agent.session import Brief
from tests.clock import eventually, in_jumping_time, passing
from tests.interpretation.room_stage import DE, EN, ES, LINGER, RoomStage, interpreted_room

pytestmark = pytest.mark.unit


def listener_joins(stage: RoomStage, identity: str, language: str | None) -> None:
    """Let a person without a microphone join."""
    stage.meeting.person_joins(identity, microphone=None, listen=language)


@in_jumping_time
async def test_what_no_listener_wants_is_not_interpreted() -> None:
    """No channel and no session for those who say nothing, want the original, or listen alone."""
    async with interpreted_room(EN, ES, always_on=()) as stage:
        stage.meeting.person_joins("ann", speak="en", listen="es")
        listener_joins(stage, "bob", None)
        listener_joins(stage, "cid", "original")
        listener_joins(stage, "dan", "en")
        await passing(30)

        assert stage.sessions.attempts == []
        assert stage.meeting.status.state == RoomState.LIVE


@in_jumping_time
async def test_a_channel_lives_as_long_as_it_has_a_listener() -> None:
    """From their wish on, and for the linger after the last of them has left."""
    async with interpreted_room(EN, ES, always_on=()) as stage:
        stage.meeting.person_joins("ann", speak="en")
        await passing(10)
        listener_joins(stage, "bob", "es")
        await eventually(lambda: stage.sessions.live, seconds=4)
        listener_joins(stage, "cid", "es")
        stage.meeting.person_leaves("bob")
        await passing(2 * LINGER)
        assert stage.meeting.status.live == (ES,)
        assert len(stage.sessions.opened) == 1

        began = asyncio.get_running_loop().time()
        stage.meeting.person_leaves("cid")
        await eventually(lambda: not stage.sessions.live)
        assert asyncio.get_running_loop().time() - began == pytest.approx(LINGER, abs=0.1)
        await eventually(lambda: stage.meeting.status.live == ())
        assert stage.meeting.tracks == {}


@in_jumping_time
async def test_a_listener_who_is_away_for_a_moment_is_still_allowed_their_channel() -> None:
    """For the linger, as LiveKit tells of their return late; who chose something else is not."""
    async with interpreted_room(EN, ES, always_on=()) as stage:
        stage.meeting.person_joins("ann", speak="en")
        for who in ("bob", "cid"):
            listener_joins(stage, who, "es")
        await eventually(lambda: stage.meeting.audiences == {"translation_es": {"bob", "cid"}})

        stage.meeting.person_leaves("bob")
        stage.meeting.person_changes("cid", listen="original")
        await passing(LINGER - 1)
        assert stage.meeting.audiences == {"translation_es": {"bob"}}
        await eventually(lambda: stage.meeting.audiences == {}, seconds=2)


@in_jumping_time
async def test_another_language_is_told_to_the_session_that_goes_on() -> None:
    """At once; the former one stays for the linger, in case the listener thinks better of it."""
    async with interpreted_room(EN, ES, DE, always_on=()) as stage:
        listener_joins(stage, "bob", "es")
        _, session = await stage.speaker_joins("ann", speak="en")
        stage.meeting.person_changes("bob", listen="de")
        await eventually(lambda: session.brief == Brief(EN, (ES, DE)), seconds=1)
        await passing(LINGER - 1)
        assert session.brief == Brief(EN, (ES, DE))
        await eventually(lambda: session.brief == Brief(EN, (DE,)), seconds=2)

        assert len(stage.sessions.opened) == 1
        assert stage.meeting.tracks.keys() == {"translation_de"}


@in_jumping_time
async def test_a_flickering_client_opens_and_closes_nothing() -> None:
    """Neither by its wish, nor by coming and going, nor by the microphone."""
    async with interpreted_room(EN, ES, always_on=()) as stage:
        listener_joins(stage, "bob", "es")
        _, session = await stage.speaker_joins("ann", speak="en")
        for number in range(40):
            stage.meeting.person_changes("bob", listen=["original", "es"][number % 2])
            await passing(0.4)
        for _ in range(10):
            stage.meeting.person_leaves("bob")
            await passing(LINGER - 1)
            listener_joins(stage, "bob", "es")
            await passing(0.1)

        assert session.is_open
        assert len(stage.sessions.opened) == 1
        assert stage.meeting.publications == ["translation_es"]


@in_jumping_time
async def test_a_client_that_never_settles_is_followed_now_and_then() -> None:
    """A hundred wishes a second open a handful of channels a second; the last wish counts."""
    async with interpreted_room(EN, ES, DE, always_on=()) as stage:
        listener_joins(stage, "bob", "es")
        _, session = await stage.speaker_joins("ann", speak="en")
        for number in range(1000):
            stage.meeting.person_changes("bob", listen=["en", "es", "de", "original"][number % 4])
            await passing(0.01)
        stage.meeting.person_changes("bob", listen="de")
        await eventually(lambda: session.brief.targets == (DE,), seconds=2 * LINGER)

        assert len(session.rebriefs) < 30
        assert len(stage.sessions.opened) == 1


@in_jumping_time
async def test_what_is_always_on_needs_no_listener() -> None:
    """It is interpreted and heard from the start; the others are not."""
    async with interpreted_room(EN, ES, DE, always_on=(DE,)) as stage:
        _, session = await stage.speaker_joins("ann", speak="en")

        assert session.brief == Brief(EN, (DE,))
        assert stage.meeting.tracks.keys() == {"translation_de"}


@in_jumping_time
async def test_those_who_say_nothing_hear_the_default() -> None:
    """They are listeners of it as any other."""
    async with interpreted_room(EN, ES, always_on=(), default_listen=ES) as stage:
        listener_joins(stage, "bob", None)
        _, session = await stage.speaker_joins("ann", speak="en")
        assert session.brief == Brief(EN, (ES,))

        stage.meeting.person_changes("bob", listen="original")
        await eventually(lambda: not session.is_open)


@in_jumping_time
async def test_a_wish_may_come_by_any_way() -> None:
    """The latest counts, and stays while the person reconnects with the attribute of before."""
    async with interpreted_room(EN, ES, DE, always_on=()) as stage:
        listener_joins(stage, "bob", "es")
        _, session = await stage.speaker_joins("ann", speak="en")
        await stage.says("bob", "listen", "de")
        await eventually(lambda: session.brief.targets == (DE,))
        stage.meeting.person_leaves("bob")
        await passing(1)
        stage.meeting.person_joins("bob", microphone=None, listen="es", connection="PA_2")
        await passing(2 * LINGER)
        assert session.brief.targets == (DE,)

        stage.meeting.person_changes("bob", listen="en")
        await eventually(lambda: stage.meeting.status.live == (EN,))
        await stage.says("ann", "speak", "es")
        await eventually(lambda: stage.sessions.live and stage.sessions.last.brief.targets == (EN,))


@in_jumping_time
async def test_our_own_absence_is_no_listener_s_departure() -> None:
    """Channels and targets stay while we reconnect."""
    async with interpreted_room(EN, ES, always_on=()) as stage:
        listener_joins(stage, "bob", "es")
        _, session = await stage.speaker_joins("ann", speak="en")
        before = stage.meeting.view
        stage.meeting.look(MeetingView(is_connected=False))
        await passing(60)
        stage.meeting.look(before)
        await passing(2 * LINGER)

        assert session.is_open
        assert stage.meeting.publications == ["translation_es"]


@in_jumping_time
async def test_more_languages_than_allowed_are_told() -> None:
    """The room says so while it lasts, and the listener who asked is told once."""
    async with interpreted_room(EN, ES, DE, always_on=(), max_languages=1) as stage:
        listener_joins(stage, "bob", "es")
        _, session = await stage.speaker_joins("ann", speak="en")
        listener_joins(stage, "cid", "de")
        await eventually(lambda: stage.meeting.status.state == RoomState.DEGRADED)
        await passing(10)
        sentence = "not all languages are interpreted: the limit is 1 at a time"
        assert stage.meeting.status.error == sentence
        assert session.brief.targets == (ES,)
        (notice,) = [it for it in stage.meeting.texts.sent if isinstance(it, Notice)]
        assert notice.recipients == ("cid",)
        assert notice.text == (
            'You asked to hear "de", and get the original for now: the limit of languages here '
            "is 1 at a time."
        )

        stage.meeting.person_leaves("bob")
        await eventually(lambda: session.brief.targets == (DE,), seconds=1)
        await eventually(lambda: stage.meeting.status.state == RoomState.LIVE)
