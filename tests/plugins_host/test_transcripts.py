"""What listeners are told, and how much of it waits."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palabra_agent.languages import LanguageCode
from palabra_agent.plugin import Speaker, TranscriptEvent
from palabra_agent.plugins_host.transcripts import QUEUE_LIMIT, EventQueue, Narrator
from palabra_agent.session import Transcript

pytestmark = pytest.mark.unit

ES, EN = LanguageCode("es"), LanguageCode("en")
ALICE = Speaker(identity="alice", name="Alice", source_language=EN)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def _narrator() -> Narrator:
    times: Iterator[datetime] = (NOON + at * SECOND for at in count())
    return Narrator("r", lambda: next(times))


def _said(
    utterance: str = "u",
    text: str = "hello",
    *,
    language: LanguageCode = EN,
    is_final: bool = True,
    is_translation: bool = False,
    start: float | None = None,
    end: float | None = None,
) -> Transcript:
    return Transcript(
        transcription_id=utterance,
        part="",
        language=language,
        text=text,
        is_final=is_final,
        is_translation=is_translation,
        start_seconds=start,
        end_seconds=end,
    )


def test_an_event_has_everything_that_is_known() -> None:
    """Each fact of a transcript reaches the listener."""
    transcript = Transcript(
        transcription_id="u",
        part="1",
        language=ES,
        text="hola",
        is_final=True,
        is_translation=True,
        original="hello",
    )

    assert _narrator().event(ALICE, transcript) == TranscriptEvent(
        room="r",
        speaker=ALICE,
        utterance="u",
        part="1",
        language=ES,
        text="hola",
        is_final=True,
        is_translation=True,
        original="hello",
        began_at=NOON,
        told_at=NOON,
    )


def test_an_utterance_began_once() -> None:
    """Partials, final text and translations of one utterance have one beginning."""
    narrator = _narrator()
    events = [
        narrator.event(ALICE, _said(is_final=False)),
        narrator.event(ALICE, _said()),
        narrator.event(ALICE, _said(language=ES, is_translation=True)),
        narrator.event(ALICE, _said("another")),
    ]

    assert [event.began_at - NOON for event in events] == [0 * SECOND] * 3 + [3 * SECOND]
    assert [event.told_at - NOON for event in events] == [at * SECOND for at in range(4)]


@pytest.mark.parametrize(
    ("start", "end", "seconds"),
    [
        (10.0, 12.5, 2.5),
        (None, 12.5, 0.0),
        (10.0, None, 0.0),
        (12.5, 10.0, 0.0),
        (0.0, 1e9, 60.0),
    ],
)
def test_first_words_began_before_they_came(
    start: float | None, end: float | None, seconds: float
) -> None:
    """Their length is taken off where it is known and can be true."""
    event = _narrator().event(ALICE, _said(start=start, end=end))

    assert event.told_at - event.began_at == seconds * SECOND


def test_only_so_many_beginnings_are_remembered() -> None:
    """A meeting of any length takes no more memory; the latest utterances are known."""
    narrator = _narrator()
    for at in range(1001):
        narrator.event(ALICE, _said(f"u{at}"))

    assert narrator.event(ALICE, _said("u1")).began_at == NOON + SECOND
    assert narrator.event(ALICE, _said("u0")).began_at == NOON + 1002 * SECOND


def test_words_without_a_language_are_the_speakers() -> None:
    """Where Palabra says none, an original is in the language that the speaker speaks."""
    nobody = LanguageCode("")

    assert _narrator().event(ALICE, _said(language=nobody)).language == EN
    assert _narrator().event(ALICE, _said(language=nobody, is_translation=True)).language == ""
    unknown = Speaker(identity="bob", name="Bob")
    assert _narrator().event(unknown, _said(language=nobody)).language == ""


def _events(are_final: list[bool]) -> list[TranscriptEvent]:
    narrator = _narrator()
    return [
        narrator.event(ALICE, _said(text=str(at), is_final=is_final))
        for at, is_final in enumerate(are_final)
    ]


def _all_of(queue: EventQueue) -> list[TranscriptEvent]:
    return [queue.pop() for _ in range(len(queue))]


@given(st.lists(st.booleans(), max_size=QUEUE_LIMIT + 60))
def test_a_queue_holds_the_newest_in_order(are_final: list[bool]) -> None:
    """It is never too long, keeps the order, drops partials first, and counts what it drops."""
    queue, events = EventQueue(), _events(are_final)
    for event in events:
        queue.put(event)

    held = _all_of(queue)
    left_out = [event for event in events if event not in held]
    assert len(held) <= QUEUE_LIMIT
    assert held == [event for event in events if event in held]
    assert queue.dropped == len(events) - len(held)
    if any(event.is_final for event in left_out):
        first_partial = next((at for at, it in enumerate(held) if not it.is_final), len(held))
        assert first_partial + len(left_out) >= QUEUE_LIMIT


def test_the_oldest_partial_goes_first() -> None:
    """What is final is kept as long as there is anything else."""
    events = _events([True, False, False] + [True] * (QUEUE_LIMIT - 2))
    queue = EventQueue()
    for event in events:
        queue.put(event)

    assert queue.dropped == 1
    assert _all_of(queue) == [events[0], *events[2:]]


def test_of_finals_the_oldest_goes() -> None:
    """Where nothing else is left, the newest words are worth more."""
    events = _events([True] * (QUEUE_LIMIT + 3))
    queue = EventQueue()
    for event in events:
        queue.put(event)

    assert queue.dropped == 3
    assert _all_of(queue) == events[3:]


async def test_a_closed_queue_is_read_to_its_end() -> None:
    """It takes no more, and says when nothing waits any more."""
    one, two, three = _events([True, True, True])
    queue = EventQueue()
    async with asyncio.TaskGroup() as group:
        more = group.create_task(queue.has_more())
        await asyncio.sleep(0)
        queue.put(one)
        assert await more

    queue.put(two)
    queue.close()
    queue.put(three)
    assert _all_of(queue) == [one, two]
    assert not await queue.has_more()
    assert queue.dropped == 0
