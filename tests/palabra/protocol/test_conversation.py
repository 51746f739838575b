"""The conversation about a task: what is sent when, and what answers mean."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from palabra_agent.errors import AccessDenied, ConfigError, SessionLost, TaskRejected
from palabra_agent.palabra.protocol import commands
from palabra_agent.palabra.protocol.commands import Command
from palabra_agent.palabra.protocol.conversation import TaskConversation
from palabra_agent.palabra.protocol.events import ConversationEvent, OperatorNotice, SessionEnded
from palabra_agent.palabra.protocol.messages import (
    ErrorReport,
    Message,
    QueueLevels,
    StreamEnded,
    TaskReport,
    Unread,
    WarningReport,
)
from palabra_agent.palabra.protocol.sending import PAUSE_INTERVAL_SECONDS, TASK_INTERVAL_SECONDS
from palabra_agent.palabra.protocol.task_state import OVER, SessionState
from palabra_agent.session import BriefFollowed, UpdateRefused
from tests.fakes import transcript

pytestmark = pytest.mark.unit

A, B, C = {"task": "a"}, {"task": "b"}, {"task": "c"}
RUNNING = TaskReport("", "running")
PAUSED = TaskReport("pause_task", "paused")
INTERRUPTED = TaskReport("interrupt_task", "running")
NOT_FOUND = ErrorReport("NOT_FOUND", "no task")
INVALID = ErrorReport("VALIDATION_ERROR", "bad voice")
NO_VOICE = WarningReport("VOICE_NOT_FOUND", "text")
UNKNOWN_COMMAND = ErrorReport(
    "VALIDATION_ERROR", "Message should contain non-empty message_type field"
)
RATE_LIMIT = ErrorReport("RATE_LIMIT", "slow down")
TEXT = Command("tts_task", {"text": "hi"})
ASK = Command("get_task", {"exclude_hidden": True})
HELLO = transcript()
WEEK = 600_000.0


class Talk:
    """A conversation and its clock."""

    def __init__(self) -> None:
        self.conversation = TaskConversation()
        self.now = 100.0

    def wish(self, task: dict[str, str]) -> Command | None:
        """Want a task and say what is due, once that is allowed."""
        self.conversation.wish(task)
        return self.next()

    def pause(self) -> Command | None:
        """Want a pause and say what is due, once that is allowed."""
        self.conversation.pause()
        return self.next()

    def resume(self) -> Command | None:
        """Want no pause any more and say what is due, once that is allowed."""
        self.conversation.resume()
        return self.next()

    def next(self) -> Command | None:
        """Say what is due next, once that is allowed."""
        self.now += PAUSE_INTERVAL_SECONDS
        return self.conversation.next_command(self.now)

    def hear(self, message: Message) -> list[Any]:
        """Receive a message; an end by an error stands as its text."""
        return in_short(self.conversation.receive(message, self.now))

    def give_up_in(self, seconds: float) -> list[Any]:
        """Let time pass; an end by an error stands as its text."""
        self.now += seconds
        return in_short(self.conversation.give_up(self.now))


def in_short(events: list[ConversationEvent]) -> list[Any]:
    """Tell what is meant; an end by an error stands as its text."""
    return [
        f"ended: {it.error}" if isinstance(it, SessionEnded) and it.error is not None else it
        for it in events
    ]


def talk(state: SessionState) -> Talk:
    """Make a conversation that is in a state."""
    made = Talk()
    if state is not SessionState.IDLE:
        made.wish(A)
    if state in {SessionState.RUNNING, SessionState.PAUSED, SessionState.ENDING}:
        made.hear(RUNNING)
    if state is SessionState.PAUSED:
        made.pause()
        made.hear(PAUSED)
    if state is SessionState.ENDING:
        made.conversation.finish()
        made.next()
    if state is SessionState.FAILED:
        made.hear(StreamEnded())

    assert made.conversation.state is (
        SessionState.CONFIGURING if state is SessionState.IDLE else state
    )
    return made


# nothing was asked for yet; asked for; runs; paused; ending; over
I, C_, R = SessionState.IDLE, SessionState.CONFIGURING, SessionState.RUNNING  # noqa: E741 - columns of a table
P, E, O = SessionState.PAUSED, SessionState.ENDING, SessionState.FAILED  # noqa: E741 - columns of a table
DONE = SessionState.CLOSED
TIMEOUT = "the Palabra session was lost: Palabra heard no audio for too long"
ENDED = "the Palabra session was lost: Palabra ended the stream"
REFUSED = "Palabra refused the settings: bad voice (VALIDATION_ERROR)"

TABLE = [
    # state, message, state after, meanings
    (I, RUNNING, C_, []),
    (I, NOT_FOUND, C_, []),
    (C_, RUNNING, R, [BriefFollowed()]),
    (C_, TaskReport("set_task", "running"), R, [BriefFollowed()]),
    (C_, TaskReport("pause_task", "running"), C_, []),
    (C_, TaskReport("", "paused"), C_, []),
    (C_, TaskReport("", "unknown"), C_, []),
    (C_, NOT_FOUND, C_, []),
    (C_, INVALID, O, [f"ended: {REFUSED}"]),
    (C_, UNKNOWN_COMMAND, C_, [OperatorNotice("error", "VALIDATION_ERROR")]),
    (C_, RATE_LIMIT, C_, [OperatorNotice("error", "RATE_LIMIT")]),
    (C_, HELLO, C_, [HELLO]),
    (C_, QueueLevels({"es": 1}), C_, []),
    (C_, Unread("x"), C_, [OperatorNotice("unread", "x")]),
    (C_, StreamEnded(), O, [f"ended: {ENDED}"]),
    (C_, ErrorReport("SERVICE_TIMEOUT", ""), O, [f"ended: {TIMEOUT}"]),
    (R, RUNNING, R, []),
    (R, TaskReport("", "unknown"), R, []),
    (R, NOT_FOUND, R, [OperatorNotice("error", "NOT_FOUND")]),
    (R, UNKNOWN_COMMAND, R, [OperatorNotice("error", "VALIDATION_ERROR")]),
    (R, RATE_LIMIT, R, [OperatorNotice("error", "RATE_LIMIT")]),
    (R, HELLO, R, [HELLO]),
    (
        R,
        WarningReport("VOICE_NOT_FOUND", "text"),
        R,
        [OperatorNotice("warning", "VOICE_NOT_FOUND")],
    ),
    (R, StreamEnded(), O, [f"ended: {ENDED}"]),
    (R, ErrorReport("SERVICE_TIMEOUT", ""), O, [f"ended: {TIMEOUT}"]),
    (R, INTERRUPTED, R, []),
    (R, PAUSED, R, []),
    (P, RUNNING, P, []),
    (P, PAUSED, P, []),
    (P, NOT_FOUND, P, [OperatorNotice("error", "NOT_FOUND")]),
    (P, HELLO, P, [HELLO]),
    (P, StreamEnded(), O, [f"ended: {ENDED}"]),
    (P, ErrorReport("SERVICE_TIMEOUT", ""), O, [f"ended: {TIMEOUT}"]),
    (E, HELLO, E, [HELLO]),
    (E, RUNNING, E, []),
    (E, RATE_LIMIT, E, [OperatorNotice("error", "RATE_LIMIT")]),
    (E, StreamEnded(), DONE, [SessionEnded()]),
    (E, ErrorReport("SERVICE_TIMEOUT", ""), DONE, [SessionEnded()]),
    (O, RUNNING, O, []),
    (O, INVALID, O, []),
    (O, NOT_FOUND, O, []),
    (O, StreamEnded(), O, []),
    (O, ErrorReport("SERVICE_TIMEOUT", ""), O, []),
    (O, HELLO, O, []),
]


@pytest.mark.parametrize(("before", "message", "after", "meanings"), TABLE)
def test_messages_in_states(
    before: SessionState, message: Message, after: SessionState, meanings: list[Any]
) -> None:
    """Each message moves the task to one state and means one thing."""
    conversation = talk(before)

    assert conversation.hear(message) == meanings
    assert conversation.conversation.state is after


def test_a_task_is_asked_for_until_it_runs() -> None:
    """One `set_task`, then `get_task` at its pace; once it runs there is nothing to say."""
    conversation = Talk()
    said = [conversation.wish(A), conversation.next(), conversation.next()]
    conversation.hear(NOT_FOUND)
    said.append(conversation.next())
    conversation.hear(RUNNING)

    ask = Command("get_task", {"exclude_hidden": True})
    assert said == [Command("set_task", A), ask, ask, ask]
    assert conversation.next() is None
    assert conversation.conversation.next_time() is None


def test_a_task_that_was_never_heard_is_sent_again() -> None:
    """Three answers that there is none are more than a slow start."""
    session = talk(SessionState.CONFIGURING)
    said: list[str] = []
    for _ in range(9):
        command = session.next()
        assert command is not None
        said.append(command.name)
        if command.name == "get_task":
            session.hear(NOT_FOUND)

    asked = ["get_task"] * 3
    assert said == [*asked, "set_task", *asked, "set_task", "get_task"]


def test_nothing_is_said_without_a_wish() -> None:
    """A conversation without a wish neither speaks nor waits."""
    conversation = TaskConversation()

    assert conversation.next_command(WEEK) is None
    assert conversation.next_time() is None


def test_the_last_wish_wins() -> None:
    """What was wished in between is never sent."""
    conversation = talk(SessionState.RUNNING)
    conversation.conversation.wish(B)

    assert conversation.wish(C) == Command("set_task", C)
    conversation.hear(RUNNING)
    assert conversation.next() is None


def test_a_wish_that_is_taken_back_is_not_sent() -> None:
    """Whoever wants again what runs already causes nothing."""
    conversation = talk(SessionState.RUNNING)
    conversation.conversation.wish(B)

    assert conversation.wish(dict(A)) is None


def test_a_change_is_confirmed_too() -> None:
    """A changed task is asked for until it runs, and that it does is news."""
    conversation = talk(SessionState.RUNNING)

    assert conversation.wish(B) == Command("set_task", B)
    assert conversation.next() == Command("get_task", {"exclude_hidden": True})
    assert conversation.hear(RUNNING) == [BriefFollowed()]
    assert conversation.next() is None


def test_a_refused_change_leaves_the_task_running() -> None:
    """The wish is dropped for good, told once, and what runs needs no repetition."""
    conversation = talk(SessionState.RUNNING)
    conversation.wish(B)

    assert conversation.hear(INVALID) == [UpdateRefused(REFUSED)]
    assert conversation.conversation.state is SessionState.RUNNING
    assert conversation.next() is None
    assert conversation.wish(C) == Command("set_task", C)


def test_a_refused_task_is_never_sent_again_unchanged() -> None:
    """Wishing again what was refused sends nothing."""
    conversation = talk(SessionState.RUNNING)
    conversation.wish(B)
    conversation.hear(INVALID)

    assert conversation.wish(dict(B)) is None


def test_a_refusal_leaves_a_newer_wish_alone() -> None:
    """What was wished while the refused one was under way is sent next."""
    conversation = talk(SessionState.RUNNING)
    conversation.wish(B)
    conversation.conversation.wish(C)
    conversation.hear(INVALID)

    assert conversation.next() == Command("set_task", C)


def test_a_refusal_of_nothing_refuses_nothing() -> None:
    """A late `VALIDATION_ERROR` does not stop what has still to be sent."""
    conversation = talk(SessionState.RUNNING)
    conversation.conversation.repeat()
    conversation.hear(INVALID)

    assert conversation.next() == Command("set_task", A)


@pytest.mark.parametrize("loss", ["repeat", "not found"])
def test_a_peer_that_forgot_gets_what_ran(loss: str) -> None:
    """After a refused change, a peer without a task gets the one that was accepted last."""
    conversation = talk(SessionState.RUNNING)
    conversation.wish(B)
    conversation.hear(INVALID)
    if loss == "repeat":
        conversation.conversation.repeat()
    else:
        conversation.hear(NOT_FOUND)

    assert conversation.next() == Command("set_task", A)


def test_a_lost_task_is_sent_once_more() -> None:
    """`NOT_FOUND` of a running task sends it again; a second one in a row ends the session."""
    conversation = talk(SessionState.RUNNING)
    conversation.hear(NOT_FOUND)

    assert conversation.next() == Command("set_task", A)
    assert conversation.hear(NOT_FOUND) == [
        ("ended: the Palabra session was lost: Palabra lost the task")
    ]


def test_a_task_that_came_back_may_be_lost_again() -> None:
    """Once it runs again, the next loss is a first one."""
    conversation = talk(SessionState.RUNNING)
    for _ in range(3):
        assert conversation.hear(NOT_FOUND) == [OperatorNotice("error", "NOT_FOUND")]
        assert conversation.next() == Command("set_task", A)
        conversation.hear(RUNNING)

    assert conversation.conversation.state is SessionState.RUNNING


@pytest.mark.parametrize("error", [RATE_LIMIT, UNKNOWN_COMMAND, ErrorReport("", "")])
@pytest.mark.parametrize("state", [SessionState.CONFIGURING, SessionState.RUNNING])
def test_a_command_that_may_not_have_counted_is_repeated(
    state: SessionState, error: ErrorReport
) -> None:
    """After an error that refuses nothing, the same task is sent again, first or changed."""
    conversation = talk(state)
    conversation.wish(B)
    conversation.hear(error)

    assert conversation.conversation.next_command(conversation.now) is None
    assert conversation.next() == Command("set_task", B)


def test_a_change_that_is_never_understood_is_refused() -> None:
    """Errors that nobody knows do not send the same change for ever; what ran goes on."""
    session = talk(SessionState.RUNNING)
    said = [session.wish(B)]
    for _ in range(2):
        assert session.hear(RATE_LIMIT) == [OperatorNotice("error", "RATE_LIMIT")]
        said.append(session.next())

    assert said == [Command("set_task", B)] * 3
    assert session.hear(RATE_LIMIT) == [
        UpdateRefused("Palabra refused the settings: slow down (RATE_LIMIT)")
    ]
    assert session.next() is None
    assert session.conversation.state is SessionState.RUNNING


def test_a_late_error_does_not_disturb_what_runs() -> None:
    """An error while nothing is under way repeats nothing."""
    conversation = talk(SessionState.RUNNING)
    conversation.hear(RATE_LIMIT)

    assert conversation.next() is None


def test_a_resumed_connection_is_asked() -> None:
    """After lost packets the task is not sent again, only asked for."""
    conversation = talk(SessionState.RUNNING)
    conversation.conversation.ask_again()

    assert conversation.next() == Command("get_task", {"exclude_hidden": True})
    conversation.hear(RUNNING)
    assert conversation.next() is None


def test_the_end_is_the_end() -> None:
    """After it nothing is sent, whatever is wished."""
    conversation = talk(SessionState.FAILED)

    assert conversation.wish(B) is None
    assert conversation.conversation.next_time() is None


def test_errors_are_of_their_kinds() -> None:
    """A refusal is no loss: one must not be retried, the other may."""
    refused, lost = talk(SessionState.CONFIGURING), talk(SessionState.CONFIGURING)
    [first] = refused.conversation.receive(INVALID, 0)
    [second] = lost.conversation.receive(StreamEnded(), 0)

    assert isinstance(first, SessionEnded)
    assert isinstance(first.error, TaskRejected)
    assert isinstance(second, SessionEnded)
    assert isinstance(second.error, SessionLost)


def test_a_pause_is_asked_for_until_it_is_known() -> None:
    """Where nobody acknowledges it, `get_task` does; then there is nothing to say."""
    session = talk(SessionState.RUNNING)

    assert session.pause() == Command("pause_task", {})
    assert not session.conversation.is_heard
    assert session.next() == Command("get_task", {"exclude_hidden": True})
    session.hear(TaskReport("", "paused"))
    assert session.next() is None
    assert session.conversation.state is SessionState.PAUSED


def test_an_answer_from_before_a_pause_says_nothing_of_it() -> None:
    """`running` that was under way when the pause went out does not undo it."""
    session = talk(SessionState.RUNNING)
    session.conversation.ask_again()
    session.next()
    session.hear(RUNNING)
    session.pause()
    session.hear(RUNNING)

    assert session.conversation.state is SessionState.PAUSED
    assert not session.conversation.is_heard


def test_a_pause_that_was_not_heard_is_repeated() -> None:
    """A task that says it runs, asked after the pause went out, is paused once more."""
    session = talk(SessionState.RUNNING)
    session.pause()
    session.next()
    session.hear(RUNNING)

    assert session.conversation.is_heard
    assert session.next() == Command("pause_task", {})


def test_a_pause_ends_with_the_task() -> None:
    """There is no other command for it; Palabra hears again once it says so."""
    session = talk(SessionState.PAUSED)

    assert session.resume() == Command("set_task", A)
    assert not session.conversation.is_heard
    assert session.hear(TaskReport("set_task", "running")) == [BriefFollowed()]
    assert session.conversation.is_heard


def test_a_change_in_a_pause_waits_for_its_end() -> None:
    """Every `set_task` starts the bill again; so the newest wish goes with the next word."""
    session = talk(SessionState.PAUSED)

    assert session.wish(B) is None
    assert session.wish(C) is None
    assert session.resume() == Command("set_task", C)


def test_a_pause_that_is_no_longer_wanted_is_not_sent() -> None:
    """Somebody who speaks again in time is not interrupted."""
    session = talk(SessionState.RUNNING)
    session.conversation.pause()

    assert session.resume() is None
    assert session.conversation.is_heard


def test_a_change_comes_before_a_pause() -> None:
    """A pause is of a task that is known to run."""
    session = talk(SessionState.RUNNING)
    session.conversation.pause()

    assert session.wish(B) == Command("set_task", B)
    assert session.next() == Command("get_task", {"exclude_hidden": True})
    session.hear(RUNNING)
    assert session.next() == Command("pause_task", {})


def test_a_pause_that_may_not_have_counted_is_repeated() -> None:
    """After a rate limit Palabra still hears, until the pause is sent once more."""
    session = talk(SessionState.RUNNING)
    session.pause()
    session.hear(RATE_LIMIT)

    assert session.conversation.is_heard
    assert session.conversation.next_command(session.now) is None
    assert session.next() == Command("pause_task", {})


def test_a_resumption_that_was_not_heard_is_repeated() -> None:
    """A task that says it is paused although it was resumed is sent again."""
    session = talk(SessionState.PAUSED)
    session.resume()
    session.next()
    session.hear(TaskReport("", "paused"))

    assert session.next() == Command("set_task", A)


def test_pauses_keep_their_distance() -> None:
    """Two of `pause_task` and `end_task` are three seconds apart."""
    session = talk(SessionState.RUNNING)
    session.pause()

    assert not session.conversation.may_end(session.now + 2.9)
    assert session.conversation.may_end(session.now + PAUSE_INTERVAL_SECONDS)


def test_the_tail_is_waited_for() -> None:
    """`end_task` without force, once, and then nothing but listening until the stream ends."""
    session = talk(SessionState.RUNNING)
    session.conversation.finish()

    assert session.next() == Command("end_task", {})
    assert session.next() is None
    assert session.hear(HELLO) == [HELLO]
    assert session.hear(StreamEnded()) == [SessionEnded()]
    assert session.conversation.state is SessionState.CLOSED


def test_an_end_that_may_not_have_counted_is_repeated() -> None:
    """A rate limit does not leave the task running."""
    session = talk(SessionState.ENDING)
    session.hear(RATE_LIMIT)

    assert session.next() == Command("end_task", {})


def test_an_interruption_falls_back_to_its_older_name() -> None:
    """An unknown command refuses no task; after the older name nothing else is tried."""
    session = talk(SessionState.RUNNING)
    session.conversation.say(commands.interrupt_task(["es"]))
    data = {"languages": ["es"], "pause_task": False}

    assert session.next() == Command("interrupt_task", data)
    session.hear(UNKNOWN_COMMAND)
    assert session.next() == Command("flush_task", data)
    session.hear(UNKNOWN_COMMAND)
    assert session.next() is None
    assert session.conversation.state is SessionState.RUNNING


def test_an_acknowledged_interruption_is_over() -> None:
    """A later complaint is about something else."""
    session = talk(SessionState.RUNNING)
    session.conversation.say(commands.interrupt_task())
    session.next()
    session.hear(INTERRUPTED)
    session.hear(UNKNOWN_COMMAND)

    assert session.next() is None


@pytest.mark.parametrize(
    "refusal",
    [
        "ValidationError(model='TtsTaskRequestMessage', errors=[])",
        "[{'loc': ('text',), 'msg': 'too long'}]",
        "[{'loc': ('language',), 'msg': 'no'}, {'loc': ('text',), 'msg': 'no'}]",
    ],
)
def test_a_refused_text_refuses_no_task(refusal: str) -> None:
    """A validation error that is about another command leaves a change under way alone."""
    session = talk(SessionState.RUNNING)
    session.wish(B)

    for _ in range(5):
        assert session.hear(ErrorReport("VALIDATION_ERROR", refusal)) == [
            OperatorNotice("error", "VALIDATION_ERROR")
        ]
    assert session.next() == ASK
    assert session.hear(RUNNING) == [BriefFollowed()]


def test_an_error_that_may_be_about_a_text_refuses_no_task_at_once() -> None:
    """Where both wait for an answer the task is sent again, and refused if it is so once more."""
    session = talk(SessionState.RUNNING)
    session.conversation.say(TEXT)
    session.wish(B)
    session.next()
    session.conversation.next_command(session.now)

    assert session.hear(INVALID) == [OperatorNotice("error", "VALIDATION_ERROR")]
    session.now += 5
    assert session.next() == Command("set_task", B)
    assert session.hear(INVALID) == [UpdateRefused(REFUSED)]


@pytest.mark.parametrize("state", [SessionState.RUNNING, SessionState.PAUSED])
def test_what_is_only_asked_for_is_not_refused(state: SessionState) -> None:
    """After a reconnect a stray validation error bars nothing, and what runs may be wished."""
    session = talk(state)
    session.conversation.ask_again()

    assert session.hear(INVALID) == [OperatorNotice("error", "VALIDATION_ERROR")]
    assert session.conversation.wish(A) == [BriefFollowed()]
    assert session.next() == ASK


def test_what_runs_is_never_barred() -> None:
    """A task that ran before the pause cannot be wrong after it: it is sent again."""
    session = talk(SessionState.PAUSED)
    session.resume()

    assert session.hear(INVALID) == [OperatorNotice("error", "VALIDATION_ERROR")]
    assert session.next() == Command("set_task", A)
    session.hear(RUNNING)
    assert session.conversation.is_heard
    assert session.conversation.wish(A) == [BriefFollowed()]


def test_a_change_that_is_refused_in_a_resumption_leaves_nobody_unheard() -> None:
    """Palabra is still paused then: what ran before is sent instead."""
    session = talk(SessionState.PAUSED)
    session.conversation.wish(B)
    session.resume()

    assert session.hear(INVALID) == [UpdateRefused(REFUSED)]
    assert session.next() == Command("set_task", A)
    session.hear(RUNNING)
    assert session.conversation.is_heard


def test_a_standing_refusal_is_not_taken_back() -> None:
    """That the old task runs on, after a reconnect or a pause, does not mean the wish is met."""
    session = talk(SessionState.RUNNING)
    session.wish(B)
    session.hear(INVALID)

    session.conversation.ask_again()
    session.next()
    assert session.hear(RUNNING) == []
    session.pause()
    session.hear(PAUSED)
    session.resume()
    assert session.hear(RUNNING) == []
    assert session.conversation.wish(A) == [BriefFollowed()]


def test_a_resumption_that_is_never_answered_is_a_loss() -> None:
    """Nobody is left unheard for ever: ten seconds after the first try the session is given up."""
    session = talk(SessionState.PAUSED)
    session.resume()
    began = session.now

    assert session.conversation.state is SessionState.RESUMING
    assert not session.conversation.is_charged
    assert not session.conversation.is_heard
    assert session.give_up_in(9.9) == []
    assert session.conversation.gives_up_at == pytest.approx(began + 10)
    assert session.give_up_in(0.2) == [
        ("ended: the Palabra session was lost: Palabra did not hear again within 10 s")
    ]
    assert session.give_up_in(0.2) == []
    assert session.conversation.gives_up_at == math.inf


def test_resuming_again_and_again_gives_no_more_time() -> None:
    """Neither a task that says it is paused nor errors put the end off."""
    session = talk(SessionState.PAUSED)
    session.resume()
    until = session.conversation.gives_up_at
    for answer in (TaskReport("", "paused"), RATE_LIMIT):
        session.next()
        session.hear(answer)

    assert session.conversation.gives_up_at == until


def test_a_resumption_that_is_answered_ends_the_wait() -> None:
    """A task that runs may run for ever, and so may a pause last."""
    session = talk(SessionState.PAUSED)
    assert session.give_up_in(WEEK) == []
    session.resume()
    session.hear(RUNNING)

    assert session.give_up_in(WEEK) == []


@pytest.mark.parametrize("cause", ["change", "reconnect", "peer"])
def test_a_silent_control_channel_is_a_loss(cause: str) -> None:
    """What runs and does not answer for half a minute has lost its ears."""
    session = talk(SessionState.RUNNING)
    if cause == "change":
        session.wish(B)
    elif cause == "reconnect":
        session.conversation.ask_again()
    else:
        session.conversation.repeat()
    session.conversation.next_command(session.now)

    assert session.give_up_in(29) == []
    assert session.give_up_in(2) == [
        ("ended: the Palabra session was lost: Palabra did not answer within 30 s")
    ]


def test_a_task_of_an_unknown_state_is_still_there() -> None:
    """Whoever only doubts is content with that."""
    session = talk(SessionState.RUNNING)
    session.conversation.ask_again()
    session.next()
    session.hear(TaskReport("", "unknown"))

    assert session.next() is None
    assert session.give_up_in(WEEK) == []


def test_a_task_that_never_runs_is_given_up_with_the_last_error() -> None:
    """Half a minute after it was sent first; what Palabra said meanwhile is told."""
    session = talk(SessionState.CONFIGURING)
    for error in (ErrorReport("OTHER", "x"), ErrorReport("TOO_FAST", "slow down")):
        session.hear(error)
        session.next()

    assert session.conversation.was_answered
    assert session.give_up_in(30) == [
        "ended: the Palabra session was lost: Palabra was not ready within 30 s; "
        "it said: slow down (TOO_FAST)"
    ]
    assert session.conversation.may_end(session.now)


def test_the_tail_is_waited_for_as_long_as_it_comes() -> None:
    """Words and sound of it renew the wait; then the end is taken for granted."""
    session = talk(SessionState.ENDING)
    for _ in range(5):
        assert session.give_up_in(9) == []
        session.hear(HELLO)
    assert session.give_up_in(9) == []
    session.conversation.hear_tail(session.now)
    assert session.give_up_in(9) == []

    assert session.give_up_in(1.1) == [SessionEnded()]


DENIALS = [
    "INSUFFICIENT_FUNDS",
    "UNAUTHORIZED",
    "FORBIDDEN",
    "PAYMENT_REQUIRED",
    "NO_BALANCE",
    "100050",
    "402",
]


@pytest.mark.parametrize("code", DENIALS)
@pytest.mark.parametrize("state", [SessionState.CONFIGURING, SessionState.PAUSED])
def test_whoever_may_not_is_told_so_at_once(code: str, state: SessionState) -> None:
    """Credentials and balance do not get better by trying again, at first or after a pause."""
    session = talk(state)
    session.resume()
    [over] = session.conversation.receive(ErrorReport(code, "top up"), session.now)

    assert isinstance(over, SessionEnded)
    assert isinstance(over.error, AccessDenied)
    assert not over.error.retryable
    assert str(over.error) == (f"Palabra's credentials or balance do not allow it: top up ({code})")
    assert session.conversation.state is SessionState.FAILED


def test_a_change_that_the_account_does_not_allow_is_refused() -> None:
    """What ran before goes on, and an error while nothing was asked for is noted alone."""
    session = talk(SessionState.RUNNING)
    denied = ErrorReport("FORBIDDEN", "")
    assert session.hear(denied) == [OperatorNotice("error", "FORBIDDEN")]
    session.wish(B)

    assert session.hear(denied) == [
        UpdateRefused("Palabra's credentials or balance do not allow it: FORBIDDEN")
    ]
    assert session.next() is None


@pytest.mark.parametrize("code", ["RATE_LIMIT_EXCEEDED", "500", "UNKNOWN", ""])
def test_other_errors_deny_nothing(code: str) -> None:
    """What may be different in a moment is tried again."""
    session = talk(SessionState.CONFIGURING)

    assert session.hear(ErrorReport(code, "x")) == [OperatorNotice("error", code)]
    assert session.next() == Command("set_task", A)


def test_a_late_acknowledgement_of_a_pause_is_history() -> None:
    """Whoever speaks as the pause goes out is heard as soon as their resumption is answered."""
    session = talk(SessionState.RUNNING)
    session.pause()
    session.resume()
    session.hear(PAUSED)

    assert session.hear(TaskReport("set_task", "running")) == [BriefFollowed()]
    assert session.conversation.is_heard
    assert session.next() is None


def test_a_pause_that_is_always_refused_is_tried_less_and_less() -> None:
    """Once it is told that silence is charged; a pause that comes to pass makes it forgotten."""
    session = talk(SessionState.RUNNING)
    session.conversation.pause()
    tries: list[float] = []
    told: list[Any] = []
    while session.now < 1000:
        due = session.conversation.next_time()
        assert due is not None
        session.now = max(session.now, due)
        assert session.conversation.next_command(session.now) == Command("pause_task", {})
        tries.append(session.now)
        told += session.hear(ErrorReport("NO_PAUSE", ""))

    gaps = [later - earlier for earlier, later in pairwise(tries)]
    assert gaps[:3] == [pytest.approx(PAUSE_INTERVAL_SECONDS * 2**it) for it in range(3)]
    assert max(gaps) == pytest.approx(120)
    assert told.count(OperatorNotice("pause refused", "NO_PAUSE")) == 1

    session.now += 120
    session.conversation.next_command(session.now)
    session.hear(PAUSED)
    session.resume()
    session.hear(RUNNING)
    assert session.pause() == Command("pause_task", {})


def test_too_many_texts_are_refused_in_words() -> None:
    """None is dropped behind anybody's back: the oldest are spoken, the newest is told no."""
    session = talk(SessionState.RUNNING)
    for number in range(60):
        session.conversation.say(Command("tts_task", {"text": f"{number}"}))
    with pytest.raises(ConfigError, match="text: 60 texts wait to be spoken already"):
        session.conversation.say(TEXT)

    assert session.next() == Command("tts_task", {"text": "0"})
    session.conversation.say(TEXT)


@pytest.mark.parametrize(
    ("languages", "spoken"),
    [([], []), (["es"], ["translated", "german"]), (["fr"], ["spanish", "translated", "german"])],
)
def test_an_interruption_goes_first_and_drops_texts(
    languages: list[str], spoken: list[str]
) -> None:
    """What it is meant for is not spoken afterwards; what is for all targets is."""
    session = talk(SessionState.RUNNING)
    for text, language, is_translated in [
        ("spanish", "es", False),
        ("translated", "es", True),
        ("german", "de", False),
    ]:
        data = {"text": text, "language": language, "translate_text": is_translated}
        session.conversation.say(Command("tts_task", data))
    session.conversation.say(commands.interrupt_task(languages))

    first = session.next()
    assert first is not None
    assert first.name == "interrupt_task"
    rest: list[str] = []
    while (command := session.next()) is not None:
        rest.append(command.data["text"])
    assert rest == spoken


def test_doubts_are_one_question() -> None:
    """However often it is asked to make sure, one `get_task` goes out."""
    session = talk(SessionState.RUNNING)
    for _ in range(10):
        session.conversation.ask_again()

    assert session.next() == ASK
    assert session.hear(RUNNING) == []
    assert session.next() is None


def test_texts_wait_for_the_task_and_for_their_turn() -> None:
    """Nothing is spoken before the task runs, and sixty texts take a minute."""
    session = talk(SessionState.CONFIGURING)
    for _ in range(3):
        session.conversation.say(Command("tts_task", {"text": "hi"}))
    first = session.next()
    session.hear(RUNNING)
    times = [session.conversation.next_time() or 0.0]
    while (command := session.conversation.next_command(session.now)) is None or times:
        if command is not None:
            assert command.name == "tts_task"
        due = session.conversation.next_time()
        if due is None:
            break
        times.append(due)
        session.now = max(session.now, due)

    assert first is not None
    assert first.name == "get_task"
    assert [later - earlier for earlier, later in pairwise(times[1:])] == [
        pytest.approx(1.05) for _ in times[2:]
    ]


class AnyConversation(RuleBasedStateMachine):
    """Whatever is wished and answered, in any order, at any pace."""

    def __init__(self) -> None:
        super().__init__()
        self.conversation = TaskConversation()
        self.now = 0.0
        self.sent_at: dict[str, list[float]] = {}
        self.sent: list[Command] = []
        self.was_over = False

    @initialize()
    def begin(self) -> None:
        """Start as a session does."""
        self.conversation.wish(A)

    @rule(task=st.sampled_from([A, B, C]))
    def wish(self, task: dict[str, str]) -> None:
        """Want something."""
        self.conversation.wish(task)

    @rule(seconds=st.sampled_from([0.0, 0.001, 0.5, 1.0, 2.0, 2.1, 10.0]))
    def send(self, seconds: float) -> None:
        """Wait, and send what is due."""
        self.now += seconds
        command = self.conversation.next_command(self.now)
        if command is not None:
            self._note(command)

    @precondition(lambda self: self.conversation.next_time() is not None)
    @rule()
    def send_when_it_says(self) -> None:
        """Wait exactly as long as it says; then there is something to say."""
        due = self.conversation.next_time()
        assert due is not None
        self.now = max(self.now, due)
        command = self.conversation.next_command(self.now)
        assert command is not None
        self._note(command)

    def _note(self, command: Command) -> None:
        allowance = {"get_task": "set_task", "end_task": "pause_task"}.get(
            command.name, command.name
        )
        self.sent_at.setdefault(allowance, []).append(self.now)
        self.sent.append(command)

    @rule(message=st.sampled_from([it for _, it, _, _ in TABLE]))
    def receive(self, message: Message) -> None:
        """Hear something."""
        for meaning in self.conversation.receive(message, self.now):
            assert not self.was_over
            self.was_over = isinstance(meaning, SessionEnded)

    @rule()
    def pause(self) -> None:
        """Want Palabra to hear nothing."""
        self.conversation.pause()

    @rule()
    def resume(self) -> None:
        """Want Palabra to hear again."""
        self.conversation.resume()

    @rule(command=st.sampled_from([commands.interrupt_task(), TEXT]))
    def say(self, command: Command) -> None:
        """Want something else."""
        self.conversation.say(command)

    @rule(seconds=st.sampled_from([0.0, 5.0, 12.0]))
    def lose_patience(self, seconds: float) -> None:
        """Wait, and give up what did not come in time."""
        self.now += seconds
        for meaning in self.conversation.give_up(self.now):
            assert not self.was_over
            self.was_over = isinstance(meaning, SessionEnded)
        assert self.conversation.gives_up_at > self.now

    @precondition(lambda self: len(self.sent) > 20)
    @rule()
    def finish(self) -> None:
        """Want the end."""
        self.conversation.finish()

    @rule()
    def reconnect(self) -> None:
        """Lose some packets."""
        self.conversation.ask_again()

    @rule()
    def meet_another_peer(self) -> None:
        """Find a peer that heard nothing."""
        self.conversation.repeat()

    @invariant()
    def the_rate_limit_is_kept(self) -> None:
        """Two commands are never closer than Palabra allows."""
        intervals = {"set_task": TASK_INTERVAL_SECONDS, "pause_task": PAUSE_INTERVAL_SECONDS}
        for allowance, interval in (intervals | {"tts_task": 1.0}).items():
            gaps = [later - earlier for earlier, later in pairwise(self.sent_at.get(allowance, []))]
            assert all(gap >= interval - 1e-6 for gap in gaps)

    @invariant()
    def nobody_pays_in_a_pause(self) -> None:
        """What is paused is not heard."""
        assert not (
            self.conversation.is_heard and self.conversation.state is not SessionState.RUNNING
        )

    @invariant()
    def over_stays_over(self) -> None:
        """What ended does not come back."""
        assert not self.was_over or self.conversation.state in OVER

    @invariant()
    def nothing_is_asked_before_it_is_wanted(self) -> None:
        """The first command is always the task itself."""
        assert not self.sent or self.sent[0].name in {"set_task", "end_task"}


AnyConversation.TestCase.settings = settings(max_examples=60, stateful_step_count=30)
test_any_conversation = AnyConversation.TestCase


@given(st.lists(st.sampled_from([A, B, C]), min_size=1, max_size=10))
def test_a_willing_peer_ends_with_the_last_wish(wishes: list[dict[str, str]]) -> None:
    """However wishes come, the last task that was sent is the last one wished."""
    conversation = Talk()
    tasks: list[Any] = []
    for number, task in enumerate(wishes):
        conversation.conversation.wish(task)
        if number % 2 and (command := conversation.next()) is not None:
            if command.name == "set_task":
                tasks.append(command.data)
            conversation.hear(RUNNING)
    while (command := conversation.next()) is not None:
        if command.name == "set_task":
            tasks.append(command.data)
        conversation.hear(RUNNING)

    assert tasks[-1] == wishes[-1]
    assert all(earlier != later for earlier, later in pairwise(tasks))
