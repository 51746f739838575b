"""Callers by telephone: one channel that holds all they are to hear."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from palabra_agent.audio.underlay import LOWERED
from palabra_agent.interpretation.channels import Channels, open_channels
from palabra_agent.interpretation.phones import PhoneOriginals
from palabra_agent.interpretation.ports import ChannelKey
from palabra_agent.languages import LanguageCode
from palabra_agent.session import Brief
from tests.clock import eventually, in_jumping_time, passing
from tests.fakes import FakeMeeting, FakeSound, frame

pytestmark = pytest.mark.unit

EN, ES = LanguageCode("en"), LanguageCode("es")
OF_PHONE = ChannelKey(ES, listener="phone")
INTO_SPANISH = Brief(EN, (ES,))


@asynccontextmanager
async def phone_in(meeting: FakeMeeting) -> AsyncGenerator[tuple[Channels, PhoneOriginals]]:
    """Have a caller who listens to Spanish in a meeting, with people's own voices."""
    async with open_channels(meeting, lambda: None) as channels:
        channels.follow({OF_PHONE: frozenset({"phone"})}, ["phone"])
        await eventually(lambda: OF_PHONE in channels.open)
        async with asyncio.TaskGroup() as group:
            originals = PhoneOriginals(channels, group)
            yield channels, originals
            originals.close()


async def level_of(meeting: FakeMeeting, *sounds: FakeSound, seconds: float = 0.4) -> int:
    """Let voices sound for a while, each as loud as the last; tell how loud the phone is then."""
    track = meeting.tracks[OF_PHONE.track_name]
    for _ in range(round(seconds / 0.02)):
        for sound in sounds:
            sound.play(frame(1000))
        await asyncio.sleep(0.02)

    level = int(track.frames[-1][-1])
    await passing(2)
    return level


@in_jumping_time
async def test_people_are_heard_in_their_own_voices() -> None:
    """All but the caller; of one who is interpreted the original is there until it is told."""
    meeting = FakeMeeting()
    ann, own = meeting.person_joins("ann"), meeting.person_joins("phone", is_phone=True)
    async with phone_in(meeting) as (_, originals):
        originals.follow(meeting.view, {"ann": INTO_SPANISH})
        await eventually(lambda: ann.listeners)
        assert await level_of(meeting, ann) == 1000
        assert own.listeners == 0
    assert ann.listeners == 0


@in_jumping_time
async def test_an_original_is_lowered_beneath_its_interpretation() -> None:
    """Who speaks the caller's language is not: there is nothing else to hear of them."""
    meeting = FakeMeeting()
    ann, bob = meeting.person_joins("ann"), meeting.person_joins("bob")
    async with phone_in(meeting) as (channels, originals):
        originals.follow(meeting.view, {"ann": INTO_SPANISH})
        await eventually(lambda: ann.listeners and bob.listeners)
        (channel,) = channels.open.values()
        with channel.mixer.open_input() as interpretation:
            speaking = FakeSound()

            async def interpret() -> None:
                async with speaking.open_frames() as frames:
                    await interpretation.fill(frames)

            async with asyncio.TaskGroup() as group:
                task = group.create_task(interpret())
                with_ann = await level_of(meeting, speaking, ann)
                with_bob = await level_of(meeting, speaking, bob)
                task.cancel()

    assert with_ann == pytest.approx(1000 + 1000 * LOWERED, abs=2)
    assert with_bob == pytest.approx(2000, abs=2)


@in_jumping_time
async def test_voices_follow_who_is_there_and_who_is_interpreted() -> None:
    """A new microphone is listened to; without a phone none is; one who leaves is let go."""
    meeting = FakeMeeting()
    first = meeting.person_joins("ann")
    async with phone_in(meeting) as (channels, originals):
        originals.follow(meeting.view, {})
        await eventually(lambda: first.listeners)
        (channel,) = channels.open.values()
        assert channel.underlay is not None
        assert len(channel.mixer.statistics()) == 1
        originals.follow(meeting.view, {"ann": INTO_SPANISH})
        assert channel.mixer.statistics() == ()
        assert len(channel.underlay.mixer.statistics()) == 1

        second = FakeSound("TR_2")
        meeting.person_changes("ann", microphone=second)
        originals.follow(meeting.view, {"ann": INTO_SPANISH})
        await eventually(lambda: second.listeners and not first.listeners)
        assert len(channel.underlay.mixer.statistics()) == 1

        channels.follow({})
        await eventually(lambda: not channels.open)
        originals.follow(meeting.view, {"ann": INTO_SPANISH})
        await eventually(lambda: not second.listeners)


@in_jumping_time
async def test_a_broken_voice_is_no_others_end() -> None:
    """An error of ours ends the relaying of one voice alone."""
    meeting = FakeMeeting()
    ann, bob = meeting.person_joins("ann"), meeting.person_joins("bob")
    async with phone_in(meeting) as (_, originals):
        originals.follow(meeting.view, {})
        await eventually(lambda: ann.listeners and bob.listeners)
        ann.fail(RuntimeError("broken"))
        await eventually(lambda: not ann.listeners)
        assert await level_of(meeting, bob) == 1000


@in_jumping_time
async def test_microphones_are_kept_from_phones_with_a_channel() -> None:
    """A caller who listens to the original has none, and receives the microphones."""
    meeting = FakeMeeting()
    async with phone_in(meeting) as (channels, _):
        assert meeting.spared == {"phone"}
        channels.follow({OF_PHONE: frozenset({"phone"})})
        assert meeting.spared == frozenset()
        # it stays for a caller who may come back
        channels.follow({OF_PHONE: frozenset()}, ["phone"])
        assert meeting.spared == frozenset()
        channels.follow({ChannelKey(ES): frozenset({"phone"})}, ["phone"])
        assert meeting.spared == frozenset()
