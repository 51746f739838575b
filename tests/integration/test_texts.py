"""Captions and chat: what each person reads of a meeting, and what it says about itself.

A few meetings are held with one cast and different configs; each is recorded once, and the tests
look at the records.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final, TypeAlias

import pytest
import pytest_asyncio

from palabra_agent.audio.tones import tone
from palabra_agent.interpretation.disclosure import SENTENCES
from palabra_agent.local.people import AGENT_IDENTITY, SimulatedPerson
from palabra_agent.local.reception import ReceivedCaption, ReceivedChat
from tests.palabra_emulator.watching import events_of

from .emulator_client import Sessions
from .hearing import ES, SPEECH_HZ, WORDS, until_heard, until_subscribed
from .stack import PEOPLE, SCRIPT, Room, Stack, Worker, track_sid

pytestmark = pytest.mark.livekit

LANGUAGES: Final = ("en", "es", "de")

SAID: Final = (("alice", "en", 0), ("bruno", "es", 0))
"""What is said and looked at: speaker, their language, number of the sentence."""

LAST: Final = ("alice", "en", 1)
"""Said after it, so that a person who has read this has read all of what came before."""

Readings: TypeAlias = dict[str, dict[str, str | None]]
"""Reader, speaker, and the language that the one reads the other in; None is the original."""

IN_THEIR_LANGUAGE: Final[Readings] = {
    "alice": {"alice": None, "bruno": "en"},
    "bruno": {"alice": "es", "bruno": None},
    "clara": {"alice": "de", "bruno": "de"},
    "dora": {"alice": None, "bruno": None},
    "erik": {"alice": None, "bruno": None},
}

_GERMAN: Final[dict[str, str | None]] = {"alice": "de", "bruno": "de"}
DEFAULT_GERMAN: Final[Readings] = IN_THEIR_LANGUAGE | {"erik": _GERMAN}


Sections: TypeAlias = Mapping[str, Mapping[str, object]]
"""Sections of a room config."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """All that each person had read when it was over."""

    captions: Mapping[str, tuple[ReceivedCaption, ...]]
    chat: Mapping[str, tuple[ReceivedChat, ...]]
    sids: Mapping[str, str]
    """Track ids: microphones by identity, channels by name."""

    def finals(self, reader: str, speaker: str) -> list[tuple[str, bool]]:
        """The final captions that a reader read of a speaker's first sentence."""
        first = texts_of(0)
        return [
            (caption.language, caption.is_translated)
            for caption in self.captions[reader]
            if caption.speaker == speaker and caption.is_final and caption.text in first
        ]

    def lines(self, reader: str, speaker: str) -> list[tuple[str, str]]:
        """The chat lines that a reader read of a speaker's first sentence."""
        return [
            (line.language, line.kind)
            for line in self.chat[reader]
            if line.speaker == speaker and line.text.partition(": ")[2] in texts_of(0)
        ]


def texts_of(number: int) -> frozenset[str]:
    """A sentence in every language."""
    return frozenset(SCRIPT.text(number, language) for language in LANGUAGES)


def expected_version(speaker: str, language: str | None) -> tuple[str, bool]:
    """Language and whether it is a translation; None stands for the original."""
    own = next(spoken for who, spoken, _ in SAID if who == speaker)
    return (own, False) if language is None else (language, True)


async def hold_meeting(
    stack: Stack,
    name: str,
    config: Sections,
    default_listen: str | None = None,
) -> Meeting:
    """Let all people in, speak in turns, and tell what was read."""
    async with stack.room(name) as room, AsyncExitStack() as inside:
        people = await let_in(room, inside)
        sessions = await Sessions.from_now_on(stack.emulator.url)
        await room.dispatch({"languages": LANGUAGES, "default_listen": default_listen, **config})
        await sessions.running(2)
        for speaker, _, number in (*SAID, LAST):
            await people[speaker].say(WORDS)
            for person in people.values():
                await until_read(person, speaker, number, config)

        channels = [f"translation_{language}" for language in LANGUAGES]
        return Meeting(
            captions={who: tuple(person.captions) for who, person in people.items()},
            chat={who: tuple(person.chat) for who, person in people.items()},
            sids={name: track_sid(people["erik"], name) for name in channels}
            | {who: people[who].microphone_sid for who in ("alice", "bruno")},
        )


async def let_in(room: Room, inside: AsyncExitStack) -> dict[str, SimulatedPerson]:
    """All people come; only two of them with a microphone."""

    def hears_nothing(_track: str) -> bool:
        return False

    wishes: dict[str, dict[str, str]] = {
        "alice": {"speak": "en", "listen": "en"},
        "bruno": {"language": "es"},
        "clara": {"listen": "de"},
        "dora": {"listen": "original", "language": "de"},
        "erik": {},
    }
    return {
        who: await inside.enter_async_context(
            room.person(
                who,
                speak=wish.get("speak"),
                listen=wish.get("listen"),
                language=wish.get("language"),
                microphone=who in {"alice", "bruno"},
                hears=hears_nothing,
            )
        )
        for who, wish in wishes.items()
    }


async def until_read(person: SimulatedPerson, speaker: str, number: int, config: Sections) -> None:
    """Wait until a person has read a sentence, in whichever language it reaches them."""
    texts = texts_of(number)

    def has_read() -> bool:
        in_captions = any(
            it.is_final and it.speaker == speaker and it.text in texts for it in person.captions
        )
        in_chat = any(
            it.speaker == speaker and it.text.partition(": ")[2] in texts for it in person.chat
        )
        wants_captions = config.get("captions", {}).get("enabled", True)
        wants_chat = config.get("chat", {}).get("enabled", True)
        return (in_captions or not wants_captions) and (in_chat or not wants_chat)

    await person.wait_for(has_read, 20, f"sentence {number} of {speaker}")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plain(stack: Stack, worker: Worker) -> AsyncGenerator[Meeting]:
    """A meeting as it is by default."""
    yield await hold_meeting(stack, "texts-plain", {})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def everyone(stack: Stack, worker: Worker) -> AsyncGenerator[Meeting]:
    """A meeting with all of the chat for everyone, whole captions, German for the undecided."""
    config: Sections = {"chat": {"audience": "everyone"}, "captions": {"partials": False}}
    yield await hold_meeting(stack, "texts-everyone", config, default_listen="de")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def original(stack: Stack, worker: Worker) -> AsyncGenerator[Meeting]:
    """A meeting with the original in the chat, no captions, and a word on who interprets."""
    config: Sections = {
        "chat": {"audience": "original"},
        "captions": {"enabled": False},
        "disclosure": {"enabled": True},
    }
    yield await hold_meeting(stack, "texts-original", config)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def silent(stack: Stack, worker: Worker) -> AsyncGenerator[Meeting]:
    """A meeting without chat."""
    yield await hold_meeting(stack, "texts-silent", {"chat": {"enabled": False}})


READINGS: Final = [(reader, speaker) for reader in PEOPLE for speaker, _, _ in SAID]
"""Each reader with each speaker."""


@pytest.mark.parametrize(("reader", "speaker"), READINGS)
def test_each_person_reads_one_caption_in_their_language(
    plain: Meeting, reader: str, speaker: str
) -> None:
    """One version each: listeners theirs, speakers and the undecided the original."""
    wanted = IN_THEIR_LANGUAGE[reader][speaker]

    assert plain.finals(reader, speaker) == [expected_version(speaker, wanted)]


@pytest.mark.parametrize(("reader", "speaker"), READINGS)
def test_each_person_reads_one_chat_line_in_their_language(
    plain: Meeting, reader: str, speaker: str
) -> None:
    """The chat follows the captions."""
    language, is_translation = expected_version(speaker, IN_THEIR_LANGUAGE[reader][speaker])

    kind = "translation" if is_translation else "transcription"
    assert plain.lines(reader, speaker) == [(language, kind)]


@pytest.mark.parametrize("reader", PEOPLE)
def test_captions_say_what_was_said(plain: Meeting, reader: str) -> None:
    """A final caption holds the whole sentence in its language."""
    finals = [caption for caption in plain.captions[reader] if caption.is_final]

    assert len(finals) == 3
    numbers = (0, 0, 1)
    expected = [SCRIPT.text(n, it.language) for n, it in zip(numbers, finals, strict=True)]
    assert [caption.text for caption in finals] == expected


@pytest.mark.parametrize("reader", PEOPLE)
def test_a_caption_grows_and_then_stands(plain: Meeting, reader: str) -> None:
    """Versions of one segment come one after the other: partials, then one final, nothing after."""
    captions = plain.captions[reader]
    segments = {
        it.segment_id: [other for other in captions if other.segment_id == it.segment_id]
        for it in captions
    }

    assert "" not in segments
    for versions in segments.values():
        assert [it.is_final for it in versions] == [False] * (len(versions) - 1) + [True]
        assert all(len(it.text) <= len(versions[-1].text) for it in versions)
    assert any(len(versions) > 1 for versions in segments.values())


def test_partial_translations_come_too(plain: Meeting) -> None:
    """Listeners see their own language grow, not the original first."""
    partials = [it for it in plain.captions["clara"] if not it.is_final]

    assert partials
    assert {it.language for it in plain.captions["clara"]} == {"de"}
    assert all(it.is_translated for it in partials)


@pytest.mark.parametrize("reader", PEOPLE)
def test_a_caption_names_its_track_and_its_speaker(plain: Meeting, reader: str) -> None:
    """The original belongs to the microphone, a translation to the channel; both to the speaker."""
    for caption in plain.captions[reader]:
        track = f"translation_{caption.language}" if caption.is_translated else caption.speaker

        assert caption.speaker in {"alice", "bruno"}
        assert caption.track_id == plain.sids[track]


def test_segments_differ_by_utterance_and_language(plain: Meeting) -> None:
    """No segment id is used for two things, so that apps may merge by it."""
    things: dict[str, set[tuple[str, str]]] = {}
    for captions in plain.captions.values():
        for it in captions:
            number = next(n for n in (0, 1) if is_start_of(it.text, n, it.language))
            things.setdefault(it.segment_id, set()).add((it.language, f"{it.speaker}{number}"))

    assert len(things) == 9
    assert all(len(meanings) == 1 for meanings in things.values())


def is_start_of(text: str, number: int, language: str) -> bool:
    """Whether a text is a sentence as far as it was said."""
    return SCRIPT.text(number, language).startswith(text.rstrip("….")[:12])


@pytest.mark.parametrize("reader", PEOPLE)
def test_chat_lines_come_from_the_interpreter(plain: Meeting, reader: str) -> None:
    """Sender, speaker's name, and the ids that belong to each other."""
    lines = plain.chat[reader]

    assert len(lines) == 3
    for line in lines:
        assert line.sender == AGENT_IDENTITY
        assert line.text.startswith(f"{line.speaker.title()}: ")
        assert line.transcription_id
    assert len({line.transcription_id for line in lines}) == 3
    captions = {caption.segment_id for caption in plain.captions[reader]}
    assert all(any(line.transcription_id in segment for segment in captions) for line in lines)


@pytest.mark.parametrize(("reader", "speaker"), READINGS)
def test_chat_for_everyone_holds_all_languages(
    everyone: Meeting, reader: str, speaker: str
) -> None:
    """`audience: everyone` writes the original and each translation to all."""
    own, others = ("en", "es") if speaker == "alice" else ("es", "en")

    assert sorted(everyone.lines(reader, speaker)) == sorted(
        [(own, "transcription"), (others, "translation"), ("de", "translation")]
    )


@pytest.mark.parametrize(("reader", "speaker"), READINGS)
def test_the_undecided_read_the_default_language(
    everyone: Meeting, reader: str, speaker: str
) -> None:
    """`default_listen` holds for those who say nothing, and for no others."""
    wanted = DEFAULT_GERMAN[reader][speaker]

    assert everyone.finals(reader, speaker) == [expected_version(speaker, wanted)]


def test_without_partials_captions_are_final(everyone: Meeting) -> None:
    """`captions.partials: false` leaves only whole sentences."""
    captions = [caption for read in everyone.captions.values() for caption in read]

    assert len(captions) == 3 * len(PEOPLE)
    assert all(caption.is_final for caption in captions)


@pytest.mark.parametrize(("reader", "speaker"), READINGS)
def test_chat_of_the_original_holds_no_translation(
    original: Meeting, reader: str, speaker: str
) -> None:
    """`audience: original` writes to all what was said, and nothing else."""
    own = "en" if speaker == "alice" else "es"

    assert original.lines(reader, speaker) == [(own, "transcription")]


@pytest.mark.parametrize(
    ("reader", "language"),
    [("alice", "en"), ("bruno", "es"), ("clara", "de"), ("dora", "de"), ("erik", "en")],
)
def test_each_person_is_told_once_that_a_machine_interprets(
    original: Meeting, reader: str, language: str
) -> None:
    """In the language that they hear, else the one that they speak, else English."""
    told = [it.text for it in original.chat[reader] if not it.speaker]

    assert told == [" ".join(SENTENCES[language])]


def test_captions_can_be_left_out(original: Meeting) -> None:
    """`captions.enabled: false` sends none."""
    assert [it for read in original.captions.values() for it in read] == []


def test_chat_can_be_left_out(silent: Meeting) -> None:
    """`chat.enabled: false` writes no line; captions still come."""
    assert [it for read in silent.chat.values() for it in read] == []
    assert silent.finals("bruno", "alice") == [("es", True)]


async def test_a_long_sentence_is_read_and_heard_in_parts(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """The first part while the speaker is still speaking; each once, in order, nothing is lost."""
    rules = {"force_split_min_characters": 1, "force_split_min_seconds": 2}
    splitter = {"transcription": {"sentence_splitter": {"advanced": rules}}}
    config = {"languages": ["es"], "source_language": "en", "palabra": splitter}
    async with (
        stack.room("parts") as room,
        room.person("alice") as alice,
        room.person("bruno", listen="es", microphone=False) as bruno,
    ):
        await room.dispatch(config)
        (session,) = await sessions.running(1)
        await until_subscribed(bruno, "translation_es")
        await alice.say(tone(SPEECH_HZ, 6.0))
        await until_heard(bruno, "translation_es", ES)
        await bruno.wait_for(lambda: len(finals_read_by(bruno)) == 2, 60, "both parts are read")
        events = [it.event for it in await events_of(sessions.url, session.id)]

        told = [it for it in events if it in {"translated", "utterance"}]
        assert told == ["translated", "utterance", "translated"]
        assert " ".join(finals_read_by(bruno)) == SCRIPT.text(0, "es")


def finals_read_by(person: SimulatedPerson) -> list[str]:
    """The final captions that a person has read, in order."""
    return [it.text for it in person.captions if it.is_final]
