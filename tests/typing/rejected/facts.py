"""Facts and answers used otherwise than they are: rejected where that is done."""

from __future__ import annotations

from palabra_agent.plugin import (
    FixedVoice,
    Passed,
    PluginConfig,
    RoomInfo,
    Speech,
    Timbre,
    TimbreMatchedVoice,
    TranscriptEvent,
    VoiceAnswer,
    VoicePolicy,
    VoiceRequest,
)


class Settings(PluginConfig):
    key: str = ""


def answers(request: VoiceRequest) -> list[VoiceAnswer]:
    return [
        FixedVoice(7),  # error: argument
        FixedVoice(id="default_high"),  # error: argument
        FixedVoice(),  # error: argument
        TimbreMatchedVoice(high=["a", "b"]),  # error: argument
        Passed(None),  # error: argument
        Timbre(120.0),  # error: answer
    ]


def reads(request: VoiceRequest, event: TranscriptEvent, speech: Speech) -> list[object]:
    return [
        request.speaker.pitch,  # error: attribute
        request.speaker.timbre.pitch_hz,  # error: none
        request.language,  # error: attribute
        event.speaker.nmae,  # error: attribute
        speech.duration,  # error: attribute
    ]


def writes(request: VoiceRequest) -> None:
    request.current = FixedVoice("default_high")  # error: read-only
    request.speaker.attributes["palabra.voice"] = "x"  # error: read-only


def reads_settings(room: RoomInfo[Settings]) -> str:
    return room.settings.kee  # error: attribute


class AnswersWithText(VoicePolicy):
    async def choose_voice(self, request: VoiceRequest) -> VoiceAnswer:
        return "default_high"  # error: answer
