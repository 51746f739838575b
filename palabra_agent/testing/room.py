"""A room without LiveKit and Palabra: speakers come, speak and leave, and plugins do their work."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from palabra_agent.audio.frame import FrameReader
from palabra_agent.audio.pcm import SAMPLE_RATE, Pcm
from palabra_agent.capabilities.capability import Verdict
from palabra_agent.concurrency import single_failure
from palabra_agent.errors import PluginError
from palabra_agent.interpretation.detection import LanguageDetection
from palabra_agent.interpretation.plan import brief_for
from palabra_agent.interpretation.ports import Person
from palabra_agent.interpretation.settings import Regime
from palabra_agent.interpretation.voice_assigner import VoiceAssigner
from palabra_agent.interpretation.voice_assignments import InterpretedSpeaker
from palabra_agent.languages import AUTO, LanguageCode, find_source, nearest, normalise
from palabra_agent.plugin import Speaker, Timbre, VoiceChoice
from palabra_agent.plugins_host.chain import PluginChain, open_chain
from palabra_agent.session import Transcript
from palabra_agent.testing.entries import Entry, configure
from palabra_agent.testing.facts import NOON, voice_sound
from palabra_agent.testing.settling import SettlingPlugins
from palabra_agent.texts import shown_name

_SECONDS_PER_WORD: Final = 0.5

DEFAULT_LANGUAGES: Final = ("en", "es", "de")

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Participant:
    """A participant of the room, who speaks and is interpreted."""

    identity: str
    name: str
    attributes: dict[str, str]
    said: LanguageCode | None
    """The language that they are configured to speak."""
    detected: LanguageCode | None = None
    """The language that Palabra detected."""
    spoke: LanguageCode | None = None
    """The language in which they said something last."""
    detection: LanguageDetection = field(default_factory=LanguageDetection)
    microphone: FrameReader = field(default_factory=FrameReader)
    """Measures the level of their voice."""

    @property
    def language(self) -> LanguageCode | None:
        """The language that they speak, as far as it is known."""
        return self.said or self.detected

    def speaker(self) -> Speaker:
        """The participant as plugins are told."""
        return Speaker(
            identity=self.identity,
            name=self.name,
            attributes=MappingProxyType(dict(self.attributes)),
            source_language=self.language,
        )

    def targets(self, regime: Regime) -> tuple[LanguageCode, ...]:
        """The languages that they are interpreted into."""
        person = Person(self.identity, self.name, self.said)
        brief = brief_for(person, regime, regime.offered, self.detected)
        return brief.targets if brief is not None else ()


def spoken(language: str | None) -> LanguageCode | None:
    """Give the code of a language that may be spoken; `auto` says as little as nothing.

    Raises:
        ValueError: Palabra does not recognise it.
    """
    if language is None or normalise(language) == AUTO:
        return None

    code = find_source(language)
    if code is None:
        raise ValueError(f'"{language}" is no language that Palabra recognises')

    return code


class RoomClock:
    """The time in a room: the loop's, and that of speaking, which passes without waiting."""

    def __init__(self) -> None:
        self._loop_time = asyncio.get_running_loop().time
        self._began = self._loop_time()
        self._spoken = 0.0

    @property
    def seconds(self) -> float:
        """Seconds since the room began."""
        return self._loop_time() - self._began + self._spoken

    def pass_by(self, seconds: float) -> None:
        """Let time pass without waiting."""
        self._spoken += max(seconds, 0.0)

    def now(self) -> datetime:
        """The time of day."""
        return NOON + timedelta(seconds=self.seconds)


class Utterances:
    """The utterances of a room."""

    def __init__(self, clock: RoomClock) -> None:
        self._clock = clock
        self._numbers = count(1)
        self._under_way: dict[str, tuple[str, float]] = {}
        """By speaker, the unfinished utterance: its name, and when it began."""

    def words(
        self,
        identity: str,
        text: str,
        language: LanguageCode,
        *,
        is_final: bool,
        utterance: str | None,
        part: str,
    ) -> Transcript:
        """Make a speaker's words as Palabra tells them; the clock goes on to their end."""
        name, began = self._under_way.get(identity, (None, self._clock.seconds))
        name = utterance or name or f"utterance-{next(self._numbers)}"
        self._under_way[identity] = (name, began)
        if is_final:
            del self._under_way[identity]

        end = began + _SECONDS_PER_WORD * len(text.split())
        self._clock.pass_by(end - self._clock.seconds)
        return Transcript(
            transcription_id=name,
            part=part,
            language=language,
            text=text,
            is_final=is_final,
            is_translation=False,
            start_seconds=began,
            end_seconds=end,
        )


def checked(samples: NDArray[np.int16]) -> Pcm:
    """Let samples through that could come from a microphone.

    Raises:
        ValueError: They could not.
    """
    if samples.dtype != np.int16 or samples.ndim != 1:
        found = f"{samples.dtype} in {samples.ndim} dimensions"
        raise ValueError(f"samples must be int16 in one dimension, not {found}")

    return samples


class SimulatedRoom:
    """The room of a test; all its participants speak and are interpreted."""

    def __init__(
        self,
        chain: PluginChain,
        offered: tuple[LanguageCode, ...],
        clock: RoomClock,
        failures: Sequence[PluginError],
    ) -> None:
        self.failures = failures
        """Errors of plugins so far, each with the plugin's own as its `__cause__`."""
        self._chain = chain
        self._plugins = SettlingPlugins(chain)
        self._assigner = VoiceAssigner(self._plugins)
        self._regime = Regime(offered)
        self._revision = 0
        self._clock = clock
        self._utterances = Utterances(clock)
        self._people: dict[str, Participant] = {}

    @property
    def announced(self) -> tuple[str, ...]:
        """What people are told of the plugins that are open."""
        return self._chain.announced

    def join(
        self,
        identity: str,
        *,
        name: str | None = None,
        attributes: Mapping[str, str] | None = None,
        source_language: str | None = None,
    ) -> None:
        """Let a participant come, or come back.

        Args:
            identity: Tells them from all others, also after they left.
            name: The name that others see; by default the identity.
            attributes: LiveKit's participant attributes.
            source_language: The language they speak; not known where it is left out.
        """
        called = shown_name(name or "", identity)
        participant = Participant(identity, called, dict(attributes or {}), spoken(source_language))
        self._people[identity] = participant
        self._follow()

    def leave(self, identity: str) -> None:
        """Let a participant leave."""
        del self._people[self._find(identity).identity]
        self._follow()

    def change(
        self,
        identity: str,
        *,
        name: str | None = None,
        attributes: Mapping[str, str] | None = None,
        source_language: str | None = None,
    ) -> None:
        """Change what is known of a participant; what is left out stays.

        Attributes are laid over those that are there, and an empty value takes one away, as in
        LiveKit.
        """
        participant = self._find(identity)
        participant.name = participant.name if name is None else shown_name(name, identity)
        merged = participant.attributes | dict(attributes or {})
        participant.attributes = {key: value for key, value in merged.items() if value}
        participant.said = spoken(source_language) or participant.said
        self._follow()

    def detect(self, identity: str, language: str) -> None:
        """Let Palabra detect a language; counts where the participant did not set it themselves."""
        self._find(identity).detected = spoken(language)
        self._follow()

    def lose_voice(self, voice_id: str) -> None:
        """Let Palabra say that it has no such voice, as it does with `VOICE_NOT_FOUND`."""
        self._assigner.mark_unavailable(voice_id)
        self._plugins.stir()

    async def voice_of(self, identity: str, language: str) -> VoiceChoice | None:
        """Give the voice of a participant in a language; None is the default voice.

        Raises:
            LookupError: They are not there, or not interpreted into that language.
        """
        return (await self.explain(identity, language)).choice

    async def explain(self, identity: str, language: str) -> Verdict:
        """Give the voice, the plugin that chose it, and why those before it did not.

        Raises:
            LookupError: They are not there, or not interpreted into that language.
        """
        participant = self._find(identity)
        target = self._offered(language)
        if target not in participant.targets(self._regime):
            raise LookupError(f"{identity} speaks {target}, and is not interpreted into it")

        await self._plugins.rest()
        return self._assigner.explain(identity, target) or Verdict()

    async def say(
        self,
        identity: str,
        text: str,
        *,
        language: str | None = None,
        translations: Mapping[str, str] | None = None,
        is_final: bool = True,
        utterance: str | None = None,
        part: str = "",
    ) -> str:
        """Let a participant say something, and wait until listeners have heard it.

        Time passes in the room by as much as that takes to say.

        Args:
            identity: Who says it.
            text: The whole of it so far.
            language: In which language; by default the one that they speak. Two utterances in a row
                in the same one, if they did not set theirs, are a language that was detected.
            translations: What it is translated to, by language.
            is_final: False while they are still saying it: the next text is of that utterance.
            utterance: Names the utterance; by default that is done by itself.
            part: Which part of a split utterance, `0` being the first.

        Returns:
            The name of the utterance.

        Raises:
            LookupError: They are not there, or a translation's language is not offered.
            ValueError: It is not known what they speak.
        """
        participant = self._find(identity)
        code = spoken(language) or participant.language or participant.spoke
        if code is None:
            raise ValueError(f"it is not known what {identity} speaks: say it with `language`")

        targets = {self._offered(target): it for target, it in (translations or {}).items()}
        words = self._utterances.words(
            identity, text, code, is_final=is_final, utterance=utterance, part=part
        )
        participant.spoke = code
        if (heard := participant.detection.hear(words)) is not None:
            self.detect(identity, heard)

        speaker = self._assigner.speaker(identity)
        self._chain.tell(speaker, words)
        for target, translation in targets.items():
            translated = replace(words, language=target, text=translation, original=text)
            self._chain.tell(speaker, replace(translated, is_translation=True))

        await self._chain.heard()
        return words.transcription_id

    async def speak(
        self,
        identity: str,
        samples: NDArray[np.int16] | None = None,
        *,
        pitch_hz: float = 120.0,
        seconds: float = 3.0,
    ) -> Timbre | None:
        """Let a participant's voice be heard, and wait for what is estimated of it.

        Args:
            identity: Who speaks.
            samples: What is heard: 48 kHz, mono. By default a synthetic voice.
            pitch_hz: The pitch of that.
            seconds: Its length.

        Returns:
            The timbre that later questions tell, as far as it is known.
        """
        participant = self._find(identity)
        sound = voice_sound(pitch_hz, seconds) if samples is None else checked(samples)
        for second in range(0, sound.size, SAMPLE_RATE):
            heard = sound[second : second + SAMPLE_RATE]
            for frame in participant.microphone.cut(heard):
                self._assigner.hear(participant.identity, frame)

            self._clock.pass_by(heard.size / SAMPLE_RATE)
            await self._plugins.answer()

        return self._plugins.timbres.get(identity)

    async def reconfigure(self, *entries: Entry) -> None:
        """Change the room's list of plugins; what is equal stays open, with its state.

        Raises:
            RoomConfigError: A config is wrong; nothing has changed.
            SettingsError: Settings are wrong; nothing has changed.
        """
        plugins, languages = configure(entries, self._regime.offered)
        await self._chain.follow(plugins, languages)
        self._revision += 1
        self._follow()

    async def run(self) -> None:
        """Choose voices, until cancelled."""
        await self._assigner.run(lambda: None)

    def _follow(self) -> None:
        people = self._people.values()
        interpreted = [InterpretedSpeaker(it.speaker(), it.targets(self._regime)) for it in people]
        self._assigner.follow(interpreted, self._revision)
        self._plugins.stir()

    def _find(self, identity: str) -> Participant:
        if identity not in self._people:
            there = ", ".join(self._people) or "no participant"
            raise LookupError(f"{identity} is not in the room; there is {there}")

        return self._people[identity]

    def _offered(self, language: str) -> LanguageCode:
        code = nearest(language, self._regime.offered)
        if code is None:
            offered = ", ".join(self._regime.offered)
            raise LookupError(f'"{language}" is not offered in this room; offered is {offered}')

        return code


@asynccontextmanager
async def simulated_room(
    *entries: Entry, languages: Sequence[str] = DEFAULT_LANGUAGES, name: str = "room"
) -> AsyncGenerator[SimulatedRoom]:
    """Open plugins in a room that exists only for the length of a block.

    Args:
        entries: The room's list of plugins, in the order of asking.
        languages: What listeners may ask for; each speaker is interpreted into all but their own.
        name: The room's.

    Raises:
        RoomConfigError: A config is wrong, or a plugin's own `example`; the sentences are those
            that a room would show.
        SettingsError: Settings are wrong; the sentences are those that a worker would show.
    """
    plugins, offered = configure(entries, languages)
    clock, failures = RoomClock(), list[PluginError]()

    def note(failure: PluginError) -> None:
        failures.append(failure)
        # a real room keeps this to itself; the author of a failed test wants to see it
        logger.error("%s", failure, exc_info=failure.__cause__)

    async with (
        _with_notes(failures),
        open_chain(name, plugins, offered, utc_now=clock.now, on_error=note) as chain,
    ):
        room = SimulatedRoom(chain, offered, clock, failures)
        with single_failure():
            async with asyncio.TaskGroup() as group:
                assigning = group.create_task(room.run(), name="assign voices")
                try:
                    yield room
                finally:
                    assigning.cancel()


@asynccontextmanager
async def _with_notes(failures: Sequence[PluginError]) -> AsyncGenerator[None]:
    """Add the errors of plugins to any failure of the block: they may be the reason."""
    try:
        yield
    except BaseException as error:
        for words in dict.fromkeys(map(_told, failures)):
            error.add_note(words)

        raise


def _told(failure: PluginError) -> str:
    cause = "" if failure.__cause__ is None else type(failure.__cause__).__name__
    return str(failure) if cause in failure.reason else f"{failure} ({cause})"
