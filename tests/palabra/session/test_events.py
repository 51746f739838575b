"""The events of one session: languages in the caller's codes, words once, notices to log."""

from __future__ import annotations

import logging

import pytest

from palabra_agent.errors import SessionLost
from palabra_agent.languages import AUTO, LanguageCode
from palabra_agent.palabra.protocol.events import PAUSE_REFUSED, TASK_DIFFERS, OperatorNotice
from palabra_agent.palabra.session.events import SessionEvents
from palabra_agent.session import Brief, InterpretationEnded, InterpretationStarted, SessionEvent
from tests.clock import in_jumping_time
from tests.fakes import FakeSound, frame, transcript, translated

pytestmark = pytest.mark.unit

EN, ES, DE = LanguageCode("en"), LanguageCode("es"), LanguageCode("de")


def following(*briefs: Brief) -> SessionEvents:
    """Make the events of a session that was given these briefs."""
    events = SessionEvents(on_sound=lambda: None)
    for brief in briefs:
        events.follow(brief)

    return events


async def all_of(events: SessionEvents) -> list[SessionEvent]:
    """End the events, and read all of them."""
    events.end()
    return [event async for event in events.events()]


@pytest.mark.parametrize(
    ("targets", "said", "expected"),
    [
        ((ES,), "es-mx", "es"),
        ((ES,), "", "es"),
        ((ES, DE), "", ""),
        ((ES, DE), "fr", "fr"),
    ],
)
@in_jumping_time
async def test_a_translation_is_named_as_asked(
    targets: tuple[LanguageCode, ...], said: str, expected: str
) -> None:
    """Where only one target can be meant; else as Palabra says."""
    events = following(Brief(EN, targets))
    events.tell(translated("hola", said))

    assert await all_of(events) == [translated("hola", expected)]


@pytest.mark.parametrize(("source", "expected"), [("en", "en"), (AUTO, "")])
@in_jumping_time
async def test_an_original_without_a_language_has_that_of_the_brief(
    source: str, expected: str
) -> None:
    """Where the brief leaves it to detection, it stays unknown."""
    events = following(Brief(LanguageCode(source), (ES,)))
    events.tell(transcript(language=""))

    assert await all_of(events) == [transcript(language=expected)]


@in_jumping_time
async def test_a_transcript_without_news_is_not_told() -> None:
    """Palabra repeats itself on WebRTC."""
    events = following(Brief(EN, (ES,)))
    events.tell(transcript())
    events.tell(transcript())

    assert await all_of(events) == [transcript()]


@in_jumping_time
async def test_tracks_are_those_of_any_brief() -> None:
    """A dropped target may still be spoken; a language that was never asked for is left alone."""
    events = following(Brief(EN, (ES,)), Brief(EN, (DE,)))
    spanish, french = FakeSound(), FakeSound()
    events.start_track(LanguageCode("ES_mx"), spanish)
    events.start_track(LanguageCode("fr"), french)
    events.end_track(spanish)
    told = await all_of(events)

    assert isinstance(told[0], InterpretationStarted)
    assert told[0].language == ES
    assert told[1:] == [InterpretationEnded(told[0].source)]


@in_jumping_time
async def test_a_track_that_ends_is_missed_only_while_it_is_asked_for() -> None:
    """That of a target which was taken out ends as it should; others may mean trouble."""
    events = following(Brief(EN, (ES, DE)))
    spanish, german, french = FakeSound(), FakeSound(), FakeSound()
    events.start_track(LanguageCode("es-mx"), spanish)
    events.start_track(LanguageCode("de"), german)
    events.start_track(LanguageCode("fr"), french)
    events.follow(Brief(EN, (ES,)))

    assert [events.end_track(it) for it in (german, spanish, french, spanish)] == [
        False,
        True,
        False,
        False,
    ]


@in_jumping_time
async def test_only_sound_that_can_be_heard_calls_back() -> None:
    """A track that is listened to says so frame by frame; silence on it is no answer."""
    calls: list[int] = []
    events = SessionEvents(on_sound=lambda: calls.append(len(heard)))
    events.follow(Brief(EN, (ES,)))
    sound, heard = FakeSound(), list[int]()
    events.start_track(LanguageCode("es"), sound)
    [started] = await all_of(events)
    assert isinstance(started, InterpretationStarted)
    sound.play(frame(1000), frame(0), frame(10), frame(1001))
    sound.end()

    async with started.source.open_frames() as frames:
        async for it in frames:
            heard.append(it.peak)

    assert heard == [1000, 0, 10, 1001]
    assert calls == [0, 3]


@in_jumping_time
async def test_the_reason_of_an_end_is_raised() -> None:
    """After everything that came before it."""
    events = following(Brief(EN, (ES,)))
    events.tell(transcript())
    events.end(SessionLost("gone"))
    reader = events.events()

    assert await anext(reader) == transcript()
    with pytest.raises(SessionLost, match="gone"):
        await anext(reader)


@in_jumping_time
async def test_the_operator_reads_each_kind_of_unread_message_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """All are counted; a refused pause is a warning, as it costs money."""
    events = following()
    with caplog.at_level(logging.INFO):
        for code in ("new", "new", "newer"):
            events.log(OperatorNotice("unread", code))
        events.log(OperatorNotice(PAUSE_REFUSED, "running"))
        events.log(OperatorNotice(TASK_DIFFERS, "pipeline.translations.de"))

    assert events.unread == 3
    assert [(it.levelname, it.message) for it in caplog.records] == [
        ("INFO", "palabra sent a notice"),
        ("INFO", "palabra sent a notice"),
        ("WARNING", "palabra does not pause, it charges for silence too"),
        ("INFO", "palabra sent a notice"),
        ("WARNING", "palabra shows another task than was sent"),
    ]


@pytest.mark.parametrize("kind", ["unread", "error", "warning"])
@in_jumping_time
async def test_the_log_of_a_chattering_palabra_is_short(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Of notices with ever new codes the first ones are logged, the others counted."""
    events = following()
    with caplog.at_level(logging.INFO):
        for number in range(5_000):
            events.log(OperatorNotice(kind, f"code_{number}"))

    assert len(caplog.records) == 20
    assert events.notices == 5_000
    assert events.unread == (5_000 if kind == "unread" else 0)
