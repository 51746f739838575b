"""The live one of several microphones: soon found, not left lightly, and no word is lost."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from palabra_agent.audio.frame import Frame
from palabra_agent.meeting.microphone_choice import MicrophoneChoice
from tests.fakes import frame, level_of

pytestmark = pytest.mark.unit

SECONDS_PER_FRAME = 0.02


@dataclass
class Person:
    """A person with two microphones, A and B, who speaks into either."""

    choice: MicrophoneChoice = field(default_factory=MicrophoneChoice)
    passed_on: list[Frame] = field(default_factory=list[Frame])
    now: float = 100.0

    def __post_init__(self) -> None:
        self.has("A", "B")

    def has(self, *tracks: str) -> None:
        """Have other microphones."""
        self.passed_on += self.choice.follow(tracks)

    def speaks(self, seconds: float, **levels: int) -> None:
        """Let time pass, with a level on each microphone that is named, and silence on others."""
        for _ in range(round(seconds / SECONDS_PER_FRAME)):
            self.now += SECONDS_PER_FRAME
            for track in self.tracks:
                heard = frame(levels.get(track, 0))
                self.passed_on += self.choice.hear(track, heard, self.now)

    tracks: tuple[str, ...] = ("A", "B")

    def heard_ms(self, level: int) -> float:
        """How much of a level was passed on."""
        return sum(it.duration_ms for it in self.passed_on if level_of(it) == level)


def test_the_first_is_live_while_neither_is_spoken_into() -> None:
    """Silence says nothing of either; one of them is passed on."""
    ann = Person()
    ann.speaks(5)

    assert ann.choice.live == "A"
    assert ann.heard_ms(0) == 5000


def test_the_one_that_is_spoken_into_is_live_within_a_moment() -> None:
    """And all that was said into it is passed on, with what came before it, marked as late."""
    ann = Person()
    ann.speaks(3)
    ann.passed_on.clear()
    ann.speaks(0.2, B=2000)

    assert ann.choice.live == "B"
    assert ann.heard_ms(2000) == 200
    late = [it for it in ann.passed_on if it.is_late]
    assert [level_of(it) for it in late] == [0] * 12 + [2000] * 10


def test_a_person_who_turns_to_the_other_microphone_at_once_is_heard_whole() -> None:
    """The first is given a second to go on; what is said into the other meanwhile comes late."""
    ann = Person()
    ann.speaks(2, A=1000)
    ann.speaks(0.9, B=2000)
    assert ann.choice.live == "A"
    ann.speaks(0.3, B=2000)

    assert ann.choice.live == "B"
    assert (ann.heard_ms(1000), ann.heard_ms(2000)) == (2000, 1200)


def test_two_microphones_that_hear_the_same_voice_do_not_alternate() -> None:
    """The one that was live stays so over the pauses between sentences."""
    ann = Person()
    live: set[str] = set()
    ann.speaks(1, B=2000)
    for _ in range(10):
        ann.speaks(1.5, A=1000, B=2000)
        ann.speaks(3)
        live.add(ann.choice.live)

    assert live == {"B"}
    assert ann.heard_ms(1000) == 0


def test_a_knock_is_no_speech() -> None:
    """Less than a fifth of a second, now and then."""
    ann = Person()
    for _ in range(10):
        ann.speaks(0.1, B=2000)
        ann.speaks(1)

    assert ann.choice.live == "A"


def test_speech_has_gaps() -> None:
    """Short sounds with pauses as between syllables are one speech."""
    ann = Person()
    ann.speaks(2)
    for _ in range(3):
        ann.speaks(0.08, B=2000)
        ann.speaks(0.1)

    assert ann.choice.live == "B"
    assert ann.heard_ms(2000) == 240


def test_when_the_live_one_goes_another_is_live_at_once() -> None:
    """With what is being said into it, unless both heard it."""
    ann = Person()
    ann.speaks(2, A=1000)
    ann.speaks(0.3, B=2000)
    ann.tracks = ("B",)
    ann.has("B")
    assert (ann.choice.live, ann.heard_ms(2000)) == ("B", 300)

    both = Person()
    both.speaks(2, A=1000, B=2000)
    both.tracks = ("B",)
    both.has("B")
    both.speaks(0.1, B=2000)
    assert (both.choice.live, both.heard_ms(2000)) == ("B", 100)


def test_a_person_may_have_none_for_a_while() -> None:
    """Then the next one is live."""
    ann = Person()
    ann.tracks = ()
    ann.has()
    assert ann.choice.live == ""

    ann.tracks = ("C",)
    ann.has("C")
    ann.speaks(0.1, C=3000)
    assert (ann.choice.live, ann.heard_ms(3000)) == ("C", 100)
