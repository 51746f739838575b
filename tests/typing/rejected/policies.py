"""Capabilities that say what they are, and are not: rejected where they are written."""

from __future__ import annotations

from palabra_agent.plugin import (
    FixedVoice,
    Speech,
    TimbreEstimator,
    TranscriptEvent,
    TranscriptListener,
    VoiceAnswer,
    VoicePolicy,
    VoiceRequest,
)


class AnswersWithAnId(VoicePolicy):
    async def choose_voice(self, request: VoiceRequest) -> str:  # error: override
        return "default_high"


class IsNotAsync(VoicePolicy):
    def choose_voice(self, request: VoiceRequest) -> VoiceAnswer:  # error: override
        return FixedVoice("default_high")


class WantsMore(VoicePolicy):
    async def choose_voice(self, request: VoiceRequest, key: str) -> VoiceAnswer:  # error: override
        return FixedVoice("default_high")


class WantsNothing(VoicePolicy):
    async def choose_voice(self) -> VoiceAnswer:  # error: override
        return FixedVoice("default_high")


class WantsSomethingElse(VoicePolicy):
    async def choose_voice(self, request: TranscriptEvent) -> VoiceAnswer:  # error: override
        return FixedVoice("default_high")


class CallsItOtherwise(VoicePolicy):
    async def choose_voice(self, facts: VoiceRequest) -> VoiceAnswer:  # error: override, pyright alone
        return FixedVoice("default_high")


class AnswersWithAPitch(TimbreEstimator):
    async def estimate_timbre(self, speech: Speech) -> float:  # error: override
        return 120.0


class ListensToText(TranscriptListener):
    async def on_transcript(self, event: str) -> None:  # error: override
        return None


class IsMisspelt(VoicePolicy):
    async def chose_voice(self, request: VoiceRequest) -> VoiceAnswer:
        return FixedVoice("default_high")


class LacksTheSecond(VoicePolicy, TranscriptListener):
    async def choose_voice(self, request: VoiceRequest) -> VoiceAnswer:
        return FixedVoice("default_high")


misspelt = IsMisspelt()  # error: abstract
half = LacksTheSecond()  # error: abstract
