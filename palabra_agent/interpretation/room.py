"""Interprets one room: compares what is wanted with what goes on, and starts and ends speakers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from palabra_agent.errors import PalabraError
from palabra_agent.interpretation.channel import LanguageChannel, open_channel
from palabra_agent.interpretation.condition import Troubles
from palabra_agent.interpretation.ledger import Ledger
from palabra_agent.interpretation.lingering import Lingering
from palabra_agent.interpretation.plan import Plan, Regime, plan
from palabra_agent.interpretation.ports import (
    Floor,
    FloorView,
    SessionOpener,
    Transcript,
    UpdateRefused,
)
from palabra_agent.interpretation.scribe import Scribe, WritingRules
from palabra_agent.interpretation.shift import Assignment, Outlets
from palabra_agent.interpretation.speaker import interpret_speaker
from palabra_agent.interpretation.watched import Watched
from palabra_agent.languages import AUTO, LanguageCode, base

logger = logging.getLogger(__name__)


async def interpret_room(
    floor: Floor,
    regime: Regime,
    rules: WritingRules,
    open_session: SessionOpener,
    *,
    linger_seconds: float,
) -> None:
    """Interpret a room until its floor ends.

    Owns the channels and, within them, one supervised task per speaker. On the way out speakers end
    first, each with its session, then the channels are unpublished.
    """
    ledger = Ledger()
    try:
        async with _open_channels(floor, regime.offered) as channels, asyncio.TaskGroup() as group:
            room = _Room(
                floor, regime, rules, open_session, channels, linger_seconds, group, ledger
            )
            watching = group.create_task(room.watch(), name="watch floor")
            while not watching.done():
                room.arrange()
                await room.next_change()

            room.dismiss()
    finally:
        logger.info("interpretation billed", extra=ledger.statement())


@asynccontextmanager
async def _open_channels(
    floor: Floor, languages: Sequence[LanguageCode]
) -> AsyncGenerator[Mapping[LanguageCode, LanguageChannel]]:
    async with AsyncExitStack() as stack:
        yield {
            language: await stack.enter_async_context(open_channel(floor, language))
            for language in languages
        }


@dataclass(slots=True)
class _Speaker:
    """A speaker at work."""

    wanted: Watched[Assignment]
    task: asyncio.Task[None]


@dataclass(slots=True)
class _Room:
    """What the room loop remembers between two changes."""

    floor: Floor
    regime: Regime
    rules: WritingRules
    open_session: SessionOpener
    channels: Mapping[LanguageCode, LanguageChannel]
    linger_seconds: float
    group: asyncio.TaskGroup
    ledger: Ledger
    view: FloorView = field(default_factory=FloorView)
    speakers: dict[str, _Speaker] = field(default_factory=dict[str, _Speaker])
    detected: dict[str, LanguageCode] = field(default_factory=dict[str, LanguageCode])
    given_up: set[str] = field(default_factory=set[str])
    """Speakers whose interpretation broke on a fault of ours; tried again when they come back."""
    troubles: Troubles = field(default_factory=Troubles)
    lingering: Lingering = field(init=False)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.lingering = Lingering(self.linger_seconds)

    async def watch(self) -> None:
        """Keep the view of the floor up to date until the floor ends."""
        async for view in self.floor.views():
            self.view = view
            self.changed.set()

        self.changed.set()

    async def next_change(self) -> None:
        """Wait until something may be wanted that was not before."""
        try:
            async with asyncio.timeout_at(self.lingering.next_departure):
                await self.changed.wait()
        except TimeoutError:
            return
        finally:
            self.changed.clear()

    def arrange(self) -> None:
        """Make what goes on be what is wanted."""
        wanted = plan(self.view, self.regime, self.detected, held=self.speakers.keys())
        staying = self._staying(wanted)
        for identity in self.speakers.keys() - staying:
            self._end(identity)

        for identity in self.given_up - staying:
            self.given_up.remove(identity)
            self.troubles.resolve(identity)

        for identity, brief in wanted.briefs.items():
            person = self.view.person(identity)
            if person is not None:
                self._want(identity, Assignment(brief, person.microphone, person.is_muted))

        self._show(wanted)

    def dismiss(self) -> None:
        """End every speaker."""
        for identity in list(self.speakers):
            self._end(identity)

    def _staying(self, wanted: Plan) -> frozenset[str]:
        """Who keeps their session: those who are wanted, and those missed for a short time only."""
        now = asyncio.get_running_loop().time()
        speaking = [who.identity for who in self.view.people if who.microphone is not None]
        counted = self.lingering.observe(speaking, is_connected=self.view.is_connected, now=now)
        self.detected = {who: code for who, code in self.detected.items() if who in counted}
        missed = counted.difference(speaking) & self.speakers.keys()
        for identity in missed:
            speaker = self.speakers[identity]
            speaker.wanted.set(Assignment(speaker.wanted.value.brief, None))

        return frozenset(wanted.briefs) | missed

    def _want(self, identity: str, assignment: Assignment) -> None:
        speaker = self.speakers.get(identity)
        if speaker is not None:
            speaker.wanted.set(assignment)
        elif identity not in self.given_up:
            wanted = Watched(assignment)
            task = self.group.create_task(self._supervise(identity, wanted), name="speaker")
            self.speakers[identity] = _Speaker(wanted, task)

    def _end(self, identity: str) -> None:
        self.speakers.pop(identity).task.cancel()
        self.troubles.resolve(identity)

    async def _supervise(self, identity: str, wanted: Watched[Assignment]) -> None:
        """Interpret a speaker; a fault of ours ends this speaker and nobody else."""
        scribe = Scribe(identity, self.floor, self.regime, self.rules, self._channel_sid)
        outlets = Outlets(
            channels=self.channels,
            on_transcript=lambda it: self._write(identity, scribe, wanted, it),
            on_trouble=lambda trouble: self._report(identity, trouble),
            on_ready=lambda: self._resolve(identity),
            on_billed=lambda seconds: self.ledger.bill(identity, seconds),
            on_relieved=self.ledger.relieve,
        )
        logger.info("speaker interpretation opened")
        try:
            await interpret_speaker(wanted, self.open_session, outlets)
        except Exception:  # the one fence around a speaker
            logger.exception("speaker interpretation failed")
            self._give_up(identity, wanted)
        finally:
            billed = round(self.ledger.seconds_of(identity), 3)
            logger.info("speaker interpretation closed", extra={"billed_seconds": billed})

    def _give_up(self, identity: str, wanted: Watched[Assignment]) -> None:
        speaker = self.speakers.get(identity)
        # one that was ended already may have a successor by now
        if speaker is not None and speaker.wanted is wanted:
            del self.speakers[identity]
            self.given_up.add(identity)
            self.troubles.report(identity, "the interpretation of a speaker failed")
            self.changed.set()

    def _write(
        self, identity: str, scribe: Scribe, wanted: Watched[Assignment], transcript: Transcript
    ) -> None:
        brief = wanted.value.brief
        scribe.write(transcript, self.view, brief)
        heard = base(transcript.language)
        is_known = self.detected.get(identity) == heard
        is_original = transcript.is_final and not transcript.is_translation and bool(heard)
        if brief.source_language == AUTO and is_original and not is_known:
            self.detected[identity] = heard
            self.changed.set()

    def _report(self, identity: str, trouble: PalabraError | UpdateRefused) -> None:
        sentence = trouble.sentence if isinstance(trouble, UpdateRefused) else str(trouble)
        is_lasting = isinstance(trouble, UpdateRefused) or not trouble.retryable
        logger.warning("interpretation of a speaker interrupted", extra={"reason": sentence})
        self.troubles.report(identity, sentence)
        if is_lasting and self.troubles.is_first_time(sentence):
            self.floor.announce(sentence)

        self.changed.set()

    def _resolve(self, identity: str) -> None:
        self.troubles.resolve(identity)
        self.changed.set()

    def _channel_sid(self, language: LanguageCode) -> str:
        channel = self.channels.get(language)
        return channel.sid if channel is not None else ""

    def _show(self, wanted: Plan) -> None:
        if wanted.left_out:
            limit = self.regime.max_speakers
            self.troubles.report(
                "", f"not everybody is interpreted: the limit is {limit} at a time"
            )
        else:
            self.troubles.resolve("")

        self.floor.show(self.troubles.condition(tuple(self.channels)))
