"""Settings that sessions are opened by, and those that still change for one that is open. Pure.

The transport, its formats and whether there is speech at all are settled when a session is joined;
all else of the task is told to a running session, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from palabra_agent.languages import LanguageCode
from palabra_agent.palabra.protocol.commands import Task
from palabra_agent.palabra.rest.api import SessionTicket
from palabra_agent.palabra.session.activity import SilenceLimits
from palabra_agent.palabra.task.building import build_task
from palabra_agent.palabra.task.settings import TaskSettings
from palabra_agent.palabra.transports.port import Transport
from palabra_agent.palabra.transports.translated_speech import QueueLimits
from palabra_agent.palabra.transports.webrtc import join_room
from palabra_agent.palabra.transports.websocket import join_websocket
from palabra_agent.palabra.vocabulary import GLOBAL, STREAM_TYPES, TransportKind
from palabra_agent.session import Brief


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """Everything that holds for all sessions of a room, for every speaker."""

    task: TaskSettings = field(default_factory=TaskSettings)
    """Of every task: transport, voices, queues and all else but the languages."""
    detectable_languages: tuple[LanguageCode, ...] = ()
    """The languages that a speaker on `auto` may speak; all where empty."""
    partial_translations: bool = False
    """True where sentences are translated while they are spoken, if `task` does not say."""
    silence_limits: SilenceLimits = field(default_factory=SilenceLimits)
    """Limits on the silence of speakers, and of Palabra."""

    def for_session_of(self, opened: SessionSettings) -> SessionSettings:
        """These settings as far as they may hold for a session that others opened."""
        then, now = opened.task, self.task
        settled = {name: getattr(then, name) for name in ("transport", "websocket", "speech")}
        if not then.speech:
            said = {key: it for key, it in now.undocumented.items() if key != "output_stream"}
            settled["undocumented"] = said

        task = now.model_copy(update=settled)
        return replace(self, task=task, silence_limits=opened.silence_limits)

    def makes_tasks_of(self, other: SessionSettings) -> bool:
        """Tell whether the tasks of open sessions are made the same by both."""
        return (
            self.detectable_languages == other.detectable_languages
            and self.partial_translations == other.partial_translations
            and self.for_session_of(other).task.makes_same_task_as(other.task)
        )


Join: TypeAlias = Callable[[SessionTicket], AbstractAsyncContextManager[Transport]]
"""Joins a created session for the length of a block."""

TaskBuilder: TypeAlias = Callable[[SessionSettings, Brief, TransportKind], Task]
"""Makes a task from what holds for all sessions and from what is wanted of this one."""

JoinMaker: TypeAlias = Callable[
    [SessionSettings, Mapping[str, QueueLimits]], Mapping[TransportKind, Join]
]
"""Makes the ways into a session, given how much may wait to be heard."""


def make_task(settings: SessionSettings, brief: Brief, kind: TransportKind) -> Task:
    """Make the `data` of `set_task` for one speaker."""
    return build_task(
        settings.task,
        source_language=brief.source_language,
        detectable_languages=settings.detectable_languages,
        targets=brief.targets,
        partial_translations=settings.partial_translations,
        transport=STREAM_TYPES[kind],
        voices=brief.voices,
        may_clone=brief.may_clone,
    )


def make_joins(
    settings: SessionSettings, limits: Mapping[str, QueueLimits]
) -> Mapping[TransportKind, Join]:
    """Make the ways into a session that is opened now."""
    task = settings.task

    def over_webrtc(ticket: SessionTicket) -> AbstractAsyncContextManager[Transport]:
        return join_room(ticket.webrtc_url, ticket.token, expects_tracks=task.speech)

    def over_websocket(ticket: SessionTicket) -> AbstractAsyncContextManager[Transport]:
        url, token, formats = ticket.ws_url, ticket.token, task.websocket
        return join_websocket(url, token, formats, limits, expects_speech=task.speech)

    return {"webrtc": over_webrtc, "websocket": over_websocket}


def queue_limits(task: TaskSettings) -> Mapping[str, QueueLimits]:
    """Bound what waits on our side of a WebSocket like what waits on Palabra's."""
    queues = {key: task.queue_config_of(key) for key in (GLOBAL, *task.translation_queue_configs)}
    return {
        key: QueueLimits(queue.max_queue_level_ms, queue.desired_queue_level_ms)
        for key, queue in queues.items()
    }
