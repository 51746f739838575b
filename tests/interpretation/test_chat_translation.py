"""What people type, in a room: who reads and hears it translated, and what is too much."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Unpack

import pytest

from palabra_agent.errors import SessionLost, TaskRejected
from palabra_agent.interpretation.chat_translation import (
    CUT,
    NO_PLACE,
    NOT_DONE,
    SAY_LANGUAGE,
    TOO_MANY,
    UNKNOWN_LANGUAGE,
)
from palabra_agent.interpretation.ports import Notice, RoomState
from palabra_agent.interpretation.settings import WritingRules
from palabra_agent.session import LONGEST_SPOKEN_TEXT, Brief, FellSilent, UpdateRefused
from tests.clock import eventually, in_jumping_time, passing
from tests.fakes import FakeSession, FakeSessions, frame, transcript, translated
from tests.interpretation.room_stage import (
    DE,
    EN,
    ES,
    LINGER,
    RegimeFacts,
    RoomStage,
    interpreted_room,
)

pytestmark = pytest.mark.unit

TRANSLATED = WritingRules(translates_typed=True)
SPOKEN = WritingRules(speaks_typed=True)
BOTH = WritingRules(translates_typed=True, speaks_typed=True)

UNUSED = 30.0
"""A session without texts ends after so long."""


@asynccontextmanager
async def chatting(
    rules: WritingRules = TRANSLATED,
    sessions: FakeSessions | None = None,
    **facts: Unpack[RegimeFacts],
) -> AsyncGenerator[RoomStage]:
    """Have a room in which Ann writes English, and others listen to other languages."""
    facts = {"always_on": (), **facts}
    async with interpreted_room(EN, ES, DE, sessions=sessions, **facts) as stage:
        stage.change(rules=rules)
        for identity, speak, listen in (
            ("ann", "en", "en"),
            ("eve", "en", "en"),
            ("bob", "es", "es"),
            ("cid", None, "de"),
            ("dan", None, "original"),
        ):
            stage.meeting.person_joins(identity, microphone=None, speak=speak, listen=listen)
        await eventually(lambda: stage.wishes.person("dan"))
        yield stage


async def writes(stage: RoomStage, identity: str, *texts: str) -> FakeSession:
    """Let a person write, and wait until a session has the first of it."""
    for text in texts:
        stage.meeting.person_writes(identity, text)
    return await until_sent(stage, texts[0])


async def until_sent(stage: RoomStage, text: str) -> FakeSession:
    """Wait until a session has a text."""

    def with_text() -> list[FakeSession]:
        return [it for it in stage.sessions.live if text.strip() in [sent for sent, _ in it.texts]]

    await eventually(with_text)
    return with_text()[0]


def read(stage: RoomStage) -> list[tuple[str, str, tuple[str, ...]]]:
    """What was written of texts: author, words, readers."""
    return [(it.speaker_name, it.transcript.text, it.recipients) for it in stage.meeting.chat]


def told(stage: RoomStage) -> list[tuple[str, tuple[str, ...]]]:
    """What people were told, and who."""
    notices = [it for it in stage.meeting.texts.sent if isinstance(it, Notice)]
    return [(it.text, it.recipients) for it in notices]


def state_of(stage: RoomStage) -> RoomState:
    """What the room shows."""
    return stage.meeting.status.state


@in_jumping_time
async def test_each_person_reads_what_others_type_in_their_language() -> None:
    """Not the author, not those who read theirs; as a chat line alone, and nothing is heard."""
    async with chatting() as stage:
        session = await writes(stage, "ann", "hello")
        assert (session.brief, session.texts) == (Brief(EN, (ES, DE)), [("hello", EN)])
        assert session.is_muted
        sound = session.start_translation("es")
        sound.play(*[frame()] * 50)
        session.tell(
            transcript("hello"),
            translated("hol", "es", is_final=False),
            translated("hola", "es"),
            translated("hallo", "de"),
        )
        await eventually(lambda: len(stage.meeting.chat) == 2)
        await passing(5)

        assert read(stage) == [("Ann", "hola", ("bob",)), ("Ann", "hallo", ("cid",))]
        assert {it.speaker for it in stage.meeting.chat} == {"ann"}
        assert {(it.is_typed, it.transcript.is_translation) for it in stage.meeting.chat} == {
            (True, True)
        }
        assert stage.meeting.captions == []
        assert sound.listeners == 0
        assert told(stage) == []


@in_jumping_time
async def test_texts_are_spoken_for_those_who_listen() -> None:
    """Not written, unless that is wanted too; and no ear–voice span is made of them."""
    async with chatting(SPOKEN) as stage:
        session = await writes(stage, "ann", "hello")
        sound = session.start_translation("es")
        await eventually(lambda: sound.listeners)
        sound.play(*[frame(level=4000)] * 20)
        session.tell(translated("hola", "es"))
        track = stage.meeting.tracks["translation_es"]
        await eventually(lambda: track.frames)

        assert stage.meeting.chat == []
        assert stage.progress.spans.starts(ES) is None
        assert stage.progress.spans.lag(ES, asyncio.get_running_loop().time()) == 0
        stage.change(rules=BOTH)
        await passing(0.1)
        session = await writes(stage, "ann", "bye")
        session.tell(translated("adiós", "es"))
        await eventually(lambda: stage.meeting.chat)
        assert read(stage) == [("Ann", "adiós", ("bob",))]


@in_jumping_time
async def test_what_is_off_costs_nothing() -> None:
    """It is off by default; switched off it ends what goes on."""
    async with chatting(WritingRules()) as stage:
        stage.meeting.person_writes("ann", "hello")
        await passing(10)
        assert stage.sessions.attempts == []
        stage.change(rules=TRANSLATED)
        await passing(0.1)
        session = await writes(stage, "ann", "hello")
        stage.change(rules=WritingRules())
        await eventually(lambda: not session.is_open, seconds=1)
        assert told(stage) == []


@in_jumping_time
async def test_another_wish_of_the_room_loses_no_text() -> None:
    """The session that is there, or being opened, is followed by one that does what is wanted."""
    sessions = FakeSessions()
    sessions.seconds_to_open = 2
    async with chatting(sessions=sessions) as stage:
        stage.meeting.person_writes("ann", "one")
        await passing(1)
        stage.change(rules=BOTH)
        session = await until_sent(stage, "one")
        sound = session.start_translation("es")
        await eventually(lambda: sound.listeners)
        session.tell(translated("uno", "es"))
        await eventually(lambda: stage.meeting.chat)
        stage.meeting.person_writes("ann", "two")
        stage.change(task_revision=1)
        await passing(1)
        stage.meeting.person_writes("ann", "three")
        await passing(1)
        assert session.is_open
        session.tell(translated("dos", "es", identifier="t2"))
        await until_sent(stage, "three")

        assert sessions.live == [sessions.last]
        texts = [[text for text, _ in it.texts] for it in sessions.opened]
        assert texts == [[], ["one", "two"], ["three"]]
        assert told(stage) == []


@in_jumping_time
@pytest.mark.parametrize("message", ["/lang de", " /nonsense", "👍", "12:30", "Bob: hola"])
async def test_commands_signs_and_our_own_words_are_left_alone(message: str) -> None:
    """As are those of people who are not there."""
    async with chatting(BOTH) as stage:
        stage.meeting.texts.repeated = "Bob: hola"
        stage.meeting.person_writes("bob", message)
        stage.meeting.person_writes("nobody", "hello")
        await passing(10)

        assert stage.sessions.attempts == []


@in_jumping_time
async def test_what_no_other_person_wants_is_not_translated() -> None:
    """Also where a language is always on; who is left alone by the config is so here."""
    async with interpreted_room(EN, ES) as stage:
        stage.change(rules=TRANSLATED)
        stage.meeting.person_joins("ann", microphone=None, speak="en", listen="es")
        stage.meeting.person_joins("eve", microphone=None, speak="en", listen="en-GB")
        await eventually(lambda: stage.wishes.person("eve"))
        for number in range(20):
            stage.meeting.person_writes("ann", f"hello {number}")
        await passing(10)

        assert stage.sessions.attempts == []
        assert told(stage) == []


@in_jumping_time
async def test_a_text_is_in_the_language_that_its_author_is_known_to_use() -> None:
    """What they speak, else what they read; where neither is known they are told how to say it."""
    async with chatting() as stage:
        session = await writes(stage, "cid", "hallo")
        assert (session.brief.source_language, session.texts) == (DE, [("hallo", DE)])
        assert DE not in session.brief.targets

        for _ in range(3):
            stage.meeting.person_writes("dan", "hello")
        await passing(1)
        assert told(stage) == [(f"{UNKNOWN_LANGUAGE} {SAY_LANGUAGE}", ("dan",))]
        assert len(stage.sessions.opened) == 1
        stage.meeting.person_writes("dan", "/speak en")
        await passing(1)
        session = await writes(stage, "dan", "hello")
        assert session.texts == [("hello", EN)]


@in_jumping_time
async def test_what_palabra_hears_a_person_speak_is_what_they_type() -> None:
    """Where they say nothing of it; and their voice has another session, of another voice."""
    async with chatting(always_on=(EN,)) as stage:
        consent = {"palabra.voice_consent": "true"}
        _, spoken = await stage.speaker_joins("fay", speak="auto", attributes=consent)
        for number in range(2):
            spoken.tell(transcript("hola", "es", identifier=f"t{number}"))
        await eventually(lambda: "es" not in spoken.brief.targets)
        stage.meeting.person_writes("fay", "hola")
        await eventually(lambda: stage.sessions.last.texts)

        assert stage.sessions.last.texts == [("hola", ES)]
        assert stage.sessions.last.brief == Brief(ES, (EN, DE))
        assert spoken.brief.may_clone
        assert spoken.texts == []
        assert stage.sessions.last.heard == []


@in_jumping_time
async def test_a_flood_is_left_out_and_its_author_told_once() -> None:
    """It takes nothing from others; and with all of them a minute has fewer than sixty texts."""
    async with chatting() as stage:
        session = await writes(stage, "ann", *(f"hello {number}" for number in range(200)))
        await passing(1)
        assert [text for text, _ in session.texts] == [f"hello {number}" for number in range(5)]
        assert told(stage) == [(TOO_MANY, ("ann",))]
        session = await writes(stage, "bob", "hola")
        assert session.texts == [("hola", ES)]

        await passing(60)
        before = sum(len(it.texts) for it in stage.sessions.opened)
        for number in range(600):
            for identity in ("ann", "bob", "cid", "eve"):
                stage.meeting.person_writes(identity, f"word {number}")
            await passing(0.1)
        assert 40 < sum(len(it.texts) for it in stage.sessions.opened) - before < 60
        flooding = [who for sentence, who in told(stage) if sentence == TOO_MANY]
        assert sorted(flooding) == [("ann",), ("bob",), ("cid",), ("eve",)]


@in_jumping_time
async def test_a_text_that_is_too_long_is_cut_and_its_author_told_once() -> None:
    """To as much as Palabra takes."""
    async with chatting() as stage:
        session = await writes(stage, "ann", "short", "long " * 800, "long " * 700)

        assert len(session.texts) == 3
        assert all(len(text) <= LONGEST_SPOKEN_TEXT for text, _ in session.texts)
        assert told(stage) == [(CUT, ("ann",))]


@in_jumping_time
async def test_a_session_is_kept_while_it_is_used() -> None:
    """By texts, words or sound; the next text has another one, and both are on the bill."""
    async with chatting(BOTH) as stage:
        session = await writes(stage, "ann", "one")
        await passing(UNUSED - 1)
        stage.meeting.person_writes("ann", "two")
        await passing(UNUSED - 1)
        session.tell(translated("uno", "es", identifier="t1"))
        await passing(UNUSED - 1)
        sound = session.start_translation("es")
        sound.play(frame(level=4000))
        session.tell(translated("dos", "es", identifier="t2"))
        await passing(UNUSED - 1)
        assert session.is_open
        await eventually(lambda: not session.is_open, seconds=2)
        await passing(60)
        assert len(stage.sessions.opened) == 1

        again = await writes(stage, "ann", "three")
        assert again.texts == [("three", EN)]
        assert told(stage) == []


@in_jumping_time
async def test_a_palabra_that_fails_is_told_once_and_tried_again() -> None:
    """A text waits for a while, and the room shows what is wrong meanwhile."""
    sessions = FakeSessions()
    sessions.refuse_next(*(SessionLost("gone") for _ in range(3)))
    async with chatting(sessions=sessions) as stage:
        stage.meeting.person_writes("ann", "hello")
        await eventually(lambda: state_of(stage) == RoomState.DEGRADED)
        session = await until_sent(stage, "hello")
        assert session.texts == [("hello", EN)]
        assert state_of(stage) == RoomState.LIVE
        session.tell(translated("hola", "es"), SessionLost("gone"))
        await eventually(lambda: not session.is_open)
        assert told(stage) == []

        sessions.refuse_next(*(SessionLost("gone") for _ in range(100)))
        stage.meeting.person_writes("ann", "and now?")
        await eventually(lambda: told(stage))
        stage.meeting.person_writes("ann", "hello?")
        await passing(120)
        assert told(stage) == [(NOT_DONE, ("ann",))]
        assert state_of(stage) == RoomState.LIVE
        count = len(sessions.attempts)
        await passing(120)
        assert len(sessions.attempts) == count


@in_jumping_time
async def test_a_refused_session_is_not_tried_unchanged() -> None:
    """Until others want something else; what is typed meanwhile is told as such."""
    sessions = FakeSessions()
    sessions.refuse_next(TaskRejected("VALIDATION_ERROR", "no"))
    async with chatting(sessions=sessions) as stage:
        for _ in range(3):
            stage.meeting.person_writes("ann", "hello")
            await passing(60)
        assert len(sessions.attempts) == 1
        assert told(stage) == [(NOT_DONE, ("ann",))]
        assert state_of(stage) == RoomState.DEGRADED

        stage.meeting.person_writes("ann", "hello?")
        stage.meeting.person_leaves("cid")
        await passing(1)
        session = await writes(stage, "ann", "again")
        assert (session.brief.targets, session.texts) == ((ES,), [("again", EN)])
        assert state_of(stage) == RoomState.LIVE


@in_jumping_time
async def test_a_refused_session_is_tried_again_under_other_settings() -> None:
    """As that of a speaker is: what was wrong may be right now, and is shown as such."""
    sessions = FakeSessions()
    sessions.refuse_next(TaskRejected("VALIDATION_ERROR", "no"))
    async with chatting(sessions=sessions) as stage:
        stage.meeting.person_writes("ann", "hello")
        await eventually(lambda: state_of(stage) == RoomState.DEGRADED)
        stage.change(task_revision=1)
        await eventually(lambda: state_of(stage) == RoomState.LIVE)
        session = await writes(stage, "ann", "again")

        assert session.texts == [("again", EN)]


@in_jumping_time
async def test_an_empty_room_costs_nothing() -> None:
    """A text whose readers have all left is not waited for."""
    async with chatting() as stage:
        session = await writes(stage, "ann", "hello")
        stage.meeting.person_leaves("ann")
        await passing(5)
        assert session.is_open
        for identity in ("eve", "bob", "cid", "dan"):
            stage.meeting.person_leaves(identity)
        await eventually(lambda: not session.is_open, seconds=LINGER + 1)


@in_jumping_time
async def test_a_room_that_is_empty_for_a_moment_loses_no_text() -> None:
    """As LiveKit shows it, before it says that we reconnect."""
    async with chatting() as stage:
        session = await writes(stage, "ann", "hello")
        view = stage.meeting.view
        stage.meeting.look(replace(view, people=()))
        await passing(1)
        stage.meeting.look(view)
        await passing(LINGER)
        session.tell(translated("hola", "es"))
        await eventually(lambda: stage.meeting.chat)

        assert stage.sessions.opened == [session]


@in_jumping_time
@pytest.mark.parametrize("end", [SessionLost("gone"), FellSilent(), None])
async def test_what_a_lost_session_had_not_told_is_missed(
    end: SessionLost | FellSilent | None,
) -> None:
    """The next text has another session; what it had told is not missed."""
    async with chatting() as stage:
        session = await writes(stage, "ann", "one", "two")
        session.tell(translated("uno", "es"), translated("eins", "de"))
        await eventually(lambda: stage.meeting.chat)
        if end is None:
            session.end()
        else:
            session.tell(end)
        await eventually(lambda: told(stage))
        assert told(stage) == [(NOT_DONE, ("ann",))]
        session = await writes(stage, "ann", "three")

        assert session.texts == [("three", EN)]


@in_jumping_time
async def test_a_session_that_is_lost_when_it_had_told_all_is_not_missed() -> None:
    """By its author or by the room."""
    async with chatting() as stage:
        session = await writes(stage, "ann", "one")
        session.tell(translated("uno", "es"), SessionLost("gone"))
        await eventually(lambda: not session.is_open)
        await passing(60)

        assert told(stage) == []
        assert {it.state for it in stage.meeting.shown} == {RoomState.LIVE}
        assert len(stage.sessions.attempts) == 1


@in_jumping_time
async def test_what_is_heard_was_done_also_without_words() -> None:
    """Palabra need not be asked for them where nothing is written."""
    async with chatting(SPOKEN) as stage:
        session = await writes(stage, "ann", "one")
        session.start_translation("es").play(*[frame(level=4000)] * 20)
        await eventually(lambda: not session.is_open)

        assert told(stage) == []


@in_jumping_time
async def test_a_session_follows_those_who_listen() -> None:
    """A change that Palabra refuses shows in the room, and the rest goes on."""
    async with chatting() as stage:
        session = await writes(stage, "ann", "hello")
        stage.meeting.person_changes("cid", listen="original")
        await eventually(lambda: session.brief.targets == (ES,))
        session.tell(UpdateRefused("no such voice"))
        await eventually(lambda: stage.meeting.status.error == "no such voice")

        stage.meeting.person_leaves("bob")
        await passing(1)
        assert session.brief.targets == (ES,)
        stage.meeting.person_leaves("ann")
        stage.meeting.person_joins("gus", microphone=None, listen="es")
        await eventually(lambda: stage.wishes.person("gus"))
        session.tell(translated("hola", "es"))
        await eventually(lambda: stage.meeting.chat)
        assert read(stage) == [("Ann", "hola", ("gus",))]
        await eventually(lambda: not session.is_open)


@in_jumping_time
async def test_speakers_come_first() -> None:
    """A text has a place that they leave, and gives it up for one of them."""
    async with chatting(max_speakers=1) as stage:
        session = await writes(stage, "ann", "hello")
        stage.meeting.person_writes("bob", "hola")
        await passing(1)
        assert told(stage) == [(NO_PLACE, ("bob",))]

        microphone, spoken = await stage.speaker_joins("fay", speak="en")
        assert not session.is_open
        assert stage.sessions.most_at_a_time == 1
        assert told(stage)[1:] == [(NOT_DONE, ("ann",))]
        stage.meeting.person_writes("ann", "hello?")
        await passing(60)
        assert told(stage)[2:] == [(NO_PLACE, ("ann",))]
        assert microphone.listeners
        assert spoken.is_open


@in_jumping_time
async def test_a_text_whose_session_is_being_opened_gives_way_to_a_speaker() -> None:
    """It is given up, and not tried again beside them."""
    sessions = FakeSessions()
    sessions.seconds_to_open = 10
    async with chatting(sessions=sessions, max_speakers=1) as stage:
        stage.meeting.person_writes("ann", "hello")
        await passing(1)
        stage.meeting.person_joins("fay", speak="en")
        await eventually(lambda: len(sessions.opened) == 2)
        await passing(60)

        assert told(stage) == [(NOT_DONE, ("ann",))]
        assert len(sessions.attempts) == 2
        assert sessions.last.is_open
        assert [it.texts for it in sessions.opened] == [[], []]


@in_jumping_time
async def test_no_author_hears_themselves() -> None:
    """Who listens to another language than they write has a channel without it, meanwhile."""
    async with chatting(SPOKEN) as stage:
        stage.meeting.person_joins("fay", microphone=None, speak="en", listen="es")
        await eventually(lambda: "fay" in stage.meeting.audiences.get("translation_es", ()))
        session = await writes(stage, "fay", "hello")
        await eventually(lambda: "translation_es/fay" in stage.meeting.tracks)
        await eventually(lambda: stage.meeting.audiences["translation_es"] == frozenset({"bob"}))
        sound = session.start_translation("es")
        await eventually(lambda: sound.listeners)
        sound.play(*[frame(level=4000)] * 20)
        await eventually(lambda: stage.meeting.tracks["translation_es"].frames)

        assert stage.meeting.tracks["translation_es/fay"].frames == []
        await eventually(lambda: "fay" in stage.meeting.audiences["translation_es"], seconds=90)


@in_jumping_time
async def test_an_author_may_have_a_channel_of_their_own() -> None:
    """Where each speaker has, also without a microphone; for those who listen, while it is used."""
    async with chatting(SPOKEN, is_per_speaker=True) as stage:
        session = await writes(stage, "ann", "hello")
        await eventually(lambda: "translation_es@ann" in stage.meeting.tracks)
        assert stage.meeting.audiences["translation_es@ann"] == {"bob"}
        await eventually(lambda: not session.is_open)
        await eventually(lambda: not stage.meeting.tracks)


def test_what_became_of_texts_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    """In the log, without a word of them; a room without any has no line."""
    caplog.set_level(logging.INFO)

    @in_jumping_time
    async def chat() -> None:
        async with chatting() as stage:
            session = await writes(stage, "ann", "zanzibar", "zanzibar " * 300)
            session.tell(translated("uno", "es", identifier="t1"))
            await eventually(lambda: not session.is_open)
            stage.sessions.refuse_next(*(SessionLost("gone") for _ in range(9)))
            stage.meeting.person_writes("ann", "zanzibar")
            await passing(60)
            for _ in range(7):
                stage.meeting.person_writes("bob", "zanzibar")
        async with chatting():
            await passing(1)

    chat()
    (line,) = [it for it in caplog.records if it.message == "typed texts translated"]
    counts = {name: getattr(line, name) for name in ("typed", "cut", "missed")}
    assert counts == {"typed": 8, "cut": 1, "missed": 4}
    assert "zanzibar" not in caplog.text


@in_jumping_time
async def test_an_error_of_ours_ends_one_author_alone() -> None:
    """And the next text is translated again."""
    sessions = FakeSessions()
    sessions.refuse_next(RuntimeError("ours"))
    async with chatting(sessions=sessions) as stage:
        stage.meeting.person_writes("ann", "hello")
        await passing(5)
        session = await writes(stage, "bob", "hola")
        assert session.texts == [("hola", ES)]
        stage.meeting.person_writes("ann", "hello")
        await eventually(lambda: stage.sessions.last.texts == [("hello", EN)])
