"""One failure among tasks, told as itself: people want the sentence, not the group around it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager


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
