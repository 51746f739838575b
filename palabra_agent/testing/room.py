"""A room without LiveKit and Palabra: who comes, speaks and leaves, and what plugins make of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from palabra_agent.audio.pcm import SAMPLE_RATE
from palabra_agent.capabilities.voice import Verdict
from palabra_agent.errors import PluginError
from palabra_agent.interpretation.settings import Regime
from palabra_agent.interpretation.voice_assigner import VoiceAssigner
from palabra_agent.interpretation.voice_assignments import InterpretedSpeaker
from palabra_agent.languages import LanguageCode, match
from palabra_agent.plugin import Timbre, VoiceChoice
from palabra_agent.plugins_host.chain import PluginChain
from palabra_agent.testing.entries import Entry, configure
from palabra_agent.testing.people import Somebody, spoken
from palabra_agent.testing.quiet import QuietPlugins
from palabra_agent.testing.sound import voice_sound
from palabra_agent.testing.talk import RoomClock, Talk, checked


class SimulatedRoom:
    """The room of a test; everybody in it speaks, and everybody is interpreted."""

    def __init__(
        self,
        chain: PluginChain,
        offered: tuple[LanguageCode, ...],
        clock: RoomClock,
        failures: Sequence[PluginError],
    ) -> None:
        self.failures = failures
        """What plugins did wrong so far, each with the plugin's own error as its `__cause__`."""
        self._chain = chain
        self._plugins = QuietPlugins(chain)
        self._assigner = VoiceAssigner(self._plugins)
        self._regime = Regime(offered)
        self._revision = 0
        self._clock = clock
        self._talk = Talk(clock)
        self._people: dict[str, Somebody] = {}

    def join(
        self,
        identity: str,
        *,
        name: str | None = None,
        attributes: Mapping[str, str] | None = None,
        source_language: str | None = None,
    ) -> None:
        """Let somebody come, or come back.

        Args:
            identity: Tells them from everybody else, also after they left.
            name: What the others call them; by default the identity.
            attributes: LiveKit's participant attributes.
            source_language: What they say they speak; nobody knows where it is left out.
        """
        called = identity if name is None else name
        somebody = Somebody(identity, called, dict(attributes or {}), spoken(source_language))
        self._people[identity] = somebody
        self._follow()

    def leave(self, identity: str) -> None:
        """Let somebody leave."""
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
        """Change what is known of somebody; what is left out stays.

        Attributes are laid over those that are there, and an empty value takes one away, as in
        LiveKit.
        """
        somebody = self._find(identity)
        somebody.name = somebody.name if name is None else name
        merged = somebody.attributes | dict(attributes or {})
        somebody.attributes = {key: value for key, value in merged.items() if value}
        somebody.said = spoken(source_language) or somebody.said
        self._follow()

    def detect(self, identity: str, language: str) -> None:
        """Let Palabra hear what somebody speaks; counts where they did not say it themselves."""
        self._find(identity).detected = spoken(language)
        self._follow()

    def lose_voice(self, voice_id: str) -> None:
        """Let Palabra say that it has no such voice, as it does with `VOICE_NOT_FOUND`."""
        self._assigner.mark_unavailable(voice_id)
        self._plugins.stir()

    async def voice_of(self, identity: str, language: str) -> VoiceChoice | None:
        """The voice that somebody has in a language; None is the default voice.

        Raises:
            LookupError: They are not there, or not interpreted into that language.
        """
        return (await self.explain(identity, language)).choice

    async def explain(self, identity: str, language: str) -> Verdict:
        """The voice, the plugin that chose it, and why those before it did not.

        Raises:
            LookupError: They are not there, or not interpreted into that language.
        """
        somebody = self._find(identity)
        target = self._offered(language)
        if target not in somebody.targets(self._regime):
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
        """Let somebody say something, and wait until listeners have heard it.

        Time passes in the room by as much as that takes to say.

        Args:
            identity: Who says it.
            text: The whole of it so far.
            language: In which language; by default the one that they speak.
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
        code = spoken(language) or self._find(identity).language
        if code is None:
            raise ValueError(f"nobody knows what {identity} speaks: say it with `language`")

        targets = {self._offered(target): it for target, it in (translations or {}).items()}
        words = self._talk.words(
            identity, text, code, is_final=is_final, utterance=utterance, part=part
        )
        if is_final:
            # as in a real room: what Palabra heard last counts
            self.detect(identity, words.language)

        self._assigner.tell(identity, words)
        for target, translation in targets.items():
            translated = replace(words, language=target, text=translation, original=text)
            self._assigner.tell(identity, replace(translated, is_translation=True))

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
        """Let somebody's voice be heard, and wait for what is estimated of it.

        Args:
            identity: Who speaks.
            samples: What is heard: 48 kHz, mono. By default a synthetic voice.
            pitch_hz: The pitch of that.
            seconds: Its length.

        Returns:
            The timbre that later questions tell, as far as it is known.
        """
        somebody = self._find(identity)
        sound = voice_sound(pitch_hz, seconds) if samples is None else checked(samples)
        for second in range(0, sound.size, SAMPLE_RATE):
            heard = sound[second : second + SAMPLE_RATE]
            for frame in somebody.microphone.cut(heard):
                self._assigner.hear(somebody.identity, frame)

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

    def _find(self, identity: str) -> Somebody:
        if identity not in self._people:
            there = ", ".join(self._people) or "nobody"
            raise LookupError(f"{identity} is not in the room; there is {there}")

        return self._people[identity]

    def _offered(self, language: str) -> LanguageCode:
        code = match(language, self._regime.offered)
        if code is None:
            offered = ", ".join(self._regime.offered)
            raise LookupError(f'"{language}" is not offered in this room; offered is {offered}')

        return code
