"""Errors and warnings: the kind of each, its meaning for the task, its words, missing voices."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palabra_agent.errors import AccessDenied
from palabra_agent.palabra.protocol.commands import Task
from palabra_agent.palabra.protocol.events import OperatorNotice
from palabra_agent.palabra.protocol.messages import ErrorReport
from palabra_agent.palabra.protocol.task_errors import (
    ErrorKind,
    MissingVoices,
    Reaction,
    TaskErrors,
    error_kind,
    in_words,
    readable,
)
from palabra_agent.palabra.protocol.task_state import SessionState, TaskState
from palabra_agent.session import UpdateRefused

from .playbook import (
    INVALID,
    NOT_FOUND,
    NOTHING,
    RATE_LIMIT,
    SET_A,
    SET_B,
    UNKNOWN_COMMAND,
    A,
    B,
    Playbook,
    ended,
    resume,
    wish,
)

pytestmark = pytest.mark.unit

DENIED = "Palabra's credentials or balance do not allow it: "
DENIALS = [
    "INSUFFICIENT_FUNDS",
    "UNAUTHORIZED",
    "FORBIDDEN",
    "PAYMENT_REQUIRED",
    "NO_BALANCE",
    "100050",
    "402",
]
TIMEOUT = ErrorReport("SERVICE_TIMEOUT", "")
OF_TASK = ErrorReport("VALIDATION_ERROR", "[{'loc': ('pipeline', 'x'), 'msg': 'no'}]")
OF_TEXT = ErrorReport("VALIDATION_ERROR", "[{'loc': ('text',), 'msg': 'too long'}]")


def invalid(desc: str) -> ErrorReport:
    """Make a validation error."""
    return ErrorReport("VALIDATION_ERROR", desc)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TIMEOUT, ErrorKind.NO_SOUND),
        (NOT_FOUND, ErrorKind.NO_TASK),
        *((ErrorReport(code, ""), ErrorKind.DENIED) for code in DENIALS),
        (UNKNOWN_COMMAND, ErrorKind.UNKNOWN_COMMAND),
        (invalid("ValidationError(model='SetTaskRequestMessage', errors=[])"), ErrorKind.SETTINGS),
        (invalid("ValidationError(model='TtsTaskRequest', errors=[])"), ErrorKind.OTHER_COMMAND),
        (OF_TASK, ErrorKind.SETTINGS),
        (invalid("[{'loc': ('text', 'pipeline'), 'msg': 'no'}]"), ErrorKind.OTHER_COMMAND),
        (OF_TEXT, ErrorKind.OTHER_COMMAND),
        (invalid("[{'loc': ('new',), 'msg': 'no'}]"), ErrorKind.SOME_COMMAND),
        (INVALID, ErrorKind.SOME_COMMAND),
        (invalid(""), ErrorKind.SOME_COMMAND),
        (RATE_LIMIT, ErrorKind.UNCLEAR),
        (ErrorReport("4021", ""), ErrorKind.UNCLEAR),
        (ErrorReport("", ""), ErrorKind.UNCLEAR),
    ],
)
def test_errors_are_told_apart(error: ErrorReport, kind: ErrorKind) -> None:
    """By their code, or by what a validation error names."""
    assert error_kind(error) is kind


def configuring() -> TaskState:
    """Make the state of a first task that was sent."""
    state = TaskState(SessionState.CONFIGURING)
    state.wish(A)
    state.send_task()
    return state


def running() -> TaskState:
    """Make the state of a task that runs."""
    state = configuring()
    state.confirm()
    return state


def changing() -> TaskState:
    """Make the state of a running task with a change under way."""
    state = running()
    state.wish(B)
    state.send_task()
    return state


def pausing() -> TaskState:
    """Make the state of a task with a pause under way."""
    state = running()
    state.send_pause()
    return state


NONE, AGAIN, END = Reaction.NONE, Reaction.SEND_AGAIN, Reaction.END
REFUSE, PAUSE_AGAIN = Reaction.REFUSE, Reaction.PAUSE_AGAIN


@pytest.mark.parametrize(
    ("error", "first", "change", "nothing", "paused"),
    [
        # error, its meaning for a first task, a change, a task that runs, a pause under way
        (TIMEOUT, END, END, END, END),
        (NOT_FOUND, NONE, AGAIN, AGAIN, AGAIN),
        (ErrorReport("FORBIDDEN", ""), END, REFUSE, NONE, PAUSE_AGAIN),
        (OF_TASK, END, REFUSE, NONE, PAUSE_AGAIN),
        (INVALID, END, REFUSE, NONE, PAUSE_AGAIN),
        (OF_TEXT, NONE, NONE, NONE, NONE),
        (UNKNOWN_COMMAND, AGAIN, AGAIN, NONE, PAUSE_AGAIN),
        (RATE_LIMIT, AGAIN, AGAIN, NONE, PAUSE_AGAIN),
    ],
)
def test_an_error_means_something_else_in_each_state(
    error: ErrorReport, first: Reaction, change: Reaction, nothing: Reaction, paused: Reaction
) -> None:
    """A task under way is refused or sent again; one that runs is left alone."""
    states = (configuring(), changing(), running(), pausing())
    meanings = [TaskErrors(it).assess(error, may_be_of_other=False) for it in states]

    assert [it.reaction for it in meanings] == [first, change, nothing, paused]


@pytest.mark.parametrize(("error", "reaction"), [(OF_TASK, REFUSE), (INVALID, AGAIN)])
def test_an_error_may_be_about_another_command(error: ErrorReport, reaction: Reaction) -> None:
    """Only an error that says that it is about the task refuses it then."""
    meaning = TaskErrors(changing()).assess(error, may_be_of_other=True)

    assert meaning.reaction is reaction


@pytest.mark.parametrize("code", DENIALS)
@pytest.mark.parametrize("state", [SessionState.CONFIGURING, SessionState.PAUSED])
def test_a_denied_account_is_told_at_once(code: str, state: SessionState) -> None:
    """Credentials and balance do not get better by trying again, at first or after a pause."""
    book = Playbook(state) >> resume
    book = book if state is SessionState.CONFIGURING else book << SET_A

    assert book >> ErrorReport(code, "top up") << ended(f"{DENIED}top up ({code})")
    assert book.state is SessionState.FAILED
    assert not AccessDenied("").retryable


def test_a_change_that_the_account_does_not_allow_is_refused() -> None:
    """The task before it goes on; an error while nothing was asked for is noted alone."""
    denied = ErrorReport("FORBIDDEN", "")
    book = Playbook(SessionState.RUNNING) >> denied << OperatorNotice("error", "FORBIDDEN")
    book = book >> wish(B) << SET_B

    assert book >> denied << UpdateRefused(f"{DENIED}FORBIDDEN") << NOTHING


@pytest.mark.parametrize("code", ["RATE_LIMIT_EXCEEDED", "500", "UNKNOWN", ""])
def test_other_errors_deny_nothing(code: str) -> None:
    """A trouble that may pass in a moment is no reason to stop trying."""
    book = Playbook(SessionState.CONFIGURING)

    assert book >> ErrorReport(code, "x") << OperatorNotice("error", code) << SET_A


@pytest.mark.parametrize("state", [SessionState.CONFIGURING, SessionState.RUNNING])
def test_a_refusal_without_a_code_is_one_when_it_is_said_again(state: SessionState) -> None:
    """It is no rate limit, which has a code: after a second try nothing is waited for."""
    error, sentence = (
        ErrorReport("", "no such style"),
        "Palabra refused the settings: no such style",
    )
    book = Playbook(state) >> wish(B) << SET_B >> error << OperatorNotice("error", "") << SET_B
    since = book.now
    book = book >> error

    if state is SessionState.RUNNING:
        assert book << UpdateRefused(sentence) << NOTHING
    else:
        assert book << ended(sentence)
    assert book.now == since


def test_other_words_without_a_code_are_another_trouble() -> None:
    """What ran before is never refused, and a first task has its time."""
    first, then = ErrorReport("", "slow down"), ErrorReport("", "oh no")
    noted = OperatorNotice("error", "")
    book = Playbook(SessionState.CONFIGURING)
    assert book >> first << noted << SET_A >> then << noted << SET_A >> first << noted << SET_A

    book = Playbook(SessionState.PAUSED) >> resume << SET_A
    assert book >> then << noted << SET_A >> then << noted << SET_A


@pytest.mark.parametrize(
    ("desc", "expected"),
    [
        (
            "ValidationError(model='SetTaskRequestMessage', errors=[{'loc': ('pipeline', "
            "'transcription', 'segment_confirmation_silence_threshold'), 'msg': 'ensure this value "
            "is greater than or equal to 0.3', 'type': 'value_error.number.not_ge', 'ctx': "
            "{'limit_value': 0.3}}])",
            "pipeline.transcription.segment_confirmation_silence_threshold: ensure this value is "
            "greater than or equal to 0.3",
        ),
        (
            "[{'loc': ('a', 0), 'msg': \"it's wrong\"}, {'loc': ('b',), 'msg': 'no'}]",
            "a.0: it's wrong; b: no",
        ),
        ("[{'loc': ['a', 'b'], 'msg': 'no', 'type': 'x'}]", "a.b: no"),
        ("no such voice", "no such voice"),
        ("x" * 301, "x" * 299 + "…"),
        ("no\x1b[2J such\r\nvoice\u202e", "no such voice"),
        ("", ""),
    ],
)
def test_refusals_are_put_into_words(desc: str, expected: str) -> None:
    """The validator's notation becomes field and reason; anything else stays as it is."""
    assert readable(desc) == expected


@given(st.text())
def test_any_refusal_can_be_read(desc: str) -> None:
    """No description breaks the reading."""
    assert isinstance(readable(desc), str)


@pytest.mark.parametrize(
    ("code", "desc", "expected"),
    [("X", "no", "no (X)"), ("X", "", "X"), ("", "", "an error")],
)
def test_an_error_has_words(code: str, desc: str, expected: str) -> None:
    """Palabra's own, with the code; one of the two, or neither."""
    assert in_words(ErrorReport(code, desc)) == expected


LIVE = "Voice ID '{}' is not available, using default voice"
CLONED = {"voice_cloning": True, "voice_id": "unused"}


def task(*speeches: object) -> Task:
    """Make a task that speaks in certain ways."""
    return {"pipeline": {"translations": [{"speech_generation": speech} for speech in speeches]}}


def fixed(voice_id: object) -> dict[str, Any]:
    """Speak with one voice."""
    return {"voice_id": voice_id, "voice_timbre_detection": {"enabled": False}}


def by_timbre(high: object, low: object) -> dict[str, Any]:
    """Speak with one of two voices."""
    detection = {"enabled": True, "high_timbre_voices": high, "low_timbre_voices": low}
    return {"voice_id": "unused", "voice_timbre_detection": detection}


def missed(task: Task, *warnings: str) -> list[str]:
    """Tell which voices are found to be missing, given a task and warnings."""
    voices = MissingVoices()
    voices.ask(task)
    return [found for it in warnings if (found := voices.find(it)) is not None]


def test_the_voice_that_the_warning_names_is_missing() -> None:
    """Palabra's own sentence tells which of several voices it means, whatever the id looks like."""
    asked = task(fixed("a.b"), fixed("it's [one]"), by_timbre(["up"], ["down"]))

    assert missed(asked, LIVE.format("it's [one]")) == ["it's [one]"]
    assert missed(asked, LIVE.format("down")) == ["down"]
    assert missed(asked, 'No voice "up" here') == ["up"]


def test_each_voice_is_told_once() -> None:
    """The warning comes with every sentence; a second voice is news."""
    warnings = [LIVE.format(it) for it in ("a", "a", "b", "a", "b")]

    assert missed(task(fixed("a"), fixed("b")), *warnings) == ["a", "b"]


@pytest.mark.parametrize("text", ["", "voice missing", "a is missing", LIVE.format("other")])
def test_the_only_voice_is_meant_where_none_is_named(text: str) -> None:
    """Other words, or the name that Palabra has for a voice, can mean only the one asked for."""
    assert missed(task(fixed("a"), fixed("a"), CLONED), text) == ["a"]
    assert missed(task(fixed("a"), fixed("b")), text) == []
    assert missed(task(by_timbre(["a"], ["b"])), text) == []
    assert missed(task(CLONED), text) == []


def test_a_voice_of_an_earlier_task_may_still_be_named() -> None:
    """The warning may come after another task was sent."""
    voices = MissingVoices()
    voices.ask(task(fixed("before")))
    voices.ask(task(fixed("now")))

    assert voices.find(LIVE.format("before")) == "before"
    assert voices.find("no such voice") == "now"


@pytest.mark.parametrize(
    "strange",
    [
        {},
        {"pipeline": None},
        {"pipeline": {"translations": {"es": {}}}},
        {"pipeline": {"translations": [None, 1, {"speech_generation": []}]}},
        task(fixed(None), fixed(7), fixed("")),
        task(by_timbre("abc", [None, 3, ""])),
        task({"voice_timbre_detection": "yes"}),
    ],
)
def test_a_strange_task_has_no_voices(strange: Task) -> None:
    """An operator may lay anything over a task; nothing of it breaks here."""
    assert missed(strange, LIVE.format("a")) == []
