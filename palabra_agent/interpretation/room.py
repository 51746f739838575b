"""Interprets one room: compares what is wanted with what goes on, and starts and ends speakers."""

from __future__ import annotations

import asyncio
import logging
import math
from contextlib import suppress
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from palabra_agent.concurrency import Watched
from palabra_agent.interpretation.channels import open_channels
from palabra_agent.interpretation.context import RoomContext
from palabra_agent.interpretation.plan import Lingering, Plan, plan
from palabra_agent.interpretation.plugins import RoomPlugins
from palabra_agent.interpretation.ports import Meeting, Notice, Person
from palabra_agent.interpretation.settings import InterpretationSettings
from palabra_agent.interpretation.speaker import SpeakerInterpretation, WantedInterpretation
from palabra_agent.interpretation.voice_assigner import VoiceAssigner
from palabra_agent.interpretation.voice_assignments import InterpretedSpeaker
from palabra_agent.interpretation.voice_change import VoiceChange
from palabra_agent.interpretation.wishes import UnmetWishes, spoken_language_of
from palabra_agent.languages import LanguageCode
from palabra_agent.session import Brief, SessionOpener
from palabra_agent.voices import Speaker

logger = logging.getLogger(__name__)


async def interpret_room(
    meeting: Meeting,
    settings: Watched[InterpretationSettings],
    open_session: SessionOpener,
    plugins: RoomPlugins,
    voices: VoiceAssigner,
) -> None:
    """Interpret a room until its meeting ends.

    Owns the channels and, within them, one supervised task per speaker. On the way out speakers end
    first, each with its session, then the channels are unpublished.

    Args:
        meeting: The people, and what is written and played for them.
        settings: How they are to be interpreted; may change at any time.
        open_session: Opens Palabra's sessions.
        plugins: Are told what is said.
        voices: Chooses the voices of speakers.
    """
    changed = asyncio.Event()
    async with open_channels(meeting, changed.set) as channels:
        context = RoomContext(meeting, settings, open_session, plugins, voices, channels, changed)
        try:
            channels.follow(settings.value.regime.offered)
            await channels.until_open()
            await _interpret_speakers(context)
        finally:
            logger.info("interpretation billed", extra=context.billing.statement())


async def _interpret_speakers(context: RoomContext) -> None:
    """Have all speakers interpreted who are to be, until the meeting ends."""
    async with asyncio.TaskGroup() as group:
        room = _RoomInterpretation(context, group)
        watching = group.create_task(room.watch_meeting(), name="watch meeting")
        helping = [
            group.create_task(room.follow_settings(), name="follow settings"),
            group.create_task(context.voices.run(context.changed.set), name="assign voices"),
        ]
        while not watching.done():
            room.arrange()
            await room.next_change()

        room.end_all()
        for task in helping:
            task.cancel()


@dataclass(frozen=True, slots=True)
class _Running:
    """A speaker's interpretation and the task that runs it."""

    speaker: SpeakerInterpretation
    task: asyncio.Task[None]


@dataclass(slots=True)
class _RoomInterpretation:
    """The loop of a room, with what it remembers between two changes."""

    context: RoomContext
    group: asyncio.TaskGroup
    running: dict[str, _Running] = field(default_factory=dict[str, _Running])
    """By the speaker's identity."""
    interpreted: dict[str, InterpretedSpeaker] = field(
        default_factory=dict[str, InterpretedSpeaker]
    )
    """All who count as speakers, interpreted or about to be; the missed ones too."""
    audible: tuple[LanguageCode, ...] = ()
    """The languages that are interpreted: the offered ones, or those of before while a channel is
    still being opened."""
    voice_changes: list[VoiceChange] = field(default_factory=list[VoiceChange])
    """Those that can be made when they are due: the speaker is there, and no plugin is being
    asked."""
    given_up: set[str] = field(default_factory=set[str])
    """Speakers whose interpretation failed; tried again when they come back."""
    lingering: Lingering = field(default_factory=lambda: Lingering(0.0))
    unmet_wishes: UnmetWishes = field(default_factory=UnmetWishes)

    async def watch_meeting(self) -> None:
        """Keep the view of the meeting up to date until it ends."""
        async for view in self.context.meeting.views():
            self.context.view = view
            self.context.changed.set()

        self.context.changed.set()

    async def follow_settings(self) -> None:
        """Have channels as the newest settings say, until cancelled."""
        async for settings in self.context.settings.changes():
            self.context.channels.follow(settings.regime.offered)

    async def next_change(self) -> None:
        """Wait until something may be wanted that was not before."""
        changes_due = (change.due for change in self.voice_changes)
        due = min((self.lingering.next_departure or math.inf, *changes_due))
        with suppress(TimeoutError):
            async with asyncio.timeout_at(None if math.isinf(due) else due):
                await self.context.changed.wait()

        self.context.changed.clear()

    def arrange(self) -> None:
        """Make what goes on be what is wanted."""
        context, regime = self.context, self.context.settings.value.regime
        if context.channels.are_open(regime.offered):
            self.audible = regime.offered

        self._give_up_failed()
        regime = replace(regime, offered=self.audible)
        wanted = plan(context.view, regime, context.detected, held=self.running.keys())
        staying = self._staying(wanted)
        for identity in self.running.keys() - staying:
            self._end(identity)

        for identity in self.given_up - staying:
            self.given_up.remove(identity)
            context.errors.resolve(identity)

        self._choose_voices(wanted, staying)
        self.voice_changes.clear()
        for identity, brief in wanted.briefs.items():
            person = context.view.person(identity)
            if person is not None:
                self._interpret(person, brief)

        self._show_status(wanted)
        for notice in self.unmet_wishes.notices(context.view, context.settings.value.regime):
            context.meeting.texts.put(notice)

    def end_all(self) -> None:
        """End every speaker's interpretation."""
        for identity in list(self.running):
            self._end(identity)

    def _give_up_failed(self) -> None:
        """Forget the interpretations that ended on an error of ours, and show the error."""
        failed = [who for who, it in self.running.items() if it.speaker.has_failed]
        for identity in failed:
            del self.running[identity]
            self.given_up.add(identity)
            self.context.errors.report(identity, "the interpretation of a speaker failed")

    def _staying(self, wanted: Plan) -> frozenset[str]:
        """The speakers who keep their session: the wanted, and those missed for a short time."""
        context, view = self.context, self.context.view
        speaking = [who.identity for who in view.people if who.microphone is not None]
        self.lingering.linger_seconds = context.settings.value.linger_seconds
        counted = self.lingering.observe(speaking, is_connected=view.is_connected, now=_now())
        for identity in context.detected.keys() - counted:
            del context.detected[identity]

        missed = counted.difference(speaking) & self.running.keys()
        for identity in missed:
            speaker = self.running[identity].speaker
            speaker.wanted.set(replace(speaker.wanted.value, microphone=None))

        return frozenset(wanted.briefs) | missed

    def _choose_voices(self, wanted: Plan, staying: frozenset[str]) -> None:
        """Tell those who choose voices which speakers there are, and their targets."""
        self.interpreted = {who: it for who, it in self.interpreted.items() if who in staying}
        for identity, brief in wanted.briefs.items():
            person = self.context.view.person(identity)
            if person is not None:
                self.interpreted[identity] = InterpretedSpeaker(
                    self._speaker(person), brief.targets
                )

        revision = self.context.settings.value.plugins_revision
        self.context.voices.follow(tuple(self.interpreted.values()), revision)

    def _speaker(self, person: Person) -> Speaker:
        regime = self.context.settings.value.regime
        detected = self.context.detected.get(person.identity)
        return Speaker(
            identity=person.identity,
            name=person.name,
            # theirs to look at, not to change
            attributes=MappingProxyType(dict(person.attributes)),
            source_language=spoken_language_of(person, regime, detected),
        )

    def _interpret(self, person: Person, brief: Brief) -> None:
        """Have a person interpreted as the brief says, in the voices that are chosen for them."""
        if person.identity in self.given_up:
            return

        running = self.running.get(person.identity)
        speaker = running.speaker if running is not None else self._begin(person, brief)
        chosen = self.context.voices.voices_of(person.identity, brief.targets)
        if chosen is None:
            # what is new waits for its voice, what goes on does not
            held = speaker.wanted.value
            speaker.wanted.set(self._wanted(person, held.brief, has_voices=held.has_voices))
        else:
            voices = speaker.voice_change.voices(chosen, _now(), brief.targets)
            speaker.wanted.set(self._wanted(person, replace(brief, voices=voices)))
            self.voice_changes.append(speaker.voice_change)

    def _begin(self, person: Person, brief: Brief) -> SpeakerInterpretation:
        """Begin to listen to a person; interpreted they are when their voices are chosen."""
        wanted = self._wanted(person, brief, has_voices=False)
        speaker = SpeakerInterpretation(person.identity, wanted, self.context)
        task = self.group.create_task(speaker.run(), name="speaker")
        self.running[person.identity] = _Running(speaker, task)
        return speaker

    def _wanted(
        self, person: Person, brief: Brief, *, has_voices: bool = True
    ) -> WantedInterpretation:
        return WantedInterpretation(
            brief,
            person.microphone,
            is_muted=person.is_muted,
            has_voices=has_voices,
            task_revision=self.context.settings.value.task_revision,
        )

    def _end(self, identity: str) -> None:
        self.running.pop(identity).task.cancel()
        self.context.errors.resolve(identity)

    def _show_status(self, wanted: Plan) -> None:
        context, regime = self.context, self.context.settings.value.regime
        sentences = list[str](wanted.encryption_problems)
        if wanted.left_out:
            sentences.append(
                f"not all speakers are interpreted: the limit is {regime.max_speakers} at a time"
            )
        if sentences:
            context.errors.report("", "; ".join(sentences))
        else:
            context.errors.resolve("")

        for problem in wanted.encryption_problems:
            if context.errors.is_first_time(problem):
                logger.warning("encryption is in the way", extra={"reason": problem})
                context.meeting.texts.put(Notice(problem))

        live = tuple(code for code in regime.offered if code in context.channels.open)
        context.meeting.show(context.errors.status(live))


def _now() -> float:
    return asyncio.get_running_loop().time()
