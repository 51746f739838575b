"""All texts that are written into the room, one after the other: captions, chat lines, notices.

Writing must never hold the sound, so texts are queued here and sent by a task of their own. A
partial caption that waits is replaced by what comes after it, and so are the numbers that a speaker
is told of; a room that still does not keep up loses the oldest, which is counted. A text of many
readers goes out in batches; a batch that LiveKit refuses is tried again in halves, and readers who
are not reached are told of to the room.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Final, assert_never

from livekit import rtc

from palabra_agent.audio.rtc import is_up
from palabra_agent.interpretation.ports import (
    Caption,
    ChatLine,
    Notice,
    RoomText,
    SpeakerStatus,
)
from palabra_agent.meeting.livekit_names import (
    ATTRIBUTE_TRANSCRIPTION_FINAL,
    ATTRIBUTE_TRANSCRIPTION_SEGMENT_ID,
    ATTRIBUTE_TRANSCRIPTION_TRACK_ID,
    TOPIC_CHAT,
    TOPIC_TRANSCRIPTION,
)
from palabra_agent.meeting.readers import WHOLE_ROOM, Batch, batches_of, halves_of
from palabra_agent.texts import one_line, shown_name

STATUS_TOPIC: Final = "palabra.status"
"""On which speakers are told how many hear them interpreted."""

_LIMIT: Final = 500
_REMEMBERED: Final = 200
"""Chat messages of ours that are known again where another participant repeats them."""
_SEND_SECONDS: Final = 5.0
_MOST_UNREACHED: Final = 3
"""After so many batches that were not taken, of one reader or in time, the rest is left as well."""
_SHOWN_SECONDS: Final = 10.0
"""A trouble is shown for this long, so that it does not flicker between two messages."""
_LONGEST_SHOWN_SECONDS: Final = 60.0
"""A trouble is shown no longer where no further text tells whether it goes on."""

logger = logging.getLogger(__name__)


def _ignore(_trouble: str) -> None:
    pass


class TextSender:
    """Queues texts and sends them into a room."""

    def __init__(self, room: rtc.Room, on_trouble: Callable[[str], None] = _ignore) -> None:
        """Begin with nothing to send.

        Args:
            room: Where to.
            on_trouble: Told in a sentence what does not reach its readers, and with an empty one
                when all does again.
        """
        self._room = room
        self._on_trouble = on_trouble
        self._failed_at: dict[str, float] = {}
        """When a text last did not reach all its readers, by kind of text, where that is shown."""
        self._waiting: deque[RoomText] = deque()
        self._changed = asyncio.Event()
        self._is_idle = asyncio.Event()
        self._written = deque[str](maxlen=_REMEMBERED)
        """The last chat messages, as they were sent."""
        self.dropped = 0
        """Texts that never reached all their readers."""

    def put(self, text: RoomText) -> None:
        """Queue a text; never waits.

        A caption takes the place of its own waiting partial; one that waits already is sent once,
        to the readers of both. Of what a speaker is told the newest is sent.
        """
        if isinstance(text, Caption) and self._is_sent_with(text):
            return

        if isinstance(text, SpeakerStatus):
            self._forget_status_of(text.speaker)

        self._waiting.append(text)
        if len(self._waiting) > _LIMIT:
            self._waiting.popleft()
            self.dropped += 1

        self._is_idle.clear()
        self._changed.set()

    def wrote(self, message: str) -> bool:
        """Tell whether a chat message repeats one of ours, perhaps after a word of its own."""
        line = one_line(message)
        return any(line == it or line.endswith(f" {it}") for it in self._written)

    async def send_all(self) -> None:
        """Send what is queued, in order, until cancelled; waits while the room reconnects."""
        while True:
            while self._waiting and is_up(self._room):
                await self._send(self._waiting.popleft())

            self._is_idle.set()
            self._changed.clear()
            oldest = min(self._failed_at.values(), default=math.inf)
            ends_at = None if math.isinf(oldest) else oldest + _LONGEST_SHOWN_SECONDS
            with suppress(TimeoutError):
                async with asyncio.timeout_at(ends_at):
                    await self._changed.wait()

            self._forget_old_trouble()

    async def drain(self, seconds: float) -> None:
        """Wait until everything is sent that can be, but not longer than this."""
        try:
            async with asyncio.timeout(seconds):
                await self._is_idle.wait()
        except TimeoutError:
            logger.warning("messages were not sent", extra={"count": len(self._waiting)})

    def wake(self) -> None:
        """Look again whether the room can be written to."""
        self._changed.set()

    def _is_sent_with(self, new: Caption) -> bool:
        """Send a caption with the same one that waits, if one does; take back its own partial."""
        for index in range(len(self._waiting) - 1, -1, -1):
            waiting = self._waiting[index]
            if not isinstance(waiting, Caption) or waiting.segment_id != new.segment_id:
                continue

            if waiting.transcript == new.transcript:
                readers = dict.fromkeys((*waiting.recipients, *new.recipients))
                self._waiting[index] = replace(new, recipients=tuple(readers))
                return True

            if not waiting.transcript.is_final:
                del self._waiting[index]
                return False

        return False

    def _forget_status_of(self, speaker: str) -> None:
        waiting = (it for it in self._waiting if isinstance(it, SpeakerStatus))
        outdated = next((it for it in waiting if it.speaker == speaker), None)
        if outdated is not None:
            self._waiting.remove(outdated)

    async def _send(self, text: RoomText) -> None:
        if isinstance(text, ChatLine | Notice):
            self._written.append(_chat_message(text))
        was_sent = await self._reach_all(text)
        self.dropped += not was_sent
        self._note(_kind_of(text), was_sent=was_sent)

    async def _reach_all(self, text: RoomText) -> bool:
        """Send a text to all its readers; tell whether it reached them."""
        waiting, unreached = deque(self._batches(text)), 0
        while waiting and unreached < _MOST_UNREACHED:
            batch = waiting.popleft()
            try:
                async with asyncio.timeout(_SEND_SECONDS):
                    await _write(self._room.local_participant, text, batch)
            except TimeoutError:
                unreached += 1
            except (rtc.data_stream.StreamError, RuntimeError):
                if len(batch) > 1:
                    waiting.extendleft(reversed(halves_of(batch)))
                else:
                    unreached += 1

        return not unreached

    def _batches(self, text: RoomText) -> list[Batch]:
        """Divide the readers of a text; what is for all in a large room names none.

        A hidden participant, known to LiveKit's server alone, then reads it as well.
        """
        if isinstance(text, Notice) and not text.recipients:
            return [WHOLE_ROOM]

        batches = batches_of(text.recipients)
        if len(batches) > 1 and self._room.remote_participants.keys() <= set(text.recipients):
            return [WHOLE_ROOM]

        return batches

    def _note(self, kind: str, *, was_sent: bool) -> None:
        """Learn whether a text of some kind reached all its readers."""
        now = asyncio.get_running_loop().time()
        if not was_sent:
            self._show({**self._failed_at, kind: now})
        elif now - self._failed_at.get(kind, now) >= _SHOWN_SECONDS:
            self._show({it: at for it, at in self._failed_at.items() if it != kind})

    def _forget_old_trouble(self) -> None:
        since = asyncio.get_running_loop().time() - _LONGEST_SHOWN_SECONDS
        self._show({kind: at for kind, at in self._failed_at.items() if at > since})

    def _show(self, failed_at: dict[str, float]) -> None:
        """Tell the room of the kinds of texts that do not reach all their readers, if others."""
        before, self._failed_at = self._failed_at, failed_at
        if before.keys() == failed_at.keys():
            return

        for kind in failed_at.keys() - before.keys():
            logger.warning("a message to the room could not be sent", extra={"kind": kind})
        kinds = " and ".join(failed_at)
        self._on_trouble(f"{kinds} do not reach all their readers" if kinds else "")


async def _write(participant: rtc.LocalParticipant, text: RoomText, readers: Batch) -> None:
    match text:
        case Caption():
            await _send_caption(participant, text, readers)
        case ChatLine():
            await participant.send_text(
                _chat_message(text),
                topic=TOPIC_CHAT,
                destination_identities=list(readers),
                attributes=chat_attributes(text),
            )
        case Notice():
            await participant.send_text(
                _chat_message(text), topic=TOPIC_CHAT, destination_identities=list(readers)
            )
        case SpeakerStatus():
            await participant.send_text(
                status_text(text), topic=STATUS_TOPIC, destination_identities=list(readers)
            )
        case _:
            assert_never(text)


async def _send_caption(
    participant: rtc.LocalParticipant, caption: Caption, readers: Batch
) -> None:
    writer = await participant.stream_text(
        topic=TOPIC_TRANSCRIPTION,
        destination_identities=list(readers),
        attributes=caption_attributes(caption),
        sender_identity=caption.speaker,
    )
    await writer.write(one_line(caption.transcript.text))
    await writer.aclose()


def _chat_message(text: ChatLine | Notice) -> str:
    """A chat line or a notice as it is sent."""
    if isinstance(text, Notice):
        return one_line(text.text)

    return f"{shown_name(text.speaker_name, text.speaker)}: {one_line(text.transcript.text)}"


def _kind_of(text: RoomText) -> str:
    """The name of a kind of text, as people know it."""
    match text:
        case Caption():
            return "captions"
        case SpeakerStatus():
            return "numbers of listeners"
        case ChatLine() | Notice():
            return "chat messages"


def caption_attributes(caption: Caption) -> dict[str, str]:
    """Attributes of a caption: LiveKit's names, and those of its translator example."""
    said = caption.transcript
    return {
        ATTRIBUTE_TRANSCRIPTION_SEGMENT_ID: caption.segment_id,
        ATTRIBUTE_TRANSCRIPTION_FINAL: _flag(said.is_final),
        ATTRIBUTE_TRANSCRIPTION_TRACK_ID: caption.track_sid,
        "language": said.language,
        "translated": _flag(said.is_translation),
    }


def chat_attributes(line: ChatLine) -> dict[str, str]:
    """Attributes of a chat line, so that an app may show it differently from people's own."""
    said = line.transcript
    return {
        "palabra.kind": "translation" if said.is_translation else "transcription",
        "palabra.speaker": line.speaker,
        "palabra.transcription_id": said.transcription_id,
        "language": said.language,
        **({"palabra.typed": "true"} if line.is_typed else {}),
    }


def status_text(status: SpeakerStatus) -> str:
    """What a speaker is told, as JSON, by the names of the RPC method `palabra.status`."""
    told = {"listeners": status.listeners, "lag_seconds": status.lag_seconds}
    left = {} if status.seconds_left is None else {"seconds_left": status.seconds_left}
    return json.dumps(told | left)


def _flag(value: bool) -> str:
    return "true" if value else "false"
