"""The voice of a speaker between sessions: nothing of the last seconds is lost, or told twice."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from palabra_agent.interpretation.speaker_voice import SpeakerVoice
from palabra_agent.languages import LanguageCode
from palabra_agent.session import Brief
from tests.fakes import FakeSession, frame, level_of, transcript, translated

pytestmark = pytest.mark.unit

PAUSE = [0] * 12
BRIEF = Brief(LanguageCode("en"), (LanguageCode("es"),))


@dataclass
class Ann:
    """A speaker, and the sessions that come and go."""

    voice: SpeakerVoice = field(default_factory=SpeakerVoice)
    now: float = 0.0

    def says(self, *levels: int) -> None:
        """Say a frame of each level; level 0 is silence."""
        for level in levels:
            self.now += 0.02
            self.voice.write(frame(level), self.now)


@dataclass
class Hearing:
    """A session for the length of a block."""

    ann: Ann
    session: FakeSession = field(default_factory=lambda: FakeSession(BRIEF))
    stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Hearing:
        self.stack.enter_context(self.ann.voice.heard_by(self.session, self.ann.now))
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    @property
    def levels(self) -> list[int]:
        """What it heard."""
        return [level_of(it) for it in self.session.heard]

    @property
    def words(self) -> list[int]:
        """What it heard that was no silence."""
        return [level for level in self.levels if level]

    @property
    def late(self) -> list[int]:
        """The part of it that came late."""
        return [level_of(it) for it in self.session.heard if it.is_late]


def test_what_is_said_before_a_session_is_ready_is_heard_first() -> None:
    """In order, marked as late; then the voice goes on."""
    ann = Ann()
    ann.says(1000, 1001, 0, 1002)
    with Hearing(ann) as session:
        ann.says(1003)

        assert session.levels == [1000, 1001, 0, 1002, 1003]
        assert session.late == [1000, 1001, 0, 1002]


def test_of_the_silence_before_it_a_moment_is_heard() -> None:
    """A quarter of a second, in case that a word begins softly; all the rest would be delay."""
    ann = Ann()
    ann.says(*[0] * 100, 1000)
    with Hearing(ann) as session:
        assert session.levels == [*[0] * 12, 1000]

    silent = Ann()
    silent.says(*[0] * 100)
    with Hearing(silent) as session:
        assert session.levels == [0] * 12


def test_eight_seconds_are_held() -> None:
    """By the clock, also where the microphone was gone meanwhile."""
    ann = Ann()
    ann.says(*range(1000, 1450))
    with Hearing(ann) as session:
        assert session.levels in ([*range(1049, 1450)], [*range(1050, 1450)])

    ann.now += 8.1
    with Hearing(ann) as session:
        assert session.levels == []


def test_what_a_lost_session_has_not_told_is_heard_by_the_next() -> None:
    """And nothing of what it has told."""
    ann = Ann()
    with Hearing(ann):
        ann.says(1000, 1001, *PAUSE)
        ann.voice.tell(transcript("hel", is_final=False), ann.now)
        ann.voice.tell(transcript("hello"), ann.now)
        ann.says(1002)
        ann.voice.tell(transcript("wor", identifier="t2", is_final=False), ann.now)
        ann.voice.tell(translated("hola", "es"), ann.now)

    ann.says(1003)
    with Hearing(ann) as session:
        ann.says(1004)

        assert session.words == [1002, 1003, 1004]


def test_a_sentence_that_was_begun_is_not_forgotten_with_the_one_before_it() -> None:
    """It is there from the last pause on; without a pause, of the last two seconds."""
    ann = Ann()
    ann.says(*range(1000, 1050), *PAUSE, *range(2000, 2030), 0, 0, *range(2030, 2050))
    ann.voice.tell(transcript("hello"), ann.now)
    with Hearing(ann) as session:
        assert session.words == [*range(2000, 2050)]

    endless = Ann()
    endless.says(*range(1000, 1200))
    endless.voice.tell(transcript("hello"), endless.now)
    with Hearing(endless) as session:
        assert session.levels in ([*range(1099, 1200)], [*range(1100, 1200)])


def test_who_is_muted_after_a_sentence_says_nothing_more() -> None:
    """Of a muted microphone there may be no sound at all, not even silence."""
    ann = Ann()
    ann.says(*range(1000, 1020))
    ann.now += 1
    ann.voice.tell(transcript("hello"), ann.now)
    with Hearing(ann) as session:
        assert session.levels == []


def test_translations_tell_it_where_nothing_else_does() -> None:
    """A room may want no originals; what was heard in translation is not said twice."""
    ann = Ann()
    with Hearing(ann):
        ann.says(1000, *PAUSE)
        ann.voice.tell(translated("hola", "es"), ann.now)
        ann.says(1001)

    with Hearing(ann) as session:
        assert session.words == [1001]


def test_two_sessions_hear_the_same_while_one_replaces_the_other() -> None:
    """The one that ends hears no more."""
    ann = Ann()
    with Hearing(ann) as new:
        with Hearing(ann) as old:
            ann.says(1000)
        ann.says(1001)

        assert (old.levels, new.levels) == ([1000], [1000, 1001])
