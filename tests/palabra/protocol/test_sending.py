"""Sending: the limits of commands, and the texts and interruptions that wait for their turn."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from palabra_agent.errors import ConfigError
from palabra_agent.palabra.protocol import commands
from palabra_agent.palabra.protocol.commands import Command, end_task
from palabra_agent.palabra.protocol.events import OperatorNotice
from palabra_agent.palabra.protocol.messages import ErrorReport, TaskReport
from palabra_agent.palabra.protocol.sending import (
    PAUSE_INTERVAL_SECONDS,
    SPEECH_INTERVAL_SECONDS,
    TASK_INTERVAL_SECONDS,
    CommandLimits,
    CommandQueue,
)
from palabra_agent.palabra.protocol.task_state import SessionState
from palabra_agent.session import BriefFollowed, UpdateRefused

from .playbook import (
    GET,
    INVALID,
    NOT_YET,
    NOTHING,
    PAUSE,
    REFUSED,
    RUNNING,
    SET_A,
    SET_B,
    TEXT,
    UNKNOWN_COMMAND,
    B,
    Playbook,
    finish,
    pause,
    resume,
    say,
    wait,
    wish,
)

pytestmark = pytest.mark.unit

NOTED = OperatorNotice("error", "VALIDATION_ERROR")
INTERRUPTED = TaskReport("interrupt_task", "running")


def text(words: str, **data: object) -> Command:
    """Make a command that speaks."""
    return Command("tts_task", {"text": words, **data})


@pytest.mark.parametrize(
    ("first", "second", "seconds"),
    [
        ("set_task", "get_task", TASK_INTERVAL_SECONDS),
        ("get_task", "set_task", TASK_INTERVAL_SECONDS),
        ("pause_task", "end_task", PAUSE_INTERVAL_SECONDS),
        ("end_task", "pause_task", PAUSE_INTERVAL_SECONDS),
        ("tts_task", "tts_task", SPEECH_INTERVAL_SECONDS),
        ("set_task", "pause_task", -math.inf),
        ("tts_task", "set_task", -math.inf),
        ("interrupt_task", "interrupt_task", -math.inf),
    ],
)
def test_commands_share_their_limits(first: str, second: str, seconds: float) -> None:
    """Commands of one limit keep its distance; others, and those without one, go at once."""
    limits = CommandLimits()
    limits.note(first, 100)

    assert limits.next_time(second) == 100 + seconds


def test_the_most_urgent_command_goes_first() -> None:
    """The task before its pause, and both before texts; a farewell before everything."""
    book = Playbook(SessionState.RUNNING) >> wait(60) >> say(TEXT) >> say(TEXT)
    book = book >> pause >> wish(B) << SET_B << TEXT << TEXT >> RUNNING << BriefFollowed() << PAUSE

    assert book >> say(TEXT) >> finish << end_task() << NOTHING


def test_a_limit_holds_up_no_other_command() -> None:
    """While a question must wait, texts go; while texts must wait, an answer is asked for."""
    book = Playbook(SessionState.RUNNING) >> wish(B) << SET_B >> say(TEXT) >> say(TEXT)
    since = book.now

    assert book << TEXT << TEXT << GET
    assert book.now == pytest.approx(since + TASK_INTERVAL_SECONDS)


def test_a_text_does_not_go_before_the_pause_is_over() -> None:
    """It waits for the task's limit then; in a pause that goes on it does not wait."""
    book = Playbook(SessionState.PAUSED) >> resume >> say(TEXT)

    assert book << NOT_YET << SET_A << TEXT
    assert Playbook(SessionState.PAUSED) >> say(TEXT) << TEXT << NOTHING


def test_an_interruption_falls_back_to_its_older_name() -> None:
    """An unknown command refuses no task; after the older name nothing else is tried."""
    data = {"languages": ["es"], "pause_task": False}
    book = Playbook(SessionState.RUNNING) >> say(commands.interrupt_task(["es"]))
    book = book << Command("interrupt_task", data) >> UNKNOWN_COMMAND << NOTED
    book = book << Command("flush_task", data) >> UNKNOWN_COMMAND << NOTED << NOTHING

    assert book.state is SessionState.RUNNING


def test_an_acknowledged_interruption_is_over() -> None:
    """A later error is about something else."""
    interruption = commands.interrupt_task()
    book = Playbook(SessionState.RUNNING) >> say(interruption) << interruption

    assert book >> INTERRUPTED >> UNKNOWN_COMMAND << NOTED << NOTHING


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
    book = Playbook(SessionState.RUNNING) >> wish(B) << SET_B
    for _ in range(5):
        book = book >> ErrorReport("VALIDATION_ERROR", refusal) << NOTED

    assert book << GET >> RUNNING << BriefFollowed()


def test_an_error_that_may_be_about_a_text_refuses_no_task_at_once() -> None:
    """Where both wait for an answer the task is sent again, and refused if it is so once more."""
    book = Playbook(SessionState.RUNNING) >> wait(3) >> wish(B) >> say(TEXT) << SET_B << TEXT
    book = book >> INVALID << NOTED >> wait(5) << SET_B

    assert book >> INVALID << UpdateRefused(REFUSED)


def test_too_many_texts_are_refused_in_words() -> None:
    """None is dropped unseen: the oldest are spoken, the newest is told no."""
    book = Playbook(SessionState.RUNNING)
    for number in range(60):
        book >>= say(text(f"{number}"))
    with pytest.raises(ConfigError, match="text: 60 texts wait to be spoken already"):
        book.conversation.enqueue(TEXT)

    assert book << text("0") >> say(TEXT)


@pytest.mark.parametrize(
    ("languages", "spoken"),
    [([], []), (["es"], ["translated", "german"]), (["fr"], ["spanish", "translated", "german"])],
)
def test_an_interruption_goes_first_and_drops_texts(
    languages: list[str], spoken: list[str]
) -> None:
    """The texts that it is meant for are not spoken afterwards; those for all targets are."""
    book = Playbook(SessionState.RUNNING)
    book >>= say(text("spanish", language="es", translate_text=False))
    book >>= say(text("translated", language="es", translate_text=True))
    book >>= say(text("german", language="de", translate_text=False))
    interruption = commands.interrupt_task(languages)
    book = book >> say(interruption) << interruption

    assert [command.data["text"] for command in book.commands()] == spoken


def test_texts_wait_for_the_task_and_for_their_turn() -> None:
    """Nothing is spoken before the task runs, and sixty texts take a minute."""
    book = Playbook(SessionState.CONFIGURING) >> say(TEXT) >> say(TEXT) >> say(TEXT) << GET
    book = book >> RUNNING << BriefFollowed()
    times: list[float] = []
    for _ in range(3):
        book <<= TEXT
        times.append(book.now)

    assert book << NOTHING
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert gaps == [pytest.approx(SPEECH_INTERVAL_SECONDS)] * 2


def test_an_error_may_be_about_a_text_for_a_while() -> None:
    """Until it is acknowledged, and no longer than five seconds."""
    queue = CommandQueue()
    queue.add(TEXT)
    assert queue.take(100) == TEXT
    assert (queue.may_be_refused(104), queue.may_be_refused(105)) == (True, False)
    queue.acknowledge("tts_task")

    assert not queue.may_be_refused(104)
