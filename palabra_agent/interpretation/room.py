"""Interprets one room: compares what is wanted with what goes on, and starts and ends speakers."""

from __future__ import annotations

import asyncio
import logging
import math
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType

from palabra_agent.concurrency import Watched
from palabra_agent.interpretation.booth import Booth, Surroundings
from palabra_agent.interpretation.channels import open_channels
from palabra_agent.interpretation.lingering import Lingering
from palabra_agent.interpretation.plan import Plan, plan, source_language_of
from palabra_agent.interpretation.ports import Meeting, Person
from palabra_agent.interpretation.shift import Assignment
from palabra_agent.interpretation.terms import Terms
from palabra_agent.interpretation.voice_assigner import VoiceAssigner
from palabra_agent.interpretation.voice_assignments import InterpretedSpeaker
from palabra_agent.languages import AUTO, LanguageCode
from palabra_agent.session import Brief, SessionOpener
from palabra_agent.voices import Speaker

logger = logging.getLogger(__name__)


async def interpret_room(
    meeting: Meeting,
    terms: Watched[Terms],
    open_session: SessionOpener,
    voices: VoiceAssigner | None = None,
) -> None:
    """Interpret a room until its meeting ends.

    Owns the channels and, within them, one supervised task per speaker. On the way out speakers end
    first, each with its session, then the channels are unpublished.

    Args:
        meeting: The meeting.
        terms: How it is to be interpreted; may change at any time.
        open_session: Opens Palabra's sessions.
        voices: Chooses the voices of speakers; by default all have the default voice.
    """
    changed = asyncio.Event()
    voices = voices or VoiceAssigner()
    async with open_channels(meeting, changed.set) as channels:
        around = Surroundings(meeting, terms, open_session, voices, channels, changed)
        try:
            channels.follow(terms.value.regime.offered)
            await channels.until_open()
            await _attend(around)
        finally:
            logger.info("interpretation billed", extra=around.ledger.statement())


async def _attend(around: Surroundings) -> None:
    """Have everybody interpreted who is to be, until the meeting ends."""
    async with asyncio.TaskGroup() as group:
        room = _Room(around, group)
        watching = group.create_task(room.watch(), name="watch meeting")
        helping = [
            group.create_task(room.follow_terms(), name="follow terms"),
            group.create_task(around.voices.run(around.changed.set), name="assign voices"),
        ]
        while not watching.done():
            room.arrange()
            await room.next_change()

        room.dismiss()
        for task in helping:
            task.cancel()


@dataclass(slots=True)
class _Work:
    """A speaker at work."""

    booth: Booth
    task: asyncio.Task[None]


@dataclass(slots=True)
class _Room:
    """What the room loop remembers between two changes."""

    around: Surroundings
    group: asyncio.TaskGroup
    speakers: dict[str, _Work] = field(default_factory=dict[str, _Work])
    interpreted: dict[str, InterpretedSpeaker] = field(
        default_factory=dict[str, InterpretedSpeaker]
    )
    """Everybody who counts as a speaker, at work or about to be; the missed ones too."""
    audible: tuple[LanguageCode, ...] = ()
    """The languages that are interpreted: the offered ones, or those of before while a channel is
    still being opened."""
    decided: list[Booth] = field(default_factory=list[Booth])
    """Where a change of voices can be made when it is due: the speaker is there, and nobody is
    being asked."""
    given_up: set[str] = field(default_factory=set[str])
    """Speakers whose interpretation broke on a fault of ours; tried again when they come back."""
    lingering: Lingering = field(default_factory=lambda: Lingering(0.0))

    async def watch(self) -> None:
        """Keep the view of the meeting up to date until the meeting ends."""
        async for view in self.around.meeting.views():
            self.around.view = view
            self.around.changed.set()

        self.around.changed.set()

    async def follow_terms(self) -> None:
        """Have the newest terms heeded, until cancelled."""
        async for terms in self.around.terms.changes():
            self.around.channels.follow(terms.regime.offered)

    async def next_change(self) -> None:
        """Wait until something may be wanted that was not before."""
        voices = (booth.voices.due for booth in self.decided)
        due = min((self.lingering.next_departure or math.inf, *voices))
        with suppress(TimeoutError):
            async with asyncio.timeout_at(None if math.isinf(due) else due):
                await self.around.changed.wait()

        self.around.changed.clear()

    def arrange(self) -> None:
        """Make what goes on be what is wanted."""
        around, terms = self.around, self.around.terms.value
        if around.channels.are_open(terms.regime.offered):
            self.audible = terms.regime.offered
        regime = replace(terms.regime, offered=self.audible)
        wanted = plan(around.view, regime, around.detected, held=self.speakers.keys())
        staying = self._staying(wanted)
        for identity in self.speakers.keys() - staying:
            self._end(identity)

        for identity in self.given_up - staying:
            self.given_up.remove(identity)
            around.troubles.resolve(identity)

        self._cast(wanted, staying)
        self.decided.clear()
        for identity, brief in wanted.briefs.items():
            person = around.view.person(identity)
            if person is not None:
                self._want(person, brief)

        self._show(wanted)

    def dismiss(self) -> None:
        """End every speaker."""
        for identity in list(self.speakers):
            self._end(identity)

    def _staying(self, wanted: Plan) -> frozenset[str]:
        """Who keeps their session: those who are wanted, and those missed for a short time only."""
        around, view = self.around, self.around.view
        speaking = [who.identity for who in view.people if who.microphone is not None]
        self.lingering.linger_seconds = around.terms.value.linger_seconds
        counted = self.lingering.observe(speaking, is_connected=view.is_connected, now=_now())
        for identity in around.detected.keys() - counted:
            del around.detected[identity]

        missed = counted.difference(speaking) & self.speakers.keys()
        for identity in missed:
            speaker = self.speakers[identity].booth.wanted
            speaker.set(replace(speaker.value, microphone=None))

        return frozenset(wanted.briefs) | missed

    def _cast(self, wanted: Plan, staying: frozenset[str]) -> None:
        """Let it be known who speaks now, and into what they are interpreted."""
        self.interpreted = {who: it for who, it in self.interpreted.items() if who in staying}
        for identity, brief in wanted.briefs.items():
            person = self.around.view.person(identity)
            if person is not None:
                self.interpreted[identity] = InterpretedSpeaker(
                    self._speaker(person), brief.targets
                )

        revision = self.around.terms.value.plugins_revision
        self.around.voices.follow(tuple(self.interpreted.values()), revision)

    def _speaker(self, person: Person) -> Speaker:
        said = source_language_of(person, self.around.terms.value.regime)
        detected = self.around.detected.get(person.identity)
        return Speaker(
            identity=person.identity,
            name=person.name,
            # theirs to look at, not to change
            attributes=MappingProxyType(dict(person.attributes)),
            source_language=detected if said == AUTO else said,
        )

    def _want(self, person: Person, brief: Brief) -> None:
        """Have a person interpreted as the brief says, in the voices that are chosen for them."""
        speaker = self.speakers.get(person.identity)
        voices = self.around.voices.voices_of(person.identity, brief.targets)
        if speaker is None:
            if voices is not None and person.identity not in self.given_up:
                self._begin(person, replace(brief, voices=voices))
        elif voices is None:
            # what is new waits for its voice, what goes on does not
            self._assign(speaker, person, speaker.booth.wanted.value.brief)
        else:
            now_had = speaker.booth.voices.voices(voices, _now(), brief.targets)
            self._assign(speaker, person, replace(brief, voices=now_had))
            self.decided.append(speaker.booth)

    def _begin(self, person: Person, brief: Brief) -> None:
        booth = Booth(person.identity, self._assignment(person, brief), self.around)
        booth.voices.voices(brief.voices, _now(), brief.targets)
        working = booth.work(partial(self._give_up, person.identity, booth))
        self.speakers[person.identity] = _Work(
            booth, self.group.create_task(working, name="speaker")
        )

    def _assign(self, speaker: _Work, person: Person, brief: Brief) -> None:
        speaker.booth.wanted.set(self._assignment(person, brief))

    def _assignment(self, person: Person, brief: Brief) -> Assignment:
        revision = self.around.terms.value.task_revision
        return Assignment(brief, person.microphone, person.is_muted, revision)

    def _end(self, identity: str) -> None:
        self.speakers.pop(identity).task.cancel()
        self.around.troubles.resolve(identity)

    def _give_up(self, identity: str, booth: Booth) -> None:
        speaker = self.speakers.get(identity)
        # one that was ended already may have a successor by now
        if speaker is not None and speaker.booth is booth:
            del self.speakers[identity]
            self.given_up.add(identity)
            self.around.troubles.report(identity, "the interpretation of a speaker failed")
            self.around.changed.set()

    def _show(self, wanted: Plan) -> None:
        around, regime = self.around, self.around.terms.value.regime
        if wanted.left_out:
            sentence = f"not everybody is interpreted: the limit is {regime.max_speakers} at a time"
            around.troubles.report("", sentence)
        else:
            around.troubles.resolve("")

        live = tuple(code for code in regime.offered if code in around.channels.open)
        around.meeting.show(around.troubles.status(live))


def _now() -> float:
    return asyncio.get_running_loop().time()
