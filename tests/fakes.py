"""Stand-ins for the meeting and for Palabra sessions, with the frames and transcripts in them.

They implement the ports as a whole; what a test makes happen is a method in the present tense, what
happened is an attribute.
"""

from __future__ import annotations

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Collection,
    Generator,
    Iterable,
    Mapping,
)
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from functools import partial
from typing import TypedDict, Unpack

import numpy as np

from palabra_agent.audio.frame import Frame
from palabra_agent.audio.pcm import FRAME_SAMPLES, PAUSE_PEAK, Pcm, duration_ms
from palabra_agent.interpretation.ports import (
    Caption,
    ChatLine,
    ChatMessage,
    EncryptionProblem,
    MeetingView,
    Microphone,
    Notice,
    Person,
    RoomStatus,
    RoomText,
)
from palabra_agent.languages import LanguageCode
from palabra_agent.session import (
    Brief,
    InterpretationEnded,
    InterpretationStarted,
    SessionEvent,
    Transcript,
)


class PersonFacts(TypedDict, total=False):
    """What may be said of a person beside their identity."""

    name: str
    speak: str | None
    listen: str | None
    microphone: Microphone | None
    is_muted: bool
    is_reachable: bool
    encryption_problem: EncryptionProblem | None
    connection: str
    is_phone: bool
    listen_to: Mapping[str, str]
    attributes: Mapping[str, str]


def flat(level: int = 1000, samples: int = FRAME_SAMPLES) -> Pcm:
    """Make samples that are all equal; level 0 is silence."""
    return np.full(samples, level, dtype=np.int16)


def frame(level: int = 1000, samples: int = FRAME_SAMPLES) -> Frame:
    """Make a frame of a stream without noise, whose samples are all equal; level 0 is silence."""
    return Frame(flat(level, samples), abs(level), is_pause=abs(level) < PAUSE_PEAK)


def level_of(heard: Frame) -> int:
    """Tell the level that a frame was made with."""
    return int(heard.samples[0])


def sound_of(frames: Iterable[Frame]) -> Pcm:
    """Put the samples of some frames together."""
    return np.concatenate([np.empty(0, np.int16), *(it.samples for it in frames)])


def transcript(
    text: str = "hello",
    language: str = "en",
    *,
    identifier: str = "t1",
    part: str = "",
    is_final: bool = True,
    is_translation: bool = False,
) -> Transcript:
    """Make a transcript: a whole, final original unless said otherwise."""
    return Transcript(identifier, part, LanguageCode(language), text, is_final, is_translation)


translated = partial(transcript, is_translation=True)


class FakeSound:
    """A microphone or a translated track that plays what a test says."""

    def __init__(self, track_sid: str = "TR_1") -> None:
        self.track_sid = track_sid
        self.listeners = 0
        """How many listen right now."""
        self._frames: asyncio.Queue[Frame | Exception | None] = asyncio.Queue()

    def play(self, *frames: Frame) -> None:
        """Sound."""
        for it in frames:
            self._frames.put_nowait(it)

    def end(self) -> None:
        """Sound no more."""
        self._frames.put_nowait(None)

    def fail(self, error: Exception) -> None:
        """Break, as nothing should."""
        self._frames.put_nowait(error)

    @asynccontextmanager
    async def open_frames(self) -> AsyncGenerator[AsyncIterator[Frame]]:
        """Listen."""
        self.listeners += 1
        try:
            yield self._listen()
        finally:
            self.listeners -= 1

    async def _listen(self) -> AsyncIterator[Frame]:
        while (heard := await self._frames.get()) is not None:
            if isinstance(heard, Exception):
                raise heard

            yield heard


class FakeTrack:
    """One of our tracks in the meeting."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.sid = f"TR_{name}"
        self.frames: list[Pcm] = []

    @property
    def seconds_played(self) -> float:
        """The length of all that was written."""
        return sum(map(duration_ms, self.frames)) / 1000

    @property
    def waiting_ms(self) -> float:
        """Nothing: what is written is played."""
        return 0.0

    async def write(self, samples: Pcm) -> None:
        """Remember a frame."""
        self.frames.append(samples)


class PlayedTrack(FakeTrack):
    """One that plays at the speed of sound what it is given, and holds back who gives it more.

    As LiveKit's do: what it was not given in time is silence.
    """

    QUEUE_SECONDS = 0.04

    def __init__(self, name: str = "x") -> None:
        super().__init__(name)
        self.played: list[tuple[float, Pcm]] = []
        """Each frame with the time at which it begins to be heard."""
        self._empty_at = 0.0
        self._goes_on_at = 0.0

    def stand_still(self, seconds: float) -> None:
        """Take nothing for a while; what waits is played all the same."""
        self._goes_on_at = asyncio.get_running_loop().time() + seconds

    @property
    def waiting_ms(self) -> float:
        """So much waits to be heard."""
        return max(self._empty_at - asyncio.get_running_loop().time(), 0.0) * 1000

    async def write(self, samples: Pcm) -> None:
        """Play a frame after those that wait."""
        now = asyncio.get_running_loop().time
        await asyncio.sleep(
            max(self._goes_on_at - now(), self._empty_at - self.QUEUE_SECONDS - now(), 0)
        )
        begins = max(self._empty_at, now())
        self.played.append((begins, samples))
        self._empty_at = begins + duration_ms(samples) / 1000


class FakeTexts:
    """Texts that are written at once."""

    def __init__(self) -> None:
        self.sent: list[RoomText] = []
        self.repeated = ""
        """What counts as one of ours that another participant repeats."""

    def put(self, text: RoomText) -> None:
        """Write a text."""
        self.sent.append(text)

    def wrote(self, message: str) -> bool:
        """Tell whether a message repeats one of ours."""
        return message == self.repeated


class FakeMeeting:
    """A meeting in memory."""

    def __init__(self) -> None:
        self.view = MeetingView()
        self.tracks: dict[str, FakeTrack] = {}
        """Published right now, by name."""
        self.publications: list[str] = []
        """Names of all tracks that were ever published, in order."""
        self.audiences: Mapping[str, frozenset[str]] = {}
        """Who may receive which track, by its name."""
        self.spared: frozenset[str] = frozenset()
        """Those who receive no microphones."""
        self.seconds_to_publish = 0.0
        self.texts = FakeTexts()
        self.shown: list[RoomStatus] = []
        self._changed = asyncio.Event()
        self._is_over = False
        self._on_message: Callable[[ChatMessage], None] | None = None

    @property
    def status(self) -> RoomStatus:
        """What is shown now."""
        return self.shown[-1]

    @property
    def captions(self) -> list[Caption]:
        """The captions among what was written."""
        return [text for text in self.texts.sent if isinstance(text, Caption)]

    @property
    def chat(self) -> list[ChatLine]:
        """The chat lines among what was written."""
        return [text for text in self.texts.sent if isinstance(text, ChatLine)]

    @property
    def announced(self) -> list[str]:
        """The notices among what was written."""
        return [text.text for text in self.texts.sent if isinstance(text, Notice)]

    def person_joins(self, identity: str, **facts: Unpack[PersonFacts]) -> FakeSound:
        """Let somebody join with a microphone, or without one where `microphone=None`."""
        microphone = FakeSound(f"TR_{identity}")
        person = replace(Person(identity, identity.title(), microphone=microphone), **facts)
        self.look(replace(self.view, people=(*self.view.people, person)))
        return microphone

    def person_changes(self, identity: str, **facts: Unpack[PersonFacts]) -> None:
        """Let somebody say something else, or have another microphone."""
        people = tuple(
            replace(person, **facts) if person.identity == identity else person
            for person in self.view.people
        )
        self.look(replace(self.view, people=people))

    def person_leaves(self, identity: str) -> None:
        """Let somebody leave."""
        people = tuple(person for person in self.view.people if person.identity != identity)
        self.look(replace(self.view, people=people))

    def end(self) -> None:
        """End the meeting."""
        self._is_over = True
        self._changed.set()

    async def views(self) -> AsyncIterator[MeetingView]:
        """Watch the meeting."""
        while not self._is_over:
            self._changed.clear()
            yield self.view
            await self._changed.wait()

    @asynccontextmanager
    async def hearing_chat(self, on_message: Callable[[ChatMessage], None]) -> AsyncGenerator[None]:
        """Be told what people write."""
        self._on_message = on_message
        try:
            yield
        finally:
            self._on_message = None

    def person_writes(self, identity: str, text: str) -> None:
        """Let somebody write in the chat."""
        assert self._on_message is not None, "the chat is not read"
        self._on_message(ChatMessage(identity, text))

    @asynccontextmanager
    async def publish(self, name: str) -> AsyncGenerator[FakeTrack]:
        """Publish a track."""
        await asyncio.sleep(self.seconds_to_publish)
        track = self.tracks[name] = FakeTrack(name)
        self.publications.append(name)
        try:
            yield track
        finally:
            del self.tracks[name]

    def allow(self, audiences: Mapping[str, frozenset[str]]) -> None:
        """Let people receive tracks."""
        self.audiences = audiences

    def spare_microphones(self, phones: Collection[str]) -> None:
        """Keep microphones from people."""
        self.spared = frozenset(phones)

    def show(self, status: RoomStatus) -> None:
        """Remember a status."""
        self.shown.append(status)

    def look(self, view: MeetingView) -> None:
        """Look like this from now on."""
        self.view = view
        self._changed.set()


class FakeSession:
    """A Palabra session that hears, and says what a test tells it to."""

    def __init__(self, brief: Brief) -> None:
        self.brief = brief
        """What it was opened with, or asked for since."""
        self.rebriefs: list[Brief] = []
        """What it was asked for after it was opened; also where that is the same."""
        self.heard: list[Frame] = []
        self.texts: list[tuple[str, LanguageCode]] = []
        """What it was to translate, each with its language."""
        self.is_open = True
        self.is_muted = False
        self.billed_seconds = 0.0
        self.queued_seconds: dict[LanguageCode, float] = {}
        self.sounds: list[FakeSound] = []
        """Translated tracks, in order; what they play is heard after the session as well."""
        self._events: asyncio.Queue[SessionEvent | Exception | None] = asyncio.Queue()

    def tell(self, *events: SessionEvent | Exception) -> None:
        """Say some words, or let something else happen; an error ends it."""
        for it in events:
            self._events.put_nowait(it)

    def start_translation(self, language: str) -> FakeSound:
        """Publish a translated track."""
        sound = FakeSound(f"TR_palabra_{language}")
        self.sounds.append(sound)
        self._events.put_nowait(InterpretationStarted(LanguageCode(language), sound))
        return sound

    def end_translation(self, sound: FakeSound) -> None:
        """Unpublish a translated track."""
        sound.end()
        self._events.put_nowait(InterpretationEnded(sound))

    def end(self) -> None:
        """End without a word."""
        self._events.put_nowait(None)

    def write(self, frame: Frame) -> None:
        """Hear."""
        self.heard.append(frame)

    def mute(self, *, is_muted: bool) -> None:
        """Learn whether the speaker is muted."""
        self.is_muted = is_muted

    def rebrief(self, brief: Brief) -> None:
        """Be asked for something else, or for the same once more."""
        self.brief = brief
        self.rebriefs.append(brief)

    def speak(self, text: str, language: LanguageCode, *, translate: bool = False) -> None:
        """Take a text that is to be translated."""
        assert translate, "texts are in the language of their author"
        self.texts.append((text, language))

    async def events(self) -> AsyncIterator[SessionEvent]:
        """Tell."""
        while (event := await self._events.get()) is not None:
            if isinstance(event, Exception):
                raise event

            yield event


class FakeSessions:
    """Palabra: opens sessions, or refuses to."""

    def __init__(self) -> None:
        self.opened: list[FakeSession] = []
        """All that were ever opened, in order."""
        self.attempts: list[Brief] = []
        """What every attempt to open one asked for, refused ones too."""
        self.error_on_close: Exception | None = None
        """What closing a session raises, if anything."""
        self.seconds_to_open = 0.0
        self.seconds_to_close = 0.0
        self.most_at_a_time = 0
        """The most that there were, from when Palabra was asked until they were deleted."""
        self._there = 0
        self._refusals: list[Exception] = []

    @property
    def live(self) -> list[FakeSession]:
        """Sessions that are open now."""
        return [session for session in self.opened if session.is_open]

    @property
    def last(self) -> FakeSession:
        """The newest session."""
        return self.opened[-1]

    def refuse_next(self, *errors: Exception) -> None:
        """Fail the next attempts, one with each error."""
        self._refusals.extend(errors)

    @asynccontextmanager
    async def __call__(self, brief: Brief) -> AsyncGenerator[FakeSession]:
        """Open a session."""
        self.attempts.append(brief)
        if self._refusals:
            raise self._refusals.pop(0)

        with self._counted():
            await asyncio.sleep(self.seconds_to_open)
            session = FakeSession(brief)
            self.opened.append(session)
            try:
                yield session
            finally:
                error = self.error_on_close
                await asyncio.sleep(self.seconds_to_close)
                session.is_open = False
                for sound in session.sounds:
                    sound.end()
                if error is not None:
                    raise error

    @contextmanager
    def _counted(self) -> Generator[None]:
        self._there += 1
        self.most_at_a_time = max(self.most_at_a_time, self._there)
        try:
            yield
        finally:
            self._there -= 1
