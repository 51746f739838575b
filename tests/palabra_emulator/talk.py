"""A session that a test is the client, the clock and the voice of."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from palabra_agent.audio.pcm import Pcm
from palabra_agent.audio.tones import tone
from palabra_agent.languages import normalise
from palabra_emulator.faults.immediate_faults import ImmediateFaults
from palabra_emulator.faults.injection import FaultInjector
from palabra_emulator.faults.reading import read_fault
from palabra_emulator.faults.signalling import faultless_signalling
from palabra_emulator.interpreting.playout import SPEECH_RATE
from palabra_emulator.interpreting.utterances import HEARING_RATE
from palabra_emulator.journal import Journal
from palabra_emulator.options import EmulatorOptions
from palabra_emulator.script import Script, Sentence, load_script
from palabra_emulator.session.command_handler import CommandHandler
from palabra_emulator.session.session import EmulatedSession, new_identity
from palabra_emulator.session.task import TaskRules
from tests.palabra_emulator.client import ALL_TEXTS, decoded, task
from tests.palabra_emulator.fakes import OPTIONS, Clock, FakeRooms

QUIET = replace(OPTIONS, queue_map_hz=0.0)

SETTINGS: Final = task("en", "es", "de", allowed_message_types=ALL_TEXTS)

LENIENT: Final = replace(QUIET, rate_limits="off")

_STEP_SECONDS: Final = 0.05


class Talk:
    """A session that the test is the client, the clock and the voice of; things may go wrong."""

    def __init__(
        self,
        options: EmulatorOptions = QUIET,
        sentences: Sequence[Sentence] = (),
        *,
        faults: Sequence[dict[str, Any]] = (),
        rules: TaskRules | None = None,
    ) -> None:
        self.clock = Clock()
        self.journal = Journal()
        self.injector = FaultInjector(self.journal, self.clock)
        for fault in faults:
            self.arm(**fault)
        self.session = EmulatedSession(
            new_identity(0, "api"),
            options,
            Script(tuple(sentences)) if sentences else load_script(),
            self.journal,
            injector=self.injector,
            clock=self.clock,
        )
        self.conversation = CommandHandler(
            self.session, options, rules or TaskRules(), clock=self.clock
        )
        self.rooms = FakeRooms()
        self.striking = ImmediateFaults(
            self.injector, lambda: [self.session], self.rooms, faultless_signalling()
        )

    def arm(self, **wish: object) -> None:
        """Let something go wrong."""
        self.injector.arm(read_fault(wish))

    async def strike(self, **wish: object) -> list[dict[str, Any]]:
        """Let something go wrong at once; what comes of it."""
        self.arm(**wish)
        await self.striking.look()
        return self.posted()

    def say(self, message_type: str, **data: object) -> list[dict[str, Any]]:
        """Send a command; what comes back at once."""
        payload = json.dumps({"message_type": message_type, "data": data}).encode()
        self.conversation.receive(payload)
        return self.posted()

    def wait(self, seconds: float) -> list[dict[str, Any]]:
        """Let time pass in small steps; what comes meanwhile."""
        for _ in range(round(seconds / _STEP_SECONDS)):
            self._step()

        return self.posted()

    def hear(self, *sounds: Pcm) -> list[dict[str, Any]]:
        """Let the session hear some sound in real time; what comes meanwhile."""
        sound = np.concatenate(sounds)
        for start in range(0, sound.size, HEARING_RATE // 20):
            self._step(sound[start : start + HEARING_RATE // 20])

        return self.posted()

    def utterance(self) -> list[dict[str, Any]]:
        """Say something to the session, and wait until it is translated."""
        return self.hear(voice(1.5), hush(2.0))

    def start(self, settings: dict[str, Any]) -> None:
        """Have a running task."""
        self.session.client_joined()
        self.say("set_task", **settings)
        self.wait(0.6)

    def posted(self) -> list[dict[str, Any]]:
        """What the session has said since the last question."""
        return [decoded(payload) for payload in iter(self.session.outbox.take, None)]

    def _step(self, sound: Pcm | None = None) -> None:
        self.clock.advance(_STEP_SECONDS)
        while not self.session.speech_wanted.empty():
            wanted = self.session.speech_wanted.get_nowait()
            samples = round(wanted.request.seconds / wanted.request.tempo * SPEECH_RATE)
            wanted.pcm = np.ones(samples, np.int16)
        if sound is not None:
            self.session.input_arrived()
            self.session.hear(sound)
        self.session.tick()
        self.conversation.tick()
        self.session.sound_due()


def sentence(said_in: str | None = None, /, **texts: str) -> Sentence:
    """A sentence of a script, with its text in each language."""
    by_code = {normalise(language): text for language, text in texts.items()}
    return Sentence(by_code, None if said_in is None else normalise(said_in))


def voice(seconds: float) -> Pcm:
    """Speech for the session to hear."""
    return tone(300, seconds, rate=HEARING_RATE)


def hush(seconds: float) -> Pcm:
    """Silence for the session to hear."""
    return np.zeros(round(seconds * HEARING_RATE), np.int16)


def kinds(messages: list[dict[str, Any]]) -> list[str]:
    """The types of messages."""
    return [message["message_type"] for message in messages]


def codes(messages: list[dict[str, Any]]) -> list[str]:
    """The codes of errors and warnings."""
    return [message["data"]["code"] for message in messages]


def running(*faults: dict[str, Any], options: EmulatorOptions = LENIENT) -> Talk:
    """A session that runs, with faults."""
    talk = Talk(options, faults=faults)
    talk.start(SETTINGS)
    talk.posted()
    return talk
