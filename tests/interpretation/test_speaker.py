"""One speaker: a session while wanted, rebuilt when lost, replaced when silent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import TypedDict, Unpack

import pytest

from palabra_agent.concurrency import Watched
from palabra_agent.errors import (
    ApiError,
    PalabraError,
    SessionLost,
    TaskRejected,
    Unreachable,
)
from palabra_agent.interpretation.channels import Channel, Channels, open_downlinks
from palabra_agent.interpretation.context import Billing, RoomContext, RoomErrors
from palabra_agent.interpretation.leakage import LeakageGuard
from palabra_agent.interpretation.ports import ChannelKey
from palabra_agent.interpretation.session_places import SessionPlaces
from palabra_agent.interpretation.settings import InterpretationSettings, Regime
from palabra_agent.interpretation.speaker import (
    SpeakerInterpretation,
    WantedInterpretation,
)
from palabra_agent.interpretation.voice_assigner import VoiceAssigner
from palabra_agent.languages import LanguageCode
from palabra_agent.session import Brief, FellSilent, SpokeAgain, UpdateRefused
from tests.clock import eventually, in_jumping_time, passing
from tests.fakes import FakeMeeting, FakeSessions, FakeSound, FakeTrack, frame, level_of, transcript
from tests.interpretation.fake_plugins import no_plugins

pytestmark = pytest.mark.unit

EN, ES, DE = LanguageCode("en"), LanguageCode("es"), LanguageCode("de")
BRIEF = Brief(EN, (ES, DE))


class RecordedErrors(RoomErrors):
    """The errors of a room, with all that were ever reported."""

    def __init__(self) -> None:
        super().__init__()
        self.reported: list[str] = []
        self.resolved_at: list[float] = []

    def report(self, who: str, sentence: str) -> None:
        """Remember an error."""
        super().report(who, sentence)
        self.reported.append(sentence)

    def resolve(self, who: str) -> None:
        """Remember the time."""
        super().resolve(who)
        self.resolved_at.append(asyncio.get_running_loop().time())


class WantedFacts(TypedDict, total=False):
    """What may be wanted beside what is."""

    brief: Brief
    microphone: FakeSound | None
    is_muted: bool
    has_voices: bool


@dataclass
class SpeakerStage:
    """A speaker who is interpreted, and everything around them."""

    speaker: SpeakerInterpretation
    task: asyncio.Task[None]
    sessions: FakeSessions
    microphone: FakeSound
    meeting: FakeMeeting
    errors: RecordedErrors
    billing: Billing
    channels: dict[LanguageCode, Channel]

    def want(self, **facts: Unpack[WantedFacts]) -> None:
        """Want something else."""
        self.speaker.wanted.set(replace(self.speaker.wanted.value, **facts))

    @property
    def ready(self) -> list[float]:
        """When a session did what was wanted, each time."""
        return self.errors.resolved_at

    @property
    def words(self) -> list[str]:
        """What the speaker, the only one there, has read."""
        return [it.transcript.text for it in self.meeting.captions]


@asynccontextmanager
async def speaking(
    sessions: FakeSessions | None = None, *, is_muted: bool = False, has_voices: bool = True
) -> AsyncGenerator[SpeakerStage]:
    """Interpret a speaker for the length of a block."""
    sessions, meeting, errors = sessions or FakeSessions(), FakeMeeting(), RecordedErrors()
    plugins = no_plugins()
    microphone = meeting.person_joins("ann")
    settings = Watched(InterpretationSettings(Regime((ES, DE))))
    async with AsyncExitStack() as stack:
        group = await stack.enter_async_context(asyncio.TaskGroup())
        channels = Channels(meeting, group, lambda: None)
        downlinks = await stack.enter_async_context(open_downlinks(channels))
        by_language = {code: Channel(ChannelKey(code), FakeTrack(code)) for code in (ES, DE)}
        channels.open = {channel.key: channel for channel in by_language.values()}
        voices, leakage, changed = VoiceAssigner(plugins), LeakageGuard(), asyncio.Event()
        places = SessionPlaces(20, changed.set)
        context = RoomContext(
            meeting,
            settings,
            sessions,
            plugins,
            voices,
            leakage,
            channels,
            downlinks,
            places,
            changed,
        )
        context.errors, context.view = errors, meeting.view
        wanted = WantedInterpretation(BRIEF, microphone, is_muted=is_muted, has_voices=has_voices)
        speaker = SpeakerInterpretation("ann", wanted, context)
        task = group.create_task(speaker.run(), name="speaker")
        yield SpeakerStage(
            speaker, task, sessions, microphone, meeting, errors, context.billing, by_language
        )
        task.cancel()

    assert sessions.live == []
    assert microphone.listeners == 0
    assert [it for channel in by_language.values() for it in channel.mixer.statistics()] == []


@in_jumping_time
async def test_the_voice_goes_up_and_words_come_back() -> None:
    """A session is opened with the brief, hears the microphone, and is heard."""
    async with speaking() as stage:
        await eventually(lambda: stage.ready)
        stage.microphone.play(frame(1000))
        await eventually(lambda: stage.sessions.last.heard)
        stage.sessions.last.tell(transcript("hello"))
        await eventually(lambda: stage.words)

    assert stage.sessions.attempts == [BRIEF]
    assert stage.words == ["hello"]
    assert stage.errors.reported == []


@in_jumping_time
async def test_a_translated_track_is_heard_while_it_is_there() -> None:
    """A downlink begins with its track and ends with it, each in its own channel."""
    async with speaking() as stage:
        await eventually(lambda: stage.ready)
        session, mixers = stage.sessions.last, {c: it.mixer for c, it in stage.channels.items()}
        spanish, german = session.start_translation("es"), session.start_translation("de")
        await eventually(lambda: spanish.listeners == german.listeners == 1)
        spanish.play(frame(1000))
        german.play(frame(2000))
        await eventually(
            lambda: [it.in_ms for m in mixers.values() for it in m.statistics()] != [0, 0]
        )
        heard = {code: mixer.take() for code, mixer in mixers.items()}
        session.end_translation(spanish)
        await eventually(lambda: spanish.listeners == 0)

        assert {code: None if it is None else int(it[0]) for code, it in heard.items()} == {
            ES: 1000,
            DE: 2000,
        }
        await eventually(lambda: mixers[ES].statistics() == ())
        assert german.listeners == 1


@in_jumping_time
async def test_what_has_come_is_heard_after_its_session_was_lost() -> None:
    """A session may break off in the middle of a sentence of which the rest has come already."""
    async with speaking() as stage:
        await eventually(lambda: stage.ready)
        spanish = stage.sessions.last.start_translation("es")
        spanish.play(*[frame(1000)] * 3)
        stage.sessions.last.tell(SessionLost("gone"))
        await eventually(lambda: stage.errors.reported)
        assert stage.channels[ES].mixer.take() is not None
        await eventually(lambda: spanish.listeners == 0)


@in_jumping_time
async def test_a_track_of_an_unknown_language_is_left_alone() -> None:
    """What belongs to no channel is not listened to, and its end is no surprise."""
    async with speaking() as stage:
        await eventually(lambda: stage.ready)
        french = stage.sessions.last.start_translation("fr")
        stage.sessions.last.end_translation(french)
        stage.sessions.last.tell(transcript())
        await eventually(lambda: stage.words)

        assert french.listeners == 0


@in_jumping_time
async def test_a_track_that_is_replaced_is_heard_once() -> None:
    """A translation that ends and starts again has one input in its channel, not two."""
    async with speaking() as stage:
        await eventually(lambda: stage.ready)
        session = stage.sessions.last
        old = session.start_translation("es")
        await eventually(lambda: old.listeners)
        session.end_translation(old)
        new = session.start_translation("es")
        await eventually(lambda: new.listeners and not old.listeners)

        assert len(stage.channels[ES].mixer.statistics()) == 1


@in_jumping_time
async def test_a_lost_session_is_rebuilt_under_the_same_channel() -> None:
    """Loss is told, and a new session feeds the channel that was there all the time."""
    async with speaking() as stage:
        await eventually(lambda: stage.ready)
        before = stage.channels[ES]
        first = stage.sessions.last
        old = first.start_translation("es")
        await eventually(lambda: old.listeners)
        first.tell(SessionLost("network"))
        await eventually(lambda: len(stage.ready) == 2)
        new = stage.sessions.last.start_translation("es")
        await eventually(lambda: new.listeners)

        assert stage.errors.reported == ["the Palabra session was lost: network"]
        assert (first.is_open, old.listeners) == (False, 0)
        assert stage.sessions.attempts == [BRIEF, BRIEF]
        assert stage.channels[ES] is before
        assert len(before.mixer.statistics()) == 1


@in_jumping_time
async def test_a_session_that_just_ends_is_lost() -> None:
    """An end that nobody asked for is a loss too."""
    async with speaking() as stage:
        await eventually(lambda: stage.ready)
        stage.sessions.last.end()
        await eventually(lambda: len(stage.ready) == 2)

    assert stage.errors.reported == ["the Palabra session was lost: Palabra ended it"]


@in_jumping_time
async def test_attempts_come_ever_later() -> None:
    """While Palabra does not answer, it is asked with growing pauses."""
    sessions = FakeSessions()
    sessions.refuse_next(*(Unreachable("api", "down") for _ in range(6)))
    async with speaking(sessions) as stage:
        await passing(0.2)
        assert len(sessions.attempts) == 1
        await passing(30)

    assert len(sessions.attempts) == 7
    assert len(stage.errors.reported) == 6
    assert stage.ready[0] > 7


@pytest.mark.parametrize(
    "error",
    [TaskRejected("VALIDATION_ERROR", "no"), ApiError(401, "bad key"), ApiError(403, "x", 100050)],
)
def test_what_cannot_get_better_waits_for_another_wish(error: PalabraError) -> None:
    """Refused settings, credentials or balance are tried again only when the brief changes."""

    @in_jumping_time
    async def run() -> None:
        sessions = FakeSessions()
        sessions.refuse_next(error)
        async with speaking(sessions) as stage:
            await eventually(lambda: stage.errors.reported)
            await passing(60)
            stage.want(microphone=FakeSound("TR_2"))
            await passing(60)
            assert sessions.attempts == [BRIEF]

            stage.want(brief=Brief(EN, (ES,)))
            await eventually(lambda: stage.ready)

        assert stage.errors.reported == [str(error)]
        assert sessions.attempts == [BRIEF, Brief(EN, (ES,))]

    run()


@in_jumping_time
async def test_another_wish_changes_the_running_session() -> None:
    """A new brief goes to the session that is there; no other is opened."""
    async with speaking() as stage:
        await eventually(lambda: stage.ready)
        stage.want(brief=Brief(ES, (EN,)))
        await eventually(lambda: stage.sessions.last.brief == Brief(ES, (EN,)))

        assert len(stage.sessions.opened) == 1


@in_jumping_time
async def test_a_refused_change_is_told_and_the_session_goes_on() -> None:
    """Palabra may keep the running task: people learn why, and nothing ends."""
    async with speaking() as stage:
        await eventually(lambda: stage.ready)
        stage.sessions.last.tell(UpdateRefused("no such voice"))
        await eventually(lambda: stage.errors.reported)
        await passing(10)

        assert stage.errors.reported == ["no such voice"]
        assert len(stage.sessions.live) == len(stage.sessions.opened) == 1


@in_jumping_time
async def test_another_microphone_keeps_the_session() -> None:
    """A republished microphone is listened to instead of the old one, in the same session."""
    async with speaking() as stage:
        await eventually(lambda: stage.microphone.listeners)
        new = FakeSound("TR_2")
        stage.want(microphone=new)
        await eventually(lambda: new.listeners and not stage.microphone.listeners)
        new.play(frame(2000))
        await eventually(lambda: stage.sessions.last.heard)
        stage.want(microphone=None)
        await eventually(lambda: not new.listeners)
        await passing(10)
        stage.want(microphone=stage.microphone)
        await eventually(lambda: stage.microphone.listeners)

        assert len(stage.sessions.opened) == 1
        assert [level_of(it) for it in stage.sessions.last.heard] == [2000]


@in_jumping_time
async def test_a_microphone_that_ends_keeps_the_session() -> None:
    """The end of a track alone is no departure."""
    async with speaking() as stage:
        await eventually(lambda: stage.microphone.listeners)
        stage.microphone.end()
        await eventually(lambda: not stage.microphone.listeners)
        await passing(10)
        new = FakeSound("TR_2")
        stage.want(microphone=new)
        await eventually(lambda: new.listeners)

        assert len(stage.sessions.live) == len(stage.sessions.opened) == 1


@in_jumping_time
async def test_nobody_waits_for_a_microphone_to_open_a_session() -> None:
    """A speaker who is missed for a moment gets their session all the same."""
    async with speaking() as stage:
        stage.want(microphone=None)
        await eventually(lambda: stage.ready)

        assert len(stage.sessions.live) == 1


@in_jumping_time
async def test_what_is_said_while_a_session_opens_is_heard() -> None:
    """As is what is said while the voices are chosen, and while a lost session is rebuilt."""
    sessions = FakeSessions()
    sessions.seconds_to_open = 2.0
    async with speaking(sessions, has_voices=False) as stage:
        await eventually(lambda: stage.microphone.listeners)
        stage.microphone.play(frame(1000))
        await passing(3)
        assert stage.sessions.attempts == []

        stage.want(has_voices=True)
        await passing(1)
        stage.microphone.play(frame(1001))
        await eventually(lambda: stage.sessions.live)
        first = stage.sessions.last
        stage.microphone.play(frame(1002), *[frame(0)] * 12)
        await eventually(lambda: len(first.heard) == 15)
        first.tell(transcript("hello"))
        await eventually(lambda: stage.words)

        first.tell(SessionLost("network"))
        await eventually(lambda: stage.errors.reported)
        stage.microphone.play(frame(1003))
        await eventually(lambda: len(stage.sessions.opened) == 2)

        assert [level_of(it) for it in first.heard if not it.is_pause] == [1000, 1001, 1002]
        assert [level_of(it) for it in stage.sessions.last.heard if not it.is_pause] == [1003]


@in_jumping_time
async def test_no_session_is_opened_for_a_muted_speaker() -> None:
    """Neither a first one nor another for one that was lost; nothing is wrong meanwhile."""
    async with speaking(is_muted=True) as stage:
        await passing(60)
        assert stage.sessions.attempts == []

        stage.want(is_muted=False)
        await eventually(lambda: stage.sessions.live)
        stage.want(is_muted=True)
        stage.sessions.last.tell(SessionLost("network"))
        await eventually(lambda: stage.errors.reported)
        await passing(60)
        assert len(stage.sessions.attempts) == 1
        assert stage.errors.status(()).error == ""

        stage.want(is_muted=False)
        await eventually(lambda: stage.sessions.live)


@in_jumping_time
async def test_what_has_come_is_heard_when_the_speaker_is_gone() -> None:
    """A long good-bye is heard to its end."""
    async with speaking() as stage:
        await eventually(lambda: stage.ready)
        spanish = stage.sessions.last.start_translation("es")
        await eventually(lambda: spanish.listeners)
        spanish.play(*[frame(1000)] * 3)
        stage.task.cancel()
        await eventually(stage.task.done)
        await eventually(lambda: spanish.listeners == 0)

        [heard] = stage.channels[ES].mixer.statistics()
        assert heard.in_ms == 60


@in_jumping_time
async def test_cancelling_ends_everything() -> None:
    """With the speaker end session, uplink and the track of the session; nothing is reported."""
    async with speaking() as stage:
        await eventually(lambda: stage.microphone.listeners)
        spanish = stage.sessions.last.start_translation("es")
        await eventually(lambda: spanish.listeners)
        stage.task.cancel()
        await eventually(stage.task.done)

        assert (stage.task.cancelled(), spanish.listeners) == (True, 0)
        assert stage.errors.reported == []


@in_jumping_time
async def test_cancelling_during_a_pause_ends_it() -> None:
    """Whoever waits to try again can be stopped as well."""
    sessions = FakeSessions()
    sessions.refuse_next(ApiError(401, "bad key"))
    async with speaking(sessions) as stage:
        await eventually(lambda: stage.errors.reported)
        stage.task.cancel()
        await eventually(stage.task.done)

        assert stage.task.cancelled()


@in_jumping_time
async def test_a_session_that_breaks_while_it_is_left_does_not_come_back() -> None:
    """A loss at the very moment of the end does not undo the end."""
    sessions = FakeSessions()
    async with speaking(sessions) as stage:
        await eventually(lambda: stage.ready)
        sessions.error_on_close = SessionLost("a command could not be sent")
        stage.task.cancel()
        await passing(30)
        ended, attempts = stage.task.done(), len(sessions.attempts)
        sessions.error_on_close = None

        assert (ended, attempts) == (True, 1)


@in_jumping_time
async def test_an_error_of_ours_ends_the_speaker() -> None:
    """What is no error of Palabra's is not retried but ends the speaker, with the session."""
    async with speaking() as stage:
        await eventually(lambda: stage.ready)
        stage.microphone.fail(ValueError("an error of ours"))
        await eventually(stage.task.done)
        await passing(10)

        assert stage.speaker.has_failed
        assert stage.sessions.live == []
        assert len(stage.sessions.opened) == 1


@in_jumping_time
async def test_a_silent_session_is_replaced_by_one_that_is_ready() -> None:
    """The next session is there before the silent one goes, and then has the voice for itself."""
    async with speaking() as stage:
        await eventually(lambda: stage.ready)
        silent = stage.sessions.last
        stage.sessions.refuse_next(Unreachable("palabra", "down"))
        silent.tell(FellSilent())
        await eventually(lambda: len(stage.sessions.attempts) == 2)
        await passing(25)
        assert stage.sessions.live == [silent]
        assert stage.billing.replacements == 0

        silent.tell(FellSilent())
        await eventually(lambda: stage.billing.replacements)
        await eventually(lambda: not silent.is_open)
        fresh = stage.sessions.last
        heard = len(silent.heard)
        stage.microphone.play(frame(1000))
        await eventually(lambda: fresh.heard)

        assert stage.sessions.live == [fresh]
        assert len(silent.heard) == heard
        assert stage.errors.reported == []


@in_jumping_time
async def test_a_replacement_takes_over_from_a_session_that_breaks_meanwhile() -> None:
    """There is no pause between them, and no error is shown."""
    async with speaking() as stage:
        await eventually(lambda: stage.ready)
        silent = stage.sessions.last
        stage.sessions.seconds_to_open = 2.0
        silent.tell(FellSilent())
        await eventually(lambda: len(stage.sessions.attempts) == 2)
        silent.tell(SessionLost("gone"))
        await eventually(lambda: len(stage.ready) == 2)

        assert len(stage.sessions.attempts) == 2
        assert stage.errors.reported == []


@in_jumping_time
async def test_every_session_is_billed_once() -> None:
    """At its end, whatever ended it."""
    async with speaking() as stage:
        await eventually(lambda: stage.ready)
        stage.sessions.last.billed_seconds = 12.5
        stage.sessions.last.tell(SessionLost("gone"))
        await eventually(lambda: len(stage.ready) == 2)
        stage.sessions.last.billed_seconds = 3.0

    assert (stage.billing.sessions, stage.billing.seconds_of("ann")) == (2, 15.5)


@in_jumping_time
async def test_a_session_learns_that_its_speaker_is_muted() -> None:
    """And that they no longer are."""
    async with speaking() as stage:
        await eventually(lambda: stage.ready)
        session = stage.sessions.last
        stage.want(is_muted=True)
        await eventually(lambda: session.is_muted)
        stage.want(is_muted=False)
        await eventually(lambda: not session.is_muted)


@in_jumping_time
async def test_a_session_that_answers_again_is_kept() -> None:
    """The replacement that was on its way is dropped."""
    async with speaking() as stage:
        await eventually(lambda: stage.ready)
        silent = stage.sessions.last
        stage.sessions.seconds_to_open = 2.0
        silent.tell(FellSilent())
        await eventually(lambda: len(stage.sessions.attempts) == 2)
        silent.tell(SpokeAgain())
        await passing(10)

        assert stage.sessions.live == [silent]
        assert stage.billing.replacements == 0
        assert len(stage.ready) == 1


@in_jumping_time
async def test_a_replacement_that_can_never_come_is_told() -> None:
    """Such as one for which there is no money left; the silent session stays, and may answer."""
    async with speaking() as stage:
        await eventually(lambda: stage.ready)
        silent = stage.sessions.last
        refusal = ApiError(403, "Insufficient balance", 100050)
        stage.sessions.refuse_next(refusal)
        silent.tell(FellSilent())
        await eventually(lambda: stage.errors.reported)

        assert stage.errors.reported == [str(refusal)]
        assert stage.sessions.live == [silent]

        silent.tell(SpokeAgain())
        await eventually(lambda: not stage.errors.status(()).error)


@in_jumping_time
async def test_noise_does_not_use_up_sessions() -> None:
    """Where no session is ever answered, the next one comes later and later."""
    async with speaking() as stage:
        await eventually(lambda: stage.ready)
        for _ in range(28):
            await passing(10)
            stage.sessions.last.tell(FellSilent())

        assert len(stage.sessions.opened) == 5


@in_jumping_time
async def test_a_loss_that_people_should_know_of_is_told_in_the_chat_once() -> None:
    """However often it comes again; the sessions follow each other more and more slowly."""
    async with speaking() as stage:
        for count in range(1, 4):
            await eventually(lambda: len(stage.ready) == count)  # noqa: B023 - awaited at once
            stage.sessions.last.tell(SessionLost("too much", is_for_people=True))
            await eventually(lambda: len(stage.errors.reported) == count)  # noqa: B023

    sentence = "the Palabra session was lost: too much"
    assert stage.meeting.announced == [sentence]
    assert stage.errors.reported == [sentence] * 3
