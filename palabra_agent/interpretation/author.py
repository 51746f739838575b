"""One author's translation: what they type goes to a Palabra session of its own, and comes back.

It is another session than that of their voice: its words and its sound are then known to be those
of the text, whatever Palabra tells of them, and an imitated voice is never asked for. It is opened
by the first text and ended some time after the last; in between it sleeps.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from palabra_agent.audio.frame import FrameSource
from palabra_agent.concurrency import Watched, errors_in, heed_cancellation
from palabra_agent.errors import PalabraError, SessionLost
from palabra_agent.interpretation.context import RoomContext
from palabra_agent.interpretation.ports import LONGEST_ERROR, ChatLine, Person
from palabra_agent.interpretation.retries import Backoff, decisive
from palabra_agent.interpretation.typed_text import readers_of
from palabra_agent.languages import LanguageCode
from palabra_agent.session import (
    Brief,
    BriefFollowed,
    FellSilent,
    InterpretationEnded,
    InterpretationStarted,
    Session,
    Transcript,
    UpdateRefused,
)
from palabra_agent.texts import one_line

_UNUSED_SECONDS: Final = 30.0
"""A session ends that has had no text for so long, and told and sounded nothing."""

_FRESH_SECONDS: Final = 30.0
"""A text that could not be sent for so long comes too late."""

logger = logging.getLogger(__name__)


class AuthorTranslation:
    """Translates what one person types, for as long as it runs."""

    def __init__(
        self, author: Person, brief: Brief, context: RoomContext, on_miss: Callable[[int], None]
    ) -> None:
        """Wait for a first text.

        Args:
            author: As they are now.
            brief: The languages, that of the texts among them.
            context: The room's.
            on_miss: Told how many texts were not translated, because Palabra did not.
        """
        self.author = author
        """As last seen: what they typed may be translated when they are gone."""
        self.brief = Watched(brief)
        """Followed by its session."""
        self.used_at = asyncio.get_running_loop().time()
        """The time of the last text, word or sound."""
        self.is_at_work = False
        """True while it has a session, or is about to."""
        self._context = context
        self._on_miss = on_miss
        self._waiting = deque[tuple[float, str]]()
        """Texts that no session has yet, each with its time."""
        self._arrived = asyncio.Event()
        """Set while texts wait."""
        self._is_barred = False
        """True while Palabra refuses what the brief asks for."""
        self._untold = 0
        """Texts that the session has, and of which it told no translation."""
        self._told: set[str] = set()
        """Utterances of the session."""
        self._is_dismissed = False
        """True where its place is wanted by another."""
        self._is_outdated = False
        """True where the session began under other settings than hold."""
        self._woken = asyncio.Event()
        """Set where the session may be to end, or may be tried again."""

    def follow(self, brief: Brief) -> None:
        """Translate as the brief says from now on."""
        self.brief.set(brief)
        self._woken.set()

    def put(self, text: str) -> None:
        """Have a text translated; never waits."""
        if self._is_barred:
            self._on_miss(1)
            return

        self._use()
        self._waiting.append((self.used_at, text))
        self._arrived.set()

    def dismiss(self) -> None:
        """Give the session's place up, now or as soon as it is open, and the texts that wait."""
        self._is_dismissed = True
        self._woken.set()

    def renew(self) -> None:
        """Have another session, as settings have changed, once this one has told what it has."""
        self._is_outdated = True
        self._woken.set()

    async def run(self) -> None:
        """Have a session while there are texts, until cancelled, or until an error of ours.

        An error that cannot get better by itself is waited out until something else is wanted.
        """
        try:
            await self._keep_translating()
        finally:
            self._resolve_errors()

    async def _keep_translating(self) -> None:
        backoff, now = Backoff(), asyncio.get_running_loop().time
        while True:
            await self._arrived.wait()
            asked, began = self.brief.value, now()
            error = await self._have_session()
            if error is not None and not error.retryable:
                self._is_barred = True
                self._drop_texts_before(now())
                await self._until_other_than(asked)
                self._is_barred = False
            elif error is not None:
                pause = backoff.pause_after(now() - began)
                await asyncio.sleep(max(pause, error.retry_after_seconds or 0.0))

            seconds = 0.0 if self._is_dismissed else _FRESH_SECONDS
            self._drop_texts_before(now() - seconds)
            if not self._waiting:
                self._arrived.clear()
                self._resolve_errors()

    async def _until_other_than(self, asked: Brief) -> None:
        """Wait until something else is wanted: other languages, or other settings."""
        while self.brief.value == asked and not self._is_outdated:
            self._woken.clear()
            await self._woken.wait()

    @property
    def _error_key(self) -> str:
        return f"chat of {self.author.identity}"

    async def _have_session(self) -> PalabraError | None:
        """Hold a session until it is not used any more; return the error that ended it, if any."""
        context, error = self._context, None
        self._untold, self._told = 0, set[str]()
        self._is_dismissed = self._is_outdated = False
        self._show_work(is_at_work=True)
        try:
            async with (
                context.places.place(is_relief=False),
                context.open_session(self.brief.value) as session,
            ):
                try:
                    await self._translate(session)
                finally:
                    context.billing.add_session(self.author.identity, session.billed_seconds)
        except* PalabraError as ended:
            error = decisive(errors_in(ended))
            if self._waiting or self._untold:
                self._on_error(error)
        finally:
            self._show_work(is_at_work=False)

        heed_cancellation()
        if self._untold:
            self._on_miss(self._untold)
        return error

    def _show_work(self, *, is_at_work: bool) -> None:
        self.is_at_work = is_at_work
        self._context.changed.set()

    async def _translate(self, session: Session) -> None:
        """Keep a session at work until it is not used any more, or its place is wanted.

        Its task is to pause as soon as all texts are told: no voice comes.
        """
        session.mute(is_muted=True)
        sources = set[FrameSource]()
        self._use()
        self._resolve_errors()
        try:
            async with asyncio.TaskGroup() as group:
                helping = (
                    group.create_task(self._keep_briefed(session), name="brief"),
                    group.create_task(self._send(session), name="texts"),
                    group.create_task(self._follow(session, sources), name="events"),
                )
                await self._until_unused()
                for task in helping:
                    task.cancel()
        finally:
            for source in sources:
                self._context.downlinks.end(source)

    async def _until_unused(self) -> None:
        now = asyncio.get_running_loop().time
        while not self._is_over and now() < self.used_at + _UNUSED_SECONDS:
            self._woken.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self.used_at + _UNUSED_SECONDS):
                    await self._woken.wait()

    @property
    def _is_over(self) -> bool:
        return self._is_dismissed or (self._is_outdated and not self._untold)

    async def _keep_briefed(self, session: Session) -> None:
        async for brief in self.brief.changes():
            session.rebrief(brief)

    async def _send(self, session: Session) -> None:
        while True:
            await self._arrived.wait()
            while self._waiting and not self._is_outdated:
                _, text = self._waiting.popleft()
                session.speak(text, self.brief.value.source_language, translate=True)
                self._untold += 1

            if self._waiting:
                return

            self._arrived.clear()

    async def _follow(self, session: Session, sources: set[FrameSource]) -> None:
        """Heed what the session tells; its sound is left alone where texts are not spoken."""
        author, downlinks = self.author.identity, self._context.downlinks
        async for event in session.events():
            match event:
                case Transcript(is_translation=True, is_final=True):
                    self._write(event)
                case InterpretationStarted(language, source):
                    if self._context.settings.value.rules.speaks_typed:
                        sources.add(source)
                        downlinks.begin(author, language, source, self._hear, is_typed=True)
                case InterpretationEnded(source):
                    downlinks.end(source)
                case BriefFollowed():
                    self._resolve_errors()
                case UpdateRefused(sentence):
                    self._show_error(sentence)
                case FellSilent():
                    raise SessionLost("its connection is interrupted")
                case _:
                    pass

        raise SessionLost("Palabra ended it")

    def _write(self, translation: Transcript) -> None:
        """Pass a translation on to those who read its language."""
        self._use()
        if translation.transcription_id not in self._told:
            self._told.add(translation.transcription_id)
            self._untold = max(0, self._untold - 1)
            self._woken.set()

        context, author = self._context, self.author
        settings, written = context.settings.value, self.brief.value.source_language
        readers = readers_of(translation, author.identity, written, context.view, settings.regime)
        if readers and settings.rules.translates_typed:
            line = ChatLine(translation, author.identity, readers, author.name, is_typed=True)
            context.meeting.texts.put(line)

    def _hear(self, _author: str, _language: LanguageCode, _now: float) -> None:
        """Learn that a translation sounds; Palabra may be asked for no words."""
        self._use()
        if not self._told:
            self._untold = 0
            self._woken.set()

    def _use(self) -> None:
        self.used_at = asyncio.get_running_loop().time()

    def _drop_texts_before(self, time: float) -> None:
        missed = 0
        while self._waiting and self._waiting[0][0] <= time:
            self._waiting.popleft()
            missed += 1

        if missed:
            self._on_miss(missed)

    def _on_error(self, error: PalabraError) -> None:
        logger.warning("translation of typed texts failed", extra={"reason": error.in_our_words})
        self._show_error(str(error))

    def _resolve_errors(self) -> None:
        self._context.errors.resolve(self._error_key)
        self._context.changed.set()

    def _show_error(self, words: str) -> None:
        sentence = one_line(words, LONGEST_ERROR)
        logger.debug("the reason in Palabra's words: %s", sentence)
        self._context.errors.report(self._error_key, sentence)
        self._context.changed.set()
