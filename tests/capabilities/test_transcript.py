"""Transcripts as listeners are told them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from palabra_agent.capabilities.transcript import TRANSCRIPT_LISTENER, TranscriptEvents
from palabra_agent.languages import LanguageCode
from palabra_agent.plugin import Speaker, TranscriptEvent
from palabra_agent.session import Transcript

pytestmark = pytest.mark.unit

ES, EN = LanguageCode("es"), LanguageCode("en")
ALICE = Speaker(identity="alice", name="Alice", source_language=EN)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def _maker() -> TranscriptEvents:
    times: Iterator[datetime] = (NOON + at * SECOND for at in count())
    return TranscriptEvents("r", lambda: next(times))


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

    assert _maker().event(ALICE, transcript) == TranscriptEvent(
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
    maker = _maker()
    events = [
        maker.event(ALICE, _said(is_final=False)),
        maker.event(ALICE, _said()),
        maker.event(ALICE, _said(language=ES, is_translation=True)),
        maker.event(ALICE, _said("another")),
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
    event = _maker().event(ALICE, _said(start=start, end=end))

    assert event.told_at - event.began_at == seconds * SECOND


def test_only_so_many_beginnings_are_remembered() -> None:
    """A meeting of any length takes no more memory; the latest utterances are known."""
    maker = _maker()
    for at in range(1001):
        maker.event(ALICE, _said(f"u{at}"))

    assert maker.event(ALICE, _said("u1")).began_at == NOON + SECOND
    assert maker.event(ALICE, _said("u0")).began_at == NOON + 1002 * SECOND


def test_words_without_a_language_are_the_speakers() -> None:
    """Where Palabra says none, an original is in the language that the speaker speaks."""
    nobody = LanguageCode("")

    assert _maker().event(ALICE, _said(language=nobody)).language == EN
    assert _maker().event(ALICE, _said(language=nobody, is_translation=True)).language == ""
    unknown = Speaker(identity="bob", name="Bob")
    assert _maker().event(unknown, _said(language=nobody)).language == ""


def test_partials_are_expendable() -> None:
    """Where too many events wait, final words are kept as long as there is anything else."""
    partial, final = (_maker().event(ALICE, _said(is_final=it)) for it in (False, True))

    assert TRANSCRIPT_LISTENER.is_expendable(partial)
    assert not TRANSCRIPT_LISTENER.is_expendable(final)
