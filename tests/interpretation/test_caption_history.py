"""What people read of that which was said before they came."""

from __future__ import annotations

import pytest

from palabra_agent.interpretation.caption_history import KEPT_UTTERANCES, CaptionHistory
from palabra_agent.interpretation.ports import Caption, MeetingView, Person
from palabra_agent.interpretation.settings import Regime
from palabra_agent.interpretation.utterance_versions import CAPTIONS_ATTRIBUTE
from palabra_agent.languages import LanguageCode
from tests.fakes import transcript, translated

pytestmark = pytest.mark.unit

EN, ES, DE = LanguageCode("en"), LanguageCode("es"), LanguageCode("de")
REGIME = Regime((EN, ES, DE))
ANN = Person("ann", "Ann", speak="en")
BOB = Person("bob", "Bob", listen="es")
CID = Person("cid", "Cid")


def history_of(*, utterances: int = 1) -> CaptionHistory:
    """Ann has said so many sentences, each interpreted into Spanish, before anyone else came."""
    history = CaptionHistory()
    assert list(history.for_newcomers(MeetingView((ANN,)), REGIME)) == []
    for number in range(utterances):
        said = transcript(f"hello {number}", identifier=f"t{number}")
        hola = translated(f"hola {number}", "es", identifier=f"t{number}")
        history.keep(said, "ann", "TR_mic", (ES,))
        history.keep(hola, "ann", "TR_es", (ES,))
    return history


def read(history: CaptionHistory, *people: Person) -> list[tuple[str, tuple[str, ...]]]:
    """Texts with their readers, when these people are there."""
    captions = history.for_newcomers(MeetingView(people), REGIME)
    return [(it.transcript.text, it.recipients) for it in captions]


def test_newcomers_read_their_version_once() -> None:
    """Each in their language, those who were there nothing, and nothing again."""
    history = history_of()

    assert read(history, ANN, BOB, CID) == [("hello 0", ("cid",)), ("hola 0", ("bob",))]
    assert read(history, ANN, BOB, CID) == []


def test_the_last_twenty_are_kept() -> None:
    """In the order in which they were said."""
    texts = [text for text, _ in read(history_of(utterances=30), ANN, BOB)]

    assert texts == [f"hola {number}" for number in range(30 - KEPT_UTTERANCES, 30)]


def test_a_caption_is_what_the_others_read() -> None:
    """Segment and track are the same, so that an app that has it already shows it once."""
    (caption,) = history_of().for_newcomers(MeetingView((ANN, BOB)), REGIME)

    first = Caption(translated("hola 0", "es", identifier="t0"), "ann", ("bob",), "TR_es")
    assert caption == first
    assert caption.segment_id == first.segment_id


def test_a_translation_that_is_still_to_come_is_waited_for() -> None:
    """A newcomer who will read it does not get the original as well."""
    history = CaptionHistory()
    history.keep(transcript("hello"), "ann", "TR_mic", (ES,))

    assert read(history, BOB, CID) == [("hello", ("cid",))]


def test_captions_that_are_not_wanted_are_not_sent() -> None:
    """`palabra.captions` counts here too."""
    off = Person("off", "Off", listen="es", attributes={CAPTIONS_ATTRIBUTE: "off"})
    both = Person("two", "Two", listen="es", attributes={CAPTIONS_ATTRIBUTE: "both"})

    assert read(history_of(), off, both) == [("hello 0", ("two",)), ("hola 0", ("two",))]


def test_those_who_cannot_be_reached_are_newcomers_when_they_can() -> None:
    """While a person joins, and while we reconnect ourselves, they are not new yet."""
    history = history_of()
    joining = Person("bob", "Bob", listen="es", is_reachable=False)

    assert read(history, ANN, joining) == []
    lost = MeetingView((ANN, BOB), is_connected=False)
    assert list(history.for_newcomers(lost, REGIME)) == []
    assert read(history, ANN, BOB) == [("hola 0", ("bob",))]


def test_a_person_who_left_is_new_when_they_come_back() -> None:
    """Their app was started again, perhaps, and shows nothing."""
    history = history_of()
    assert len(read(history, ANN, BOB)) == 1
    assert read(history, ANN) == []

    assert read(history, ANN, BOB) == [("hola 0", ("bob",))]
