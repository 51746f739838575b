"""Interprets one room: compares what is wanted with what goes on, and starts and ends speakers."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from palabra_agent.concurrency import Watched
from palabra_agent.interpretation.announcements import Announcement, Announcements
from palabra_agent.interpretation.channels import open_channels, open_downlinks
from palabra_agent.interpretation.chat_commands import ChatCommands
from palabra_agent.interpretation.chat_translation import ChatTranslation
from palabra_agent.interpretation.cloning import ClonedSpeakers, cloning_of
from palabra_agent.interpretation.context import RoomContext
from palabra_agent.interpretation.disclosure import Disclosure
from palabra_agent.interpretation.leakage import LeakageGuard
from palabra_agent.interpretation.phones import PhoneOriginals
from palabra_agent.interpretation.plan import Lingering, Ongoing, Plan, plan
from palabra_agent.interpretation.plugins import RoomPlugins
from palabra_agent.interpretation.ports import (
    ChannelKey,
    ChatMessage,
    Meeting,
    MeetingView,
    Notice,
    Person,
)
from palabra_agent.interpretation.progress import Progress, SpeakerStatuses
from palabra_agent.interpretation.session_places import SessionPlaces
from palabra_agent.interpretation.settings import InterpretationSettings
from palabra_agent.interpretation.speaker import SpeakerInterpretation, WantedInterpretation
from palabra_agent.interpretation.voice_assigner import VoiceAssigner
from palabra_agent.interpretation.voice_assignments import InterpretedSpeaker
from palabra_agent.interpretation.voice_change import TIMER_SECONDS, VoiceChange
from palabra_agent.interpretation.wishes import (
    Excess,
    UnmetWishes,
    Wishes,
    spoken_language_of,
)
from palabra_agent.languages import LanguageCode
from palabra_agent.session import Brief, SessionOpener
from palabra_agent.voices import Speaker, agrees_to_cloning

_AHEAD_SECONDS: Final = 1.0
"""A session begins when its speaker speaks, or after so long with an open microphone: those who
come and go cost none."""

_TELL_SECONDS: Final = 1.0
"""Between two looks at what speakers are told: none is told more often."""

_AGAIN_SECONDS: Final = 5.0
"""While a speaker is left out, it is looked for a place this often."""

logger = logging.getLogger(__name__)


async def interpret_room(
    meeting: Meeting,
    settings: Watched[InterpretationSettings],
    open_session: SessionOpener,
    plugins: RoomPlugins,
    voices: VoiceAssigner,
    leakage: LeakageGuard,
    wishes: Wishes,
    progress: Progress,
) -> None:
    """Interpret a room until its meeting ends.

    Owns the channels and, within them, one supervised task per speaker. On the way out speakers end
    first, each with its session, then what is still heard, then the channels are unpublished.

    Args:
        meeting: The people, and what is written and played for them.
        settings: How they are to be interpreted; may change at any time.
        open_session: Opens Palabra's sessions.
        plugins: Are told what is said.
        voices: Chooses the voices of speakers.
        leakage: Holds back microphones that a channel comes back through.
        wishes: Take what people say by other ways than by attributes, and know what counts.
        progress: Kept up to date, for those who ask how it goes.
    """
    changed = asyncio.Event()
    wishes.on_change = changed.set
    async with (
        open_channels(meeting, changed.set, leakage.play) as channels,
        open_downlinks(channels) as downlinks,
    ):
        places = SessionPlaces(settings.value.regime.max_speakers, changed.set)
        context = RoomContext(
            meeting,
            settings,
            open_session,
            plugins,
            voices,
            leakage,
            channels,
            downlinks,
            places,
            changed,
            progress,
        )
        try:
            await _interpret_speakers(context, wishes)
        finally:
            logger.info("interpretation billed", extra=context.billing.statement())


async def _interpret_speakers(context: RoomContext, wishes: Wishes) -> None:
    """Have all speakers interpreted who are to be, until the meeting ends."""
    async with asyncio.TaskGroup() as group:
        room = _RoomInterpretation(context, group, wishes)
        watching = group.create_task(room.watch_meeting(), name="watch meeting")
        helping = [
            group.create_task(room.follow_settings(), name="follow settings"),
            group.create_task(context.voices.run(context.changed.set), name="assign voices"),
            group.create_task(context.leakage.run(context.changed.set), name="watch leakage"),
            group.create_task(room.tell_speakers(), name="tell speakers"),
        ]
        try:
            async with context.meeting.hearing_chat(room.hear):
                while not watching.done():
                    room.arrange()
                    await room.next_change()
        finally:
            room.chat.log()

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
    wishes: Wishes
    seen: MeetingView = field(default_factory=MeetingView)
    """The meeting, with what people said by attributes alone."""
    running: dict[str, _Running] = field(default_factory=dict[str, _Running])
    """Those who are interpreted, and those who are listened to in case they speak; by identity."""
    open_since: dict[str, float] = field(default_factory=dict[str, float])
    """The time since when each of those in the room has an open microphone that is listened to."""
    interpreted: dict[str, InterpretedSpeaker] = field(
        default_factory=dict[str, InterpretedSpeaker]
    )
    """All who count as speakers, interpreted or about to be; the missed ones too."""
    languages: tuple[LanguageCode, ...] = ()
    """The languages that were wanted last."""
    voice_changes: list[VoiceChange] = field(default_factory=list[VoiceChange])
    """Those that can be made when they are due: the speaker is there, and no plugin is being
    asked."""
    given_up: set[str] = field(default_factory=set[str])
    """Speakers whose interpretation failed; tried again when they come back."""
    speakers: Lingering[str] = field(default_factory=lambda: Lingering[str](0.0))
    """Identities of those who have a microphone."""
    listeners: Lingering[tuple[str, ChannelKey]] = field(
        default_factory=lambda: Lingering[tuple[str, ChannelKey]](0.0)
    )
    """Identities of those who have a channel, with its key."""
    look_again_at: float = math.inf
    """The time at which something may be wanted although nothing happens."""
    originals: PhoneOriginals = field(init=False)
    """Bring people's own voices to phones."""
    commands: ChatCommands = field(init=False)
    chat: ChatTranslation = field(init=False)
    unmet_wishes: UnmetWishes = field(default_factory=UnmetWishes)
    cloned: ClonedSpeakers = field(default_factory=ClonedSpeakers)
    disclosure: Disclosure = field(default_factory=Disclosure)
    announcements: Announcements = field(default_factory=Announcements)

    def __post_init__(self) -> None:
        context = self.context
        self.originals = PhoneOriginals(context.channels, self.group)
        self.commands = ChatCommands(self.wishes, context.settings, context.meeting.texts)
        self.chat = ChatTranslation(context, self.group)

    async def watch_meeting(self) -> None:
        """Keep the view of the meeting up to date until it ends."""
        async for view in self.context.meeting.views():
            self.seen = view
            self.context.changed.set()

        self.context.changed.set()

    async def tell_speakers(self) -> None:
        """Tell speakers what has changed for them, for ever; not while we are disconnected."""
        context, statuses = self.context, SpeakerStatuses()
        while True:
            await asyncio.sleep(_TELL_SECONDS)
            if context.view.is_connected:
                for status in statuses.news(context.view, context.progress, _now()):
                    context.meeting.texts.put(status)

    def hear(self, message: ChatMessage) -> None:
        """Heed a message that a person wrote in the chat."""
        self.commands.on_message(message)
        self.chat.on_message(message)

    async def follow_settings(self) -> None:
        """Arrange the room anew after each change of its settings, until cancelled."""
        async for _ in self.context.settings.changes():
            self.context.changed.set()

    async def next_change(self) -> None:
        """Wait until something may be wanted that was not before."""
        changes_due = (change.due for change in self.voice_changes)
        dues = (
            self.speakers.next_departure,
            self.listeners.next_departure,
            self.wishes.next_change,
        )
        due = min(
            (self.look_again_at, *(math.inf if it is None else it for it in dues), *changes_due)
        )
        with suppress(TimeoutError):
            async with asyncio.timeout_at(None if math.isinf(due) else due):
                await self.context.changed.wait()

        self.context.changed.clear()

    def arrange(self) -> None:
        """Make what goes on be what is wanted."""
        context, regime = self.context, self.context.settings.value.regime
        context.view = self.wishes.observe(self.seen, _now())
        context.places.follow(regime.max_speakers)
        self._give_up_failed()
        wanted = self._plan(self._missed())
        self.languages = wanted.languages
        context.progress.plan = wanted
        self.chat.follow()
        self._deliver(wanted)
        self.originals.follow(context.view, wanted.briefs)
        self._end_others(wanted)
        staying = frozenset((*wanted.candidates, *wanted.missed))
        for identity in self.given_up - staying:
            self.given_up.remove(identity)
            context.errors.resolve(identity)

        self._choose_voices(wanted, staying)
        self.voice_changes.clear()
        for identity, brief in wanted.candidates.items():
            person = context.view.person(identity)
            if person is not None:
                has_place = identity in wanted.briefs
                audible = self._audible(identity, brief) if has_place else brief
                self._interpret(person, audible, has_place=has_place)

        self._note_open_microphones(wanted)
        self._show_status(wanted)
        context.leakage.follow(self.running.keys())
        excess = Excess(wanted.left_out, wanted.languages_left_out)
        unmet = self.unmet_wishes.notices(context.view, regime, excess)
        for notice in (*unmet, *context.leakage.notices(context.view)):
            context.meeting.texts.put(notice)

        if not context.settings.value.rules.captions:
            context.captions.clear()
        for caption in context.captions.for_newcomers(context.view, regime):
            context.meeting.texts.put(caption)

        words = context.settings.value.disclosure
        for notice in self.disclosure.notices(context.view, words, regime):
            context.meeting.texts.put(notice)

        for notice in self.announcements.notices(context.view, self._announced()):
            context.meeting.texts.put(notice)

    def _deliver(self, wanted: Plan) -> None:
        """Have the channels that are wanted, each heard by those who may hear it.

        Listeners who get one of their own, as they begin to speak, hear that of all until theirs
        is there: usually before Palabra has answered, else they hear themselves for so long.
        """
        context, channels = self.context, self.context.channels
        phones = [person.identity for person in context.view.people if person.is_phone]
        audiences = {
            key: listeners | wanted.away.get(key, frozenset())
            for key, listeners in wanted.channels.items()
        }
        for key in audiences.keys() - channels.open.keys():
            shared = ChannelKey(key.language)
            if key.listener is not None and shared in audiences:
                staying = audiences[key].intersection(channels.audiences.get(shared, ()))
                audiences[shared] |= staying

        channels.follow(audiences, phones)

    def end_all(self) -> None:
        """End every speaker's interpretation, and the translation of what people type."""
        self.originals.close()
        self.chat.close()
        for identity in list(self.running):
            self._end(identity)

    def _give_up_failed(self) -> None:
        """Forget the interpretations that ended on an error of ours, and show the error."""
        failed = [who for who, it in self.running.items() if it.speaker.has_failed]
        for identity in failed:
            del self.running[identity]
            self.given_up.add(identity)
            self.cloned.forget(identity)
            self.context.errors.report(identity, "the interpretation of a speaker failed")

    def _missed(self) -> tuple[str, ...]:
        """The speakers with a session whose microphone vanished a moment ago."""
        context, view = self.context, self.context.view
        speaking = [who.identity for who in view.people if who.microphone is not None]
        self.speakers.linger_seconds = context.settings.value.linger_seconds
        counted = self.speakers.observe(speaking, is_connected=view.is_connected, now=_now())
        for identity in context.detected.keys() - counted:
            del context.detected[identity]

        missed = counted.difference(speaking)
        return tuple(who for who in self._placed() if who in missed)

    def _placed(self) -> list[str]:
        """The speakers who may have a session."""
        return [who for who, it in self.running.items() if it.speaker.wanted.value.has_place]

    def _plan(self, missed: Collection[str]) -> Plan:
        """Make a plan of the room as it is; a channel stays for those who left it a moment ago."""
        context, settings, now = self.context, self.context.settings.value, _now()
        since = now + TIMER_SECONDS - _AHEAD_SECONDS
        ongoing = Ongoing(
            speakers=self._placed(),
            heard=[who for who, it in self.running.items() if it.speaker.is_heard(now)],
            ready=[who for who, at in self.open_since.items() if at <= since],
            missed=missed,
            languages=self.languages,
            typing=self.chat.spoken,
        )
        wanted = plan(context.view, settings.regime, context.detected, ongoing)
        hearing = {(who, key) for key, all_who in wanted.channels.items() for who in all_who}
        self.listeners.linger_seconds = settings.linger_seconds
        is_connected = context.view.is_connected
        counted = self.listeners.observe(hearing, is_connected=is_connected, now=now)
        ongoing = replace(ongoing, former=counted - hearing)
        return plan(context.view, settings.regime, context.detected, ongoing)

    def _end_others(self, wanted: Plan) -> None:
        """End the interpretations that are not wanted; those of the missed go on without a voice.

        A speaker who loses their place is ended as well, and listened to anew.
        """
        for identity in wanted.missed:
            speaker = self.running[identity].speaker
            speaker.wanted.set(replace(speaker.wanted.value, microphone=None))

        losing = set(self._placed()).difference(wanted.briefs, wanted.missed)
        for identity in losing | (self.running.keys() - wanted.candidates.keys()):
            if identity not in wanted.missed:
                self._end(identity)

    def _note_open_microphones(self, wanted: Plan) -> None:
        """Note since when there are open microphones, and when to look at the room again."""
        now = _now()
        muted = {person.identity for person in self.context.view.people if person.is_muted}
        listened_to = self.running.keys() & wanted.candidates.keys() - muted
        self.open_since = {who: self.open_since.get(who, now) for who in listened_to}
        dues = (since + _AHEAD_SECONDS for since in self.open_since.values())
        again = now + _AGAIN_SECONDS if wanted.left_out else math.inf
        self.look_again_at = min((again, *(due for due in dues if due > now + TIMER_SECONDS)))

    def _audible(self, speaker: str, brief: Brief) -> Brief:
        """The part of a brief that can be heard: a channel is opened before it is interpreted."""
        channels = self.context.channels.open
        heard = (it for it in brief.targets if any(key.carries(speaker, it) for key in channels))
        return replace(brief, targets=tuple(heard))

    def _choose_voices(self, wanted: Plan, staying: frozenset[str]) -> None:
        """Tell those who choose voices which speakers there are, and their targets."""
        self.interpreted = {who: it for who, it in self.interpreted.items() if who in staying}
        for identity, brief in wanted.candidates.items():
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

    def _interpret(self, person: Person, brief: Brief, *, has_place: bool) -> None:
        """Have a person interpreted as the brief says, in the voices that are chosen for them.

        Without a place they are listened to, and what they say is kept for when they have one.
        """
        if person.identity in self.given_up:
            return

        running = self.running.get(person.identity)
        if running is None and not brief.targets:
            return

        speaker = running.speaker if running is not None else self._begin(person, brief)
        voices = self.context.voices
        chosen = voices.voices_of(person.identity, brief.targets) if brief.targets else None
        if chosen is None:
            # what is new waits for its channel and its voice, what goes on does not
            held = speaker.wanted.value
            held = replace(held, has_place=has_place)
            speaker.wanted.set(self._wanted(person, held))
        else:
            change = speaker.voice_change.voices(chosen, _now(), brief.targets)
            now = WantedInterpretation(replace(brief, voices=change), None, has_place=has_place)
            speaker.wanted.set(self._wanted(person, now))
            self.voice_changes.append(speaker.voice_change)

        wanted = speaker.wanted.value
        if wanted.has_voices:
            cloning = cloning_of(wanted.brief, self.context.settings.value.cloned)
            self.cloned.note(person.identity, person.name, cloning)

    def _begin(self, person: Person, brief: Brief) -> SpeakerInterpretation:
        """Begin to listen to a person; interpreted they are when their voices are chosen."""
        nothing = WantedInterpretation(brief, None, has_voices=False, has_place=False)
        wanted = self._wanted(person, nothing)
        speaker = SpeakerInterpretation(person.identity, wanted, self.context)
        task = self.group.create_task(speaker.run(), name="speaker")
        self.running[person.identity] = _Running(speaker, task)
        return speaker

    def _wanted(self, person: Person, wanted: WantedInterpretation) -> WantedInterpretation:
        """What is wanted, with the person's microphone and consent as they are now."""
        return replace(
            wanted,
            # given or taken back, consent waits for nothing
            brief=replace(wanted.brief, may_clone=agrees_to_cloning(person.attributes)),
            microphone=person.microphone,
            is_muted=person.is_muted,
            task_revision=self.context.settings.value.task_revision,
        )

    def _end(self, identity: str) -> None:
        """End a speaker's interpretation; of one who has left, what has come is still heard."""
        context = self.context
        self.running.pop(identity).task.cancel()
        if context.view.person(identity) is not None:
            context.downlinks.cut_off(identity)
        context.errors.resolve(identity)
        self.cloned.forget(identity)

    def _announced(self) -> dict[str, Announcement]:
        """Everything that people are to know of while it holds."""
        context = self.context
        sentences = (*context.settings.value.announced, *context.plugins.announced)
        general = {it: Announcement(it, f"This has ended: {it}") for it in sentences}
        return general | dict(self.cloned.announcements())

    def _show_status(self, wanted: Plan) -> None:
        context, regime = self.context, self.context.settings.value.regime
        sentences = list[str](wanted.encryption_problems)
        if wanted.left_out:
            sentences.append(
                f"not all speakers are interpreted: the limit is {regime.max_speakers} at a time"
            )
        if wanted.languages_left_out:
            sentences.append(
                f"not all languages are interpreted: the limit is {regime.max_languages} at a time"
            )
        if context.places.is_hasty:
            sentences.append("new speakers have to wait: too many began within a minute")
        if sentences:
            context.errors.report("", "; ".join(sentences))
        else:
            context.errors.resolve("")

        for problem in wanted.encryption_problems:
            if context.errors.is_first_time(problem):
                logger.warning("encryption is in the way", extra={"reason": problem})
                context.meeting.texts.put(Notice(problem))

        live = tuple(code for code in regime.offered if code in context.channels.languages)
        context.meeting.show(context.errors.status(live))


def _now() -> float:
    return asyncio.get_running_loop().time()
