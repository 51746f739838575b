"""What people type in the chat, translated for the others, and spoken: each author on their own.

A text is translated while the room's config wants it and another person listens to another
language. Speakers come first: a text takes a place for a session only where they leave one. What is
too much is left out, and its author is told so once.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Final

from palabra_agent.failures import log_failure
from palabra_agent.interpretation.author import AuthorTranslation
from palabra_agent.interpretation.context import RoomContext
from palabra_agent.interpretation.frequency import FrequencyLimit
from palabra_agent.interpretation.ports import ChatMessage, Notice, Person
from palabra_agent.interpretation.settings import InterpretationSettings, WritingRules
from palabra_agent.interpretation.typed_text import is_command, read_typed
from palabra_agent.languages import AUTO
from palabra_agent.session import LONGEST_SPOKEN_TEXT, Brief

_BURST: Final = 5
_EVERY_SECONDS: Final = 5.0
"""One person's texts: so many in a row, and then one in so many seconds."""
_BURST_OF_ALL: Final = 25
_EVERY_SECONDS_OF_ALL: Final = 2.0
"""Those of all people in a room: never sixty in a minute, as many as Palabra allows one session."""
_ALL: Final = ""

UNKNOWN_LANGUAGE: Final = (
    "Your messages are not translated, as it is not known which language you write in."
)
SAY_LANGUAGE: Final = "Write /speak and a language, such as /speak en, to say it."
TOO_MANY: Final = "Some of your messages were not translated: there were too many at a time."
CUT: Final = (
    "A message of yours was too long to be translated as a whole: its first "
    f"{LONGEST_SPOKEN_TEXT} characters were."
)
NO_PLACE: Final = (
    "A message of yours was not translated: speakers come first, and there is no place beside them."
)
NOT_DONE: Final = "A message of yours could not be translated."

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Running:
    """An author's translation and the task that runs it."""

    author: AuthorTranslation
    task: asyncio.Task[None]


class ChatTranslation:
    """All authors of a room, and what becomes of their texts."""

    def __init__(self, context: RoomContext, group: asyncio.TaskGroup) -> None:
        """Begin without any.

        Args:
            context: The room's.
            group: Holds their tasks.
        """
        self._context = context
        self._group = group
        self._running: dict[str, _Running] = {}
        """By identity: all who have typed a text, and have not left."""
        self._began_under = _terms(context.settings.value)
        self._limit = FrequencyLimit(_BURST, _EVERY_SECONDS)
        self._limit_of_all = FrequencyLimit(_BURST_OF_ALL, _EVERY_SECONDS_OF_ALL)
        self._told = defaultdict[str, set[str]](set)
        """What each person was told, by identity."""
        self._counts = Counter[str]()

    @property
    def spoken(self) -> list[str]:
        """The identities of those whose texts are spoken now."""
        authors = self._at_work if self._rules.speaks_typed else ()
        return [it.author.identity for it in authors]

    def on_message(self, message: ChatMessage) -> None:
        """Have a chat message translated, if it is to be; never waits."""
        person = self._context.view.person(message.sender)
        if not self._is_wanted or person is None or is_command(message.text):
            return

        now = asyncio.get_running_loop().time()
        # in this order: who writes too much takes nothing from the others
        if not (self._limit.allows(person.identity, now) and self._limit_of_all.allows(_ALL, now)):
            self._miss(person, TOO_MANY)
            return

        text, brief = read_typed(message.text), self._brief_of(person)
        if text is None or brief is None or self._context.meeting.texts.wrote(message.text):
            return

        if brief.source_language == AUTO:
            has_commands = self._rules.commands
            ask = f"{UNKNOWN_LANGUAGE} {SAY_LANGUAGE}" if has_commands else UNKNOWN_LANGUAGE
            self._miss(person, ask)
        elif (author := self._author(person, brief)) is None:
            self._miss(person, NO_PLACE)
        else:
            self._counts["typed"] += 1
            author.put(text.words)
            if text.is_cut:
                self._counts["cut"] += 1
                self._tell(person.identity, CUT)

    def follow(self) -> None:
        """Heed the view, the plan and the settings as they are now."""
        terms = _terms(self._context.settings.value)
        if not self._is_wanted:
            self.close()
        elif terms != self._began_under:
            for running in self._running.values():
                running.author.renew()

        self._began_under = terms
        for identity, running in list(self._running.items()):
            person = self._context.view.person(identity)
            if person is not None:
                self._look_at(running.author, person)
            elif not running.author.is_at_work or self._is_room_empty:
                self._end(identity)

        excess = len(self._at_work) - self._places
        for author in sorted(self._at_work, key=lambda it: it.used_at)[: max(0, excess)]:
            author.dismiss()

    def close(self) -> None:
        """End all of it, what is heard as well."""
        for identity in list(self._running):
            self._end(identity)
            self._context.downlinks.cut_off(identity, is_typed=True)

    def log(self) -> None:
        """Log what became of all texts, if there were any."""
        if self._counts:
            counts = {name: self._counts[name] for name in ("typed", "cut", "missed")}
            logger.info("typed texts translated", extra=counts)

    @property
    def _is_wanted(self) -> bool:
        return self._rules.translates_typed or self._rules.speaks_typed

    @property
    def _is_room_empty(self) -> bool:
        """No person is there, nor was a moment ago: a reconnect makes all vanish at first."""
        return not self._context.view.people and not self._context.progress.plan.away

    @property
    def _rules(self) -> WritingRules:
        return self._context.settings.value.rules

    @property
    def _at_work(self) -> list[AuthorTranslation]:
        return [it.author for it in self._running.values() if it.author.is_at_work]

    @property
    def _places(self) -> int:
        """The places for sessions that the speakers leave."""
        plan, regime = self._context.progress.plan, self._context.settings.value.regime
        return regime.max_speakers - len(plan.briefs) - len(plan.missed)

    def _brief_of(self, person: Person) -> Brief | None:
        context = self._context
        detected = context.detected.get(person.identity)
        return context.progress.plan.brief_of_author(person, detected)

    def _author(self, person: Person, brief: Brief) -> AuthorTranslation | None:
        """The author's translation, with a session or a place for one; None without."""
        running = self._running.get(person.identity)
        is_at_work = running is not None and running.author.is_at_work
        if not is_at_work and len(self._at_work) >= self._places:
            return None

        author = running.author if running is not None else self._begin(person, brief)
        author.follow(brief)
        return author

    def _begin(self, person: Person, brief: Brief) -> AuthorTranslation:
        who = person.identity

        def on_miss(count: int) -> None:
            self._counts["missed"] += count
            self._tell(who, NOT_DONE)

        author = AuthorTranslation(person, brief, self._context, on_miss)
        task = self._group.create_task(self._run(author), name="author")
        self._running[who] = _Running(author, task)
        return author

    async def _run(self, author: AuthorTranslation) -> None:
        try:
            await author.run()
        except Exception as error:  # noqa: BLE001 - a fence, as around a speaker
            log_failure(logger, "the translation of typed texts failed", error)
            self._forget(author)

    def _look_at(self, author: AuthorTranslation, person: Person) -> None:
        """Follow an author, and who listens to what; a language that is unknown now was known."""
        author.author = person
        brief = self._brief_of(person)
        if brief is not None and brief.source_language != AUTO:
            author.follow(brief)

    def _forget(self, author: AuthorTranslation) -> None:
        identity = author.author.identity
        running = self._running.get(identity)
        if running is not None and running.author is author:
            del self._running[identity]

    def _end(self, identity: str) -> None:
        self._running.pop(identity).task.cancel()

    def _miss(self, person: Person, sentence: str) -> None:
        """Count a text that is left out, and tell its author, if it would have had readers."""
        if sentence in self._told[person.identity] or self._brief_of(person) is not None:
            self._counts["missed"] += 1
            self._tell(person.identity, sentence)

    def _tell(self, identity: str, sentence: str) -> None:
        """Tell an author something, once."""
        told = self._told[identity]
        if sentence not in told:
            told.add(sentence)
            self._context.meeting.texts.put(Notice(sentence, (identity,)))


def _terms(settings: InterpretationSettings) -> tuple[object, ...]:
    """Everything of the settings that sessions were opened under."""
    rules = settings.rules
    return (rules.translates_typed, rules.speaks_typed, settings.task_revision)
