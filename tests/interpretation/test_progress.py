"""What a room knows of how it goes: its speakers and listeners in numbers, and how late it is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace

import pytest

from palabra_agent.audio.pcm import FRAME_MS
from palabra_agent.interpretation.plan import Plan
from palabra_agent.interpretation.ports import ChannelKey, MeetingView, Person, SpeakerStatus
from palabra_agent.interpretation.progress import LanguageProgress, Progress, SpeakerStatuses
from palabra_agent.session import Brief
from tests.clock import eventually, in_jumping_time, passing
from tests.fakes import FakeMeeting, FakeSession, FakeSound, frame, transcript
from tests.interpretation.room_stage import DE, EN, ES, LINGER, interpreted_room

pytestmark = pytest.mark.unit


def progress_of(channels: dict[ChannelKey, Iterable[str]]) -> Progress:
    """A room in which Ann is interpreted into Spanish and German, Bob into German."""
    progress = Progress()
    progress.plan = Plan(
        {"ann": Brief(EN, (ES, DE)), "bob": Brief(ES, (DE,))},
        {key: frozenset(listeners) for key, listeners in channels.items()},
        languages=(ES, DE),
    )
    return progress


def test_people_are_counted_once() -> None:
    """On however many channels of a language they listen; languages without one are not there."""
    progress = progress_of(
        {ChannelKey(DE): ["cid", "dan"], ChannelKey(DE, listener="ann"): ["ann", "cid"]}
    )

    assert progress.languages(0) == [LanguageProgress(DE, 2, 3, None, None, 0)]


def test_speakers_learn_how_many_hear_them() -> None:
    """In any language, they themselves and channels without them left out."""
    progress = progress_of(
        {
            ChannelKey(ES): ["cid", "eve"],
            ChannelKey(DE, speaker="ann"): ["dan"],
            ChannelKey(DE, speaker="bob"): ["dan", "cid"],
            ChannelKey(DE, listener="ann"): ["ann"],
        }
    )

    assert progress.listeners_of("ann") == 3
    assert progress.listeners_of("bob") == 3
    assert progress.listeners_of("cid") is None
    assert progress_of({}).listeners_of("ann") == 0


def speaking(progress: Progress, speaker: str, since: float, until: float) -> None:
    """Let a speaker say words for a while, which are interpreted into all their languages."""
    targets = progress.plan.briefs[speaker].targets
    for tenth in range(round(since * 10), round(until * 10) + 1):
        progress.spans.speak(speaker, targets, tenth / 10)
    progress.spans.tell(speaker)


def test_a_speaker_is_told_how_late_they_still_are() -> None:
    """From two seconds on, in languages that others hear, with what waits at their own session."""
    progress = progress_of({ChannelKey(ES): ["cid"], ChannelKey(DE): ["ann"]})
    ann, bob = FakeSession(progress.plan.briefs["ann"]), FakeSession(progress.plan.briefs["bob"])
    ann.queued_seconds, bob.queued_seconds = {ES: 1.2, DE: 9.0}, {DE: 8.0}
    speaking(progress, "ann", 0, 5)
    speaking(progress, "bob", 0, 6)
    with progress.watching("ann", ann), progress.watching("bob", bob):
        assert progress.status_of("ann", 6.9) == SpeakerStatus("ann", 1)
        assert progress.status_of("ann", 8.6) == SpeakerStatus("ann", 1, 3, 2)
        assert progress.status_of("bob", 8.6) == SpeakerStatus("bob", 1, 2, 8)
        ann.queued_seconds = {}
        assert progress.status_of("ann", 8.6) == SpeakerStatus("ann", 1, 3)
    progress.spans.interpret("ann", ES, 9.0)
    assert progress.status_of("ann", 9.9) == SpeakerStatus("ann", 1, 4)
    assert progress.status_of("ann", 10.1) == SpeakerStatus("ann", 1)
    assert progress.status_of("cid", 8.6) == SpeakerStatus("cid")


def test_speakers_are_told_what_is_new_to_them() -> None:
    """At first zeros are known; who connects anew knows nothing else, and who joins is awaited."""
    progress, statuses = progress_of({ChannelKey(ES): ["cid"]}), SpeakerStatuses()
    joining = Person("ann", "Ann", is_reachable=False, connection="1")
    bob = Person("bob", "Bob")

    def news(ann: Person) -> list[SpeakerStatus]:
        return statuses.news(MeetingView((ann, bob)), progress, 0)

    there, anew = (Person("ann", "Ann", connection=it) for it in "12")
    assert news(joining) == []
    assert news(there) == [SpeakerStatus("ann", 1)]
    assert news(there) == []
    assert news(anew) == [SpeakerStatus("ann", 1)]
    progress.plan = Plan({}, {})
    assert news(anew) == [SpeakerStatus("ann", 0)]
    assert news(there) == []


async def sound(source: FakeSound, seconds: float) -> None:
    """Play in real time."""
    for _ in range(round(seconds * 1000 / FRAME_MS)):
        source.play(frame(1000))
        await asyncio.sleep(FRAME_MS / 1000)


@in_jumping_time
async def test_a_room_measures_how_late_it_is() -> None:
    """From the microphone to the channel, with Palabra's words in between."""
    async with interpreted_room(EN, ES) as stage:
        stage.meeting.person_joins("bob", microphone=None, listen="es")
        microphone, session = await stage.speaker_joins("ann", speak="en")
        await sound(microphone, 2)
        session.tell(transcript("hello"))
        await passing(2)
        translated = session.start_translation("es")
        await eventually(lambda: translated.listeners)
        now = asyncio.get_running_loop().time()
        assert stage.progress.spans.lag(ES, now) == pytest.approx(2, abs=0.2)
        session.queued_seconds = {ES: 2.5}
        assert stage.progress.languages(now)[1].seconds_left == 2.5
        session.queued_seconds = {}
        await sound(translated, 3)
        await passing(3)

        english, spanish = stage.progress.languages(asyncio.get_running_loop().time())
        assert (english.language, english.start_spans) == (EN, None)
        assert (spanish.speakers, spanish.listeners, spanish.lag_seconds) == (1, 1, 0)
        assert spanish.seconds_left is None
        assert spanish.start_spans is not None
        assert spanish.end_spans is not None
        assert spanish.start_spans.p50 == pytest.approx(4, abs=0.2)
        assert spanish.end_spans.p50 == pytest.approx(5, abs=0.2)
        assert stage.progress.listeners_of("ann") == 1


def statuses_in(meeting: FakeMeeting) -> list[SpeakerStatus]:
    """What speakers were told of themselves."""
    return [it for it in meeting.texts.sent if isinstance(it, SpeakerStatus)]


@in_jumping_time
async def test_a_speaker_learns_without_asking() -> None:
    """That another listens, that they still do not hear the end, and that they have left."""
    async with interpreted_room(EN, ES) as stage:
        stage.meeting.person_joins("bob", microphone=None, listen="es")
        microphone, session = await stage.speaker_joins("ann", speak="en")
        await eventually(lambda: statuses_in(stage.meeting) == [SpeakerStatus("ann", 1)])
        await sound(microphone, 2)
        session.tell(transcript("hello"))
        await passing(5.5)
        translated = session.start_translation("es")
        await eventually(lambda: translated.listeners)
        await sound(translated, 1)
        await passing(5)
        lags = [it.lag_seconds for it in statuses_in(stage.meeting)]
        assert lags == [0, 2, 3, 4, 5, 6, 0] or lags == [0, 2, 3, 4, 5, 6, 7, 0]

        stage.meeting.look(replace(stage.meeting.view, is_connected=False))
        stage.meeting.person_leaves("bob")
        await passing(LINGER + 5)
        assert len(statuses_in(stage.meeting)) == len(lags)
        stage.meeting.look(replace(stage.meeting.view, is_connected=True))
        await passing(LINGER + 5)
        assert statuses_in(stage.meeting)[-1] == SpeakerStatus("ann", 0)
