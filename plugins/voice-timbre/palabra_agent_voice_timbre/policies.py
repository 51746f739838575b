"""The two policies: detection by Palabra, or here."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from palabra_agent.plugin import (
    FixedVoice,
    LanguageCode,
    NoSettings,
    Passed,
    RoomInfo,
    Speech,
    Timbre,
    TimbreEstimator,
    TimbreMatchedVoice,
    VoiceAnswer,
    VoicePolicy,
    VoiceRequest,
)
from palabra_agent_voice_timbre.assigning import ClassVoices
from palabra_agent_voice_timbre.config import TimbreConfig, class_of
from palabra_agent_voice_timbre.hearing import Hearing, open_hearing

_NOT_KNOWN: Final = Passed("timbre not known yet")


class PalabraDetection(VoicePolicy):
    """One high and one low voice per language, between which Palabra chooses."""

    def __init__(self, config: TimbreConfig) -> None:
        self._low, self._high = config.voice_classes

    async def choose_voice(self, request: VoiceRequest) -> VoiceAnswer:
        """Name the two voices of the language."""
        target = request.target_language
        if not self._low.names(target) and not self._high.names(target):
            return _no_voices(target)

        low = self._low.voices_for(target, request.unavailable)
        high = self._high.voices_for(target, request.unavailable)
        return TimbreMatchedVoice(high[0], low[0]) if high and low else _none_left(target)


class LocalDetection(VoicePolicy, TimbreEstimator):
    """Several voices per class and language, given by the pitch of the speaker's own voice."""

    def __init__(self, config: TimbreConfig, hearing: Hearing) -> None:
        self._classes = config.voice_classes
        self._passes_until_known = config.until_known == "pass"
        self._hearing = hearing
        self._voices = ClassVoices()

    async def choose_voice(self, request: VoiceRequest) -> VoiceAnswer:
        """Give a voice of the speaker's class, or begin with what Palabra hears."""
        target = request.target_language
        if not any(it.names(target) for it in self._classes):
            return _no_voices(target)

        if request.speaker.timbre is None:
            return _NOT_KNOWN if self._passes_until_known else self._begin(request)

        place = class_of(request.speaker.timbre.pitch_hz, self._classes)
        voices = self._classes[place].voices_for(target, request.unavailable)
        if not voices:
            return _none_left(target)

        return FixedVoice(self._voices.give(place, voices, request))

    async def estimate_timbre(self, speech: Speech) -> Timbre | None:
        """Estimate the pitch, in a thread of its own."""
        pitch_hz = await self._hearing.estimate_pitch(speech)
        return None if pitch_hz is None else Timbre(pitch_hz)

    def _begin(self, request: VoiceRequest) -> VoiceAnswer:
        """Promise a voice of the highest class and one of the lowest, for Palabra to choose.

        Where both hear the same, the speaker keeps the voice that they began with.
        """
        last = len(self._classes) - 1
        low, high = (
            self._classes[place].voices_for(request.target_language, request.unavailable)
            for place in (0, last)
        )
        if not low or not high:
            return _NOT_KNOWN

        return TimbreMatchedVoice(
            high=self._voices.promise(last, high, request),
            low=self._voices.promise(0, low, request),
        )


def _no_voices(target: LanguageCode) -> Passed:
    return Passed(f"no voices for {target}")


def _none_left(target: LanguageCode) -> Passed:
    return Passed(f"none of the voices for {target} is available")


@asynccontextmanager
async def open_timbre(
    _room: RoomInfo[NoSettings], config: TimbreConfig
) -> AsyncGenerator[PalabraDetection | LocalDetection]:
    """Open the policy for a room; with local detection, the thread that listens is its own."""
    if config.detection == "palabra":
        yield PalabraDetection(config)
        return

    async with open_hearing() as hearing:
        yield LocalDetection(config, hearing)
