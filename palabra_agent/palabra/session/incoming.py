"""What comes from Palabra, and what becomes of it: words, tracks, where the task stands."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from palabra_agent.palabra.protocol.conversation import TaskConversation
from palabra_agent.palabra.protocol.events import ConversationEvent, OperatorNotice, SessionEnded
from palabra_agent.palabra.protocol.messages import QueueLevels
from palabra_agent.palabra.session.event_stream import EventStream
from palabra_agent.palabra.session.interruption import Interruption
from palabra_agent.palabra.session.notices import Notices
from palabra_agent.palabra.session.telling import Telling
from palabra_agent.palabra.session.uplink import Uplink
from palabra_agent.palabra.transports.port import (
    Disconnected,
    Interrupted,
    MessageReceived,
    PeerArrived,
    Resumed,
    TrackEnded,
    TrackStarted,
    TransportEvent,
)
from palabra_agent.session import (
    Brief,
    BriefFollowed,
    FellSilent,
    SpokeAgain,
    Transcript,
    UpdateRefused,
    VoiceMissing,
)


class Incoming:
    """One session's, on its way to whoever listens to the session."""

    def __init__(
        self, conversation: TaskConversation, uplink: Uplink, on_silence: Callable[[], None]
    ) -> None:
        """Begin with nothing having come.

        Args:
            conversation: Knows what a message means for the task.
            uplink: Wants to know whether its speech is answered.
            on_silence: Called when the session turns out to be connected and of no use.
        """
        self.stream: Final = EventStream()
        """Where everything is told, in order."""
        self._conversation = conversation
        self._uplink = uplink
        self._on_silence = on_silence
        self._telling = Telling(self.stream, self._listen)
        self._notices = Notices()
        self._interruption = Interruption()

    @property
    def brief(self) -> Brief:
        """What is asked for now."""
        return self._telling.brief

    @property
    def unread(self) -> int:
        """How many messages meant nothing to us."""
        return self._notices.unread

    @property
    def misses_at(self) -> float:
        """When `miss` has something to say, unless something comes; infinity for never."""
        return self._interruption.ends_at

    def follow(self, brief: Brief) -> None:
        """Something else is asked for."""
        self._telling.follow(brief)

    def understand(self, happened: TransportEvent) -> None:
        """Take in what happens on the transport."""
        self._interruption.hear(_now())
        match happened:
            case MessageReceived(message):
                if isinstance(message, QueueLevels) and any(message.levels_ms.values()):
                    self._uplink.answered()
                self.take(self._conversation.receive(message, _now()))
            case TrackStarted(language, source):
                self._telling.start(language, source)
            case TrackEnded(source):
                self._telling.end(source)
                # a task that is gone says nothing by itself, but is not found
                self._conversation.ask_again()
            case PeerArrived():
                self._conversation.repeat()
            case Interrupted():
                self._interruption.begin(_now())
            case Resumed():
                self._interruption.end()
                self._conversation.ask_again()
                self.stream.tell(SpokeAgain())
            case Disconnected(reason, was_useless):
                if was_useless:
                    self._on_silence()
                self.lose(reason)

    def take(self, events: Iterable[ConversationEvent]) -> None:
        """Tell the session's events as they are; note what is for the operator."""
        for event in events:
            match event:
                case Transcript():
                    self._uplink.read(event, _now())
                    self._telling.read_out(event)
                case BriefFollowed() | UpdateRefused() | VoiceMissing():
                    self.stream.tell(event)
                case SessionEnded(error):
                    self.stream.end(error)
                case OperatorNotice():
                    self._notices.take(event)

    def lose(self, reason: str) -> None:
        """Nothing more comes."""
        self.take(self._conversation.lose(reason))

    def miss(self) -> None:
        """Have a new session made while LiveKit still tries to get a lost connection back."""
        if self._interruption.is_over(_now()):
            self._interruption.end()
            self.stream.tell(FellSilent())

    def _listen(self) -> None:
        """Interpreted speech sounds."""
        self._uplink.listen(_now())
        self._conversation.hear_tail(_now())


def _now() -> float:
    return asyncio.get_running_loop().time()
