"""Strangers' code that runs at once and cannot be awaited: called aside, with a deadline."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from palabra_agent.errors import Phase, PluginError

T = TypeVar("T")


class Late(TimeoutError):
    """The cause of a `PluginError`: no answer came in time."""


class _Answer(Generic[T]):
    """What came of a call, once it has come."""

    def __init__(self) -> None:
        self.arrived = threading.Event()
        self.values: list[T] = []
        self.error: BaseException | None = None


def call_aside(call: Callable[[], T], *, plugin: str, phase: Phase, seconds: float) -> T:
    """Give what a call returns, whatever else it does.

    It runs in a thread of its own, because nothing else can be given up when it hangs. That thread
    is left behind then, and ends with the process.

    Raises:
        PluginError: It raised anything at all, which is the cause; or it did not end in time.
    """
    answer: _Answer[T] = _Answer()

    def run() -> None:
        try:
            answer.values.append(call())
        except BaseException as error:  # noqa: BLE001 - the fence: a plugin may even call sys.exit
            answer.error = error
        answer.arrived.set()

    threading.Thread(target=run, name=f"plugin {phase}", daemon=True).start()
    if not answer.arrived.wait(seconds):
        raise PluginError(plugin, phase, f"it takes longer than {seconds:.2g} s") from Late()
    if isinstance(answer.error, PluginError):
        raise answer.error
    if answer.error is not None:
        raise PluginError(plugin, phase, _reason(answer.error)) from answer.error
    return answer.values[0]


def _reason(error: BaseException) -> str:
    """What was raised, without its words: they may hold what nobody else is to know."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f'it needs the module "{error.name}", which is not installed'
    return f"it raises {type(error).__name__}"
