"""The worker's log: JSON lines on stdout, in which others cannot write, and which they cannot fill.

Participants, Palabra and plugins cause lines, as all that happens in a room does. At the default
level two rules hold, for the worker and for the processes of its jobs; who asked for debug lines
reads everything.

* A line says what stands in the code that logs it. Of code that is not ours the message is taken
  as it is written there, without what is filled in, and an error by its class and its places.
  Messages of LiveKit Agents are whole: it knows jobs, rooms and addresses, and no one's words.
  What LiveKit's SDK logs past its own logger, such as the topic of each stream that it ignores, is
  for those who debug.
* An event is logged ten times. What follows is counted: one line a minute says how many there were,
  until a minute passes without any.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Final, TypeAlias

from livekit.agents.cli import log
from livekit.agents.ipc.log_queue import LogQueueHandler

from palabra_agent.concurrency import single_failure
from palabra_agent.failures import error_names, error_places
from palabra_agent.texts import one_line

_OURS: Final = ("palabra_agent.", "palabra_emulator.")
_HOST: Final = "livekit.agents"
"""LiveKit Agents, which names jobs, rooms, places in code, and addresses of the operator's."""
_SDK_FOLDER: Final = "/livekit/rtc/"
_FROM_NATIVE_CODE: Final = "%s:%s:%s - %s"
"""The template of all lines of the SDK's native part: target, line, module, words."""
_FALSE_ALARM: Final = "The job task completed without establishing a connection"
"""LiveKit Agents misses a connection of its own making; the rooms' connections are ours."""

_UNTOLD: Final = "a message that only the level debug tells"
_LONGEST_FIELD: Final = 300
_FILLED_IN: Final = re.compile(r"%(?:\([^)]*\))?[-#0 +]*\*?\d*(?:\.\d+)?[a-zA-Z]|\{[^{}]*\}")
_STANDARD: Final = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"})
_IS_READ: Final = "_is_read"
"""Set on records that are as they may be logged, also of those that a job sends to the worker."""

_TIMES: Final = 10
"""An event is logged so often before it is counted."""
_COUNTING_SECONDS: Final = 60.0
_LEFT_OUT: Final = "left_out"
"""The field of a line that says how often its event was not logged."""
_EVENT: Final = "name levelno levelname msg args pathname lineno funcName".split()
"""What one line of an event has in common with the others."""
_MOST_EVENTS: Final = 500
"""Kinds of events that are told apart; there are not as many in all code, but for rooms."""

_Event: TypeAlias = tuple[object, ...]


def set_up_logging(level: str = "INFO") -> None:
    """Log JSON lines on stdout, this process's and its jobs'."""
    log.setup_logging(level, devmode=False, console=False)
    # plain ASCII holds no character that a terminal or a viewer of logs obeys
    handler = logging.getLogger().handlers[-1]
    handler.setFormatter(log.JsonFormatter(ensure_ascii=True))
    _keep_others_out(handler)


def set_up_job_logging() -> None:
    """Let the process of a job send the worker only what may stand in its log."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, LogQueueHandler):
            _keep_others_out(handler)


def _keep_others_out(handler: logging.Handler) -> None:
    if not logging.getLogger().isEnabledFor(logging.DEBUG):
        handler.addFilter(read_record)


def read_record(record: logging.LogRecord) -> bool:
    """Tell whether a record may be logged, and take out of it what others say, for all handlers."""
    if not hasattr(record, _IS_READ):
        if _is_for_debugging(record):
            return False

        if not record.name.startswith(_OURS):
            record.msg, record.args = _message_in(record), None
            _keep_fields(record)
        _name_error(record)
        setattr(record, _IS_READ, True)

    # the worker adds the name of the room to what a job sent
    for name in vars(record).keys() - _STANDARD:
        setattr(record, name, _tidy(vars(record)[name]))
    return True


def _is_for_debugging(record: logging.LogRecord) -> bool:
    """Tell whether a line says nothing to an operator who is not looking for a fault."""
    is_of_sdk = _SDK_FOLDER in record.pathname.replace("\\", "/")
    # its own logger is set to warnings
    is_past_its_logger = is_of_sdk and record.levelno < logging.WARNING
    return is_past_its_logger or str(record.msg).startswith(_FALSE_ALARM)


def _message_in(record: logging.LogRecord) -> str:
    """Give the message of code that is not ours, as far as it stands in that code."""
    if record.msg == _FROM_NATIVE_CODE and isinstance(record.args, tuple):
        target, line, *_ = record.args
        return f"LiveKit's SDK, at {target}:{line}"

    if record.name.startswith(_HOST):
        return one_line(record.getMessage(), _LONGEST_FIELD)

    # a message that was put together at run time holds anything
    is_literal = isinstance(record.msg, str) and record.msg in _constants_at(record)
    return one_line(_FILLED_IN.sub("...", record.msg), _LONGEST_FIELD) if is_literal else _UNTOLD


def _constants_at(record: logging.LogRecord) -> tuple[object, ...]:
    """The constants of the function that logs a record; none where that was another process."""
    frame = inspect.currentframe()
    while frame is not None:
        code = frame.f_code
        if code.co_filename == record.pathname and code.co_name == record.funcName:
            return code.co_consts
        frame = frame.f_back

    return ()


def _keep_fields(record: logging.LogRecord) -> None:
    """Leave numbers in a record of code that is not ours; words only where the host says them."""
    kept = (bool, int, float, *((str, Exception) if record.name.startswith(_HOST) else ()))
    for name, value in list(vars(record).items()):
        if name not in _STANDARD and not isinstance(value, kept):
            delattr(record, name)


def _name_error(record: logging.LogRecord) -> None:
    """Put the class and the places of an error in the place of its words and its traceback."""
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        record.error, record.where = error_names(error), error_places(error)

    record.exc_info = record.exc_text = record.stack_info = None


def _tidy(value: object) -> object:
    """Give a field on one line of a reasonable length."""
    match value:
        case str() | Exception():
            return one_line(str(value), _LONGEST_FIELD)
        case list() | tuple():
            return [_tidy(each) for each in value]
        case _:
            return value


@dataclass(slots=True)
class _Count:
    """What became of one event since the last minute that passed without it."""

    first: logging.LogRecord
    logged: int = 0
    left_out: int = 0


class EventLimit(logging.Filter):
    """Lets each event be logged some times, and then counts it."""

    def __init__(self) -> None:
        super().__init__()
        self._counts: dict[_Event, _Count] = {}
        # lines come from any thread
        self._lock = Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record is logged; those of jobs were counted there."""
        if record.process != os.getpid() or hasattr(record, _LEFT_OUT):
            return True

        with self._lock:
            count = self._count_of(record)
            if count.logged < _TIMES:
                count.logged += 1
                return True

            count.left_out += 1
            return False

    def _count_of(self, record: logging.LogRecord) -> _Count:
        # a worker that is asked into many rooms at once says so of each
        room = getattr(record, "room", "")
        event: _Event = (record.levelno, record.pathname, record.lineno, str(record.msg), room)
        if event not in self._counts and len(self._counts) >= _MOST_EVENTS:
            event = ()

        return self._counts.setdefault(event, _Count(record))

    def tell(self) -> None:
        """Log how often each event was left out; one that did not come again begins anew."""
        with self._lock:
            surplus = [(it.first, it.left_out) for it in self._counts.values() if it.left_out]
            self._counts = {event: it for event, it in self._counts.items() if it.left_out}
            for count in self._counts.values():
                count.left_out = 0

        for first, left_out in surplus:
            logging.getLogger(first.name).handle(_summary(first, left_out))


def _summary(first: logging.LogRecord, left_out: int) -> logging.LogRecord:
    """Make the line that says how often an event was left out."""
    facts = {name: vars(first)[name] for name in _EVENT}
    return logging.makeLogRecord({**facts, _IS_READ: True, _LEFT_OUT: left_out})


@asynccontextmanager
async def limited_log() -> AsyncGenerator[None]:
    """Limit each event in the worker's log for the length of a block, and tell what was left out.

    At the level debug nothing is limited.
    """
    limit = EventLimit()
    handlers = [it for it in logging.getLogger().handlers if read_record in it.filters]
    for handler in handlers:
        handler.addFilter(limit)

    try:
        with single_failure():
            async with asyncio.TaskGroup() as group:
                telling = group.create_task(_tell_each_minute(limit), name="events left out")
                yield
                telling.cancel()
    finally:
        limit.tell()
        for handler in handlers:
            handler.removeFilter(limit)


async def _tell_each_minute(limit: EventLimit) -> None:
    while True:
        await asyncio.sleep(_COUNTING_SECONDS)
        limit.tell()
