"""A room: who is interpreted when, who reads what, what is shown."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from palabra_agent.audio.frame import FrameReader
from palabra_agent.audio.pcm import Pcm
from palabra_agent.audio.tones import tone, tone_level_db
from palabra_agent.concurrency import Watched
from palabra_agent.errors import ApiError, SessionLost, TaskRejected, Unreachable
from palabra_agent.interpretation.leakage import LeakageGuard
from palabra_agent.interpretation.ports import (
    EncryptionProblem,
    MeetingView,
    Notice,
    RoomState,
)
from palabra_agent.interpretation.progress import Progress
from palabra_agent.interpretation.room import interpret_room
from palabra_agent.interpretation.settings import (
    InterpretationSettings,
    Regime,
    SpeakerRule,
    WritingRules,
)
from palabra_agent.interpretation.voice_assigner import VoiceAssigner
from palabra_agent.interpretation.wishes import Wishes
from palabra_agent.languages import AUTO, LanguageCode
from palabra_agent.palabra.protocol.messages import AudioChunk
from palabra_agent.palabra.transports.translated_speech import PacedTrack, QueueLimits
from palabra_agent.session import (
    Brief,
    BriefFollowed,
    InterpretationStarted,
    Transcript,
    UpdateRefused,
)
from tests.babble import babble, played_back
from tests.clock import eventually, in_jumping_time, passing
from tests.fakes import (
    FakeMeeting,
    FakeSessions,
    FakeSound,
    frame,
    transcript,
    translated,
)
from tests.interpretation.fake_plugins import no_plugins
from tests.interpretation.room_stage import DE, EN, ES, LINGER, interpreted_room

pytestmark = pytest.mark.unit


def always_on(*languages: LanguageCode) -> Regime:
    """Make the languages of a room, in which all are interpreted for no listener as well."""
    return Regime(languages, always_on=languages)


@in_jumping_time
async def test_a_room_is_live_with_its_channels() -> None:
    """Those that are always on are published in the order of the offer."""
    async with interpreted_room(DE, ES) as stage:
        assert stage.meeting.publications == ["translation_de", "translation_es"]
        assert {it.state for it in stage.meeting.shown} == {RoomState.LIVE}
        assert stage.meeting.status.live == (DE, ES)


@in_jumping_time
async def test_speakers_come_and_go_with_the_plan() -> None:
    """A microphone gets a session, a change of language another brief, no need no session."""
    async with interpreted_room() as stage:
        stage.meeting.person_joins("bob", microphone=None, listen="es")
        _, session = await stage.speaker_joins("ann", speak="en")
        assert session.brief == Brief(EN, (ES,))

        stage.meeting.person_changes("ann", speak="es")
        await eventually(lambda: session.brief == Brief(ES, (EN,)))
        stage.meeting.person_changes("ann", speak="de")
        await eventually(lambda: session.brief == Brief(DE, (EN, ES)))

        assert len(stage.sessions.opened) == 1


@in_jumping_time
async def test_a_speaker_without_need_is_not_interpreted() -> None:
    """Who speaks the only offered language costs nothing; from another language on, they do."""
    async with interpreted_room(EN) as stage:
        stage.meeting.person_joins("ann", speak="en")
        await passing(30)
        assert stage.sessions.attempts == []

        stage.meeting.person_changes("ann", speak="es")
        await eventually(lambda: stage.sessions.live)
        stage.meeting.person_changes("ann", speak="en-gb")
        await eventually(lambda: not stage.sessions.live)


@in_jumping_time
async def test_a_language_that_is_not_offered_is_told_to_the_one_who_asks() -> None:
    """Once, to them alone, and never taken for something else; the neighbours are served."""
    async with interpreted_room(EN, ES) as stage:
        stage.meeting.person_joins("bob", microphone=None, listen="es-AR")
        stage.meeting.person_joins("cid", microphone=None, listen="original")
        stage.meeting.person_joins("dan", microphone=None, listen="nb-NO")
        await eventually(lambda: stage.meeting.announced)
        stage.meeting.person_changes("dan", name="Daniel")
        await passing(1)

        (notice,) = [text for text in stage.meeting.texts.sent if isinstance(text, Notice)]
        assert notice.recipients == ("dan",)
        assert notice.text == (
            'You asked to hear "nb-NO", which is not offered here, and get the original. '
            "Offered are en, es, and the original."
        )


@in_jumping_time
async def test_somebody_may_be_left_alone() -> None:
    """The config's word that somebody is not interpreted holds."""

    def rule_for(identity: str) -> SpeakerRule:
        return SpeakerRule(is_interpreted=identity != "ann")

    async with interpreted_room(rule_for=rule_for) as stage:
        stage.meeting.person_joins("ann", speak="en")
        await stage.speaker_joins("bob", speak="en")

        assert len(stage.sessions.attempts) == 1


@in_jumping_time
async def test_a_short_absence_keeps_the_session() -> None:
    """Whoever is back within the linger finds their session, with a new microphone."""
    async with interpreted_room() as stage:
        old, session = await stage.speaker_joins("ann", speak="en")
        stage.meeting.person_leaves("ann")
        await eventually(lambda: not old.listeners)
        await passing(LINGER - 0.5)
        new = stage.meeting.person_joins("ann", speak="en")
        await eventually(lambda: new.listeners)
        await passing(2 * LINGER)

        assert session.is_open
        assert len(stage.sessions.opened) == 1


@in_jumping_time
async def test_a_departure_ends_the_session_after_the_linger() -> None:
    """Whoever does not come back is ended, neither before the linger nor long after."""
    async with interpreted_room() as stage:
        _, session = await stage.speaker_joins("ann", speak="en")
        began = asyncio.get_running_loop().time()
        stage.meeting.person_leaves("ann")
        await eventually(lambda: not session.is_open)

        assert asyncio.get_running_loop().time() - began == pytest.approx(LINGER, abs=0.1)
        assert stage.meeting.status.state == RoomState.LIVE


@in_jumping_time
async def test_our_own_absence_is_nobody_s_departure() -> None:
    """While we reconnect all sessions stay; those who are missed then have their full linger."""
    async with interpreted_room() as stage:
        _, ann = await stage.speaker_joins("ann", speak="en")
        _, bob = await stage.speaker_joins("bob", speak="en")
        before = stage.meeting.view
        stage.meeting.look(MeetingView(is_connected=False))
        await passing(60)
        assert len(stage.sessions.live) == 2

        stage.meeting.look(MeetingView(before.people[:1]))
        await passing(LINGER - 0.5)
        assert len(stage.sessions.live) == 2
        await eventually(lambda: not bob.is_open, seconds=1)

        assert ann.is_open
        assert len(stage.sessions.opened) == 2


@in_jumping_time
async def test_a_lost_session_is_a_pause_of_the_same_channel() -> None:
    """The track stays while its session is rebuilt, and what comes next is heard on it."""
    async with interpreted_room() as stage:
        stage.meeting.person_joins("lea", microphone=None, listen="es")
        _, first = await stage.speaker_joins("ann", speak="en")
        track = stage.meeting.tracks["translation_es"]
        first.tell(SessionLost("network"))
        await eventually(lambda: stage.meeting.status.state == RoomState.DEGRADED)
        await eventually(lambda: stage.meeting.status.state == RoomState.LIVE)
        second = stage.sessions.last
        sound = second.start_translation("es")
        sound.play(frame(1000))
        await eventually(lambda: track.frames)

        assert second is not first
        assert stage.meeting.tracks["translation_es"] is track
        assert stage.meeting.publications == ["translation_en", "translation_es"]
        assert stage.meeting.announced == []
        assert [it.error for it in stage.meeting.shown if it.error] == [
            "the Palabra session was lost: network"
        ]


@in_jumping_time
async def test_what_needs_a_person_is_told_once() -> None:
    """The same refusal for several speakers is one line in the chat, and one in the state."""
    sessions = FakeSessions()
    sessions.refuse_next(ApiError(401, "bad key"), ApiError(401, "bad key"))
    async with interpreted_room(sessions=sessions) as stage:
        stage.meeting.person_joins("ann", speak="en")
        stage.meeting.person_joins("bob", speak="en")
        await eventually(lambda: len(sessions.attempts) == 2)
        await passing(60)

        assert len(sessions.attempts) == 2
        assert stage.meeting.announced == ["Palabra refused: bad key (HTTP 401)"]
        assert stage.meeting.status.state == RoomState.DEGRADED
        assert stage.meeting.status.error == "Palabra refused: bad key (HTTP 401)"

        stage.meeting.person_leaves("ann")
        stage.meeting.person_leaves("bob")
        await eventually(lambda: stage.meeting.status.state == RoomState.LIVE)


@in_jumping_time
async def test_what_passes_is_not_told_in_the_chat() -> None:
    """An outage shows in the state while it lasts, and is gone with it."""
    sessions = FakeSessions()
    sessions.refuse_next(Unreachable("api", "down"))
    async with interpreted_room(sessions=sessions) as stage:
        stage.meeting.person_joins("ann", speak="en")
        await eventually(lambda: stage.meeting.status.state == RoomState.DEGRADED)
        await eventually(lambda: stage.meeting.status.state == RoomState.LIVE)

        assert stage.meeting.announced == []
        assert stage.meeting.status.error == ""


@in_jumping_time
async def test_one_speaker_s_error_ends_that_speaker_only() -> None:
    """An error of ours is shown, not retried, and leaves all others alone."""
    async with interpreted_room() as stage:
        broken, ann = await stage.speaker_joins("ann", speak="en")
        bob_microphone, bob = await stage.speaker_joins("bob", speak="en")
        broken.fail(ValueError("an error of ours"))
        await eventually(lambda: not ann.is_open)
        await eventually(lambda: stage.meeting.status.state == RoomState.DEGRADED)
        await passing(60)
        bob_microphone.play(frame(1000))
        await eventually(lambda: bob.heard)

        assert stage.meeting.status.error == "the interpretation of a speaker failed"
        assert len(stage.sessions.opened) == 2


@in_jumping_time
async def test_the_log_of_a_failed_speaker_names_no_person(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What an error of ours says may be anything, and stays out of the log; its place is told."""
    caplog.set_level(logging.INFO)
    async with interpreted_room() as stage:
        broken, ann = await stage.speaker_joins("ann-of-the-board", speak="en")
        broken.fail(KeyError("ann-of-the-board"))
        await eventually(lambda: not ann.is_open)

    (line,) = [it for it in caplog.records if it.getMessage() == "speaker interpretation failed"]
    assert vars(line)["error"] == "KeyError"
    assert "speaker.py:" in vars(line)["where"]
    assert "ann-of-the-board" not in caplog.text


@in_jumping_time
async def test_a_failed_speaker_who_leaves_is_no_error_any_more() -> None:
    """What is wrong with somebody is forgotten with them."""
    async with interpreted_room() as stage:
        broken, ann = await stage.speaker_joins("ann", speak="en")
        broken.fail(ValueError("an error of ours"))
        await eventually(lambda: not ann.is_open)
        stage.meeting.person_leaves("ann")
        await passing(2 * LINGER)

        assert stage.meeting.status.state == RoomState.LIVE


@in_jumping_time
async def test_a_failed_speaker_who_comes_back_is_tried_again() -> None:
    """Leaving and joining again is a new beginning."""
    async with interpreted_room() as stage:
        broken, ann = await stage.speaker_joins("ann", speak="en")
        broken.fail(ValueError("an error of ours"))
        await eventually(lambda: not ann.is_open)
        stage.meeting.person_leaves("ann")
        await passing(1)
        await stage.speaker_joins("ann", speak="en")
        await eventually(lambda: stage.meeting.status.state == RoomState.LIVE)

        assert len(stage.sessions.live) == 1


@in_jumping_time
async def test_a_late_error_of_a_predecessor_is_not_the_successor_s() -> None:
    """Somebody who is back while their old session still closes keeps the new one."""
    async with interpreted_room() as stage:
        await stage.speaker_joins("ann", speak="en")
        stage.sessions.seconds_to_close = 3
        stage.sessions.error_on_close = ValueError("an error of ours")
        stage.meeting.person_changes("ann", speak="es", microphone=None)
        await passing(LINGER + 1)
        stage.sessions.error_on_close = None
        stage.meeting.person_changes("ann", speak="en", microphone=FakeSound())
        await eventually(lambda: len(stage.sessions.opened) == 2)
        await passing(30)
        assert len(stage.sessions.live) == 1

        stage.meeting.end()
        await eventually(stage.task.done)


@in_jumping_time
async def test_a_detected_language_is_left_out() -> None:
    """On `auto`, two utterances that agree narrow the targets; one alone, or a part, does not."""
    async with interpreted_room(EN, ES, DE) as stage:
        _, session = await stage.speaker_joins("ann")
        assert session.brief == Brief(AUTO, (EN, ES, DE))
        briefs = [session.brief]

        async def briefs_after(*heard: Transcript) -> list[Brief]:
            session.tell(*heard)
            await passing(10)
            if session.brief != briefs[-1]:
                briefs.append(session.brief)
            return briefs

        undecided, in_spanish = Brief(AUTO, (EN, ES, DE)), Brief(AUTO, (EN, DE))
        hola = transcript("hola", language="es-mx")
        again = transcript("hola!", language="es")
        assert await briefs_after(hola, again) == [undecided]

        adios = transcript("adiós", language="es", identifier="t2")
        assert await briefs_after(adios) == [undecided, in_spanish]

        misheard = transcript("hell", language="en", identifier="t3", is_final=False)
        once = transcript("hello", language="en", identifier="t4")
        still = transcript("sí", language="es", identifier="t5")
        translation = translated("ja", "de", identifier="t5")
        assert await briefs_after(misheard, once, still, translation) == [undecided, in_spanish]

        changed = [transcript("bye", language="en", identifier=it) for it in ("t6", "t7")]
        in_english = Brief(AUTO, (ES, DE))
        assert await briefs_after(*changed) == [undecided, in_spanish, in_english]
        assert len(stage.sessions.opened) == 1


@in_jumping_time
async def test_who_turns_out_to_need_nothing_gets_nothing_again() -> None:
    """A speaker on `auto` who speaks the only offered language is asked for once, not for ever."""
    async with interpreted_room(EN) as stage:
        _, session = await stage.speaker_joins("ann")
        session.tell(transcript("hello", language="en"))
        session.tell(transcript("hello?", language="en", identifier="t2"))
        await eventually(lambda: not session.is_open)
        for wish in ["es", "en", "original"]:
            stage.meeting.person_changes("ann", listen=wish)
            await passing(LINGER)

        assert len(stage.sessions.opened) == 1


@in_jumping_time
async def test_words_reach_those_whom_they_concern() -> None:
    """Each person reads one version, under the speaker's name and on the right track."""
    async with interpreted_room(EN, ES, DE) as stage:
        stage.meeting.person_joins("bob", microphone=None, listen="es")
        stage.meeting.person_joins("cid", microphone=None, listen="original")
        _, session = await stage.speaker_joins("ann", speak="en", listen="es")
        session.tell(transcript("hel", is_final=False), transcript("hello"))
        session.tell(translated("hola", "es"), translated("hallo", "de"))
        await eventually(lambda: len(stage.meeting.chat) == 2)

        captions = stage.meeting.captions
        assert [(it.transcript.text, it.track_sid, it.recipients) for it in captions] == [
            ("hel", "TR_ann", ("cid", "ann")),
            ("hello", "TR_ann", ("cid", "ann")),
            ("hola", "TR_translation_es", ("bob",)),
        ]
        assert [(it.transcript.text, it.recipients) for it in stage.meeting.chat] == [
            ("hello", ("cid", "ann")),
            ("hola", ("bob",)),
        ]


@in_jumping_time
async def test_a_language_s_speakers_are_heard_together() -> None:
    """Interpretations of several speakers are mixed on one track, none on the others'."""
    async with interpreted_room(EN, ES) as stage:
        stage.meeting.person_joins("lea", microphone=None, listen="es")
        _, ann = await stage.speaker_joins("ann", speak="de")
        _, bob = await stage.speaker_joins("bob", speak="de")
        sounds = {hz: session.start_translation("es") for hz, session in ((400, ann), (500, bob))}
        await eventually(lambda: all(it.listeners for it in sounds.values()))
        tones = {hz: list(FrameReader().cut(tone(hz, 1.0))) for hz in sounds}
        for number in range(50):
            for hz, sound in sounds.items():
                sound.play(tones[hz][number])
            await passing(0.02)
        await passing(1)

        heard: list[Pcm] = stage.meeting.tracks["translation_es"].frames
        for hz in sounds:
            assert tone_level_db(np.concatenate(heard), hz) == pytest.approx(-10.5, abs=1.5)
        assert stage.meeting.tracks["translation_en"].frames == []


@in_jumping_time
async def test_more_speakers_than_allowed_are_told() -> None:
    """Beyond the limit nobody is interpreted, and the room says so until there is a place."""
    async with interpreted_room(max_speakers=1) as stage:
        anns, ann = await stage.speaker_joins("ann", speak="en")
        bobs = stage.meeting.person_joins("bob", speak="en")
        await eventually(lambda: anns.listeners and bobs.listeners)
        anns.play(*(frame(1000) for _ in range(5)))
        bobs.play(*(frame(1000) for _ in range(5)))
        await eventually(lambda: stage.meeting.status.state == RoomState.DEGRADED)
        await passing(10)
        sentence, attempts = stage.meeting.status.error, len(stage.sessions.attempts)
        stage.meeting.person_leaves("ann")
        await eventually(lambda: not ann.is_open)
        await eventually(lambda: stage.meeting.status.state == RoomState.LIVE)

        assert sentence == "not all speakers are interpreted: the limit is 1 at a time"
        assert attempts == 1
        assert len(stage.sessions.live) == 1


@in_jumping_time
async def test_a_speaker_who_cannot_be_decrypted_is_told_of_once() -> None:
    """No session is opened; who comes later with the same trouble is told of no more."""
    problem = EncryptionProblem.NO_KEY
    async with interpreted_room() as stage:
        for identity in ("ann", "bob"):
            stage.meeting.person_joins(
                identity, speak="en", microphone=None, encryption_problem=problem
            )
            await eventually(lambda: stage.meeting.status.state == RoomState.DEGRADED)
            await passing(10)
            assert stage.meeting.status.error == problem
            stage.meeting.person_leaves(identity)
            await eventually(lambda: stage.meeting.status.state == RoomState.LIVE)

        assert stage.meeting.announced == [problem]
        assert stage.sessions.attempts == []


@in_jumping_time
async def test_an_error_that_is_over_is_not_shown() -> None:
    """A refused change is an error until a change is accepted or the session is another."""
    async with interpreted_room() as stage:
        _, session = await stage.speaker_joins("ann", speak="en")
        session.tell(UpdateRefused("no such voice"))
        await eventually(lambda: stage.meeting.status.state == RoomState.DEGRADED)
        assert stage.meeting.announced == ["no such voice"]
        session.tell(BriefFollowed())
        await eventually(lambda: stage.meeting.status.state == RoomState.LIVE)
        session.tell(UpdateRefused("no such voice"))
        await eventually(lambda: stage.meeting.status.state == RoomState.DEGRADED)
        session.tell(SessionLost("network"))
        await eventually(lambda: stage.meeting.status.state == RoomState.LIVE)

        assert stage.meeting.announced == ["no such voice"]


@in_jumping_time
async def test_the_end_of_the_meeting_unwinds_everything() -> None:
    """Sessions end before the channels are unpublished, and the function returns."""
    async with interpreted_room() as stage:
        microphone, session = await stage.speaker_joins("ann", speak="en")
        sound = session.start_translation("es")
        await eventually(lambda: sound.listeners)
        stage.sessions.seconds_to_close = 1
        stage.meeting.end()
        await passing(0.5)
        assert (session.is_open, len(stage.meeting.tracks)) == (True, 2)
        await eventually(stage.task.done)

        assert stage.task.exception() is None
        assert (microphone.listeners, sound.listeners, session.is_open) == (0, 0, False)


@in_jumping_time
async def test_cancelling_a_room_unwinds_everything() -> None:
    """A cancelled room ends its sessions and channels as well, at any of its moments."""
    async with interpreted_room() as stage:
        microphone, session = await stage.speaker_joins("ann", speak="en")
        stage.task.cancel()
        await eventually(stage.task.done)

        assert stage.task.cancelled()
        assert (microphone.listeners, session.is_open, stage.meeting.tracks) == (0, False, {})


@in_jumping_time
async def test_a_meeting_that_breaks_ends_the_room() -> None:
    """An error of the meeting is not the room's to swallow; on the way out everything is closed."""

    class BrokenMeeting(FakeMeeting):
        def show(self, status: object) -> None:
            raise OSError("broken")

    meeting, plugins = BrokenMeeting(), no_plugins()
    with pytest.raises(ExceptionGroup):
        await interpret_room(
            meeting,
            Watched(InterpretationSettings(always_on(ES))),
            FakeSessions(),
            plugins,
            VoiceAssigner(plugins),
            LeakageGuard(),
            Wishes(),
            Progress(),
        )

    assert meeting.tracks == {}


@in_jumping_time
async def test_channels_outlive_everybody() -> None:
    """An empty room keeps its channels; who comes next is heard on them."""
    async with interpreted_room() as stage:
        stage.meeting.person_joins("lea", microphone=None, listen="es")
        track = stage.meeting.tracks["translation_es"]
        for who in ["ann", "bob"]:
            _, session = await stage.speaker_joins(who, speak="en")
            sound = session.start_translation("es")
            track.frames.clear()
            sound.play(frame(1000))
            await eventually(lambda: track.frames)
            stage.meeting.person_leaves(who)
            await eventually(lambda: not stage.sessions.live)

        assert stage.meeting.tracks["translation_es"] is track
        assert len(stage.sessions.opened) == 2


@in_jumping_time
async def test_a_busy_meeting_leaves_nobody_behind() -> None:
    """After many comings, goings and losses exactly those who are there have one session each."""
    async with interpreted_room(EN, ES, DE) as stage:
        for number in range(40):
            who = f"p{number % 7}"
            if stage.meeting.view.person(who) is None:
                stage.meeting.person_joins(who, speak=["en", "es", "auto"][number % 3])
            elif number % 3 == 0:
                stage.meeting.person_leaves(who)
            else:
                stage.meeting.person_changes(who, microphone=FakeSound(f"TR_{number}"))
            if number % 5 == 0 and stage.sessions.live:
                stage.sessions.live[0].tell(SessionLost("network"))
            await passing(number % 4 * 0.7)
        await passing(60)

        assert len(stage.sessions.live) == len(stage.meeting.view.people) > 0
        assert stage.meeting.status == replace(stage.meeting.status, state=RoomState.LIVE)


@in_jumping_time
async def test_a_language_may_be_added_and_taken_away() -> None:
    """A channel opens or closes by itself; the session goes on, and so do the other channels."""
    async with interpreted_room(EN, ES) as stage:
        _, session = await stage.speaker_joins("ann", speak="en")
        track = stage.meeting.tracks["translation_es"]
        stage.change(regime=always_on(DE, ES))
        await eventually(lambda: session.brief == Brief(EN, (DE, ES)))
        assert stage.meeting.tracks == {
            "translation_es": track,
            "translation_de": stage.meeting.tracks["translation_de"],
        }
        assert stage.meeting.status.live == (DE, ES)

        stage.change(regime=always_on(ES))
        await eventually(lambda: session.brief == Brief(EN, (ES,)))
        await eventually(lambda: stage.meeting.status.live == (ES,))
        assert stage.meeting.tracks == {"translation_es": track}
        assert len(stage.sessions.opened) == 1


@in_jumping_time
@pytest.mark.parametrize("before", [(EN,), (EN, ES)])
async def test_other_languages_are_told_to_the_open_session(
    before: tuple[LanguageCode, ...],
) -> None:
    """Nobody is ended because the only language for them has given way to another."""
    async with interpreted_room(*before) as stage:
        _, session = await stage.speaker_joins("ann", speak="es")
        stage.change(regime=always_on(DE))
        await eventually(lambda: session.brief == Brief(ES, (DE,)))
        await eventually(lambda: stage.meeting.status.live == (DE,))

        assert len(stage.sessions.attempts) == 1


@in_jumping_time
async def test_a_language_that_comes_back_has_one_channel() -> None:
    """However quickly it goes and comes, in the end one track of it is published."""
    async with interpreted_room(ES) as stage:
        for offered in ((DE,), (ES,), (DE, ES), (ES,), (DE,), (ES,)):
            stage.change(regime=always_on(*offered))
            await asyncio.sleep(0)
        await eventually(lambda: stage.meeting.status.live == (ES,))
        await eventually(lambda: stage.meeting.tracks.keys() == {"translation_es"})


@in_jumping_time
async def test_other_task_settings_reach_the_running_session() -> None:
    """It is asked once more for the same, and makes its task anew; nothing is restarted."""
    async with interpreted_room() as stage:
        _, session = await stage.speaker_joins("ann", speak="en")
        await eventually(lambda: session.rebriefs)
        session.rebriefs.clear()
        stage.change(linger_seconds=1.0)
        await passing(1)
        assert session.rebriefs == []

        stage.change(task_revision=1)
        await eventually(lambda: session.rebriefs == [Brief(EN, (ES,))])
        assert len(stage.sessions.opened) == 1


@in_jumping_time
async def test_refused_settings_are_tried_again_when_they_change() -> None:
    """Other settings of the tasks are reason enough, with the very same languages."""
    sessions = FakeSessions()
    sessions.refuse_next(TaskRejected("VALIDATION_ERROR", "no such model"))
    async with interpreted_room(sessions=sessions) as stage:
        stage.meeting.person_joins("ann", speak="en")
        await eventually(lambda: stage.meeting.status.state == RoomState.DEGRADED)
        await passing(60)
        assert len(sessions.attempts) == 1

        stage.change(task_revision=1)
        await eventually(lambda: stage.meeting.status.state == RoomState.LIVE)
        assert len(sessions.opened) == 1


@in_jumping_time
async def test_what_is_written_may_change() -> None:
    """Captions that are switched off are none from the next words on."""
    async with interpreted_room() as stage:
        _, session = await stage.speaker_joins("ann", speak="en")
        session.tell(transcript("one", is_final=True))
        await eventually(lambda: stage.meeting.captions)
        stage.change(rules=WritingRules(captions=False, chat=False))
        count = len(stage.meeting.texts.sent)
        session.tell(transcript("two", identifier="t2", is_final=True))
        await passing(1)

        assert len(stage.meeting.texts.sent) == count


@in_jumping_time
async def test_what_was_said_is_not_written_for_newcomers_once_captions_are_off() -> None:
    """Nor when they are on again: those who switched them off wanted nothing more of it written."""
    async with interpreted_room() as stage:
        _, session = await stage.speaker_joins("ann", speak="en")
        session.tell(transcript("one", is_final=True))
        await eventually(lambda: stage.meeting.captions)
        stage.change(rules=WritingRules(captions=False))
        count = len(stage.meeting.captions)
        stage.meeting.person_joins("bob", microphone=None)
        await passing(1)
        stage.change(rules=WritingRules())
        stage.meeting.person_joins("cid", microphone=None)
        await passing(1)

        assert len(stage.meeting.captions) == count


@in_jumping_time
async def test_a_listener_who_begins_to_speak_goes_on_hearing_the_others() -> None:
    """They are on the channel of all until the one without their own voice is there."""
    async with interpreted_room(EN, ES) as stage:
        await stage.speaker_joins("ann", speak="en")
        stage.meeting.person_joins("bob", microphone=None, speak="en", listen="es")
        await eventually(lambda: "bob" in stage.meeting.audiences["translation_es"])
        stage.meeting.seconds_to_publish = 3.0
        stage.meeting.person_changes("bob", microphone=FakeSound("TR_bob"))
        await eventually(lambda: "translation_es/bob" in stage.meeting.audiences)
        await passing(1)
        assert "bob" in stage.meeting.audiences["translation_es"]
        await eventually(lambda: "translation_es/bob" in stage.meeting.tracks)
        await eventually(lambda: "bob" not in stage.meeting.audiences["translation_es"])


def interpreted_is_none(_identity: str) -> SpeakerRule:
    """Leave every speaker alone."""
    return SpeakerRule(is_interpreted=False)


def long_speech() -> PacedTrack:
    """Twelve seconds of speech that came at once."""
    track, sound = PacedTrack(QueueLimits()), np.full(12 * 24_000, 1000, "<i2").tobytes()
    track.put(AudioChunk("u", "0", ES, True, sound), sound)
    return track


@in_jumping_time
async def test_a_speaker_who_has_left_is_heard_to_the_end() -> None:
    """All that has come, also after their session."""
    async with interpreted_room() as stage:
        stage.meeting.person_joins("bob", microphone=None, listen="es")
        _, session = await stage.speaker_joins("ann", speak="en")
        session.tell(InterpretationStarted(ES, long_speech()))
        await passing(1)
        stage.meeting.person_leaves("ann")
        await passing(LINGER + 1)
        assert stage.sessions.live == []
        await passing(10)

        assert stage.meeting.tracks["translation_es"].seconds_played == pytest.approx(12, abs=0.1)


@in_jumping_time
async def test_a_speaker_who_stays_and_is_interpreted_no_more_is_heard_no_more() -> None:
    """They may hear that channel themselves; and who switched them off wants to hear nothing."""
    async with interpreted_room() as stage:
        stage.meeting.person_joins("bob", microphone=None, listen="es")
        _, session = await stage.speaker_joins("ann", speak="en")
        session.tell(InterpretationStarted(ES, long_speech()))
        await passing(1)
        stage.change(regime=replace(stage.settings.value.regime, rule_for=interpreted_is_none))
        await passing(10)

        assert stage.meeting.tracks["translation_es"].seconds_played < 2


@in_jumping_time
async def test_a_language_that_is_taken_up_again_is_heard() -> None:
    """Also where Palabra never learned that it was dropped, and goes on as before."""
    async with interpreted_room(EN, ES, DE) as stage:
        stage.meeting.person_joins("lea", microphone=None, listen="es")
        _, session = await stage.speaker_joins("ann", speak="en")
        sound = session.start_translation("es")
        await eventually(lambda: sound.listeners)
        stage.change(regime=always_on(EN, DE))
        await eventually(lambda: "translation_es" not in stage.meeting.tracks)
        stage.change(regime=always_on(EN, ES, DE))
        await eventually(lambda: "translation_es" in stage.meeting.tracks)
        sound.play(frame(1000))
        await eventually(lambda: stage.meeting.tracks["translation_es"].frames)


@in_jumping_time
async def test_a_channel_that_comes_back_through_a_microphone_is_not_interpreted() -> None:
    """Only until it is found; its owner, and no other, is told so."""
    channel = babble(1, 4)
    leaked = played_back(channel, delay=0.3, level_db=-10)
    async with interpreted_room(ES) as stage:
        stage.meeting.person_joins("lea", microphone=None, listen="es")
        stage.meeting.person_joins("bob", microphone=None)
        microphone, session = await stage.speaker_joins("ann", speak="en")
        played = FrameReader().cut(channel)
        track = session.start_translation("es")
        for frame in FrameReader().cut(leaked):
            track.play(*islice(played, 1))
            microphone.play(frame)
            await passing(0.02)
        await eventually(lambda: stage.meeting.announced)

    assert sum(not it.is_pause for it in session.heard) < 100
    [notice] = [it for it in stage.meeting.texts.sent if isinstance(it, Notice)]
    assert notice.recipients == ("ann",)
