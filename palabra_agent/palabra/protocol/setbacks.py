"""What an error means for the task: it is told again, refused, or over. Pure.

A first task that is refused ends the session; a change that is refused leaves what ran before, and
that is never refused itself. What nobody knows is tried again, as it may be a limit.
"""

from __future__ import annotations

from typing import Final

from palabra_agent.errors import AccessDenied, SessionLost, TaskRejected
from palabra_agent.palabra.protocol.agenda import Agenda
from palabra_agent.palabra.protocol.complaints import Complaint, complaint_of, in_words
from palabra_agent.palabra.protocol.errands import Errands
from palabra_agent.palabra.protocol.events import ConversationEvent, OperatorNotice, SessionEnded
from palabra_agent.palabra.protocol.lifecycle import Lifecycle, SessionState, Signal
from palabra_agent.palabra.protocol.messages import ErrorReport
from palabra_agent.palabra.protocol.refusals import readable
from palabra_agent.palabra.protocol.standing import TaskStanding
from palabra_agent.session import UpdateRefused

PAUSE_REFUSED: Final = "pause refused"
"""What is noted, once, where silence goes on being charged."""

_PATIENCE: Final = 3
"""So many unknown errors in a row refuse a change of what runs; so many pauses in vain are told."""
_DENIALS: Final = 3
"""After so many answers that there is no task it is sent again: six seconds, where two are usual.
"""
_OF_ANY_COMMAND: Final = frozenset({Complaint.SOME_COMMAND, Complaint.DENIED})


class Setbacks:
    """What went wrong with one task, and what becomes of it."""

    def __init__(
        self, life: Lifecycle, standing: TaskStanding, errands: Errands, agenda: Agenda
    ) -> None:
        self._life = life
        self._standing = standing
        self._errands = errands
        self._agenda = agenda
        self.last_words = ""
        """What was said against the task that is under way, and did not refuse it."""
        self._was_lost = False
        self._strikes = 0
        """Errors that nobody knows, in a row."""
        self._denials = 0
        """How often there was no task yet."""
        self._is_pause_told = False

    def overcome(self) -> None:
        """The task runs."""
        self._was_lost, self._strikes, self.last_words = False, 0, ""

    def lose(self, reason: str) -> list[ConversationEvent]:
        """The other side is gone; while we are ending, that is the end."""
        return self._over(SessionLost(reason))

    def miss_pause(self, now: float, code: str) -> list[ConversationEvent]:
        """The task runs on although it was told to pause, and is to be paused once more."""
        self._standing.miss_pause()
        self._life.follow(Signal.CONFIRMED)
        if self._agenda.miss_pause(now) < _PATIENCE or self._is_pause_told:
            return []

        self._is_pause_told = True
        return [OperatorNotice(PAUSE_REFUSED, code)]

    def meet(self, error: ErrorReport, now: float) -> list[ConversationEvent]:
        """Take in an error; return what it means for us."""
        complaint = complaint_of(error)
        if complaint is Complaint.NO_SOUND:
            words = f" ({readable(error.desc)})" if error.desc else ""
            return self.lose(f"Palabra heard no audio for too long{words}")

        if complaint is Complaint.NO_TASK:
            return self._not_found()

        if complaint is Complaint.OTHER_COMMAND:
            return [OperatorNotice("error", error.code)]

        # older servers know an interruption by another name
        if complaint is Complaint.UNKNOWN_COMMAND and self._errands.fall_back():
            return [OperatorNotice("error", error.code)]

        return self._refuse(complaint, error, now) or self._retry(error, now)

    def _refuse(
        self, complaint: Complaint, error: ErrorReport, now: float
    ) -> list[ConversationEvent]:
        """Give up a task that Palabra does not take; nothing where the error does not say that."""
        may_be_of_task = complaint in _OF_ANY_COMMAND and not self._errands.may_be_refused(now)
        is_of_task = complaint is Complaint.SETTINGS or may_be_of_task
        if not is_of_task or not self._standing.is_task_under_way:
            return []

        if complaint is Complaint.DENIED:
            return self._reject(AccessDenied(in_words(error)))

        # what ran before was not refused then, and is not now
        rejected = TaskRejected(error.code, readable(error.desc))
        return self._reject(rejected) if self._standing.is_change else []

    def _retry(self, error: ErrorReport, now: float) -> list[ConversationEvent]:
        """A limit, or something new: what it answers may not have counted."""
        self._agenda.note_error(now)
        noted: list[ConversationEvent] = [OperatorNotice("error", error.code)]
        if self._standing.is_pause_under_way:
            return self.miss_pause(now, error.code) or noted

        if not self._standing.is_task_under_way:
            return noted

        self._strikes += 1
        self.last_words = in_words(error)
        is_change = self._standing.is_change and self._life.has_task
        if is_change and self._strikes >= _PATIENCE:
            return self._reject(TaskRejected(error.code, readable(error.desc)))

        self._standing.send_again()
        return noted

    def _not_found(self) -> list[ConversationEvent]:
        if not self._life.has_task:
            return self._wait_or_repeat()

        if self._was_lost:
            return self.lose("Palabra lost the task")

        self._was_lost = True
        self._standing.forget()
        return [OperatorNotice("error", "NOT_FOUND")]

    def _wait_or_repeat(self) -> list[ConversationEvent]:
        """Not up yet; or it was never heard, as by a peer that was just being set up."""
        self._denials += 1
        if self._denials % _DENIALS == 0:
            self._standing.send_again()

        return []

    def _reject(self, error: TaskRejected | AccessDenied) -> list[ConversationEvent]:
        if not self._life.has_task or not self._standing.is_change:
            return self._over(error)

        self._strikes, self.last_words = 0, ""
        self._standing.refuse(error, is_heard=self._life.state is SessionState.RUNNING)
        return [UpdateRefused(str(error))]

    def _over(self, error: TaskRejected | AccessDenied | SessionLost) -> list[ConversationEvent]:
        was_wanted = self._life.state is SessionState.ENDING
        self._life.follow(Signal.LOST)
        return [SessionEnded(None if was_wanted else error)]
