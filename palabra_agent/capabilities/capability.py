"""Capabilities as the host sees them: method, acceptable answers, and how plugins are asked.

There are two ways to ask: one plugin after the other until one answers, or all of them in order.
The steps to add a capability stand in `capabilities/__init__.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias

from typing_extensions import TypeVar

from palabra_agent.voices import VoiceChoice

RequestT = TypeVar("RequestT")
AnswerT = TypeVar("AnswerT")
ChoiceT_co = TypeVar("ChoiceT_co", covariant=True, default=VoiceChoice)


@dataclass(frozen=True, slots=True)
class Passed:
    """No answer, for a reason that `palabra.explain` may tell; it must hold no person's name."""

    reason: str = ""
    is_private: bool = False
    """True where it is for the speaker and the organisers alone, such as that consent is missing.
    """


class WrongAnswer(ValueError):
    """An answer that cannot be used; the sentence names its class, and none of its content."""


@dataclass(frozen=True, slots=True)
class Verdict(Generic[ChoiceT_co]):
    """The outcome of asking the plugins of a room one after the other: for a voice, if not said."""

    choice: ChoiceT_co | None = None
    """The first answer that counts; None: the default, such as the voice that the config says."""
    chosen_by: str | None = None
    """Name of the plugin that gave it; None for the default."""
    passed: tuple[tuple[str, str], ...] = ()
    """The plugins that were asked before and gave nothing that counts, and why, in order."""
    private: frozenset[str] = frozenset()
    """Of those, the ones whose reasons are for the speaker and the organisers alone."""


@dataclass(frozen=True, slots=True)
class FirstAnswer(Generic[RequestT, AnswerT]):
    """A capability that is asked of one plugin after the other, until one has an answer."""

    protocol: type
    method: str
    accept: Callable[[object, RequestT], AnswerT | Passed]
    """Judges what a plugin returned; raises `WrongAnswer` at anything of another type."""


@dataclass(frozen=True, slots=True)
class TellAll(Generic[RequestT]):
    """A capability by which all plugins are told events: each in order, at its own pace."""

    protocol: type
    method: str
    is_expendable: Callable[[RequestT], bool]
    """Picks the events that are left out first where too many wait."""
    most_waiting: int = 500
    """Events that may wait for one plugin."""


AnyCapability: TypeAlias = FirstAnswer[Any, Any] | TellAll[Any]


def a_kind_of(thing: object) -> str:
    """Name the class of something, with its article: `a str`, `an int`."""
    if thing is None:
        return "None"

    name = type(thing).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
