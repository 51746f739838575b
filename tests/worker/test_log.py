"""The worker's log: others can neither write in it nor fill it, and it says what it left out."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import Generator
from typing import Any

import pytest
from livekit import rtc

from palabra_agent.failures import log_failure
from palabra_agent.worker.log import EventLimit, limited_log, read_record
from tests.clock import in_jumping_time

pytestmark = pytest.mark.unit

MARKER = "zanzibar"
"""Said by others, everywhere."""
ODD = "a\nb\x1b[31m\x9b2J\u202ec\u2028d\ud800"
"""Rules a terminal, turns words around, breaks lines, cannot be encoded."""

ours = logging.getLogger("palabra_agent.worker.test")
plugins = logging.getLogger("a_plugin")
host = logging.getLogger("livekit.agents")
sdk = logging.getLogger("livekit")


class Log(logging.Handler):
    """A handler as the worker has one, with the lines that went out."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self.lines.append(record)

    @property
    def messages(self) -> list[str]:
        """What was said."""
        return [it.getMessage() for it in self.lines]

    @property
    def left_out(self) -> list[int]:
        """The numbers of lines that were counted, as they were told."""
        return [vars(it)["left_out"] for it in self.lines if "left_out" in vars(it)]

    def holds(self, word: str) -> bool:
        """Tell whether a word stands anywhere in it."""
        return any(word in str(vars(it)) or word in it.getMessage() for it in self.lines)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Generator[Log]:
    """The worker's log at its default level."""
    caplog.set_level(logging.INFO)
    handler = Log()
    handler.addFilter(read_record)
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)


def test_code_that_is_not_ours_says_what_stands_in_it(log: Log) -> None:
    """What is filled in, or was put together before, is for those who debug."""
    plugins.warning("%s said %r in %.1f s", MARKER, MARKER, 0.5)
    plugins.warning(f"{MARKER} said {MARKER}")
    plugins.warning(f"{MARKER} said it")
    plugins.warning({"who": MARKER})

    untold = "a message that only the level debug tells"
    assert log.messages == ["... said ... in ... s", untold, untold, untold]
    assert not log.holds(MARKER)


def test_its_fields_keep_numbers(log: Log) -> None:
    """Words stay out, and whatever else holds some."""
    plugins.warning("said", extra={"who": MARKER, "all": [MARKER], "count": 3, "share": 0.5})

    (line,) = log.lines
    assert (vars(line)["count"], vars(line)["share"]) == (3, 0.5)
    assert not log.holds(MARKER)


def test_livekit_agents_names_jobs_and_rooms(log: Log) -> None:
    """In one line each; a whole job holds the metadata of a dispatch, and is left out."""
    facts = {"room": f"board {ODD}", "job": {"metadata": MARKER}, "error": OSError("no way\n")}
    port = 8081
    host.warning(f"listening on {port}", extra=facts)

    (line,) = log.lines
    assert line.getMessage() == "listening on 8081"
    assert vars(line)["room"] == "board a bc d?"
    assert vars(line)["error"] == "no way"
    assert not log.holds(MARKER)


@pytest.mark.parametrize("logger", [plugins, host, sdk, ours])
def test_an_error_is_told_by_class_and_place(log: Log, logger: logging.Logger) -> None:
    """Its words may be anything."""
    try:
        raise KeyError(MARKER)
    except KeyError:
        logger.exception("it broke")

    (line,) = log.lines
    assert vars(line)["error"] == "KeyError"
    assert vars(line)["where"].startswith("test_log.py:")
    assert (line.exc_info, line.exc_text) == (None, None)
    assert not log.holds(MARKER)


def test_the_sdk_s_native_part_is_told_by_its_place(log: Log) -> None:
    """Its words name participants, topics and addresses."""
    sdk.warning("%s:%s:%s - %s", "livekit::room", 77, "livekit::room", f"unknown {MARKER}")

    assert log.messages == ["LiveKit's SDK, at livekit::room:77"]
    assert not log.holds(MARKER)


def test_streams_that_the_sdk_ignores_are_for_those_who_debug(log: Log) -> None:
    """It logs them past its own logger, which is set to warnings."""
    record = logging.getLogger().makeRecord(
        "root",
        logging.INFO,
        rtc.room.__file__,
        1,
        "ignoring text stream with topic '%s', no callback attached",
        (MARKER,),
        None,
    )
    logging.getLogger().handle(record)

    assert log.lines == []


def test_our_own_fields_are_short_lines(log: Log) -> None:
    """Whatever they hold."""
    ours.warning("heard", extra={"reason": ODD + "x" * 1000, "keys": ["a\nb"], "count": 2})

    (line,) = log.lines
    assert vars(line)["reason"].startswith("a bc d?xxx")
    assert len(vars(line)["reason"]) == 300
    assert (vars(line)["keys"], vars(line)["count"]) == (["a b"], 2)


def test_what_a_job_sent_is_not_read_again(log: Log) -> None:
    """Its code is not at hand any more; the worker adds the room, whose name may be odd."""
    plugins.warning("said")
    (sent,) = log.lines
    vars(sent)["room"] = ODD
    logging.getLogger().handle(sent)

    assert log.messages == ["said", "said"]
    assert vars(sent)["room"] == "a bc d?"


def flood(count: int) -> None:
    """Log an event so many times."""
    for number in range(count):
        ours.warning("flood of number %d", number)


@in_jumping_time
async def test_a_flood_is_counted(log: Log) -> None:
    """Ten lines, then one a minute that says how many there were, also when it has stopped."""
    async with limited_log():
        flood(25)
        assert (len(log.lines), log.left_out) == (10, [])

        await asyncio.sleep(60.5)
        assert (len(log.lines), log.left_out) == (11, [15])

        flood(7)
        assert len(log.lines) == 11

        await asyncio.sleep(60)
        assert (len(log.lines), log.left_out) == (12, [15, 7])

    assert {it.levelname for it in log.lines} == {"WARNING"}


@in_jumping_time
async def test_a_minute_of_quiet_ends_a_flood(log: Log) -> None:
    """Then each line is told again."""
    async with limited_log():
        flood(11)
        await asyncio.sleep(130)
        flood(10)

    assert (len(log.lines), log.left_out) == (21, [1])


@in_jumping_time
async def test_the_end_tells_what_was_left_out(log: Log) -> None:
    """Nothing is lost with a room; what comes later is not limited by it."""
    async with limited_log():
        flood(20)
    flood(15)

    assert (len(log.lines), log.left_out) == (10 + 1 + 15, [10])


@in_jumping_time
async def test_one_event_hides_no_other(log: Log) -> None:
    """An event is a place in the code; failures that are logged in one way are told apart."""
    async with limited_log():
        for _ in range(100):
            plugins.warning("one")
        plugins.warning("other")
        for _ in range(100):
            log_failure(ours, "a call broke", KeyError(MARKER))
        log_failure(ours, "another call broke", KeyError(MARKER))

    assert log.messages.count("one") == 11
    assert "other" in log.messages
    assert log.messages.count("a call broke") == 11
    assert "another call broke" in log.messages
    assert log.left_out == [90, 90]
    assert not log.holds(MARKER)


@in_jumping_time
async def test_every_room_counts_for_itself(log: Log) -> None:
    """An operator who asks for many at once reads of each that it was asked for."""
    async with limited_log():
        for number in range(100):
            host.info("received job request", extra={"room": f"board-{number}"})

    assert (len(log.lines), log.left_out) == (100, [])


@in_jumping_time
async def test_events_without_number_are_one(log: Log) -> None:
    """Code that is made at run time may be anywhere; it takes no memory without end."""
    async with limited_log():
        for number in range(600):
            exec(  # noqa: S102 - as a plugin might
                compile("log.warning('made')", f"made-{number}.py", "exec"), {"log": plugins}
            )

    assert len(log.lines) == 500 + 10 + 1
    assert log.left_out == [90]


@in_jumping_time
async def test_what_fails_in_the_block_comes_out_as_it_is(log: Log) -> None:
    """The limit stands around a room, whose errors mean something."""

    async def fail() -> None:
        async with limited_log():
            flood(12)
            raise KeyError

    with pytest.raises(KeyError):
        await fail()

    assert log.left_out == [2]


def test_what_other_processes_sent_is_not_counted_again() -> None:
    """Each job has its own limit: one room's flood takes no line from another's."""
    limit = EventLimit()
    record = logging.makeLogRecord({"process": 1, "msg": "sent"})

    assert all(limit.filter(record) for _ in range(100))


PROGRAM = """
import logging, sys
from palabra_agent.worker.log import set_up_logging

set_up_logging(sys.argv[1])
odd = "zanzibar \\n\\x1b[31m\\x9b2J\\u202e\\u2028\\ud800 \\u00e9"
logging.getLogger("palabra_agent.x").warning("ours", extra={"reason": odd, "name of": "x"})
logging.getLogger("palabra_agent.x").warning("%s", odd)
logging.getLogger("a_plugin").warning("of a plugin: %s", "zanzibar")
"""


def written(level: str) -> list[dict[str, Any]]:
    """The lines that a process writes whose log is set up as the worker's."""
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, level], capture_output=True, check=True, text=True
    )
    assert run.stdout.isascii()
    assert run.stderr == ""
    return [json.loads(line) for line in run.stdout.splitlines()]


def test_the_log_is_lines_of_ascii() -> None:
    """No character in it is obeyed by whatever shows it."""
    first, second, third = written("INFO")

    assert first["reason"] == "zanzibar ? \u00e9"
    assert second["message"].startswith("zanzibar")
    assert third["message"] == "of a plugin: ..."


def test_those_who_debug_read_all() -> None:
    """They asked for words."""
    *_, third = written("DEBUG")

    assert third["message"] == "of a plugin: zanzibar"
