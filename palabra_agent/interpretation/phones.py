"""What callers by telephone hear beside interpretations: the people of the meeting themselves.

A phone can neither choose tracks nor lower one of them. Its channel therefore carries everything:
people who speak its language, interpretations of the others, and beneath these what they say in
their own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from palabra_agent.audio.buffer import FrameBuffer
from palabra_agent.audio.mixer import Mixer
from palabra_agent.failures import log_failure
from palabra_agent.interpretation.channels import Channel, Channels
from palabra_agent.interpretation.ports import MeetingView, Microphone
from palabra_agent.session import Brief

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Original:
    """A person's own voice on its way to phones."""

    microphone: Microphone
    inputs: dict[Channel, tuple[Mixer, FrameBuffer]] = field(
        default_factory=dict[Channel, tuple[Mixer, FrameBuffer]]
    )

    def lead_into(self, mixers: Mapping[Channel, Mixer]) -> None:
        """Be heard in these mixers from now on, and in no others."""
        for channel, (mixer, backlog) in list(self.inputs.items()):
            if mixers.get(channel) is not mixer:
                mixer.remove_input(backlog)
                del self.inputs[channel]

        for channel, mixer in mixers.items():
            if channel not in self.inputs:
                self.inputs[channel] = (mixer, mixer.add_input())

    async def relay(self) -> None:
        """Listen until cancelled, or until an error of ours."""
        try:
            async with self.microphone.open_frames() as frames:
                async for frame in frames:
                    for _, backlog in self.inputs.values():
                        backlog.put(frame)
        except Exception as error:  # noqa: BLE001 - a fence, as around a speaker
            log_failure(logger, "a voice could not be relayed to phones", error)


class PhoneOriginals:
    """Brings people's own voices into the channels of phones, while there are any."""

    def __init__(self, channels: Channels, group: asyncio.TaskGroup) -> None:
        self._channels = channels
        self._group = group
        self._originals: dict[str, _Original] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def follow(self, view: MeetingView, briefs: Mapping[str, Brief]) -> None:
        """Relay the people who are there now to the phones that are there now; never waits.

        Args:
            view: The meeting.
            briefs: Say which people are interpreted, and into what.
        """
        phones = [it for it in self._channels.open.values() if it.underlay is not None]
        microphones = {
            person.identity: person.microphone
            for person in view.people
            if person.microphone is not None
            and any(phone.key.listener != person.identity for phone in phones)
        }
        for identity in list(self._originals):
            if microphones.get(identity) is not self._originals[identity].microphone:
                self._end(identity)

        for identity, microphone in microphones.items():
            if identity not in self._originals:
                original = self._originals[identity] = _Original(microphone)
                self._tasks[identity] = self._group.create_task(original.relay(), name="original")
            brief = briefs.get(identity)
            targets = brief.targets if brief is not None else ()
            self._originals[identity].lead_into(_mixers_for(identity, targets, phones))

    def close(self) -> None:
        """Relay no voice any more."""
        for identity in list(self._originals):
            self._end(identity)

    def _end(self, identity: str) -> None:
        self._tasks.pop(identity).cancel()
        self._originals.pop(identity).lead_into({})


def _mixers_for(
    speaker: str, targets: Iterable[str], phones: Iterable[Channel]
) -> Mapping[Channel, Mixer]:
    """The mixer of each phone in which a speaker's own voice is heard."""
    interpreted = set(targets)
    return {
        phone: phone.underlay.mixer if phone.key.language in interpreted else phone.mixer
        for phone in phones
        if phone.underlay is not None and phone.key.listener != speaker
    }
