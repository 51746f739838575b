"""The conversation with Palabra about one task, without I/O: what to send, what comes of it.

Rules first, then the code:

* The task is always sent whole. The latest wish counts; wishes in between are skipped.
* `set_task` may be acknowledged or not. The task runs when `task_status` or `current_task` says so,
  and Palabra is asked until it does. The same holds for `pause_task`.
* `set_task` in a pause ends the pause and its bill begins: changes wait until the speaker speaks.
  Once it has gone out Palabra is taken to hear again, until an answer says that it does not.
* What Palabra shows of a task is compared with what was sent; where it differs, that is sent again,
  once.
* Other commands are sent in order, once a task is there.
* Everything that is expected of Palabra has a deadline; only a pause may be refused for ever.
* After the end nothing is sent, and no message means anything.

The rules of each part stand with it: `task_state` says what leads where, `task_errors` what an
error means, `sending` which command goes next. They only read the state: it changes here alone.
"""

from __future__ import annotations

from typing import assert_never

from palabra_agent.errors import AccessDenied, SessionLost, TaskRejected
from palabra_agent.palabra.protocol import commands
from palabra_agent.palabra.protocol.commands import Command, Task
from palabra_agent.palabra.protocol.events import (
    PAUSE_REFUSED,
    TASK_DIFFERS,
    ConversationEvent,
    OperatorNotice,
    SessionEnded,
)
from palabra_agent.palabra.protocol.messages import (
    ErrorReport,
    Message,
    StreamEnded,
    TaskReport,
    Unread,
    WarningReport,
)
from palabra_agent.palabra.protocol.sending import CommandQueue, CommandScheduler
from palabra_agent.palabra.protocol.task_differences import task_differences
from palabra_agent.palabra.protocol.task_errors import (
    VOICE_NOT_FOUND,
    ErrorKind,
    ErrorMeaning,
    MissingVoices,
    Reaction,
    TaskErrors,
    error_kind,
    spelled,
)
from palabra_agent.palabra.protocol.task_state import (
    Acknowledgement,
    SessionState,
    Signal,
    StateDeadline,
    TaskState,
)
from palabra_agent.session import BriefFollowed, Transcript, UpdateRefused, VoiceMissing


class TaskConversation:
    """One task, from the first wish to its end. Times are in seconds of any steady clock."""

    def __init__(self, state: TaskState | None = None) -> None:
        self._state = state or TaskState(SessionState.CONFIGURING)
        self._queue = CommandQueue()
        self._scheduler = CommandScheduler(self._state, self._queue)
        self._errors = TaskErrors(self._state)
        self._voices = MissingVoices()
        self._deadline = StateDeadline()
        self.was_answered = False
        """True where anything at all was received."""
        self._has_given_up = False
        self._is_voice_noted = False
        self._is_out = False
        """True where the `set_task` that ends a pause has gone out."""
        self._is_acknowledged = False
        """True where Palabra acknowledged a command by itself."""
        self._is_answered = False
        """True where Palabra answered `get_task`."""
        self._differing: Task | None = None
        """The task that was sent once more because Palabra showed another one."""

    @property
    def state(self) -> SessionState:
        """The stage that the session has reached."""
        return self._state.session

    @property
    def is_over(self) -> bool:
        """True where nothing more can happen."""
        return self._state.is_over

    @property
    def running_task(self) -> Task | None:
        """The task that Palabra confirmed last; None before the first."""
        return self._state.running

    @property
    def is_heard(self) -> bool:
        """True where Palabra takes sound in now, as far as we know, or was told to and may."""
        is_told = self._state.acknowledgement is Acknowledgement.TASK_AWAITED
        is_resumed = self.state is SessionState.RESUMING and is_told and self._is_out
        return self.state is SessionState.RUNNING or is_resumed

    @property
    def is_charged(self) -> bool:
        """True where Palabra charges for the task now, as far as we know; it does for the tail."""
        return self.is_heard or self.state is SessionState.ENDING

    @property
    def gives_up_at(self) -> float:
        """The time when `give_up` returns something, unless the expected answer comes."""
        return self._deadline.at

    def wish(self, task: Task) -> list[ConversationEvent]:
        """Want a task, new or changed; returns what is known of it already.

        A task that was refused is not sent again, the running one stays.
        """
        refusal = self._state.wish(task)
        if refusal is not None:
            return [UpdateRefused(str(refusal))]

        return [BriefFollowed()] if self._state.is_wish_met else []

    def pause(self) -> None:
        """Want Palabra to hear, and charge, nothing; as soon as the task is known to run."""
        self._state.wants_pause = True

    def resume(self) -> None:
        """Want Palabra to hear again."""
        self._state.wants_pause = False

    def enqueue(self, command: Command) -> None:
        """Want another command sent, as soon as there is a task and its turn has come.

        An interruption goes first; the texts that wait, and that it is meant for, are not spoken.

        Raises:
            ConfigError: Too many texts wait already.
        """
        self._queue.add(command)

    def finish(self) -> None:
        """Want the task to end, after everything that was said is interpreted."""
        self._state.follow(Signal.END_WANTED)

    def leave(self) -> None:
        """End at once."""
        self._state.follow(Signal.LEFT)

    def may_end(self, now: float) -> bool:
        """Tell whether `end_task` would be obeyed now; where not, deleting the session ends it too.

        A task that was given up may be there all the same.
        """
        is_there = self._has_given_up or not self.is_over
        return is_there and self._scheduler.may_end(now)

    def next_command(self, now: float) -> Command | None:
        """Take the command to send now, if any; the caller sends it."""
        name = self._scheduler.due(now)
        if name == "get_task" and self._is_asked_in_vain:
            self._state.stop_asking()
            name = self._scheduler.due(now)

        command = self._make(name, now) if name is not None else None
        if command is not None:
            self._scheduler.note_sent(command.name, now)

        self._deadline.follow(self._state, now)
        return command

    def go_out(self) -> None:
        """Learn that the command that was taken last has gone out."""
        self._is_out = True

    def next_time(self) -> float | None:
        """Tell when `next_command` may have something, or None while nothing is to be sent."""
        return self._scheduler.next_time()

    def ask_again(self) -> None:
        """Make sure that the task still runs, as after a reconnect that may have lost packets."""
        self._state.doubt()

    def miss_track(self) -> None:
        """Learn that the track of a target is gone: the task may be, too.

        Where Palabra cannot be asked nothing is done: it may take tracks back because it was told
        the task again.
        """
        if self._state.is_askable:
            self._state.doubt()

    def repeat(self) -> None:
        """Send the task again, as to a peer that was not there to hear it."""
        self._state.follow(Signal.NOT_COUNTED)

    def hear_tail(self, now: float) -> None:
        """Learn that the interpretation goes on; while it does, the end is waited for."""
        if self.state is SessionState.ENDING:
            self._deadline.follow(self._state, now)
            self._deadline.renew(now)

    def give_up(self, now: float) -> list[ConversationEvent]:
        """Wait no more for an answer that did not come in time."""
        self._deadline.follow(self._state, now)
        if self.is_over or now < self._deadline.at:
            return []

        self._has_given_up = True
        lost = self.lose(self._deadline.words, self._errors.last_words)
        self._deadline.follow(self._state, now)
        return lost

    def lose(
        self, reason: str, words: str = "", *, is_for_people: bool = False
    ) -> list[ConversationEvent]:
        """Learn that the other side is gone; in the state `ending`, that is the end.

        Args:
            reason: Of the loss.
            words: What Palabra said of it.
            is_for_people: Whether the people in the meeting should be told.
        """
        return [self._end(SessionLost(reason, words, is_for_people=is_for_people))]

    def receive(self, message: Message, now: float) -> list[ConversationEvent]:
        """Take in a message; returns what comes of it."""
        if self.is_over:
            return []

        self.was_answered = True
        events = self._understand(message, now)
        self._deadline.follow(self._state, now)
        return events

    def _make(self, name: str, now: float) -> Command:
        match name:
            case "set_task":
                self._is_out = self.is_heard
                task = self._state.send_task()
                self._voices.ask(task)
                return commands.set_task(task)
            case "pause_task":
                self._state.send_pause()
                return commands.pause_task()
            case "get_task":
                self._state.was_asked = True
                return commands.get_task()
            case "end_task":
                return commands.end_task()
            case _:
                return self._queue.take(now)

    @property
    def _may_be_question(self) -> bool:
        """True where `get_task` may be what Palabra does not know."""
        is_asked = self._state.was_asked and self._state.needs_answer and not self._is_answered
        # what may have been refused is a pause, which is tried again
        return is_asked and self._state.acknowledgement is not Acknowledgement.PAUSE_AWAITED

    @property
    def _is_asked_in_vain(self) -> bool:
        """True where Palabra acknowledges what it is told, but does not answer what it is asked."""
        is_ignored = self._state.was_asked and not self._is_answered
        return is_ignored and self._is_acknowledged and not self._state.is_paused

    def _understand(self, message: Message, now: float) -> list[ConversationEvent]:
        match message:
            case Transcript():
                self.hear_tail(now)
                return [message]
            case TaskReport():
                return self._heed_report(message, now)
            case ErrorReport():
                return self._heed_error(message, now)
            case WarningReport(code, text) if spelled(code) == VOICE_NOT_FOUND:
                return self._heed_missing_voice(text)
            case WarningReport(code):
                return [OperatorNotice("warning", code)]
            case StreamEnded():
                return self.lose("Palabra ended the stream")
            case Unread(message_type):
                return [OperatorNotice("unread", message_type)]
            case _:
                return []

    def _heed_report(self, report: TaskReport, now: float) -> list[ConversationEvent]:
        self._queue.acknowledge(report.command)
        state = self._state
        if report.command:
            self._is_acknowledged = True
        else:
            self._is_answered = state.is_askable = True
        is_asked_for = report.command == "" and state.was_asked
        if state.is_paused:
            if report.status == "paused" and report.command in {"", "pause_task"}:
                state.follow(Signal.PAUSE_CONFIRMED)
                self._scheduler.meet_pause()
            elif is_asked_for and report.is_running:
                return self._miss_pause(now, report.status)
            return []

        is_told = state.acknowledgement is not Acknowledgement.UNTOLD
        if not is_told or report.command not in {"", "set_task"}:
            return []

        if report.is_running:
            self._errors.clear()
            events: list[ConversationEvent] = [BriefFollowed()] if state.confirm() else []
            return [*events, *self._compare(report.task)] if is_asked_for else events

        if is_asked_for:
            # a task that is still paused did not hear that the pause is over
            is_unheard = report.status == "paused" and state.has_task
            state.follow(Signal.NOT_COUNTED if is_unheard else Signal.STILL_THERE)
        return []

    def _compare(self, shown: Task) -> list[ConversationEvent]:
        """Compare the task that Palabra shows with the one that was sent; send that once more."""
        sent = self._state.sent
        if sent is None or sent == self._differing or not (paths := task_differences(sent, shown)):
            return []

        self._differing = sent
        self._state.follow(Signal.NOT_COUNTED)
        return [OperatorNotice(TASK_DIFFERS, ", ".join(paths))]

    def _heed_error(self, error: ErrorReport, now: float) -> list[ConversationEvent]:
        notice = OperatorNotice("error", error.code)
        # older servers know an interruption by another name
        is_unknown = error_kind(error) is ErrorKind.UNKNOWN_COMMAND
        if is_unknown and self._queue.fall_back():
            return [notice]
        if is_unknown and self._may_be_question:
            self._state.stop_asking()
            return [notice]

        may_be_of_other = self._queue.may_be_refused(now)
        meaning = self._errors.assess(error, may_be_of_other=may_be_of_other)
        if meaning.may_be_limit:
            self._scheduler.note_limit(now)

        return self._react(meaning, error.code, now) or ([notice] if meaning.is_noted else [])

    def _react(self, meaning: ErrorMeaning, code: str, now: float) -> list[ConversationEvent]:
        """Do what an error means; returns what comes of it, beside the notice."""
        match meaning.reaction:
            case Reaction.NONE:
                return []
            case Reaction.SEND_AGAIN:
                self._state.follow(Signal.NOT_COUNTED)
                return []
            case Reaction.PAUSE_AGAIN:
                return self._miss_pause(now, code)
            case Reaction.REFUSE:
                assert isinstance(meaning.error, TaskRejected | AccessDenied)
                self._state.refuse(meaning.error)
                return [UpdateRefused(str(meaning.error))]
            case Reaction.END:
                return [self._end(meaning.error)]
            case _:
                assert_never(meaning.reaction)

    def _miss_pause(self, now: float, code: str) -> list[ConversationEvent]:
        """Learn that the task runs on although a pause was sent; it is paused once more."""
        self._state.follow(Signal.RUNS)
        return [OperatorNotice(PAUSE_REFUSED, code)] if self._scheduler.miss_pause(now) else []

    def _heed_missing_voice(self, text: str) -> list[ConversationEvent]:
        events: list[ConversationEvent] = []
        if not self._is_voice_noted:
            self._is_voice_noted = True
            events.append(OperatorNotice("warning", VOICE_NOT_FOUND))

        voice_id = self._voices.find(text)
        return events if voice_id is None else [*events, VoiceMissing(voice_id)]

    def _end(self, error: TaskRejected | AccessDenied | SessionLost | None) -> SessionEnded:
        was_wanted = self.state is SessionState.ENDING
        self._state.follow(Signal.LOST)
        return SessionEnded(None if was_wanted else error)
