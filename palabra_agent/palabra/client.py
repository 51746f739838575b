"""The Palabra client as a whole: settings in, sessions out. All that somebody else needs of it.

async with open_api(CLOUD, ApiKey(key)) as api:
    sessions = make_sessions(api, TaskSettings(transport="websocket"))
    async with sessions.open(Brief(LanguageCode("en"), (LanguageCode("es"),))) as session:
        session.write(frame)  # 20 ms of speech, in real time
        session.finish()  # when all is said
        async for event in session.events():
            ...  # a Transcript, or an InterpretationStarted with a source to listen to
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Final

from palabra_agent.errors import PalabraAgentError
from palabra_agent.interpretation.ports import (
    Brief,
    BriefFollowed,
    FellSilent,
    FrameSource,
    InterpretationEnded,
    InterpretationStarted,
    SessionEvent,
    Transcript,
    UpdateRefused,
)
from palabra_agent.languages import LanguageCode, normalise
from palabra_agent.palabra.rest.api import (
    ApiKey,
    AppCredentials,
    Credentials,
    PalabraApi,
    open_api,
)
from palabra_agent.palabra.session.session import PalabraSession
from palabra_agent.palabra.session.uplink import Habits
from palabra_agent.palabra.sessions import Join, PalabraSessions
from palabra_agent.palabra.talk.meanings import Task
from palabra_agent.palabra.task.building import build_task
from palabra_agent.palabra.task.settings import TaskSettings
from palabra_agent.palabra.transports.choice import TransportChoice
from palabra_agent.palabra.transports.stream.speech_queue import QueueLimits
from palabra_agent.palabra.transports.stream.websocket import join_stream
from palabra_agent.palabra.transports.webrtc import join
from palabra_agent.palabra.vocabulary import GLOBAL, STREAM_TYPES, TransportKind

__all__ = [
    "CLOUD",
    "ApiKey",
    "AppCredentials",
    "Brief",
    "BriefFollowed",
    "Credentials",
    "FellSilent",
    "FrameSource",
    "Habits",
    "InterpretationEnded",
    "InterpretationStarted",
    "LanguageCode",
    "PalabraAgentError",
    "PalabraApi",
    "PalabraSession",
    "PalabraSessions",
    "SessionEvent",
    "TaskSettings",
    "Transcript",
    "UpdateRefused",
    "make_sessions",
    "normalise",
    "open_api",
]

CLOUD: Final = "https://api.palabra.ai"
"""Where Palabra is."""


def make_sessions(
    api: PalabraApi,
    settings: TaskSettings | None = None,
    *,
    detectable_languages: Iterable[LanguageCode] = (),
    partial_translations: bool = False,
    habits: Habits | None = None,
) -> PalabraSessions:
    """Prepare to open sessions, each for one speaker.

    Args:
        api: Palabra's REST API, with credentials.
        settings: Of every task: transport, voices, queues and all else but the languages.
        detectable_languages: What a speaker on `auto` may speak; all where empty.
        partial_translations: Whether sentences are translated while they are spoken, where the
            settings do not say.
        habits: How sessions behave by themselves.
    """
    settings = settings or TaskSettings()
    detectable = tuple(detectable_languages)

    def make_task(brief: Brief, kind: TransportKind) -> Task:
        return build_task(
            settings,
            source_language=brief.source_language,
            detectable_languages=detectable,
            targets=brief.targets,
            partial_translations=partial_translations,
            transport=STREAM_TYPES[kind],
        )

    return PalabraSessions(
        api,
        make_task,
        _joins(settings),
        TransportChoice(settings.transport),
        habits or Habits(),
    )


def _joins(settings: TaskSettings) -> Mapping[TransportKind, Join]:
    return {
        "webrtc": partial(join, expects_tracks=settings.speech),
        "websocket": partial(
            join_stream,
            formats=settings.websocket,
            limits=_queue_limits(settings),
            expects_speech=settings.speech,
        ),
    }


def _queue_limits(settings: TaskSettings) -> Mapping[str, QueueLimits]:
    """What waits on our side of a WebSocket is bounded like what waits on Palabra's."""
    queues = {
        key: settings.queue_config_of(key) for key in (GLOBAL, *settings.translation_queue_configs)
    }
    return {
        key: QueueLimits(queue.max_queue_level_ms, queue.desired_queue_level_ms)
        for key, queue in queues.items()
    }
