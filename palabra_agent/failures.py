"""Errors that were not expected, in the log: which and where. Their words may hold a name."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path
from typing import Final

from palabra_agent.concurrency import errors_in

_MOST_PLACES: Final = 10
"""The innermost ones are told."""


def log_failure(logger: logging.Logger, sentence: str, error: BaseException, **facts: str) -> None:
    """Log an error by its class and its places; its words and its traceback for those who debug."""
    told = {"error": error_names(error), "where": error_places(error), **facts}
    logger.error(sentence, extra=told)
    logger.debug("%s: traceback", sentence, exc_info=error)


def error_names(error: BaseException) -> str:
    """Name the class of an error; of a group, those of the errors in it. Never its words."""
    return ", ".join(dict.fromkeys(type(it).__name__ for it in _errors_of(error)))


def error_places(error: BaseException) -> str:
    """Name the places in the code at which an error passed, the innermost last; of a group each."""
    return "; ".join(dict.fromkeys(map(_places, _errors_of(error))))


def _errors_of(error: BaseException) -> list[BaseException]:
    return errors_in(error) if isinstance(error, BaseExceptionGroup) else [error]


def _places(error: BaseException) -> str:
    passed = traceback.extract_tb(error.__traceback__)[-_MOST_PLACES:]
    return " > ".join(f"{Path(it.filename).name}:{it.lineno} {it.name}" for it in passed)
