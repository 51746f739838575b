"""The conversation with Palabra about one task, without any I/O: what to send when, what it means.

Rules first, then the code:

* The task is always sent whole. What is wished last is what counts; wishes in between are skipped.
* `set_task` may be acknowledged or not. Ready is when `task_status` or `current_task` says so, and
  it is asked for until it does. The same holds for `pause_task`.
* `set_task` in a pause ends the pause and its bill begins: changes wait until somebody speaks.
* A `VALIDATION_ERROR` refuses the task that is under way, unless it may be about another command.
  A refused task is not sent again; what ran before goes on, and is never refused itself.
* `NOT_FOUND` before the task runs means not yet, afterwards that it is gone: it is sent once more.
* Other commands are sent in order, once a task is there, an interruption first.
* Whatever is expected of Palabra has a deadline; a pause alone may be refused for ever.
"""

from __future__ import annotations

from palabra_agent.palabra.protocol.agenda import Agenda
from palabra_agent.palabra.protocol.commands import Command, CommandParts, Task
from palabra_agent.palabra.protocol.deadline import Deadline
from palabra_agent.palabra.protocol.errands import Errands
from palabra_agent.palabra.protocol.events import (
    ConversationEvent,
    OperatorNotice,
)
from palabra_agent.palabra.protocol.lifecycle import Lifecycle, SessionState, Signal
from palabra_agent.palabra.protocol.messages import (
    ErrorReport,
    Message,
    StreamEnded,
    TaskReport,
    Unread,
    WarningReport,
)
from palabra_agent.palabra.protocol.missing_voices import VOICE_NOT_FOUND, MissingVoices
from palabra_agent.palabra.protocol.setbacks import Setbacks
from palabra_agent.palabra.protocol.standing import TaskStanding
from palabra_agent.session import BriefFollowed, Transcript, UpdateRefused


class TaskConversation:
    """One task, from the first wish to its end. Times are in seconds of any steady clock."""

    def __init__(self, life: Lifecycle | None = None) -> None:
        self._life = life or Lifecycle(SessionState.CONFIGURING)
        self._standing = TaskStanding()
        self._errands = Errands()
        self._agenda = Agenda(self._life, self._standing, self._errands)
        self._setbacks = Setbacks(self._life, self._standing, self._errands, self._agenda)
        self._deadline = Deadline()
        self.was_answered = False
        """Whether anything at all was received."""
        self._has_given_up = False
        self._missing_voices = MissingVoices()

    @property
    def state(self) -> SessionState:
        """Where the session stands."""
        return self._life.state

    @property
    def is_heard(self) -> bool:
        """Whether Palabra takes sound in now, as far as we know."""
        return self.state is SessionState.RUNNING

    @property
    def is_charged(self) -> bool:
        """Whether Palabra charges for the task now, as far as we know; it does for the tail."""
        return self.state in {SessionState.RUNNING, SessionState.ENDING}

    @property
    def gives_up_at(self) -> float:
        """When `give_up` has something to say, unless what is expected of Palabra comes."""
        return self._deadline.at

    def wish(self, task: Task) -> list[ConversationEvent]:
        """Want a task, new or changed; return what is known of it already.

        One that was refused is not sent again, what runs stays.
        """
        refusal = self._standing.wish(task)
        if refusal is not None:
            return [UpdateRefused(str(refusal))]

        return [BriefFollowed()] if self._standing.is_followed else []

    def pause(self) -> None:
        """Want Palabra to hear, and charge, nothing; as soon as the task is known to run."""
        self._standing.wants_pause = True

    def resume(self) -> None:
        """Want Palabra to hear again."""
        self._standing.wants_pause = False

    def say(self, parts: CommandParts) -> None:
        """Want another command sent, as soon as there is a task and its turn has come.

        An interruption goes first; texts that wait, and that it is meant for, are not spoken.

        Raises:
            ConfigError: Too many texts wait already.
        """
        self._errands.add(parts)

    def finish(self) -> None:
        """Want the task to end, after everything that was said is interpreted."""
        self._life.follow(Signal.END_WANTED)

    def may_end(self, now: float) -> bool:
        """Whether `end_task` would be obeyed now; where a limit bars it, deleting ends as well.

        A task that was given up may be there all the same.
        """
        is_there = self._has_given_up or not self._life.is_over
        return is_there and self._agenda.may_end(now)

    def next_command(self, now: float) -> Command | None:
        """The command to send now, if any; the caller sends it."""
        command = self._agenda.next_command(now)
        if command is not None and command.name == "set_task":
            self._missing_voices.ask(command.data)

        self._expect(now)
        return command

    def next_time(self) -> float | None:
        """When `next_command` may have something, or None while there is nothing to say."""
        return self._agenda.next_time()

    def ask_again(self) -> None:
        """Make sure that the task still runs, as after a reconnect that may have lost packets."""
        self._standing.doubt()

    def repeat(self) -> None:
        """Send the task again, as to a peer that was not there to hear it."""
        self._standing.forget()

    def hear_tail(self, now: float) -> None:
        """Something that was said is interpreted: while it is, the end is waited for."""
        if self.state is SessionState.ENDING:
            self._expect(now)
            self._deadline.renew(now)

    def give_up(self, now: float) -> list[ConversationEvent]:
        """Wait no more for what did not come in time."""
        self._expect(now)
        if self._life.is_over or now < self._deadline.at:
            return []

        said = f"; it said: {self._setbacks.last_words}" if self._setbacks.last_words else ""
        self._has_given_up = True
        lost = self.lose(self._deadline.words + said)
        self._expect(now)
        return lost

    def lose(self, reason: str) -> list[ConversationEvent]:
        """The other side is gone; while we are ending, that is the end."""
        return self._setbacks.lose(reason)

    def receive(self, message: Message, now: float) -> list[ConversationEvent]:
        """Take in a message; return what it means for us. After the end nothing means anything."""
        if self._life.is_over:
            return []

        self.was_answered = True
        events = self._understand(message, now)
        self._expect(now)
        return events

    def _expect(self, now: float) -> None:
        self._deadline.follow(self.state, now, is_settled=self._standing.is_settled)

    def _understand(self, message: Message, now: float) -> list[ConversationEvent]:
        match message:
            case Transcript():
                self.hear_tail(now)
                return [message]
            case TaskReport():
                return self._heed(message, now)
            case ErrorReport():
                return self._setbacks.meet(message, now)
            case WarningReport(code, text):
                is_voice = code == VOICE_NOT_FOUND
                return (
                    self._missing_voices.miss(text)
                    if is_voice
                    else [OperatorNotice("warning", code)]
                )
            case StreamEnded():
                return self.lose("Palabra ended the stream")
            case Unread(message_type):
                return [OperatorNotice("unread", message_type)]
            case _:
                return []

    def _heed(self, report: TaskReport, now: float) -> list[ConversationEvent]:
        self._errands.answered(report.command)
        is_asked_for = report.command == "" and self._standing.has_asked
        if self._standing.is_paused:
            if report.status == "paused" and report.command in {"", "pause_task"}:
                self._standing.confirm_pause()
                self._agenda.meet_pause()
            elif is_asked_for and report.is_running:
                return self._setbacks.miss_pause(now, report.status)
        elif self._standing.sent is not None and report.command in {"", "set_task"}:
            if report.is_running:
                return self._confirm()
            if is_asked_for and report.status == "paused" and self._life.has_task:
                # it did not hear that the pause is over
                self._standing.send_again()
            elif is_asked_for:
                self._standing.trust()

        return []

    def _confirm(self) -> list[ConversationEvent]:
        self._setbacks.overcome()
        self._life.follow(Signal.CONFIRMED)
        return [BriefFollowed()] if self._standing.confirm() else []
