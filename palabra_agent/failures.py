"""Failures among tasks, told as themselves: people want the sentence, not the group around it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TypeVar

ErrorT = TypeVar("ErrorT", bound=BaseException)


@contextmanager
def single_failure() -> Generator[None]:
    """Let the only failure of a task group in the block come out unwrapped; several stay a group.

    Raises:
        BaseException: Whatever that failure is.
    """
    try:
        yield
    except BaseExceptionGroup as failures:
        failure: BaseException = failures
        while isinstance(failure, BaseExceptionGroup) and len(failure.exceptions) == 1:
            failure = failure.exceptions[0]
        if failure is failures:
            raise
        raise failure from None


def leaves(failures: BaseExceptionGroup[ErrorT]) -> list[ErrorT]:
    """The errors themselves, out of however many groups."""
    found: list[ErrorT] = []
    for failure in failures.exceptions:
        found += leaves(failure) if isinstance(failure, BaseExceptionGroup) else [failure]

    return found
