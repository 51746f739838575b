"""A joined session, against a transport whose other end is the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest

from palabra_agent.errors import SessionLost, TaskRejected
from palabra_agent.interpretation.ports import (
    Brief,
    BriefFollowed,
    InterpretationEnded,
    InterpretationStarted,
    SessionEvent,
    Transcript,
    UpdateRefused,
)
from palabra_agent.languages import LanguageCode
from palabra_agent.palabra.messages import decode
from palabra_agent.palabra.protocol import TASK_INTERVAL_SECONDS, Task
from palabra_agent.palabra.session import PalabraSession
from palabra_agent.palabra.transport import (
    MessageReceived,
    PeerArrived,
    Resumed,
    TrackEnded,
    TrackStarted,
)
from tests.clock import eventually, in_jumping_time, passing
from tests.fakes import FakeSound, FakeTransport, frame, transcript, translated

pytestmark = pytest.mark.unit

EN, ES, DE = LanguageCode("en"), LanguageCode("es"), LanguageCode("de")


def task(brief: Brief) -> Task:
    """Make the simplest task of a brief."""
    return {"source": brief.source_language, "targets": list(brief.targets)}


BRIEF, OTHER = Brief(EN, (ES,)), Brief(EN, (ES, DE))
DATA: dict[str, Any] = {"source": "en", "targets": ["es"]}
OTHER_DATA: dict[str, Any] = {"source": "en", "targets": ["es", "de"]}


@asynccontextmanager
async def conversing(transport: FakeTransport) -> AsyncGenerator[PalabraSession]:
    """Talk to Palabra for the length of a block."""
    session = PalabraSession(transport, task)
    session.rebrief(BRIEF)
    async with asyncio.TaskGroup() as group:
        talking = group.create_task(session.converse(), name="commands")
        try:
            yield session
        finally:
            talking.cancel()


@asynccontextmanager
async def ready(transport: FakeTransport) -> AsyncGenerator[PalabraSession]:
    """Have a session whose task runs."""
    async with conversing(transport) as session:
        transport.run_task()
        await eventually(lambda: transport.commands)
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
        transport.happen(TrackStarted("es", sound))
        transport.answer("validated_transcription", transcription=body)
        transport.run_task()
        transport.happen(TrackEnded(sound))
        await session.until_ready()

        assert await heard(session, 3) == [
            InterpretationStarted(ES, sound),
            transcript(),
            InterpretationEnded(sound),
        ]


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


@pytest.mark.parametrize(
    ("named", "expected"), [("es", "es"), ("ES_mx", "es"), ("es-mx", "es"), ("fr", None)]
)
def test_tracks_are_named_as_asked(named: str, expected: str | None) -> None:
    """However Palabra spells a language, its track belongs to the code of the room."""

    @in_jumping_time
    async def run() -> None:
        transport, sound = FakeTransport(), FakeSound()
        async with ready(transport) as session:
            transport.happen(TrackStarted(named, sound), TrackEnded(sound))
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
            translated("hola", "es"),
        ]


@in_jumping_time
async def test_a_track_of_a_dropped_target_is_still_ours() -> None:
    """What was asked for before may still be spoken, and belongs to its channel."""
    transport, sound = FakeTransport(), FakeSound()
    async with ready(transport) as session:
        session.rebrief(Brief(EN, (DE,)))
        transport.happen(TrackStarted("es", sound))

        assert await heard(session, 1) == [InterpretationStarted(ES, sound)]


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
    """`end_task` is forced; a transport that hangs or fails does not hold the exit."""
    transport = FakeTransport()
    async with ready(transport) as session:
        await session.end()
        assert transport.commands[-1] == ("end_task", {"force": True})

        transport.error_on_send = SessionLost("gone")
        await session.end()

        transport.error_on_send, transport.hangs = None, True
        began = asyncio.get_running_loop().time()
        await session.end()
        assert asyncio.get_running_loop().time() - began == pytest.approx(0.5)


@in_jumping_time
async def test_the_voice_is_passed_on() -> None:
    """Frames go to the transport as they are."""
    transport = FakeTransport()
    async with ready(transport) as session:
        await session.write(frame(7))

    assert [int(it[0]) for it in transport.heard] == [7]
