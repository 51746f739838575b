"""Voices in a room: sessions begin with those that were chosen, and follow when they change."""

from __future__ import annotations

import asyncio
import logging

import pytest

from palabra_agent.capabilities.voice import VoiceRequest
from palabra_agent.interpretation.ports import RoomState
from palabra_agent.interpretation.settings import Regime
from palabra_agent.session import VoiceMissing
from palabra_agent.voices import ClonedVoice, FixedVoice, VoiceChoice
from tests.clock import eventually, in_jumping_time, passing
from tests.fakes import FakeSound, frame, transcript
from tests.interpretation.fake_plugins import FakePlugins
from tests.interpretation.room_stage import DE, EN, ES, LINGER, interpreted_room

pytestmark = pytest.mark.unit


def by_attribute(request: VoiceRequest) -> VoiceChoice | None:
    """Give everybody the voice that they ask for."""
    voice = request.speaker.attributes.get("voice")
    return FixedVoice(voice) if voice else None


@in_jumping_time
async def test_a_session_begins_with_its_voices() -> None:
    """It is not opened before they are chosen: nobody changes their voice after a moment."""
    plugins = FakePlugins(seconds=0.4)
    async with interpreted_room(DE, ES, plugins=plugins) as stage:
        began = asyncio.get_running_loop().time()
        stage.meeting.person_joins("ann", speak="en").play(*(frame(1000) for _ in range(5)))
        await eventually(lambda: stage.sessions.opened)
        ann = stage.sessions.last
        assert asyncio.get_running_loop().time() - began == pytest.approx(0.8, abs=0.1)
        _, bob = await stage.speaker_joins("bob", speak="en")
        await passing(30)

        assert set(ann.brief.voices) == set(bob.brief.voices) == {DE, ES}
        assert set(ann.brief.voices.values()).isdisjoint(bob.brief.voices.values())
        assert [it.brief.voices for it in stage.sessions.opened] == [
            it.voices for it in stage.sessions.attempts
        ]


@in_jumping_time
async def test_a_changed_fact_changes_the_voice() -> None:
    """The running session is asked for it, and a lost one is followed by one that has it."""
    async with interpreted_room(ES, plugins=FakePlugins(by_attribute)) as stage:
        _, session = await stage.speaker_joins("ann", speak="en", attributes={"voice": "nova"})
        assert session.brief.voices == {ES: FixedVoice("nova")}
        stage.meeting.person_changes("ann", speak="en", attributes={"voice": "lyra"})
        await eventually(lambda: session.brief.voices == {ES: FixedVoice("lyra")})
        stage.meeting.person_changes("ann", speak="en", attributes={})
        await eventually(lambda: session.brief.voices == {})

        assert len(stage.sessions.opened) == 1


@in_jumping_time
async def test_a_sentence_is_spoken_to_its_end_in_one_voice() -> None:
    """A voice that changes while somebody speaks waits for the end of their sentence."""
    async with interpreted_room(ES, plugins=FakePlugins(by_attribute)) as stage:
        _, session = await stage.speaker_joins("ann", speak="en", attributes={"voice": "nova"})
        session.tell(transcript("hel", identifier="one", is_final=False))
        await passing(0.1)
        stage.meeting.person_changes("ann", speak="en", attributes={"voice": "lyra"})
        await passing(4)
        assert session.brief.voices == {ES: FixedVoice("nova")}

        session.tell(transcript("hello", identifier="one", is_final=True))
        await eventually(lambda: session.brief.voices == {ES: FixedVoice("lyra")}, seconds=0.1)


@in_jumping_time
async def test_a_missing_voice_is_followed_by_another() -> None:
    """What one session finds missing nobody is given any more."""
    async with interpreted_room(ES, plugins=FakePlugins()) as stage:
        _, ann = await stage.speaker_joins("ann", speak="en")
        before = ann.brief.voices[ES]
        assert isinstance(before, FixedVoice)
        ann.tell(VoiceMissing(before.voice_id))
        await eventually(lambda: ann.brief.voices[ES] != before)
        _, bob = await stage.speaker_joins("bob", speak="en")

        assert before not in {ann.brief.voices[ES], bob.brief.voices[ES]}


@in_jumping_time
async def test_a_plugin_that_takes_long_holds_up_nobody_else() -> None:
    """A new language waits for its voice; what goes on goes on, the microphone too."""
    plugins = FakePlugins()
    async with interpreted_room(ES, plugins=plugins) as stage:
        _, session = await stage.speaker_joins("ann", speak="en")
        plugins.seconds = 20
        stage.change(regime=Regime((DE, ES), always_on=(DE, ES)))
        await passing(1)
        microphone = FakeSound("TR_other")
        stage.meeting.person_changes("ann", microphone=microphone)
        await eventually(lambda: microphone.listeners, seconds=1)
        assert session.brief.targets == (ES,)
        await eventually(lambda: session.brief.targets == (DE, ES))


@in_jumping_time
async def test_plugins_are_told_and_hear() -> None:
    """Every transcript reaches them with its speaker, and the voice while it is of interest."""
    plugins = FakePlugins()
    plugins.estimate_timbres = True
    async with interpreted_room(ES, plugins=plugins) as stage:
        microphone, session = await stage.speaker_joins("ann", speak="en")
        session.tell(transcript("hello"))
        await eventually(lambda: plugins.told)
        for _ in range(150):
            microphone.play(frame(8000))
            await passing(0.02)
        await eventually(lambda: plugins.heard)

        assert [(who.identity, it.text) for who, it in plugins.told] == [("ann", "hello")]
        assert plugins.heard[0][0].identity == "ann"
        await eventually(lambda: plugins.asked[-1].speaker.timbre == plugins.timbre)


@in_jumping_time
async def test_who_comes_back_sounds_as_before() -> None:
    """After more than the linger, in another session, with the same voice."""
    async with interpreted_room(ES, plugins=FakePlugins()) as stage:
        _, first = await stage.speaker_joins("ann", speak="en")
        stage.meeting.person_leaves("ann")
        await passing(3 * LINGER)
        _, bob = await stage.speaker_joins("bob", speak="en")
        _, again = await stage.speaker_joins("ann", speak="en")

        assert (first.is_open, again.brief.voices) == (False, first.brief.voices)
        assert stage.meeting.status.state == RoomState.LIVE
        assert bob.brief.source_language == EN


@in_jumping_time
async def test_a_change_that_is_due_while_its_speaker_is_missing_waits() -> None:
    """The room sleeps until they are back, and makes it then."""
    async with interpreted_room(ES, plugins=FakePlugins(by_attribute)) as stage:
        microphone, session = await stage.speaker_joins("ann", speak="en")
        await passing(5.0)
        session.tell(transcript("hel", is_final=False))
        stage.meeting.person_changes("ann", attributes={"voice": "nova"})
        await passing(1.0)
        stage.meeting.person_changes("ann", microphone=None)
        # a room that does not sleep would stop this clock for good
        await passing(LINGER - 0.5)
        stage.meeting.person_changes("ann", microphone=microphone)
        await eventually(lambda: session.brief.voices == {ES: FixedVoice("nova")})

        assert len(stage.sessions.opened) == 1


AGREED = {"palabra.voice_consent": "true"}


@in_jumping_time
async def test_consent_is_in_the_brief_and_follows_its_attribute() -> None:
    """At once, though a plugin is asked about it: what a session may do waits for none."""
    plugins = FakePlugins(by_attribute)
    async with interpreted_room(ES, plugins=plugins) as stage:
        _, session = await stage.speaker_joins("ann", speak="en")
        assert session.brief.may_clone is False
        plugins.seconds = 20
        stage.meeting.person_changes("ann", speak="en", attributes=AGREED)
        await eventually(lambda: session.brief.may_clone, seconds=0.1)
        stage.meeting.person_changes("ann", attributes={"palabra.voice_consent": "no"})
        await eventually(lambda: not session.brief.may_clone, seconds=0.1)

        assert len(stage.sessions.opened) == 1


@in_jumping_time
async def test_consent_taken_back_in_mid_sentence_counts_at_once() -> None:
    """The voice itself changes when the sentence is over; it is not imitated until then."""

    def clone(request: VoiceRequest) -> VoiceChoice | None:
        return ClonedVoice() if request.speaker.agrees_to_cloning else None

    async with interpreted_room(ES, plugins=FakePlugins(clone)) as stage:
        _, session = await stage.speaker_joins("ann", speak="en", attributes=AGREED)
        assert (session.brief.voices, session.brief.may_clone) == ({ES: ClonedVoice()}, True)
        session.tell(transcript("hel", identifier="one", is_final=False))
        stage.meeting.person_changes("ann", attributes={})
        await eventually(lambda: not session.brief.may_clone, seconds=0.1)
        await eventually(lambda: session.brief.voices == {})


@in_jumping_time
async def test_another_person_agrees_for_none() -> None:
    """Consent is each speaker's own."""
    async with interpreted_room(ES) as stage:
        _, ann = await stage.speaker_joins("ann", speak="en", attributes=AGREED)
        _, bob = await stage.speaker_joins("bob", speak="en")

        assert (ann.brief.may_clone, bob.brief.may_clone) == (True, False)


@in_jumping_time
async def test_the_room_is_told_whose_voice_is_imitated(caplog: pytest.LogCaptureFixture) -> None:
    """By settings as by a plugin: as it begins, who comes later as well, and as it ends."""
    caplog.set_level(logging.INFO)
    async with interpreted_room(ES) as stage:
        stage.change(cloned=frozenset({ES}))
        await stage.speaker_joins("ann", name="Ann", speak="en")
        await passing(1)
        assert stage.meeting.announced == []

        stage.meeting.person_changes("ann", name="Ann", speak="en", attributes=AGREED)
        begins = "The voice of Ann is imitated in interpretations, as they agreed."
        await eventually(lambda: stage.meeting.announced == [begins])
        stage.meeting.person_joins("bob", microphone=None)
        await eventually(lambda: stage.meeting.announced == [begins] * 2)
        stage.change(cloned=frozenset())
        ends = "The voice of Ann is not imitated any more."
        await eventually(lambda: stage.meeting.announced == [begins, begins, ends])

    told = [it.getMessage() for it in caplog.records if "cloning" in it.getMessage()]
    assert told == [
        "voice cloning withheld for want of consent",
        "voice cloning begins",
        "voice cloning ends",
    ]


@in_jumping_time
async def test_the_room_is_told_what_plugins_and_settings_say_of_themselves() -> None:
    """Once, and that it has ended."""
    plugins, written = FakePlugins(), "It is written down."
    async with interpreted_room(ES, plugins=plugins) as stage:
        told = stage.meeting
        await stage.speaker_joins("ann", speak="en")
        plugins.announced = (written,)
        stage.change(plugins_revision=1, announced=("It is recorded.",))
        await eventually(lambda: told.announced == ["It is recorded.", written])
        plugins.announced = ()
        stage.change(plugins_revision=2)
        await eventually(lambda: told.announced[2:] == [f"This has ended: {written}"])
