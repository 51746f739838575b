"""The conversation about a task: what is sent when, and what comes of an answer."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from palabra_agent.errors import SessionLost, TaskRejected
from palabra_agent.palabra.protocol import commands
from palabra_agent.palabra.protocol.commands import Command, end_task
from palabra_agent.palabra.protocol.conversation import TaskConversation
from palabra_agent.palabra.protocol.events import TASK_DIFFERS, OperatorNotice, SessionEnded
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
from palabra_agent.session import BriefFollowed, UpdateRefused, VoiceMissing
from tests.fakes import transcript

from .playbook import (
    GET,
    INVALID,
    LOST,
    NOT_FOUND,
    NOT_YET,
    NOTHING,
    PAUSE,
    PAUSED,
    RATE_LIMIT,
    REFUSED,
    RUNNING,
    SET_A,
    SET_B,
    SET_C,
    TEXT,
    UNKNOWN_COMMAND,
    WEEK,
    A,
    B,
    C,
    Playbook,
    ask_again,
    ended,
    finish,
    go_out,
    hear_tail,
    miss_track,
    pause,
    repeat,
    resume,
    wait,
    wish,
)

pytestmark = pytest.mark.unit

NO_VOICE = WarningReport("VOICE_NOT_FOUND", "text")
HELLO = transcript()
NOTED_NOT_FOUND = OperatorNotice("error", "NOT_FOUND")
NOTED_LIMIT = OperatorNotice("error", "RATE_LIMIT")
NOTED_INVALID = OperatorNotice("error", "VALIDATION_ERROR")

# nothing was asked for yet; asked for; runs; paused; ending; over
I, C_, R = SessionState.IDLE, SessionState.CONFIGURING, SessionState.RUNNING  # noqa: E741 - columns of a table
P, E, O = SessionState.PAUSED, SessionState.ENDING, SessionState.FAILED  # noqa: E741 - columns of a table
DONE = SessionState.CLOSED
TIMEOUT = ErrorReport("SERVICE_TIMEOUT", "")
TIMED_OUT = ended(f"{LOST}Palabra heard no audio for too long")
STREAM_ENDED = ended(f"{LOST}Palabra ended the stream")

TABLE: list[tuple[SessionState, Message, SessionState, list[Any]]] = [
    # state, message, state after, events
    (I, RUNNING, C_, []),
    (I, NOT_FOUND, C_, []),
    (C_, RUNNING, R, [BriefFollowed()]),
    (C_, TaskReport("set_task", "running"), R, [BriefFollowed()]),
    (C_, TaskReport("pause_task", "running"), C_, []),
    (C_, TaskReport("", "paused"), C_, []),
    (C_, TaskReport("", "unknown"), C_, []),
    (C_, NOT_FOUND, C_, []),
    (C_, INVALID, O, [ended(REFUSED)]),
    (C_, UNKNOWN_COMMAND, C_, [NOTED_INVALID]),
    (C_, RATE_LIMIT, C_, [NOTED_LIMIT]),
    (C_, HELLO, C_, [HELLO]),
    (C_, QueueLevels({"es": 1}), C_, []),
    (C_, Unread("x"), C_, [OperatorNotice("unread", "x")]),
    (C_, StreamEnded(), O, [STREAM_ENDED]),
    (C_, TIMEOUT, O, [TIMED_OUT]),
    (R, RUNNING, R, []),
    (R, TaskReport("", "unknown"), R, []),
    (R, NOT_FOUND, R, [NOTED_NOT_FOUND]),
    (R, UNKNOWN_COMMAND, R, [NOTED_INVALID]),
    (R, RATE_LIMIT, R, [NOTED_LIMIT]),
    (R, HELLO, R, [HELLO]),
    (R, NO_VOICE, R, [OperatorNotice("warning", "VOICE_NOT_FOUND")]),
    (R, StreamEnded(), O, [STREAM_ENDED]),
    (R, TIMEOUT, O, [TIMED_OUT]),
    (R, TaskReport("interrupt_task", "running"), R, []),
    (R, PAUSED, R, []),
    (P, RUNNING, P, []),
    (P, PAUSED, P, []),
    (P, NOT_FOUND, P, [NOTED_NOT_FOUND]),
    (P, HELLO, P, [HELLO]),
    (P, StreamEnded(), O, [STREAM_ENDED]),
    (P, TIMEOUT, O, [TIMED_OUT]),
    (E, HELLO, E, [HELLO]),
    (E, RUNNING, E, []),
    (E, RATE_LIMIT, E, [NOTED_LIMIT]),
    (E, StreamEnded(), DONE, [SessionEnded()]),
    (E, TIMEOUT, DONE, [SessionEnded()]),
    (O, RUNNING, O, []),
    (O, INVALID, O, []),
    (O, NOT_FOUND, O, []),
    (O, StreamEnded(), O, []),
    (O, TIMEOUT, O, []),
    (O, HELLO, O, []),
]


@pytest.mark.parametrize(("before", "message", "after", "events"), TABLE)
def test_messages_in_states(
    before: SessionState, message: Message, after: SessionState, events: list[Any]
) -> None:
    """Each message moves the task to one state, and one thing comes of it."""
    book = Playbook(before) >> message
    for event in events:
        book <<= event

    assert book
    assert book.state is after


def test_a_task_is_asked_for_until_it_runs() -> None:
    """One `set_task`, then `get_task` at its pace; once it runs there is nothing to say."""
    assert (
        Playbook()
        >> wish(A)
        << SET_A
        << GET
        << GET
        >> NOT_FOUND
        << GET
        >> RUNNING
        << BriefFollowed()
        << NOTHING
    )


def test_a_task_that_was_never_heard_is_sent_again() -> None:
    """Three answers that there is none are more than a slow start."""
    book = Playbook(C_)
    for _ in range(2):
        book = book << GET >> NOT_FOUND << GET >> NOT_FOUND << GET >> NOT_FOUND << SET_A

    assert book << GET


def test_nothing_is_said_without_a_wish() -> None:
    """A conversation without a wish neither speaks nor waits."""
    assert Playbook() >> wait(WEEK) << NOT_YET << NOTHING


def test_the_last_wish_wins() -> None:
    """A wish in between is never sent."""
    assert Playbook(R) >> wish(B) >> wish(C) << SET_C >> RUNNING << BriefFollowed() << NOTHING


def test_a_wish_that_is_taken_back_is_not_sent() -> None:
    """To want again what runs already causes nothing."""
    assert Playbook(R) >> wish(B) >> wish(dict(A)) << BriefFollowed() << NOTHING


def test_a_change_is_confirmed_too() -> None:
    """A changed task is asked for until it runs, and that it does is news."""
    assert Playbook(R) >> wish(B) << SET_B << GET >> RUNNING << BriefFollowed() << NOTHING


def test_a_refused_change_leaves_the_task_running() -> None:
    """The wish is dropped for good, told once, and what runs needs no repetition."""
    book = Playbook(R) >> wish(B) << SET_B >> INVALID << UpdateRefused(REFUSED) << NOTHING

    assert book.state is R
    assert book >> wish(C) << SET_C


def test_a_refused_task_is_never_sent_again_unchanged() -> None:
    """Wishing again what was refused sends nothing, and is refused again."""
    book = Playbook(R) >> wish(B) << SET_B >> INVALID << UpdateRefused(REFUSED)

    assert book >> wish(dict(B)) << UpdateRefused(REFUSED) << NOTHING


def test_a_refusal_leaves_a_newer_wish_alone() -> None:
    """A wish that came while the refused one was under way is sent next."""
    assert Playbook(R) >> wish(B) << SET_B >> wish(C) >> INVALID << UpdateRefused(REFUSED) << SET_C


def test_a_refusal_of_nothing_refuses_nothing() -> None:
    """A late `VALIDATION_ERROR` does not stop what has still to be sent."""
    assert Playbook(R) >> repeat >> INVALID << NOTED_INVALID << SET_A


def test_a_peer_that_forgot_gets_what_ran() -> None:
    """After a refused change, a peer without a task gets the one that was accepted last."""
    book = Playbook(R) >> wish(B) << SET_B >> INVALID << UpdateRefused(REFUSED)

    assert book >> repeat << SET_A >> RUNNING >> NOT_FOUND << NOTED_NOT_FOUND << SET_A


def test_a_lost_task_is_sent_once_more() -> None:
    """`NOT_FOUND` of a running task sends it again; a second one in a row ends the session."""
    book = Playbook(R) >> NOT_FOUND << NOTED_NOT_FOUND << SET_A

    assert book >> NOT_FOUND << ended(f"{LOST}Palabra lost the task")


def test_a_task_that_came_back_may_be_lost_again() -> None:
    """Once it runs again, the next loss is a first one."""
    book = Playbook(R)
    for _ in range(3):
        book = book >> NOT_FOUND << NOTED_NOT_FOUND << SET_A >> RUNNING << BriefFollowed()

    assert book.state is R


@pytest.mark.parametrize("error", [RATE_LIMIT, UNKNOWN_COMMAND, ErrorReport("", "")])
@pytest.mark.parametrize("state", [C_, R])
def test_a_command_that_may_not_have_counted_is_repeated(
    state: SessionState, error: ErrorReport
) -> None:
    """After an error that refuses nothing, the same task is sent again, first or changed."""
    book = Playbook(state) >> wish(B) << SET_B

    assert book >> error << OperatorNotice("error", error.code) << NOT_YET << SET_B


def test_a_change_that_is_never_understood_is_refused() -> None:
    """Unknown errors do not send the same change for ever; what ran goes on."""
    book = Playbook(R) >> wish(B) << SET_B
    for _ in range(2):
        book = book >> RATE_LIMIT << NOTED_LIMIT << SET_B

    refused = UpdateRefused("Palabra refused the settings: slow down (RATE_LIMIT)")
    assert book >> RATE_LIMIT << refused << NOTHING
    assert book.state is R


def test_a_late_error_does_not_disturb_what_runs() -> None:
    """An error while nothing is under way repeats nothing."""
    assert Playbook(R) >> RATE_LIMIT << NOTED_LIMIT << NOTHING


def test_a_resumed_connection_is_asked() -> None:
    """After lost packets the task is not sent again, only asked for, once for all doubts."""
    book = Playbook(R)
    for _ in range(10):
        book >>= ask_again

    assert book << GET >> RUNNING << NOTHING


def test_the_end_is_the_end() -> None:
    """After it nothing is sent, whatever is wished."""
    assert Playbook(O) >> wish(B) << NOT_YET << NOTHING


def test_errors_are_of_their_kinds() -> None:
    """A refusal is no loss: one must not be retried, the other may."""
    [first] = Playbook(C_).conversation.receive(INVALID, 0)
    [second] = Playbook(C_).conversation.receive(StreamEnded(), 0)

    assert isinstance(first, SessionEnded)
    assert isinstance(first.error, TaskRejected)
    assert isinstance(second, SessionEnded)
    assert isinstance(second.error, SessionLost)


@pytest.mark.parametrize("state", [R, P])
def test_what_is_only_asked_for_is_not_refused(state: SessionState) -> None:
    """After a reconnect a stray validation error bars nothing, and what runs may be wished."""
    book = Playbook(state) >> ask_again >> INVALID << NOTED_INVALID

    assert book >> wish(A) << BriefFollowed() << GET


def test_a_task_of_an_unknown_state_is_still_there() -> None:
    """A mere doubt is satisfied by that."""
    assert Playbook(R) >> ask_again << GET >> TaskReport("", "unknown") << NOTHING >> wait(WEEK)


ACKNOWLEDGED = TaskReport("set_task", "running")


@pytest.mark.parametrize("is_refused", [True, False])
def test_a_server_that_cannot_be_asked_is_told_again(*, is_refused: bool) -> None:
    """It acknowledges what it is told; whether it refuses or ignores a question, it is not lost."""
    book = Playbook() >> wish(A) << SET_A >> ACKNOWLEDGED << BriefFollowed() >> miss_track << GET
    if is_refused:
        book = book >> UNKNOWN_COMMAND << NOTED_INVALID
    book = book << SET_A >> ACKNOWLEDGED << BriefFollowed() << NOTHING

    # to be told again may be why it takes a track back, so this does not go on and on
    assert book >> miss_track << NOTHING >> wait(WEEK)
    assert book >> ask_again << SET_A >> ACKNOWLEDGED << BriefFollowed() << NOTHING


def test_a_pause_of_a_server_that_cannot_be_asked_is_left_alone() -> None:
    """`set_task` would end it, and begin the bill."""
    book = Playbook() >> wish(A) << SET_A >> ACKNOWLEDGED << BriefFollowed() >> pause << PAUSE
    book = book >> PAUSED >> ask_again << GET >> UNKNOWN_COMMAND << NOTED_INVALID << NOTHING

    assert book >> ask_again << NOTHING >> wait(WEEK)
    assert book.state is P
    assert book >> resume << SET_A >> ACKNOWLEDGED << BriefFollowed()


def test_a_server_that_has_answered_before_is_asked_as_ever() -> None:
    """What it does not know then is another command, and what it leaves unanswered is a loss."""
    book = Playbook(R) >> ACKNOWLEDGED >> ask_again << GET >> UNKNOWN_COMMAND << NOTED_INVALID

    assert book << GET >> wait(31) << ended(f"{LOST}Palabra did not answer within 30 s")


SHOWN_OTHERWISE = TaskReport("", "running", task={"task": "other"})
DIFFERS = OperatorNotice(TASK_DIFFERS, "task")


def test_a_task_that_is_shown_otherwise_is_sent_once_more() -> None:
    """It runs meanwhile; if it is still another one then, that is how Palabra wants it."""
    book = Playbook() >> wish(A) << SET_A << GET >> SHOWN_OTHERWISE << BriefFollowed() << DIFFERS
    assert book.conversation.is_heard

    book = book << SET_A << GET >> SHOWN_OTHERWISE << BriefFollowed() << NOTHING
    assert book >> ask_again << GET >> SHOWN_OTHERWISE << NOTHING
    # another task has another chance
    book = book >> wish(B) << SET_B << GET >> SHOWN_OTHERWISE << BriefFollowed() << DIFFERS << SET_B
    assert book << GET >> TaskReport("", "running", task=B) << BriefFollowed() << NOTHING


def test_only_an_answer_about_the_latest_task_is_compared() -> None:
    """What was under way when a change went out is history; where nothing is shown, all is well."""
    book = Playbook(R) >> ask_again << GET >> wish(B) << SET_B >> TaskReport("", "running", task=A)

    assert book << BriefFollowed() << NOTHING >> ask_again << GET >> RUNNING << NOTHING


def test_the_tail_is_waited_for() -> None:
    """`end_task` without force, once, and then nothing but listening until the stream ends."""
    book = Playbook(R) >> finish << end_task() << NOTHING >> HELLO << HELLO

    assert book >> StreamEnded() << SessionEnded()
    assert book.state is DONE


def test_an_end_that_may_not_have_counted_is_repeated() -> None:
    """A rate limit does not leave the task running."""
    assert Playbook(E) >> RATE_LIMIT << NOTED_LIMIT << end_task()


def test_a_missing_voice_is_told_by_the_task_that_was_sent() -> None:
    """The tasks that went out count, not those that were skipped; each voice is told once."""
    skipped, sent = (
        {"pipeline": {"translations": [{"speech_generation": {"voice_id": voice}}]}}
        for voice in ("skipped", "sent")
    )
    conversation = TaskConversation()
    conversation.wish(skipped)
    conversation.wish(sent)
    assert conversation.next_command(100.0) is not None
    conversation.receive(RUNNING, 101.0)

    noted = OperatorNotice("warning", "VOICE_NOT_FOUND")
    assert conversation.receive(NO_VOICE, 102.0) == [noted, VoiceMissing("sent")]
    assert conversation.receive(NO_VOICE, 103.0) == []


def test_a_pause_is_asked_for_until_it_is_known() -> None:
    """Where it is not acknowledged, `get_task` tells; then there is nothing to say."""
    book = Playbook(R) >> pause << PAUSE
    assert not book.conversation.is_heard

    assert book << GET >> TaskReport("", "paused") << NOTHING
    assert book.state is P


def test_an_answer_from_before_a_pause_says_nothing_of_it() -> None:
    """`running` that was under way when the pause went out does not undo it."""
    book = Playbook(R) >> ask_again << GET >> RUNNING >> pause << PAUSE >> RUNNING

    assert book.state is P
    assert not book.conversation.is_heard


def test_a_pause_that_was_not_heard_is_repeated() -> None:
    """A task that says it runs, asked after the pause went out, is paused once more."""
    book = Playbook(R) >> pause << PAUSE << GET >> RUNNING

    assert book.conversation.is_heard
    assert book << PAUSE


def test_a_pause_ends_with_the_task() -> None:
    """There is no other command for it; Palabra hears again once it says so."""
    book = Playbook(P) >> resume << SET_A
    assert not book.conversation.is_heard

    assert book >> TaskReport("set_task", "running") << BriefFollowed()
    assert book.conversation.is_heard


@pytest.mark.parametrize(
    "answer", [TaskReport("", "paused"), RATE_LIMIT, NOT_FOUND, INVALID, UNKNOWN_COMMAND]
)
def test_palabra_is_taken_to_hear_until_an_answer_says_that_it_does_not(answer: Message) -> None:
    """From when the task has gone out; not while it is told again."""
    book = Playbook(P) >> resume << SET_A >> go_out
    assert is_taken_to_run(book)
    if isinstance(answer, TaskReport):
        book = book << GET

    book.conversation.receive(answer, book.now)
    assert not is_taken_to_run(book)
    assert book << SET_A
    assert not is_taken_to_run(book)
    assert book >> go_out
    assert is_taken_to_run(book)
    assert book >> ACKNOWLEDGED << BriefFollowed()
    assert is_taken_to_run(book)


def is_taken_to_run(book: Playbook) -> bool:
    """Whether Palabra is taken to hear, and to charge for it: never one without the other."""
    assert book.conversation.is_heard == book.conversation.is_charged
    return book.conversation.is_heard


def test_a_change_that_goes_out_after_a_resumption_interrupts_nothing() -> None:
    """Palabra hears already, as far as we know."""
    book = Playbook(P) >> resume << SET_A >> go_out >> wish(B) << SET_B

    assert book.conversation.is_heard


def test_a_speaker_does_not_wait_behind_a_question() -> None:
    """A word may come just after Palabra was asked whether it is paused."""
    book = Playbook(R) >> pause << PAUSE << GET
    asked_at = book.now

    assert book >> resume << SET_A
    assert book.now == asked_at
    # the answer to the question from before says nothing any more
    assert book >> TaskReport("", "paused") << NOT_YET << GET >> RUNNING << BriefFollowed()


def test_a_palabra_that_counts_questions_and_tasks_together_is_found_out() -> None:
    """Once; then a speaker does wait behind a question, as it would be refused again."""
    book = Playbook(R) >> pause << PAUSE << GET >> resume << SET_A >> RATE_LIMIT << NOTED_LIMIT
    refused_at = book.now
    assert book << SET_A
    assert book.now - refused_at >= TASK_INTERVAL_SECONDS - 1e-6

    book = book >> RUNNING << BriefFollowed() >> pause << PAUSE << GET >> resume << NOT_YET
    asked_at = book.now
    assert book << SET_A
    assert book.now - asked_at >= TASK_INTERVAL_SECONDS - 1e-6


def test_a_refused_pause_holds_no_speaker_up() -> None:
    """The limit of pauses is another one."""
    book = Playbook(R) >> wait(10) >> pause << PAUSE
    paused_at = book.now

    assert book >> resume << SET_A
    assert book.now == paused_at


def test_a_change_in_a_pause_waits_for_its_end() -> None:
    """Every `set_task` starts the bill again; so the newest wish goes with the next word."""
    assert Playbook(P) >> wish(B) << NOTHING >> wish(C) << NOTHING >> resume << SET_C


def test_a_pause_that_is_no_longer_wanted_is_not_sent() -> None:
    """A speaker who speaks again in time is not interrupted."""
    book = Playbook(R) >> pause >> resume << NOTHING

    assert book.conversation.is_heard


def test_a_change_comes_before_a_pause() -> None:
    """A pause is of a task that is known to run."""
    book = Playbook(R) >> pause >> wish(B) << SET_B << GET

    assert book >> RUNNING << BriefFollowed() << PAUSE


def test_a_pause_that_may_not_have_counted_is_repeated() -> None:
    """After a rate limit Palabra still hears, until the pause is sent once more."""
    book = Playbook(R) >> pause << PAUSE >> RATE_LIMIT << NOTED_LIMIT
    assert book.conversation.is_heard

    assert book << NOT_YET << PAUSE


def test_a_resumption_that_was_not_heard_is_repeated() -> None:
    """A task that says it is paused although it was resumed is sent again."""
    assert Playbook(P) >> resume << SET_A << GET >> TaskReport("", "paused") << SET_A


def test_pauses_keep_their_distance() -> None:
    """Two of `pause_task` and `end_task` are three seconds apart."""
    book = Playbook(R) >> pause << PAUSE

    assert not book.conversation.may_end(book.now + 2.9)
    assert book.conversation.may_end(book.now + PAUSE_INTERVAL_SECONDS)


def test_what_runs_is_never_barred() -> None:
    """A task that ran before the pause cannot be wrong after it: it is sent again."""
    book = Playbook(P) >> resume << SET_A >> INVALID << NOTED_INVALID << SET_A

    assert book >> RUNNING << BriefFollowed() >> wish(A) << BriefFollowed()
    assert book.conversation.is_heard


def test_a_change_that_is_refused_in_a_resumption_leaves_no_speaker_unheard() -> None:
    """Palabra is still paused then: what ran before is sent instead."""
    book = Playbook(P) >> wish(B) >> resume << SET_B >> INVALID << UpdateRefused(REFUSED) << SET_A

    assert book >> RUNNING
    assert book.conversation.is_heard


def test_a_standing_refusal_is_not_taken_back() -> None:
    """That the old task runs on, after a reconnect or a pause, does not mean the wish is met."""
    book = Playbook(R) >> wish(B) << SET_B >> INVALID << UpdateRefused(REFUSED)
    book = book >> ask_again << GET >> RUNNING
    book = book >> pause << PAUSE >> PAUSED >> resume << SET_A >> RUNNING

    assert book >> wish(A) << BriefFollowed()


def test_a_late_acknowledgement_of_a_pause_is_history() -> None:
    """A speaker who speaks as the pause goes out is heard once the resumption is answered."""
    book = Playbook(R) >> pause << PAUSE >> resume << SET_A >> PAUSED

    assert book >> TaskReport("set_task", "running") << BriefFollowed() << NOTHING
    assert book.conversation.is_heard


def test_a_pause_that_is_always_refused_is_tried_less_and_less() -> None:
    """Once it is told that silence is charged; a pause that comes to pass makes it forgotten."""
    book = Playbook(R) >> pause
    error, noted = ErrorReport("NO_PAUSE", ""), OperatorNotice("error", "NO_PAUSE")
    tries: list[float] = []
    while book.now < 1000:
        is_told = len(tries) == 2
        book = (
            book
            << PAUSE
            >> error
            << (OperatorNotice("pause refused", "NO_PAUSE") if is_told else noted)
        )
        tries.append(book.now)

    gaps = [later - earlier for earlier, later in pairwise(tries)]
    assert gaps[:3] == [pytest.approx(PAUSE_INTERVAL_SECONDS * 2**it) for it in range(3)]
    assert max(gaps) == pytest.approx(120)

    book = book << PAUSE >> PAUSED >> resume << SET_A >> RUNNING << BriefFollowed() >> pause
    since = book.now
    assert book << PAUSE
    assert book.now - since <= PAUSE_INTERVAL_SECONDS


def test_a_resumption_that_is_never_answered_is_a_loss() -> None:
    """No speaker is unheard for ever: ten seconds after the first try the session is given up."""
    book = Playbook(P) >> resume << SET_A
    began = book.now

    assert book.state is SessionState.RESUMING
    assert not book.conversation.is_charged
    assert not book.conversation.is_heard
    assert book >> wait(9.9)
    assert book.conversation.gives_up_at == pytest.approx(began + 10)
    assert book >> wait(0.2) << ended(f"{LOST}Palabra did not hear again within 10 s")
    assert book >> wait(0.2)
    assert book.conversation.gives_up_at == math.inf


def test_resuming_again_and_again_gives_no_more_time() -> None:
    """Neither a task that says it is paused nor errors put the end off."""
    book = Playbook(P) >> resume << SET_A
    until = book.conversation.gives_up_at

    assert book << GET >> TaskReport("", "paused") << SET_A >> RATE_LIMIT << NOTED_LIMIT
    assert book.conversation.gives_up_at == until


def test_a_resumption_that_is_answered_ends_the_wait() -> None:
    """A task that runs may run for ever, and so may a pause last."""
    book = Playbook(P) >> wait(WEEK) >> resume << SET_A

    assert book >> RUNNING << BriefFollowed() >> wait(WEEK)


@pytest.mark.parametrize(("cause", "sent"), [(wish(B), SET_B), (ask_again, GET), (repeat, SET_A)])
def test_a_silent_control_channel_is_a_loss(cause: Any, sent: Command) -> None:  # noqa: ANN401
    """A task that runs, and whose side does not answer for half a minute, hears no command."""
    book = Playbook(R) >> cause << sent

    assert book >> wait(29)
    assert book >> wait(2) << ended(f"{LOST}Palabra did not answer within 30 s")


def test_a_task_that_never_runs_is_given_up_with_the_last_error() -> None:
    """Half a minute after it was sent first; what Palabra said meanwhile is told."""
    book = Playbook(C_)
    for code, words in (("OTHER", "x"), ("TOO_FAST", "slow down")):
        book = book >> ErrorReport(code, words) << OperatorNotice("error", code) << SET_A

    assert book.conversation.was_answered
    sentence = f"{LOST}Palabra was not ready within 30 s; it said: slow down (TOO_FAST)"
    assert book >> wait(30) << ended(sentence)
    assert book.conversation.may_end(book.now)


def test_the_tail_is_waited_for_as_long_as_it_comes() -> None:
    """Words and sound of it renew the wait; then the end is taken for granted."""
    book = Playbook(E)
    for _ in range(5):
        book = book >> wait(9) >> HELLO << HELLO
    book = book >> wait(9) >> hear_tail >> wait(9)

    assert book >> wait(1.1) << SessionEnded()


class AnyConversation(RuleBasedStateMachine):
    """Any wishes and answers, in any order, at any pace."""

    def __init__(self) -> None:
        super().__init__()
        self.conversation = TaskConversation()
        self.now = 0.0
        self.sent_at: dict[str, list[float]] = {}
        self.sent: list[Command] = []
        self.was_over = False
        self.was_paused = False
        """Whether the task was paused when the latest command had been sent."""

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
        earlier = self.sent_at.setdefault(allowance, [])
        if command.name == "set_task" and self.sent[-1:] == [GET] and self.was_paused:
            # a speaker who ends a pause does not wait behind a question
            earlier.pop()
        earlier.append(self.now)
        self.sent.append(command)
        self.conversation.go_out()
        self.was_paused = self.conversation.state is SessionState.PAUSED

    @rule(message=st.sampled_from([it for _, it, _, _ in TABLE]))
    def receive(self, message: Message) -> None:
        """Hear something."""
        for event in self.conversation.receive(message, self.now):
            assert not self.was_over
            self.was_over = isinstance(event, SessionEnded)

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
        self.conversation.enqueue(command)

    @rule(seconds=st.sampled_from([0.0, 5.0, 12.0]))
    def lose_patience(self, seconds: float) -> None:
        """Wait, and give up what did not come in time."""
        self.now += seconds
        for event in self.conversation.give_up(self.now):
            assert not self.was_over
            self.was_over = isinstance(event, SessionEnded)
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
    def a_pause_costs_nothing(self) -> None:
        """A paused task hears nothing, before it was told to run."""
        hearing = {SessionState.RUNNING, SessionState.RESUMING}
        assert not self.conversation.is_heard or self.conversation.state in hearing

    @invariant()
    def over_stays_over(self) -> None:
        """A session that ended does not come back."""
        assert not self.was_over or self.conversation.state in OVER

    @invariant()
    def nothing_is_asked_before_it_is_wanted(self) -> None:
        """The first command is always the task itself."""
        assert not self.sent or self.sent[0].name in {"set_task", "end_task"}


AnyConversation.TestCase.settings = settings(max_examples=60, stateful_step_count=30)
test_any_conversation = AnyConversation.TestCase


@given(st.lists(st.tuples(st.sampled_from([A, B, C]), st.booleans()), min_size=1, max_size=10))
def test_a_willing_peer_ends_with_the_last_wish(wishes: list[tuple[dict[str, str], bool]]) -> None:
    """However wishes come, the last task that was sent is the last one wished."""
    conversation, now, tasks = TaskConversation(), 0.0, list[Any]()
    for number, (task, is_sent) in enumerate([*wishes, (wishes[-1][0], True)]):
        conversation.wish(task)
        while is_sent and (due := conversation.next_time()) is not None:
            now = max(now, due)
            command = conversation.next_command(now)
            assert command is not None
            if command.name == "set_task":
                tasks.append(command.data)
            conversation.receive(RUNNING, now)
            if number < len(wishes):
                break

    assert tasks[-1] == wishes[-1][0]
    assert all(earlier != later for earlier, later in pairwise(tasks))
