"""Language channels: their tracks, their clocks, and the translated tracks that lead into them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import numpy as np
import pytest

from palabra_agent.audio.frame import Frame
from palabra_agent.audio.mixer import INPUT_TARGET_MS
from palabra_agent.audio.pcm import FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE, Pcm
from palabra_agent.interpretation.channels import (
    Channel,
    Channels,
    Downlinks,
    Route,
    open_channel,
    open_channels,
    open_downlinks,
)
from palabra_agent.interpretation.ports import ChannelKey
from palabra_agent.languages import LanguageCode
from palabra_agent.palabra.protocol.messages import AudioChunk
from palabra_agent.palabra.transports.translated_speech import PacedTrack, QueueLimits
from tests.clock import eventually, in_jumping_time, passing
from tests.fakes import FakeMeeting, FakeSound, FakeTrack, PlayedTrack, frame
from tests.stops import Delays, speak_through_stops

pytestmark = pytest.mark.unit

ES, DE = LanguageCode("es"), LanguageCode("de")
IN_ES, IN_DE = ChannelKey(ES), ChannelKey(DE)
LISTENERS = frozenset({"bruno"})


@in_jumping_time
async def test_a_channel_is_published_for_its_block() -> None:
    """The track is there under its name while the block lasts, and gone after it."""
    meeting = FakeMeeting()
    async with open_channel(meeting, IN_ES) as channel:
        assert list(meeting.tracks) == ["translation_es"]
        assert (channel.key, channel.sid) == (IN_ES, "TR_translation_es")

    assert meeting.tracks == {}


@in_jumping_time
async def test_a_broken_block_leaves_nothing_behind() -> None:
    """A failure within the block unpublishes the track and comes out."""
    meeting = FakeMeeting()
    with pytest.raises(ExceptionGroup, match="unhandled errors"):
        async with open_channel(meeting, IN_ES):
            raise OSError

    assert meeting.tracks == {}


@in_jumping_time
async def test_words_are_played_a_frame_a_tick() -> None:
    """Frames come out whole and in order, after a short cushion; nothing is played in a pause."""
    meeting = FakeMeeting()
    async with open_channel(meeting, IN_ES) as channel:
        track = meeting.tracks["translation_es"]
        await passing(1)
        assert track.frames == []
        with channel.mixer.open_input() as words:
            for number in range(3):
                words.put(frame(1000 + number))
            await eventually(lambda: len(track.frames) == 3)
        await passing(1)

    sound = np.concatenate(track.frames)
    assert len(track.frames) == 3
    assert sound.size == 3 * FRAME_SAMPLES + FRAME_SAMPLES // 2
    assert not sound[: FRAME_SAMPLES // 2].any()
    assert set(sound[FRAME_SAMPLES // 2 :].tolist()) == {1000, 1001, 1002}


@in_jumping_time
@pytest.mark.parametrize("phase_ms", [0, 1, 7, 13, 19])
async def test_the_first_word_after_a_pause_waits_for_no_tick(phase_ms: int) -> None:
    """It is played a moment after it came, at whichever phase of the clock, and so is the rest."""
    track, loop = PlayedTrack(), asyncio.get_running_loop()
    channel, route = Channel(IN_ES, track), Route("anna", ES)
    route.lead_into(channel)
    came: list[float] = []
    async with asyncio.TaskGroup() as group:
        playing = group.create_task(channel.play())
        for _ in range(3):
            await asyncio.sleep(0.4 + phase_ms / 1000)
            for level in (0, 0, 0, *range(1000, 1010), 0, 0):
                route.put(frame(level))
                if level:
                    came.append(loop.time())
                await asyncio.sleep(FRAME_MS / 1000)
        await asyncio.sleep(0.1)
        playing.cancel()

    ends = [at + samples.size / SAMPLE_RATE for at, samples in track.played if samples.any()]
    late_ms = [round(1000 * (end - at)) - FRAME_MS for end, at in zip(ends, came, strict=True)]
    # a moment, and the cushion
    assert late_ms == [8 + 10] * 30


@in_jumping_time
async def test_the_clock_does_not_drift() -> None:
    """In a minute of speech a frame is played every 20 ms, on time."""
    meeting = FakeMeeting()
    loop = asyncio.get_running_loop()
    async with open_channel(meeting, IN_ES) as channel:
        with channel.mixer.open_input() as words:
            began = loop.time()
            for number in range(3000):
                words.put(frame(1000))
                await asyncio.sleep(began + (number + 1) * FRAME_MS / 1000 - loop.time())
            account = words.statistics()
            played = len(meeting.tracks["translation_es"].frames)

    assert account.dropped_ms == account.trimmed_ms == 0
    assert played == pytest.approx(3000, abs=2)


@in_jumping_time
async def test_ten_minutes_of_hurried_speech_end_as_late_as_the_first() -> None:
    """Sentences with short breaths between them, from a fast clock, late by 0.3 s now and then."""
    breath, sentence = [frame(0)] * 20, [frame(1000)] * 180
    loop = asyncio.get_running_loop()
    held: list[float] = []
    async with open_channel(FakeMeeting(), IN_ES) as channel:
        with channel.mixer.open_input() as words:
            due = loop.time()
            for number in range(150):
                for at, spoken in enumerate([*sentence, *breath]):
                    is_late = number % 5 == 4 and at == 100
                    await asyncio.sleep(max(0.0, due - loop.time()) + 0.3 * is_late)
                    words.put(spoken)
                    due += FRAME_MS / 1000 * (1 - 500e-6)
                held.append(words.statistics().held_ms)
            account = words.statistics()

    assert max(held) <= INPUT_TARGET_MS
    assert max(held[-15:]) <= max(held[:15])
    assert account.dropped_ms <= 30 * 300


@in_jumping_time
async def test_a_stall_is_not_played_after() -> None:
    """After a stuck track the clock catches up by no more than a few frames."""
    times: list[float] = []

    class StuckTrack(FakeTrack):
        async def write(self, samples: Pcm) -> None:
            times.append(asyncio.get_running_loop().time())
            if len(times) == 1:
                await asyncio.sleep(10)

    channel = Channel(IN_ES, StuckTrack("x"))
    with channel.mixer.open_input() as words:
        async with asyncio.TaskGroup() as group:
            playing = group.create_task(channel.play())
            for _ in range(600):
                words.put(frame(1000))
                await asyncio.sleep(FRAME_MS / 1000)
            playing.cancel()

    after = [it for it in times if it > 9]
    assert len([it for it in after if it < 10.05]) <= 6
    assert len(after) == pytest.approx(100, abs=6)


@pytest.mark.parametrize("channels", [1, 20])
@in_jumping_time
async def test_stops_of_the_process_leave_no_delay_after_a_pause(channels: int) -> None:
    """Of what came at once after each, however much of it a track had taken by then."""

    async def play() -> Delays:
        track = PlayedTrack()
        channel = Channel(IN_ES, track)
        with channel.mixer.open_input() as voice:
            async with asyncio.TaskGroup() as group:
                playing = group.create_task(channel.play())
                delays = await speak_through_stops(voice.put, track)
                playing.cancel()

        return delays

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(play()) for _ in range(channels)]

    for delays in (it.result() for it in tasks):
        assert delays.amid > 200
        assert delays.after <= delays.before + 30


def burst(seconds: float, level: int) -> PacedTrack:
    """Speech that came all at once, on a track that is over."""
    track = PacedTrack(QueueLimits(max_ms=60_000))
    sound = np.full(round(seconds * 24_000), level, "<i2").tobytes()
    track.put(AudioChunk("u", "0", ES, True, sound), sound)
    track.close()
    return track


class BrokenSound:
    """A track that cannot be listened to."""

    def open_frames(self) -> AbstractAsyncContextManager[AsyncIterator[Frame]]:
        """Fail."""
        raise RuntimeError("broken")


def seconds_at(track: FakeTrack, level: int) -> float:
    """How long something was played that is as loud."""
    played = np.concatenate([np.empty(0, np.int16), *track.frames])
    return float(np.count_nonzero(np.abs(played - level) < level // 10)) / 48_000


@asynccontextmanager
async def playing_channels(
    *keys: ChannelKey,
) -> AsyncGenerator[tuple[Channels, FakeMeeting, Downlinks]]:
    """Have some channels that play and are listened to, for the length of a block."""
    meeting = FakeMeeting()
    async with open_channels(meeting, lambda: None) as channels:
        channels.follow(dict.fromkeys(keys, LISTENERS))
        await eventually(lambda: channels.open.keys() == set(keys))
        async with open_downlinks(channels) as downlinks:
            yield channels, meeting, downlinks
        left = [it for channel in channels.open.values() for it in channel.mixer.statistics()]

    assert left == []


@asynccontextmanager
async def downlinks_of_ann() -> AsyncGenerator[tuple[Downlinks, dict[LanguageCode, FakeTrack]]]:
    """Have two channels that play, for the length of a block."""
    async with playing_channels(IN_ES, IN_DE) as (_, meeting, downlinks):
        tracks = {key.language: meeting.tracks[key.track_name] for key in (IN_ES, IN_DE)}
        yield downlinks, tracks


@in_jumping_time
async def test_what_has_come_is_heard_after_its_track_has_ended() -> None:
    """Five seconds that came at once, and then the end, are five seconds in the channel."""
    async with downlinks_of_ann() as (downlinks, tracks):
        source = burst(5, 1000)
        downlinks.begin("ann", ES, source)
        downlinks.end(source)
        downlinks.end(source)
        await passing(6)

    assert seconds_at(tracks[ES], 1000) == pytest.approx(5, abs=0.02)


@in_jumping_time
async def test_who_speaks_next_does_not_talk_over_the_end() -> None:
    """Speech of the next session in that language follows; other languages do not wait."""
    async with downlinks_of_ann() as (downlinks, tracks):
        first, second, other = burst(3, 1000), burst(2, 4000), burst(2, 4000)
        downlinks.begin("ann", ES, first)
        downlinks.end(first)
        downlinks.begin("ann", ES, second)
        downlinks.begin("ann", DE, other)
        await passing(2.5)
        assert seconds_at(tracks[DE], 4000) == pytest.approx(2, abs=0.02)
        assert seconds_at(tracks[ES], 4000) == 0
        await passing(3)

    assert seconds_at(tracks[ES], 1000) == pytest.approx(3, abs=0.02)
    assert seconds_at(tracks[ES], 4000) == pytest.approx(2, abs=0.02)


@in_jumping_time
async def test_a_track_that_does_not_end_is_cut_off() -> None:
    """Nobody listens to silence for ever: twenty seconds after the end it is given up."""
    async with downlinks_of_ann() as (downlinks, tracks):
        stuck = FakeSound()
        downlinks.begin("ann", ES, stuck)
        await eventually(lambda: stuck.listeners)
        stuck.play(*[frame(1000)] * 3)
        await passing(1)
        downlinks.end(stuck)
        await passing(19)
        assert stuck.listeners == 1
        await passing(2)
        assert stuck.listeners == 0

    assert seconds_at(tracks[ES], 1000) == pytest.approx(0.06, abs=0.001)


@in_jumping_time
async def test_however_much_has_come_is_heard() -> None:
    """A room may let a minute wait; what comes after it waits for its turn, and is not cut off."""
    async with downlinks_of_ann() as (downlinks, tracks):
        first, second = burst(50, 1000), burst(50, 4000)
        for source in (first, second):
            downlinks.begin("ann", ES, source)
            downlinks.end(source)
        await passing(105)

    assert seconds_at(tracks[ES], 1000) == pytest.approx(50, abs=0.1)
    assert seconds_at(tracks[ES], 4000) == pytest.approx(50, abs=0.1)


@in_jumping_time
async def test_what_is_typed_and_what_is_said_wait_for_each_other_nowhere() -> None:
    """They are mixed, as what two people say is; and cut off each by itself."""
    async with downlinks_of_ann() as (downlinks, tracks):
        typed, said, next_words = burst(5, 1000), burst(2, 4000), burst(5, 4000)
        downlinks.begin("ann", ES, typed, is_typed=True)
        downlinks.end(typed)
        downlinks.begin("ann", DE, said)
        downlinks.begin("ann", ES, next_words)
        await passing(1)
        downlinks.cut_off("ann")
        await passing(5)

    assert seconds_at(tracks[ES], 5000) == pytest.approx(1, abs=0.1)
    assert seconds_at(tracks[ES], 1000) == pytest.approx(4, abs=0.1)
    assert seconds_at(tracks[DE], 4000) == pytest.approx(1, abs=0.1)


@in_jumping_time
async def test_a_track_that_breaks_ends_no_other() -> None:
    """An error of ours is logged, and costs the rest of that track."""
    async with downlinks_of_ann() as (downlinks, tracks):
        downlinks.begin("ann", ES, BrokenSound())
        downlinks.begin("bob", ES, burst(2, 1000))
        await passing(3)

    assert seconds_at(tracks[ES], 1000) == pytest.approx(2, abs=0.02)


@in_jumping_time
async def test_a_language_without_a_channel_is_not_listened_to() -> None:
    """What was never offered leads nowhere."""
    async with downlinks_of_ann() as (downlinks, _):
        sound = FakeSound()
        downlinks.begin("ann", LanguageCode("fr"), sound)
        downlinks.end(sound)
        await passing(1)
        assert sound.listeners == 0


@in_jumping_time
async def test_a_speaker_is_on_each_channel_that_carries_them() -> None:
    """Their own, that of their language, and those of single listeners other than themselves."""
    carrying = [IN_ES, ChannelKey(ES, speaker="ann"), ChannelKey(ES, listener="bob")]
    others = [
        IN_DE,
        ChannelKey(ES, speaker="bob"),
        ChannelKey(ES, listener="ann"),
        ChannelKey(DE, listener="bob"),
    ]
    async with playing_channels(*carrying, *others) as (_, meeting, downlinks):
        sound = burst(1, 1000)
        downlinks.begin("ann", ES, sound)
        downlinks.end(sound)
        await passing(2)
        heard = {name: seconds_at(track, 1000) for name, track in meeting.tracks.items()}

    assert {name for name, seconds in heard.items() if seconds > 0.9} == {
        "translation_es",
        "translation_es@ann",
        "translation_es/bob",
    }
    assert [it for it in heard.values() if it <= 0.9] == [0] * len(others)


@in_jumping_time
async def test_a_channel_that_comes_later_is_heard_from_then_on() -> None:
    """A listener may choose a language in the middle of a sentence; others hear no gap."""
    async with playing_channels(IN_ES) as (channels, meeting, downlinks):
        sound = burst(4, 1000)
        downlinks.begin("ann", ES, sound)
        downlinks.end(sound)
        await passing(2)
        mine = ChannelKey(ES, listener="bob")
        channels.follow(dict.fromkeys((IN_ES, mine), LISTENERS))
        await eventually(lambda: mine in channels.open)
        tracks = dict(meeting.tracks)
        await passing(1)
        channels.follow({IN_ES: LISTENERS})
        await passing(3)

    assert seconds_at(tracks["translation_es"], 1000) == pytest.approx(4, abs=0.02)
    assert seconds_at(tracks["translation_es/bob"], 1000) == pytest.approx(1, abs=0.1)


@in_jumping_time
async def test_what_came_before_its_channel_is_heard_on_it() -> None:
    """Palabra may be faster than LiveKit: a track waits until a channel carries it."""
    async with playing_channels(IN_DE) as (channels, meeting, downlinks):
        sound = burst(2, 1000)
        downlinks.begin("ann", ES, sound)
        await passing(1)
        channels.follow({IN_ES: LISTENERS})
        await eventually(lambda: IN_ES in channels.open)
        track = meeting.tracks["translation_es"]
        downlinks.end(sound)
        await passing(3)

    assert seconds_at(track, 1000) == pytest.approx(2, abs=0.02)


@in_jumping_time
async def test_a_channel_without_listeners_plays_nothing() -> None:
    """It may be published all the same, as a language that is always on is."""
    async with playing_channels(IN_ES) as (channels, meeting, downlinks):
        track = meeting.tracks["translation_es"]
        sound = burst(4, 1000)
        channels.follow({IN_ES: frozenset()})
        downlinks.begin("ann", ES, sound)
        downlinks.end(sound)
        await passing(2)
        assert track.frames == []
        channels.follow({IN_ES: LISTENERS})
        await passing(3)

    assert seconds_at(track, 1000) == pytest.approx(2, abs=0.1)


@in_jumping_time
async def test_people_are_allowed_the_channels_that_are_theirs() -> None:
    """Before a channel is there as well: it is heard as soon as it is."""
    async with playing_channels() as (channels, meeting, _):
        mine = ChannelKey(ES, listener="bob")
        channels.follow({IN_ES: LISTENERS, mine: frozenset({"bob"})})
        assert meeting.audiences == {
            "translation_es": LISTENERS,
            "translation_es/bob": frozenset({"bob"}),
        }
        await eventually(lambda: channels.open.keys() == {IN_ES, mine})
        assert channels.languages == {ES}
        assert channels.sid_of("ann", ES) == "TR_translation_es"
        channels.follow({mine: frozenset({"bob"})})
        await eventually(lambda: channels.open.keys() == {mine})
        assert channels.sid_of("ann", ES) == "TR_translation_es/bob"
        assert channels.sid_of("bob", ES) == ""
        assert channels.sid_of("ann", DE) == ""

    assert meeting.audiences == {}
