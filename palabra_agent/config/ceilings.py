"""Ceilings: what no room may exceed, and what rooms and organisers may not touch. Pure.

They bind the metadata of dispatches and the changes of organisers. What the operator's own `[room]`
and `[[rooms]]` say holds as it is, above a ceiling too, which it then raises for its rooms. Limits
that are too high are cut, and that is told; what is locked is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel

from palabra_agent.config.documents import lay_over
from palabra_agent.config.fields import Between, ConfigModel, Names, Number, Whole
from palabra_agent.config.wording import is_model, shown, types_at
from palabra_agent.errors import Problem
from palabra_agent.languages import did_you_mean

_LIMITS: Final = "limits"
_PLUGINS: Final = "plugins"
_MAY_BE_NULL: Final = "max_minutes"
"""The one of the limits that need not be there: null is more than any number."""
_LOCKED: Final = "is locked by the worker's operator: rooms and organisers may not set it"
_LOCKED_PLUGIN: Final = (
    "is locked by the worker's operator, who may allow it in `allowed_plugins`: rooms and "
    "organisers may not add, change or remove it"
)


class Ceilings(ConfigModel):
    """Ceilings of every room; in `[[rooms]]`, as `ceilings`, those of some."""

    max_speakers: Annotated[Whole, Between(1)] = 100
    """The highest `limits.max_speakers`."""
    max_languages: Annotated[Whole, Between(1)] = 20
    """The highest `limits.max_languages`."""
    max_minutes: Annotated[Number, Between(0.001, 44_640)] | None = None
    """The highest `limits.max_minutes`, also of rooms that name none; left out: no ceiling."""
    locked: Names = ("palabra.preprocessing", "palabra.undocumented")
    """Keys of the room config, such as `palabra.transport`, that rooms and organisers may not
    touch, with all that stands in them."""
    locked_plugins: Names = ()
    """Plugins that they may not add, change or remove, beside those that have settings of the
    operator's and do not stand in `allowed_plugins`."""

    def under(self, others: Self | None) -> Self:
        """Lay others over these; what they leave out stays."""
        if others is None:
            return self

        return self.model_copy(
            update={key: getattr(others, key) for key in others.model_fields_set}
        )

    def in_room(
        self, layers: Iterable[Mapping[str, Any]], not_allowed: Iterable[str] = ()
    ) -> RoomCeilings:
        """The ceilings of a room.

        Args:
            layers: What the operator's own sections say of it.
            not_allowed: Plugins that are locked besides.
        """
        nothing: Mapping[str, Any] = {}
        own = reduce(lay_over, layers, nothing).get(_LIMITS, {})
        highest = self.model_dump(exclude={"locked", "locked_plugins"}, exclude_none=True)
        raised = {key: max(value, own.get(key, value)) for key, value in highest.items()}
        plugins = frozenset((*self.locked_plugins, *not_allowed))
        return RoomCeilings(raised, frozenset(self.locked), plugins)


@dataclass(frozen=True, slots=True)
class RoomCeilings:
    """The ceilings of one room; none by default."""

    highest: Mapping[str, float] = field(default_factory=dict[str, float])
    """The most that keys of `limits` may be."""
    locked: frozenset[str] = frozenset()
    """Keys of the room config."""
    locked_plugins: frozenset[str] = frozenset()
    """Names."""

    def cut(self, config: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
        """Put a whole config, as written, under the ceilings.

        Args:
            config: What is no limit is left as it is, for a check to find.
            defaults: Of its limits.
        """
        limits = config.get(_LIMITS, {})
        if not isinstance(limits, Mapping):
            return dict(config)

        cut = {
            key: highest
            for key, highest in self.highest.items()
            if _is_more(key, limits.get(key, defaults.get(key)), highest)
        }
        return {**config, _LIMITS: {**limits, **cut}} if cut else dict(config)

    def cuts(self, said: Mapping[str, Any]) -> list[Problem]:
        """Tell what is cut from what a room or an organiser says."""
        limits = said.get(_LIMITS)
        if not isinstance(limits, Mapping):
            return []

        return [
            Problem(f"{_LIMITS}.{key}", _cut_from(limits[key], highest))
            for key, highest in self.highest.items()
            if key in limits and _is_more(key, limits[key], highest)
        ]

    def touched(self, below: Mapping[str, Any], config: Mapping[str, Any]) -> list[Problem]:
        """Tell what is locked and yet another than below it."""
        keys, plugins = sorted(self.locked), sorted(self.locked_plugins)
        return [
            *(Problem(it, _LOCKED) for it in keys if _at(below, it) != _at(config, it)),
            *(
                Problem(_PLUGINS, f"{shown(name)} {_LOCKED_PLUGIN}")
                for name in plugins
                if _uses(below, name) != _uses(config, name)
            ),
        ]


def unknown_locks(locked: Sequence[str], model: type[BaseModel]) -> list[tuple[int, str]]:
    """Find what can be locked nowhere in a model of the room config: its position, and why."""
    reasons = ((at, _objection(key.split("."), model)) for at, key in enumerate(locked))
    return [(at, reason) for at, reason in reasons if reason is not None]


def _objection(parts: Sequence[str], model: type[BaseModel]) -> str | None:
    for end, part in enumerate(parts):
        if types_at(model, tuple(parts[: end + 1])):
            continue

        above = types_at(model, tuple(parts[:end]))
        known = [key for it in above if is_model(it) for key in it.model_fields]
        words = f"{shown('.'.join(parts))} is no key of the room config"
        return f"{words}{did_you_mean(part[:60], known)}"

    return None


def _cut_from(value: object, highest: float) -> str:
    return f"cut from {shown(value)} to {str(highest).removesuffix('.0')}, the operator's ceiling"


def _is_more(key: str, value: object, highest: float) -> bool:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value > highest

    return value is None and key == _MAY_BE_NULL


_ABSENT: Final = object()


def _at(config: Mapping[str, Any], path: str) -> object:
    here: Any = config
    for key in path.split("."):
        here = here.get(key, _ABSENT) if isinstance(here, Mapping) else _ABSENT
    return here


def _uses(config: Mapping[str, Any], name: str) -> list[object]:
    """The entries of a plugin in a room's list, as far as it is one."""
    uses = config.get(_PLUGINS)
    listed = uses if isinstance(uses, list | tuple) else ()
    return [use for use in listed if isinstance(use, Mapping) and use.get("name") == name]
