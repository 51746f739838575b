"""The Palabra client as a whole: settings in, sessions out. It suffices for using Palabra alone.

async with open_api(CLOUD, ApiKey(key)) as api:
    sessions = make_sessions(api, TaskSettings(transport="websocket"))
    async with sessions.open(Brief(LanguageCode("en"), (LanguageCode("es"),))) as session:
        for frame in FrameReader().cut(speech):  # 48 kHz, mono, int16
            session.write(frame)  # one every 20 ms, at the speed of speech
        # session.pause() … session.resume(): what is written in between is not heard, nor charged
        session.finish()
        async for event in session.events():
            ...  # a Transcript, or an InterpretationStarted with a source to listen to

A source goes on until all that came was heard, also when the events and the session have ended.

A voice is cloned where settings or a brief ask for it and `Brief(…, may_clone=True)` says that the
speaker has agreed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from palabra_agent.audio.frame import Frame, FrameReader, FrameSource
from palabra_agent.audio.pcm import FRAME_SAMPLES, SAMPLE_RATE, Pcm
from palabra_agent.errors import PalabraAgentError, WrongState
from palabra_agent.languages import LanguageCode, find_source, find_target, normalise, spell_target
from palabra_agent.palabra.rest.api import (
    ApiKey,
    AppCredentials,
    Credentials,
    PalabraApi,
    open_api,
)
from palabra_agent.palabra.session.activity import SilenceLimits
from palabra_agent.palabra.session.session import PalabraSession
from palabra_agent.palabra.session_settings import SessionSettings
from palabra_agent.palabra.sessions import PalabraSessions
from palabra_agent.palabra.task.settings import TaskSettings
from palabra_agent.session import (
    Brief,
    BriefFollowed,
    FellSilent,
    InterpretationEnded,
    InterpretationStarted,
    SessionEvent,
    SpokeAgain,
    Transcript,
    UpdateRefused,
    VoiceMissing,
)
from palabra_agent.voices import ClonedVoice, FixedVoice, TimbreMatchedVoice, VoiceChoice

__all__ = [
    "CLOUD",
    "FRAME_SAMPLES",
    "SAMPLE_RATE",
    "ApiKey",
    "AppCredentials",
    "Brief",
    "BriefFollowed",
    "ClonedVoice",
    "Credentials",
    "FellSilent",
    "FixedVoice",
    "Frame",
    "FrameReader",
    "FrameSource",
    "InterpretationEnded",
    "InterpretationStarted",
    "LanguageCode",
    "PalabraAgentError",
    "PalabraApi",
    "PalabraSession",
    "PalabraSessions",
    "Pcm",
    "SessionEvent",
    "SessionSettings",
    "SilenceLimits",
    "SpokeAgain",
    "TaskSettings",
    "TimbreMatchedVoice",
    "Transcript",
    "UpdateRefused",
    "VoiceChoice",
    "VoiceMissing",
    "WrongState",
    "find_source",
    "find_target",
    "make_sessions",
    "normalise",
    "open_api",
    "spell_target",
]

CLOUD: Final = "https://api.palabra.ai"
"""The address of Palabra's cloud."""


def make_sessions(
    api: PalabraApi,
    settings: TaskSettings | None = None,
    *,
    detectable_languages: Iterable[LanguageCode] = (),
    partial_translations: bool = False,
    silence_limits: SilenceLimits | None = None,
) -> PalabraSessions:
    """Prepare to open sessions, each for one speaker.

    Args:
        api: Palabra's REST API, with credentials.
        settings: Of every task: transport, voices, queues and all else but the languages.
        detectable_languages: What a speaker on `auto` may speak; all where empty.
        partial_translations: Whether sentences are translated while they are spoken, where the
            settings do not say.
        silence_limits: On the silence of speakers, and of Palabra; by default sessions never pause.
    """
    held = SessionSettings(
        task=settings or TaskSettings(),
        detectable_languages=tuple(detectable_languages),
        partial_translations=partial_translations,
        silence_limits=silence_limits or SilenceLimits(),
    )
    return PalabraSessions(api, held)
