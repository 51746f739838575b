"""A joined session, against a transport whose other end is the test."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from palabra_agent.audio.frame import Frame, FrameSource
from palabra_agent.errors import (
    AccessDenied,
    ConfigError,
    SessionLost,
    TaskRejected,
    WrongState,
)
from palabra_agent.languages import LanguageCode
from palabra_agent.palabra.protocol.commands import Task
from palabra_agent.palabra.protocol.messages import decode
from palabra_agent.palabra.protocol.sending import TASK_INTERVAL_SECONDS
from palabra_agent.palabra.protocol.task_state import SessionState
from palabra_agent.palabra.session.activity import SilenceLimits
from palabra_agent.palabra.session.session import PalabraSession
from palabra_agent.palabra.transports.port import (
    Disconnected,
    Interrupted,
    MessageReceived,
    PeerArrived,
    Resumed,
)
from palabra_agent.session import (
    Brief,
    BriefFollowed,
    FellSilent,
    InterpretationEnded,
    InterpretationStarted,
    SessionEvent,
    SpokeAgain,
    Transcript,
    UpdateRefused,
)
from tests.clock import eventually, in_jumping_time, passing
from tests.fakes import FakeSound, frame, level_of, transcript, translated
from tests.palabra.fake_transport import FakeTransport

pytestmark = pytest.mark.unit

EN, ES, DE = LanguageCode("en"), LanguageCode("es"), LanguageCode("de")


def task(brief: Brief) -> Task:
    """Make the simplest task of a brief."""
    return {"source": brief.source_language, "targets": list(brief.targets)}


BRIEF, OTHER = Brief(EN, (ES,)), Brief(EN, (ES, DE))
DATA: dict[str, Any] = {"source": "en", "targets": ["es"]}
OTHER_DATA: dict[str, Any] = {"source": "en", "targets": ["es", "de"]}


@asynccontextmanager
async def conversing(
    transport: FakeTransport,
    limits: SilenceLimits | None = None,
    silences: list[float] | None = None,
) -> AsyncGenerator[PalabraSession]:
    """Talk to Palabra for the length of a block; note when it is found to be silent."""
    now = asyncio.get_running_loop().time

    def note() -> None:
        if silences is not None:
            silences.append(now())

    session = PalabraSession(transport, task, limits=limits, on_useless=note)
    session.rebrief(BRIEF)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(session.run(), name="session")
        try:
            yield session
        finally:
            running.cancel()


@asynccontextmanager
async def ready(
    transport: FakeTransport,
    limits: SilenceLimits | None = None,
    silences: list[float] | None = None,
) -> AsyncGenerator[PalabraSession]:
    """Have a session whose task runs."""
    transport.acknowledges_pauses = True
    async with conversing(transport, limits, silences) as session:
        await eventually(lambda: transport.commands)
        transport.run_task()
        await session.until_ready()
        yield session


async def heard(session: PalabraSession, count: int) -> list[SessionEvent]:
    """Wait for some events."""
    events: list[SessionEvent] = []
    async with asyncio.timeout(30):
        async for event in session.events():
            events.append(event)
            if len(events) == count:
                break

    return events


def losses(caught: BaseException) -> list[str]:
    """Tell what was lost, out of any groups."""
    if not isinstance(caught, BaseExceptionGroup):
        return [str(caught)]

    return [it for error in caught.exceptions for it in losses(error)]


@in_jumping_time
async def test_a_session_is_ready_when_its_task_runs() -> None:
    """Not the connection but Palabra's word counts; until then it is asked at the allowed pace."""
    transport = FakeTransport()
    async with conversing(transport) as session, asyncio.TaskGroup() as group:
        waiting = group.create_task(session.until_ready())
        await passing(10)
        assert not waiting.done()
        transport.answer("error", code="NOT_FOUND", desc="no task yet")
        await passing(1)
        assert not waiting.done()
        transport.answer("task_status", command="set_task", task_status="running")
        await eventually(waiting.done)
        count = len(transport.commands)
        await passing(60)

    assert transport.commands[0] == ("set_task", DATA)
    assert set(transport.names[1:]) == {"get_task"}
    assert len(transport.commands) == count
    gaps = [later - earlier for earlier, later in pairwise(transport.times)]
    assert [gap for gap in gaps if not TASK_INTERVAL_SECONDS - 1e-6 <= gap < 2.2] == []


@in_jumping_time
async def test_refused_settings_are_told_as_such() -> None:
    """A task that never ran was rejected, in readable words."""
    transport = FakeTransport()
    async with conversing(transport) as session:
        await eventually(lambda: transport.commands)
        transport.answer(
            "error", code="VALIDATION_ERROR", desc="[{'loc': ('a', 'b'), 'msg': 'no'}]"
        )
        with pytest.raises(TaskRejected) as caught:
            await session.until_ready()

    assert str(caught.value) == "Palabra refused the settings: a.b: no (VALIDATION_ERROR)"
    assert not caught.value.retryable


@in_jumping_time
async def test_a_task_that_never_runs_is_given_up() -> None:
    """After half a minute of asking, the session counts as lost."""
    transport = FakeTransport()
    async with conversing(transport) as session:
        began = asyncio.get_running_loop().time()
        with pytest.raises(SessionLost, match="not ready within 30 s"):
            await session.until_ready()
        assert asyncio.get_running_loop().time() - began == pytest.approx(30)


@pytest.mark.parametrize("error", ["TOO_FAST", None])
def test_only_a_session_that_says_nothing_at_all_is_of_no_use(error: str | None) -> None:
    """An error that keeps the task from running is told, and speaks for the connection."""

    @in_jumping_time
    async def run() -> None:
        transport, silences = FakeTransport(), list[float]()
        async with conversing(transport, silences=silences) as session:
            await eventually(lambda: transport.commands)
            if error is not None:
                transport.answer("error", code=error, desc="slow down")
            with pytest.raises(SessionLost, match="not ready within 30 s") as caught:
                await session.until_ready()

        assert ("; it said: slow down (TOO_FAST)" in str(caught.value)) == bool(error)
        assert bool(silences) == (error is None)

    run()


@in_jumping_time
async def test_a_session_without_balance_is_not_tried_again() -> None:
    """It is told at once, in words."""
    transport = FakeTransport()
    async with conversing(transport) as session:
        await eventually(lambda: transport.commands)
        transport.answer("error", code="INSUFFICIENT_FUNDS", desc="top up")
        with pytest.raises(AccessDenied, match="top up") as caught:
            await session.until_ready()

    assert not caught.value.retryable


@in_jumping_time
async def test_a_resumption_that_is_never_answered_ends_the_session() -> None:
    """Ten seconds after the first word, so that another session can take over."""
    transport = FakeTransport()
    async with ready(transport, THRIFTY) as session, asyncio.TaskGroup() as group:
        await eventually(lambda: transport.names[-1] == "pause_task")
        await passing(5)
        began = asyncio.get_running_loop().time()
        group.create_task(talk(session, speech(1)))
        with pytest.raises(SessionLost, match="did not hear again within 10 s"):
            await heard(session, 1)
        assert asyncio.get_running_loop().time() - began == pytest.approx(10, abs=0.3)


@in_jumping_time
async def test_a_farewell_that_is_never_answered_is_the_end() -> None:
    """Ten seconds after the last of the tail, the events just end."""
    transport = FakeTransport()
    body = {"transcription_id": "t1", "language": "en", "text": "hello"}
    async with ready(transport) as session, asyncio.TaskGroup() as group:
        began = asyncio.get_running_loop().time()
        listening = group.create_task(everything(session))
        session.finish()
        await passing(9)
        transport.answer("validated_transcription", transcription=body)
        await eventually(listening.done)

        assert asyncio.get_running_loop().time() - began == pytest.approx(19, abs=0.3)


@in_jumping_time
async def test_a_connection_that_breaks_before_is_a_loss() -> None:
    """Whether it says so or just ends, a session that was never ready is lost."""
    for say in (FakeTransport.break_down, FakeTransport.end):
        transport = FakeTransport()
        async with conversing(transport) as session:
            say(transport)
            with pytest.raises(SessionLost):
                await session.until_ready()


@in_jumping_time
async def test_nothing_that_came_early_is_lost() -> None:
    """Words and tracks from before the task was known to run come first, in order."""
    transport, sound = FakeTransport(), FakeSound()
    body = {"transcription_id": "t1", "language": "en", "text": "hello"}
    async with conversing(transport) as session:
        await eventually(lambda: transport.commands)
        transport.happen(InterpretationStarted(ES, sound))
        transport.answer("validated_transcription", transcription=body)
        transport.run_task()
        transport.happen(InterpretationEnded(sound))
        await session.until_ready()

        started, words, ended = await heard(session, 3)
        assert isinstance(started, InterpretationStarted)
        assert (started.language, words, ended) == (
            ES,
            transcript(),
            InterpretationEnded(started.source),
        )


@in_jumping_time
async def test_the_last_brief_wins() -> None:
    """Of several wishes only the newest is sent, and that it is followed is told."""
    transport = FakeTransport()
    async with ready(transport) as session:
        for brief in [Brief(EN, (DE,)), Brief(DE, (ES,)), OTHER]:
            session.rebrief(brief)
        await eventually(lambda: len(transport.commands) == 2)
        transport.answer("task_status", command="set_task", task_status="running")

        assert await heard(session, 1) == [BriefFollowed()]
        assert transport.commands == [("set_task", DATA), ("set_task", OTHER_DATA)]


@in_jumping_time
async def test_a_refused_change_is_an_event() -> None:
    """The session goes on with what ran."""
    transport = FakeTransport()
    async with ready(transport) as session:
        session.rebrief(OTHER)
        await eventually(lambda: len(transport.commands) == 2)
        transport.answer("error", code="VALIDATION_ERROR", desc="no")
        events = await heard(session, 1)
        await passing(30)

        assert events == [UpdateRefused("Palabra refused the settings: no (VALIDATION_ERROR)")]
        assert len(transport.commands) == 2


@in_jumping_time
async def test_a_refused_end_of_cloning_ends_the_session() -> None:
    """What runs on would imitate a speaker who has taken their consent back."""
    cloning, agreed = {"speech_generation": {"voice_cloning": True}}, replace(BRIEF, may_clone=True)
    transport = FakeTransport()
    made: dict[bool, Task] = {True: cloning, False: DATA}
    session = PalabraSession(transport, lambda brief: made[brief.may_clone])
    session.rebrief(agreed)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(session.run(), name="session")
        await eventually(lambda: transport.commands)
        transport.run_task()
        await session.until_ready()
        session.rebrief(BRIEF)
        await eventually(lambda: len(transport.commands) == 2)
        transport.answer("error", code="VALIDATION_ERROR", desc="no")
        with pytest.raises(SessionLost, match="refused the change that ends voice cloning"):
            await heard(session, 2)
        running.cancel()


@pytest.mark.parametrize(
    ("named", "expected"), [("es", "es"), ("ES_mx", "es"), ("es-mx", "es"), ("fr", None)]
)
def test_tracks_are_named_as_asked(named: str, expected: str | None) -> None:
    """However Palabra spells a language, its track belongs to the code of the room."""

    @in_jumping_time
    async def run() -> None:
        transport, sound = FakeTransport(), FakeSound()
        async with ready(transport) as session:
            transport.happen(
                InterpretationStarted(LanguageCode(named), sound), InterpretationEnded(sound)
            )
            first, *_ = await heard(session, 1)

        started = [first.language] if isinstance(first, InterpretationStarted) else []
        assert started == ([expected] if expected else [])

    run()


@in_jumping_time
async def test_translations_are_named_as_asked() -> None:
    """A translation carries the room's code, an original what was heard."""
    transport = FakeTransport()
    async with ready(transport) as session:
        for kind, language in [("validated", "es-mx"), ("translated", "es-mx")]:
            body = {"transcription_id": "t1", "language": language, "text": "hola"}
            transport.answer(f"{kind}_transcription", transcription=body)

        assert await heard(session, 2) == [
            transcript("hola", language="es-mx"),
            replace(translated("hola", "es"), original="hola"),
        ]


@in_jumping_time
async def test_words_are_told_once_and_in_order() -> None:
    """Palabra repeats itself; and what comes after a final text is late."""
    transport = FakeTransport()
    body = {"transcription_id": "t1", "language": "en", "text": "hello"}
    async with ready(transport) as session:
        for kind in ("partial", "validated", "validated", "partial"):
            transport.answer(f"{kind}_transcription", transcription=body)
        transport.answer("validated_transcription", transcription=body | {"text": "other"})
        transport.answer("validated_transcription", transcription=body | {"transcription_id": "t2"})

        assert await heard(session, 3) == [
            transcript(is_final=False),
            transcript(),
            transcript(identifier="t2"),
        ]


@in_jumping_time
async def test_a_track_of_a_dropped_target_is_still_ours() -> None:
    """What was asked for before may still be spoken, and belongs to its channel."""
    transport, sound = FakeTransport(), FakeSound()
    async with ready(transport) as session:
        session.rebrief(Brief(EN, (DE,)))
        transport.happen(InterpretationStarted(ES, sound))

        assert [
            it.language for it in await heard(session, 1) if isinstance(it, InterpretationStarted)
        ] == [ES]


@in_jumping_time
async def test_a_track_is_asked_about_only_while_it_is_wanted() -> None:
    """Palabra takes back the track of a target that was taken out: that is no reason to ask."""
    transport, spanish, german = FakeTransport(), FakeSound(), FakeSound()
    async with ready(transport) as session:
        transport.happen(InterpretationStarted(ES, spanish), InterpretationStarted(DE, german))
        session.rebrief(OTHER)
        await eventually(lambda: len(transport.commands) == 2)
        transport.answer("task_status", command="set_task", task_status="running")
        session.rebrief(BRIEF)
        await eventually(lambda: len(transport.commands) == 3)
        transport.happen(InterpretationEnded(german))
        transport.answer("task_status", command="set_task", task_status="running")
        await passing(40)
        assert transport.names == ["set_task"] * 3

        transport.happen(InterpretationEnded(spanish))
        await eventually(lambda: transport.names[-1] == "get_task")


@in_jumping_time
async def test_a_peer_that_came_late_is_told_again() -> None:
    """A bot that was not there gets the task; after lost packets it is only asked."""
    transport = FakeTransport()
    async with ready(transport) as session, asyncio.TaskGroup() as group:
        listening = group.create_task(heard(session, 2))
        transport.happen(PeerArrived())
        await eventually(lambda: transport.names == ["set_task", "set_task"])
        transport.run_task()
        await passing(5)
        transport.happen(Resumed())
        await eventually(lambda: transport.names == ["set_task", "set_task", "get_task"])
        transport.run_task()
        await eventually(listening.done)

    assert listening.result() == [BriefFollowed(), SpokeAgain()]


@pytest.mark.parametrize(
    ("message_type", "code", "reason"),
    [
        ("eos", "", "Palabra ended the stream"),
        ("end_of_stream", "", "Palabra ended the stream"),
        ("error", "SERVICE_TIMEOUT", "Palabra heard no audio for too long"),
        (None, "", "network"),
    ],
)
def test_a_loss_ends_the_events(message_type: str | None, code: str, reason: str) -> None:
    """Whatever ends a session that runs comes out of its events, with the reason."""

    @in_jumping_time
    async def run() -> None:
        transport = FakeTransport()
        async with ready(transport) as session:
            if message_type is None:
                transport.break_down("network")
            else:
                transport.answer(message_type, code=code)
            with pytest.raises(SessionLost) as caught:
                await heard(session, 1)

        assert caught.value.reason == reason

    run()


@in_jumping_time
async def test_noise_is_survived() -> None:
    """What cannot be read, and what means nothing to us, disturbs nothing."""
    transport = FakeTransport()
    async with ready(transport) as session:
        transport.happen(MessageReceived(decode(b"\xff")), MessageReceived(decode(b'{"es": {}}')))
        transport.answer("warning", code="AUDIO_STREAM_SLOW", desc="x")
        transport.answer("invented_tomorrow", x=1)
        body = {"transcription_id": "t1", "language": "en", "text": "hello"}
        transport.answer("validated_transcription", transcription=body)
        events = await heard(session, 1)

    assert [isinstance(it, Transcript) for it in events] == [True]


@in_jumping_time
async def test_a_command_that_cannot_be_sent_is_a_loss() -> None:
    """Whoever holds the session learns of it, wherever they wait."""
    transport = FakeTransport()
    transport.error_on_send = SessionLost("a command could not be sent")

    async def converse() -> None:
        async with conversing(transport) as session:
            await session.until_ready()

    with pytest.raises(ExceptionGroup) as caught:
        await converse()

    assert losses(caught.value) == ["the Palabra session was lost: a command could not be sent"]


@in_jumping_time
async def test_the_end_is_said_at_once() -> None:
    """`end_task` is forced, once."""
    transport = FakeTransport()
    async with ready(transport) as session:
        await session.end()
        await session.end()

        assert transport.commands[1:] == [("end_task", {"force": True})]
        assert session.state is SessionState.CLOSED


@pytest.mark.parametrize(("hangs", "seconds"), [(True, 0.5), (False, 0.0)])
def test_a_transport_does_not_hold_the_exit(*, hangs: bool, seconds: float) -> None:
    """Whether it hangs or fails: whoever deletes the session ends it as well."""

    @in_jumping_time
    async def run() -> None:
        transport = FakeTransport()
        async with ready(transport) as session:
            transport.hangs = hangs
            transport.error_on_send = None if hangs else SessionLost("gone")
            began = asyncio.get_running_loop().time()
            await session.end()
            assert asyncio.get_running_loop().time() - began == pytest.approx(seconds)

    run()


@in_jumping_time
async def test_the_voice_is_passed_on() -> None:
    """Frames go to the transport as they are."""
    transport = FakeTransport()
    async with ready(transport) as session:
        session.write(frame(7))
        await eventually(lambda: transport.heard)

    assert [level_of(it) for it in transport.heard] == [7]


def speech(seconds: float, level: int = 4000) -> list[Frame]:
    """Make frames of somebody speaking; level 0 is silence."""
    return [frame(level) for _ in range(round(seconds * 50))]


async def talk(session: PalabraSession, frames: Iterable[Frame]) -> None:
    """Speak in real time."""
    for it in frames:
        session.write(it)
        await asyncio.sleep(0.02)


THRIFTY = SilenceLimits(idle_pause_seconds=5, silent_output_seconds=4)


@in_jumping_time
async def test_a_long_silence_is_not_paid_for() -> None:
    """The task is paused after it, and by then the bill has the silence and the speech alone."""
    transport = FakeTransport()
    async with ready(transport, THRIFTY) as session:
        await talk(session, speech(1))
        await passing(60)

        assert transport.names == ["set_task", "pause_task"]
        assert transport.listening == [True, False]
        assert session.billed_seconds == pytest.approx(6, abs=0.2)
        assert session.state is SessionState.PAUSED


@in_jumping_time
async def test_a_muted_speaker_sleeps_as_soon_as_their_words_are_told() -> None:
    """A sentence that is not confirmed yet keeps the task running, for a while."""
    transport = FakeTransport()
    body = {"transcription_id": "t1", "language": "en", "text": "hello"}
    async with ready(transport, SilenceLimits(idle_pause_seconds=60)) as session:
        await talk(session, speech(1))
        transport.answer("partial_transcription", transcription=body)
        session.mute(is_muted=True)
        await passing(4)
        assert "pause_task" not in transport.names
        transport.answer("validated_transcription", transcription=body)
        await passing(1.8)
        assert "pause_task" not in transport.names
        await passing(0.4)
        assert transport.names[-1] == "pause_task"


@pytest.mark.parametrize("dialect", ["acknowledged", "asked for"])
def test_no_word_is_lost_after_a_pause(dialect: str) -> None:
    """It is sent once the task was told to run, from before the word on, each frame once."""

    @in_jumping_time
    async def run() -> None:
        transport = FakeTransport()
        async with ready(transport, THRIFTY) as session:
            await passing(40)
            said = [frame(level) for level in (*range(100, 125), *range(4000, 4200))]
            async with asyncio.TaskGroup() as group:
                group.create_task(talk(session, [frame(0)] * 50 + said))
                await eventually(lambda: transport.names[-1] == "set_task")
                await eventually(lambda: transport.heard)
                assert asyncio.get_running_loop().time() - transport.times[-1] < 0.05
                if dialect == "acknowledged":
                    transport.answer("task_status", command="set_task", task_status="running")
                else:
                    await eventually(lambda: transport.names[-1] == "get_task")
                    transport.run_task()

            await passing(1)
            assert transport.listening == [True, False, True]
            heard = [level_of(it) for it in transport.heard if it.peak]
            # 240 ms are remembered, 40 of which are the word before it was known as one
            assert heard == [level_of(it) for it in said][15:]

    run()


@in_jumping_time
async def test_nothing_is_sent_before_the_task_was_told_to_run() -> None:
    """While the command is still on its way Palabra would not hear it."""
    transport = FakeTransport()
    async with ready(transport, THRIFTY) as session, asyncio.TaskGroup() as group:
        await passing(20)
        transport.hangs = True
        group.create_task(talk(session, speech(1)))
        await passing(2)

        assert (session.state, transport.heard) == (SessionState.RESUMING, [])
        assert transport.names[-1] == "pause_task"


REFUSALS: list[tuple[str, dict[str, str]]] = [
    ("current_task", {"task_status": "paused"}),
    ("error", {"code": "RATE_LIMIT", "desc": "slow down"}),
    ("error", {"code": "NOT_FOUND", "desc": "no task"}),
]


@pytest.mark.parametrize("is_over", [False, True])
@pytest.mark.parametrize(("message_type", "data"), REFUSALS)
def test_what_palabra_did_not_hear_is_sent_again(
    message_type: str, data: dict[str, str], *, is_over: bool
) -> None:
    """All of it, once, in order, as soon as the task is told again: also from one who is done."""

    @in_jumping_time
    async def run() -> None:
        transport = FakeTransport()
        said = [frame(level) for level in range(4000, 4150)]
        async with ready(transport, THRIFTY) as session:
            await passing(20)
            async with asyncio.TaskGroup() as group:
                group.create_task(talk(session, said))
                if message_type == "current_task":
                    await eventually(lambda: transport.names[-1] == "get_task")
                else:
                    await eventually(lambda: transport.heard)
                transport.answer(message_type, **data)
                lost = len(transport.heard)
            if is_over:
                session.finish()
            await eventually(lambda: transport.names.count("set_task") == 3)
            assert 0 < lost < 150
            transport.answer("task_status", command="set_task", task_status="running")
            await passing(3)

        assert [level_of(it) for it in transport.heard[lost:]] == [level_of(it) for it in said]
        assert transport.listening == [True, False, True, False, True] + [False] * is_over
        assert ("end_task" in transport.names) is is_over

    run()


@in_jumping_time
async def test_a_session_that_ends_in_a_resumption_waits_for_the_proof() -> None:
    """What was given out may have to be sent again, so it is not the end yet."""
    transport = FakeTransport()
    async with ready(transport, THRIFTY) as session:
        await passing(20)
        await talk(session, speech(0.5))
        session.finish()
        await passing(3)
        assert len(transport.heard) == 25
        assert transport.names[-1] == "get_task"

        transport.run_task()
        await eventually(lambda: transport.names[-1] == "end_task")
        assert len(transport.heard) == 25


@in_jumping_time
async def test_no_pause_begins_before_the_last_one_is_known_to_be_over() -> None:
    """The word that ended it may still have to be sent again."""
    transport = FakeTransport()
    async with ready(transport, SilenceLimits(idle_pause_seconds=0.5)) as session:
        await eventually(lambda: transport.names[-1] == "pause_task")
        await passing(5)
        await talk(session, speech(0.2))
        await passing(8)
        assert transport.names.count("pause_task") == 1

        transport.run_task()
        await eventually(lambda: transport.names[-1] == "pause_task")


@in_jumping_time
async def test_a_caller_may_pause_and_resume() -> None:
    """What is written in between is dropped, and wakes nothing; what comes then is heard whole."""
    transport = FakeTransport()
    async with ready(transport) as session:
        await talk(session, speech(1))
        session.pause()
        await eventually(lambda: session.is_paused and transport.names[-1] == "pause_task")
        await talk(session, speech(3, 5000))
        session.rebrief(OTHER)
        await passing(60)
        assert transport.commands == [("set_task", DATA), ("pause_task", {})]
        assert session.billed_seconds == pytest.approx(3, abs=0.2)

        session.resume()
        assert not session.is_paused
        await talk(session, speech(1, 6000))
        transport.answer("task_status", command="set_task", task_status="running")
        await passing(60)
        assert transport.commands[2:] == [("set_task", OTHER_DATA)]
        assert [level_of(it) for it in transport.heard] == [4000] * 50 + [6000] * 50


@in_jumping_time
async def test_a_pause_that_is_taken_back_in_time_is_none() -> None:
    """Palabra is told nothing of it; only what was written meanwhile is not heard."""
    transport = FakeTransport()
    async with ready(transport) as session:
        session.pause()
        await talk(session, speech(1))
        session.resume()
        await talk(session, speech(0.1, 6000))
        await passing(60)

        assert transport.names == ["set_task"]
        assert [level_of(it) for it in transport.heard] == [6000] * 5


@in_jumping_time
async def test_a_caller_may_pause_a_session_that_is_paused_already() -> None:
    """Then only the caller ends it, and nothing from before it is heard."""
    transport = FakeTransport()
    async with ready(transport, THRIFTY) as session:
        await eventually(lambda: transport.names[-1] == "pause_task")
        await talk(session, speech(0.2, 100))
        session.pause()
        await talk(session, speech(1))
        assert transport.names[-1] == "pause_task"
        session.resume()
        await talk(session, speech(0.1, 6000))

        assert transport.names[-1] == "set_task"
        assert [level_of(it) for it in transport.heard] == [6000] * 5


@in_jumping_time
async def test_a_session_that_cannot_pause_or_resume_says_why() -> None:
    """In one sentence each."""
    transport = FakeTransport()
    async with ready(transport) as session:
        with pytest.raises(WrongState, match=r"^the session cannot be resumed: it is not paused$"):
            session.resume()
        session.pause()
        with pytest.raises(WrongState, match=r"^the session cannot be paused: it is already$"):
            session.pause()
        session.finish()
        for call, name in ((session.pause, "paused"), (session.resume, "resumed")):
            with pytest.raises(WrongState, match=rf"cannot be {name}: it was asked to finish$"):
                call()

        transport.break_down("closed")
        await eventually(lambda: session.state in {SessionState.CLOSED, SessionState.FAILED})
        with pytest.raises(WrongState, match=r"cannot be paused: it is over$"):
            session.pause()


@in_jumping_time
async def test_a_paused_session_can_be_finished() -> None:
    """What was said before is told, and its events end."""
    transport = FakeTransport()
    async with ready(transport) as session, asyncio.TaskGroup() as group:
        session.pause()
        await eventually(lambda: transport.names[-1] == "pause_task")
        telling = group.create_task(everything(session))
        session.finish()
        await eventually(lambda: transport.names[-1] == "end_task")
        transport.answer("end_of_stream")
        await eventually(telling.done)


@in_jumping_time
async def test_a_click_wakes_nobody() -> None:
    """Two loud frames in a silence are no word."""
    transport = FakeTransport()
    async with ready(transport, THRIFTY) as session:
        await passing(20)
        await talk(session, [frame(9000), frame(9000), *speech(1, 0)])

        assert transport.names[-1] == "pause_task"
        assert session.state is SessionState.PAUSED


@in_jumping_time
async def test_a_session_that_answers_nothing_says_so() -> None:
    """Speech goes in, and neither words nor sound come out; noise is asked about less and less."""
    transport = FakeTransport()
    silences: list[float] = []
    async with ready(transport, THRIFTY, silences) as session, asyncio.TaskGroup() as group:
        listening = group.create_task(heard(session, 2))
        await talk(session, speech(3.9))
        assert silences == []
        await talk(session, speech(8.3))
        await eventually(listening.done)

        assert listening.result() == [FellSilent(), FellSilent()]
        assert silences == [pytest.approx(4, abs=0.1), pytest.approx(12, abs=0.2)]


@in_jumping_time
async def test_what_waits_to_be_spoken_is_known_while_palabra_tells() -> None:
    """By the caller's codes, less what was spoken since; numbers that are none are left out."""
    transport = FakeTransport()
    async with ready(transport) as session:
        assert session.queued_seconds == {}
        levels = {"es-mx": 5000, "fr": 3000}
        queues = {code: {"current_queue_level_ms": level} for code, level in levels.items()}
        transport.happen(MessageReceived(decode(json.dumps(queues))))
        await eventually(lambda: session.queued_seconds)
        assert session.queued_seconds == {ES: pytest.approx(5, abs=0.1)}
        await passing(2)
        assert session.queued_seconds == {ES: pytest.approx(3, abs=0.1)}
        await passing(2)
        assert session.queued_seconds == {}
        for level in (-1, 10**15):
            queues = {"es": {"current_queue_level_ms": level}}
            transport.happen(MessageReceived(decode(json.dumps(queues))))
            await passing(0.5)
            assert session.queued_seconds == {}


@in_jumping_time
async def test_words_and_sound_are_an_answer() -> None:
    """Either is enough, as is speech in Palabra's queue; silence on a translated track is not."""
    transport, sound = FakeTransport(), FakeSound()
    silences: list[float] = []
    body = {"transcription_id": "t1", "language": "en", "text": "hello"}
    async with ready(transport, THRIFTY, silences) as session, asyncio.TaskGroup() as group:
        transport.happen(InterpretationStarted(ES, sound))
        [started] = await heard(session, 1)
        assert isinstance(started, InterpretationStarted)
        listening = group.create_task(listen(started.source))
        telling = group.create_task(heard(session, 3))
        await talk(session, speech(3))
        transport.answer("partial_transcription", transcription=body)
        await talk(session, speech(3))
        sound.play(frame(1000))
        await talk(session, speech(3))
        levels = {"es": {"current_queue_level_ms": 500, "max_queue_level_ms": 20000}}
        transport.happen(MessageReceived(decode(json.dumps(levels))))
        await talk(session, speech(3))
        assert not telling.done()
        sound.play(frame(0))
        await talk(session, speech(1.5))
        transport.answer("validated_transcription", transcription=body)
        await eventually(telling.done)
        listening.cancel()

        told = [type(it) for it in telling.result()]
        assert told == [Transcript, FellSilent, SpokeAgain]
        assert len(silences) == 1


@pytest.mark.parametrize("comes_back", [False, True])
def test_an_interrupted_connection_is_waited_for_while_anything_comes(*, comes_back: bool) -> None:
    """A lost signalling connection harms nobody; two seconds of nothing at all do."""

    @in_jumping_time
    async def run() -> None:
        transport = FakeTransport()
        async with ready(transport) as session, asyncio.TaskGroup() as group:
            telling = group.create_task(heard(session, 1))
            transport.happen(Interrupted())
            for _ in range(5):
                await passing(1)
                transport.happen(MessageReceived(decode(b"{}")))
            if comes_back:
                transport.happen(Resumed())
            await passing(1.9)
            assert telling.done() is comes_back
            await eventually(telling.done)

            assert telling.result() == [SpokeAgain() if comes_back else FellSilent()]

    run()


@in_jumping_time
async def test_everything_that_was_said_is_sent_before_the_end() -> None:
    """Also what was held while Palabra woke up: first it must hear again."""
    transport = FakeTransport()
    async with ready(transport, THRIFTY) as session, asyncio.TaskGroup() as group:
        await passing(20)
        await talk(session, speech(0.5))
        session.finish()
        await passing(1)
        assert "end_task" not in transport.names
        transport.answer("task_status", command="set_task", task_status="running")
        telling = group.create_task(everything(session))
        await eventually(lambda: transport.names[-1] == "end_task")
        assert len(transport.heard) == 25
        assert transport.flushed == [25]
        transport.answer("end_of_stream")
        await eventually(telling.done)


@in_jumping_time
async def test_the_tail_is_billed() -> None:
    """Palabra charges until it has said its last word, and from when it was asked to resume."""
    transport = FakeTransport()
    async with ready(transport, THRIFTY) as session:
        session.finish()
        await eventually(lambda: transport.names[-1] == "end_task")
        await passing(3)
        transport.answer("end_of_stream")
        await passing(5)

        assert session.billed_seconds == pytest.approx(3, abs=0.1)


async def listen(source: FrameSource) -> None:
    """Hear a track, for ever."""
    async with source.open_frames() as frames:
        async for _ in frames:
            pass


@in_jumping_time
async def test_the_tail_is_delivered_before_the_end() -> None:
    """A session that is asked to finish tells what comes, and then its events just end."""
    transport = FakeTransport()
    body = {"transcription_id": "t1", "language": "en", "text": "hello"}
    async with ready(transport) as session, asyncio.TaskGroup() as group:
        listening = group.create_task(everything(session))
        session.finish()
        await eventually(lambda: transport.names[-1] == "end_task")
        transport.answer("validated_transcription", transcription=body)
        transport.answer("end_of_stream")
        await eventually(listening.done)
        await session.end()

        assert listening.result() == [transcript()]
        assert transport.commands[-1] == ("end_task", {})


@in_jumping_time
async def test_a_connection_that_closes_in_the_end_is_no_loss() -> None:
    """The server may leave without a word."""
    transport = FakeTransport()
    async with ready(transport) as session, asyncio.TaskGroup() as group:
        listening = group.create_task(everything(session))
        session.finish()
        await eventually(lambda: transport.names[-1] == "end_task")
        transport.break_down("closed")
        await eventually(listening.done)

    assert listening.result() == []


async def everything(session: PalabraSession) -> list[SessionEvent]:
    """Listen to the end."""
    return [event async for event in session.events()]


@in_jumping_time
async def test_texts_are_spoken_and_phrases_dropped() -> None:
    """Both are commands of their own; what waits to be heard on our side is withdrawn as well."""
    transport = FakeTransport()
    async with ready(transport) as session:
        session.interrupt([ES])
        session.speak("hola", ES)
        await eventually(lambda: len(transport.commands) == 3)

        assert transport.commands[1:] == [
            ("interrupt_task", {"languages": ["es"], "pause_task": False}),
            ("tts_task", {"text": "hola", "language": "es", "translate_text": False}),
        ]
        assert transport.hushed == [frozenset({ES})]
        with pytest.raises(ConfigError, match="2048"):
            session.speak("x" * 2049, ES)
        with pytest.raises(ConfigError, match='"de" is not one of the targets'):
            session.speak("hallo", DE)


@in_jumping_time
async def test_a_text_ends_a_pause() -> None:
    """It goes out when the task was told to run again, which sleeps once the text is told."""
    transport = FakeTransport()
    body = {"transcription_id": "t1", "language": "es", "text": "hola"}
    async with ready(transport, THRIFTY) as session:
        await passing(60)
        assert transport.names == ["set_task", "pause_task"]
        session.mute(is_muted=True)
        session.speak("hello", EN, translate=True)
        session.speak("and bye", EN, translate=True)
        await eventually(lambda: len(transport.commands) == 5)
        assert transport.names[2:] == ["set_task", "tts_task", "tts_task"]
        transport.run_task()
        await passing(5)
        assert len(transport.commands) == 5
        transport.answer("translated_transcription", transcription=body)
        await eventually(lambda: transport.names[-1] == "pause_task", seconds=3)


@in_jumping_time
async def test_a_text_leaves_a_pause_of_the_caller_s_alone() -> None:
    """Nothing but `resume` ends that."""
    transport = FakeTransport()
    async with ready(transport, THRIFTY) as session:
        session.pause()
        await eventually(lambda: transport.names[-1] == "pause_task")
        session.speak("hello", EN, translate=True)
        await passing(30)

        assert transport.names == ["set_task", "pause_task", "tts_task"]


@in_jumping_time
async def test_an_end_that_a_limit_bars_is_left_to_the_deletion() -> None:
    """A `pause_task` of just now makes `end_task` pointless."""
    transport = FakeTransport()
    async with ready(transport, THRIFTY) as session:
        await eventually(lambda: transport.names[-1] == "pause_task")
        await session.end()

        assert transport.names[-1] == "pause_task"


@in_jumping_time
@pytest.mark.parametrize("was_excessive", [True, False])
async def test_people_learn_of_a_palabra_that_chatters(was_excessive: bool) -> None:
    """Such a loss is worth their attention although the next session may do better."""
    transport = FakeTransport()
    async with ready(transport) as session:
        transport.happen(Disconnected("too much", was_excessive=was_excessive))
        with pytest.raises(SessionLost) as caught:
            await heard(session, 1)

    assert caught.value.retryable
    assert caught.value.is_for_people is was_excessive
