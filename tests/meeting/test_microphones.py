"""Which track is a person's voice, and that the one they speak into is heard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from livekit import rtc

from palabra_agent.audio.frame import Frame
from palabra_agent.meeting.microphones import LiveMicrophone, is_person, objection_to
from tests.clock import eventually, in_jumping_time
from tests.fakes import FakeSound, frame, level_of
from tests.meeting.fake_people import FakeParticipant, FakePublication

pytestmark = pytest.mark.unit

Kind, Source = rtc.ParticipantKind, rtc.TrackSource
STANDARD = Kind.PARTICIPANT_KIND_STANDARD
AUDIO, VIDEO = rtc.TrackKind.KIND_AUDIO, rtc.TrackKind.KIND_VIDEO
USUAL = ("microphone", "unknown")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (STANDARD, True),
        (Kind.PARTICIPANT_KIND_SIP, True),
        (Kind.PARTICIPANT_KIND_INGRESS, True),
        (Kind.PARTICIPANT_KIND_AGENT, False),
        (Kind.PARTICIPANT_KIND_EGRESS, False),
    ],
)
def test_agents_and_recorders_are_no_people(kind: int, expected: bool) -> None:
    """A phone and a stream brought in are people; what works for the room is not."""
    assert is_person(FakeParticipant(kind)()) is expected


@pytest.mark.parametrize(
    ("kind", "source", "participant", "sources", "expected"),
    [
        (AUDIO, Source.SOURCE_MICROPHONE, STANDARD, USUAL, ""),
        (AUDIO, Source.SOURCE_UNKNOWN, STANDARD, USUAL, ""),
        (AUDIO, Source.SOURCE_CAMERA, STANDARD, USUAL, ""),
        (
            AUDIO,
            Source.SOURCE_SCREENSHARE_AUDIO,
            STANDARD,
            USUAL,
            "its source is screen_share_audio, not microphone or unknown",
        ),
        (AUDIO, Source.SOURCE_SCREENSHARE_AUDIO, STANDARD, ("screen_share_audio",), ""),
        (
            AUDIO,
            Source.SOURCE_UNKNOWN,
            STANDARD,
            ("microphone",),
            "its source is unknown, not microphone",
        ),
        (VIDEO, Source.SOURCE_CAMERA, STANDARD, USUAL, "it is no sound"),
        (VIDEO, Source.SOURCE_MICROPHONE, STANDARD, USUAL, "it is no sound"),
        (
            AUDIO,
            Source.SOURCE_MICROPHONE,
            Kind.PARTICIPANT_KIND_AGENT,
            USUAL,
            "it is not a person's",
        ),
        (
            AUDIO,
            Source.SOURCE_UNKNOWN,
            Kind.PARTICIPANT_KIND_EGRESS,
            USUAL,
            "it is not a person's",
        ),
    ],
)
def test_all_sound_of_a_person_is_a_microphone_but_that_of_a_screen(
    kind: int, source: int, participant: int, sources: tuple[str, ...], expected: str
) -> None:
    """Server-side SDKs name no source; the room's config may say otherwise."""
    publication = FakePublication(kind, source)

    assert objection_to(publication(), FakeParticipant(participant)(), sources) == expected


class Ear:
    """Listens to a person's microphone."""

    def __init__(self) -> None:
        self.heard: list[Frame] = []

    @property
    def levels(self) -> list[int]:
        """The levels of what was heard, each once in a row."""
        levels = [level_of(it) for it in self.heard]
        return [it for index, it in enumerate(levels) if levels[index - 1 : index] != [it]]

    async def listen(self, microphone: LiveMicrophone) -> None:
        """Listen until cancelled."""
        async with microphone.open_frames() as frames:
            async for it in frames:
                self.heard.append(it)


@asynccontextmanager
async def listening(*tracks: FakeSound) -> AsyncGenerator[tuple[LiveMicrophone, Ear]]:
    """Listen to a person who may speak into these tracks, for the length of a block."""
    microphone, ear = LiveMicrophone(), Ear()
    microphone.follow(tracks)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(ear.listen(microphone))
        await eventually(lambda: all(it.listeners for it in tracks))
        yield microphone, ear
        task.cancel()

    assert [it.listeners for it in tracks] == [0] * len(tracks)


async def speak(*playing: tuple[FakeSound, int], seconds: float) -> None:
    """Let tracks sound for some time, each at a level; level 0 is silence."""
    for _ in range(round(seconds * 50)):
        for track, level in playing:
            track.play(frame(level))
        await asyncio.sleep(0.02)


@in_jumping_time
async def test_the_microphone_that_is_spoken_into_is_heard() -> None:
    """Though it was published second; nothing of what was said is missing."""
    headset, laptop = FakeSound("TR_headset"), FakeSound("TR_laptop")
    async with listening(headset, laptop) as (microphone, ear):
        await speak((headset, 0), (laptop, 0), seconds=3)
        assert microphone.track_sid == "TR_headset"
        await speak((headset, 0), (laptop, 2000), seconds=1)

        assert microphone.track_sid == "TR_laptop"
        assert [level_of(it) for it in ear.heard].count(2000) == 50
        assert ear.levels == [0, 2000]


@in_jumping_time
async def test_a_track_that_goes_is_followed_by_the_other() -> None:
    """As is one that comes; the listener listens on."""
    old, new = FakeSound("TR_old"), FakeSound("TR_new")
    async with listening(old) as (microphone, ear):
        await speak((old, 1000), seconds=0.5)
        microphone.follow((new,))
        await eventually(lambda: new.listeners and not old.listeners)
        await speak((new, 2000), seconds=0.5)
        assert (microphone.track_sid, ear.levels) == ("TR_new", [1000, 2000])

        microphone.follow((old, new))
        await eventually(lambda: old.listeners)
        assert microphone.track_sid == "TR_new"


@in_jumping_time
async def test_a_microphone_that_breaks_is_no_secret() -> None:
    """An error of ours while it is read reaches the one who listens."""
    broken, microphone, ear = FakeSound("TR_1"), LiveMicrophone(), Ear()
    microphone.follow((broken,))
    broken.fail(ValueError("an error of ours"))
    with pytest.raises(ExceptionGroup):
        await ear.listen(microphone)
