"""What makes a fault: when it strikes, in which variants, with which parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from palabra_emulator.faults.parameters import Between, OneOf, Parameter, Words

Moment: TypeAlias = Literal[
    "request", "creation", "opening", "join", "command", "tracks", "text", "now"
]
"""When a fault strikes: at a REST request, at a session just created, at its bot's coming, at a
client's joining, at a command, at the publishing of tracks, at a text, or by itself at once."""

RATE_LIMIT_CODE: Final = "RATE_LIMIT_EXCEEDED"
RATE_LIMIT_TEXT: Final = "Too many requests"


@dataclass(frozen=True, slots=True)
class Variant:
    """One way in which a fault may show."""

    name: str
    moment: Moment
    meaning: str


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of the catalogue."""

    id: str
    sentence: str
    appears: str
    """What exactly a client sees."""
    variants: tuple[Variant, ...]
    """The first is the default; a fault of one kind has one without a name."""
    parameters: tuple[Parameter, ...] = ()
    on_websocket: str = ""
    """What is different with a client on a WebSocket; empty for nothing."""
    is_of_a_session: bool = True
    """Whether it can be meant for one session."""

    @property
    def all_parameters(self) -> tuple[Parameter, ...]:
        """Its parameters, the variant first where there are several."""
        names = tuple(variant.name for variant in self.variants)
        if names == ("",):
            return self.parameters

        choice = Parameter("variant", OneOf(names), names[0], "which way it shows")
        return (choice, *self.parameters)

    def variant(self, name: object) -> Variant:
        """The variant of a name, or the default."""
        return next((it for it in self.variants if it.name == name), self.variants[0])


def only(moment: Moment) -> tuple[Variant, ...]:
    """The one variant of a fault that has no others."""
    return (Variant("", moment, ""),)


def each(moment: Moment, **meanings: str) -> tuple[Variant, ...]:
    """Variants of one moment; `_503` is named `503`."""
    return tuple(Variant(name.lstrip("_"), moment, text) for name, text in meanings.items())


def status(default: int, *others: int) -> Parameter:
    """The HTTP status of an answer."""
    return Parameter("status", OneOf((default, *others)), default, "the HTTP status")


def words(name: str, default: str, meaning: str) -> Parameter:
    """A text."""
    return Parameter(name, Words(), default, meaning)


def milliseconds(default: int, meaning: str) -> Parameter:
    """A time."""
    return Parameter("delay_ms", Between(0, 600_000), default, meaning)
