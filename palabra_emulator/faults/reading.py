"""Scenario files: faults that are armed when the emulator starts."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

from palabra_agent.errors import ConfigError, Problem
from palabra_emulator.faults.catalogue import (
    BY_ID,
    Between,
    FaultKind,
    Maybe,
    Parameter,
    Variant,
    did_you_mean,
    shown,
)

_LONGEST_WAIT: Final = 86_400.0
_FAULT: Final = "fault"
_SESSION: Final = "session"
_RUNNING_BEFORE: Final = frozenset({"command", "text", "now"})
"""Moments at which a session may have been running for a while."""

COMMON_PARAMETERS: Final = (
    Parameter("times", Maybe(Between(0, 1_000_000)), 1, "how often; 0 or null until withdrawn"),
    Parameter("at_seconds", Between(0, _LONGEST_WAIT, False), 0, "not before: from arming on"),
    Parameter(
        "after_seconds",
        Between(0, _LONGEST_WAIT, False),
        0,
        "not before: from the session's first running on",
    ),
    Parameter(
        "every_seconds",
        Between(0.05, _LONGEST_WAIT, False),
        1,
        "between two strokes on a session, for what strikes by itself",
    ),
)
"""What every fault understands, beside `fault` and `session`."""


@dataclass(frozen=True, slots=True)
class FaultRequest:
    """A fault to be armed."""

    fault: FaultKind
    variant: Variant
    times: int | None = 1
    """How often it strikes; None until withdrawn."""
    session: str | int | None = None
    """The id or number of the only session that is meant; None for any."""
    at_seconds: float = 0.0
    """Not before: from arming on."""
    after_seconds: float = 0.0
    """Not before: from the session's first running on."""
    every_seconds: float = 1.0
    """Between two strokes on a session, for what strikes by itself."""
    params: Mapping[str, object] = field(default_factory=dict[str, object])
    """The fault's own parameters, all of them."""

    def named(self) -> dict[str, object]:
        """Which fault it is, for the journal."""
        variant = {"variant": self.variant.name} if self.variant.name else {}
        return {"fault": self.fault.id, **variant}

    def described(self) -> dict[str, object]:
        """All of it, as it could be ordered again."""
        return {
            "fault": self.fault.id,
            "times": self.times,
            "session": self.session,
            "at_seconds": self.at_seconds,
            "after_seconds": self.after_seconds,
            "every_seconds": self.every_seconds,
            **self.params,
        }


def read_order(content: object, where: str = "") -> FaultRequest:
    """Read one wish.

    Args:
        content: What was written, parsed.
        where: What to put before the names of fields in the mistakes.

    Raises:
        ConfigError: It cannot be read; every mistake is told.
    """
    if not isinstance(content, dict):
        reason = f'must be an object such as {{"fault": "F8"}}, not {shown(content)}'
        raise ConfigError([Problem(where, reason)])

    reading = _Reading(
        {str(name): it for name, it in cast("dict[object, object]", content).items()}
    )
    order = reading.order()
    if order is None or reading.problems:
        raise ConfigError([_below(where, problem) for problem in reading.problems])

    return order


class _Reading:
    def __init__(self, wish: dict[str, object]) -> None:
        self._wish = wish
        self.problems: list[Problem] = []

    def order(self) -> FaultRequest | None:
        fault = self._fault()
        common = {it.name: self._value(it) for it in COMMON_PARAMETERS}
        session = self._session(fault)
        if fault is None:
            return None

        if isinstance(self._wish.get("variant"), int):
            self._wish["variant"] = str(self._wish["variant"])
        params = {it.name: self._value(it) for it in fault.all_parameters}
        self._refuse_unknown(fault)
        variant = fault.variant(params.get("variant"))
        if self._wish.get("after_seconds") and variant.moment not in _RUNNING_BEFORE:
            what = f"{fault.id} {variant.name}".strip()
            reason = f"{what} strikes before a session runs; at_seconds counts from arming"
            self.problems.append(Problem("after_seconds", reason))
        if self.problems:
            return None

        times = cast("int | None", common["times"])
        at, after, every = (
            cast("float", common[name]) for name in ("at_seconds", "after_seconds", "every_seconds")
        )
        return FaultRequest(fault, variant, times or None, session, at, after, every, params)

    def _fault(self) -> FaultKind | None:
        name = self._wish.get(_FAULT)
        found = BY_ID.get(name) if isinstance(name, str) else None
        if found is None:
            hint = did_you_mean(name, BY_ID) if isinstance(name, str) else ""
            listed = f"{next(iter(BY_ID))} to {list(BY_ID)[-1]}"
            said = "is missing" if _FAULT not in self._wish else f"is {shown(name)}"
            self.problems.append(Problem(_FAULT, f"{said}; there are {listed}{hint}"))

        return found

    def _value(self, parameter: Parameter) -> object:
        if parameter.name not in self._wish:
            return parameter.default

        value = self._wish[parameter.name]
        objection = parameter.objection(value)
        if objection is not None:
            self.problems.append(Problem(parameter.name, objection))
            return parameter.default

        return value

    def _session(self, fault: FaultKind | None) -> str | int | None:
        value = self._wish.get(_SESSION)
        is_number = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        if value is not None and not is_number and not (isinstance(value, str) and value):
            reason = f"must be a session's id or number, or null, not {shown(value)}"
            self.problems.append(Problem(_SESSION, reason))
        elif value is not None and fault is not None and not fault.is_of_a_session:
            reason = f"{fault.id} strikes requests that no session exists for; leave it out"
            self.problems.append(Problem(_SESSION, reason))

        return cast("str | int | None", value)

    def _refuse_unknown(self, fault: FaultKind) -> None:
        own = [it.name for it in fault.all_parameters]
        known = [_FAULT, _SESSION, *(it.name for it in COMMON_PARAMETERS), *own]
        for name in self._wish:
            if name not in known:
                has = f"which has {', '.join(own)}" if own else "which has none of its own"
                hint = did_you_mean(name, known)
                reason = f"is not a parameter of {fault.id}, {has}{hint}"
                self.problems.append(Problem(name, reason))


def _below(where: str, problem: Problem) -> Problem:
    path = f"{where}.{problem.path}" if where and problem.path else where or problem.path
    return Problem(path, problem.reason)


_LIST: Final = "faults"


def load_scenario(path: Path) -> tuple[FaultRequest, ...]:
    """Read a file: JSON or, with the suffix `.toml`, TOML.

    It holds a list of faults, or an object with such a list under `faults`, each as
    `POST /emulator/faults` takes it; `at_seconds` counts from the emulator's start.

    Raises:
        ConfigError: It cannot be read; every mistake in it is told.
    """
    content = _parsed(path)
    if isinstance(content, dict):
        unknown = [str(name) for name in cast("dict[object, object]", content) if name != _LIST]
        if unknown:
            reason = f'has "{unknown[0]}", and only "{_LIST}" is known'
            raise ConfigError([Problem(str(path), reason)])
        content = cast("dict[object, object]", content).get(_LIST)
    if not isinstance(content, list):
        raise ConfigError([Problem(str(path), f'needs a list of faults, alone or as "{_LIST}"')])

    orders: list[FaultRequest] = []
    problems: list[Problem] = []
    for place, wish in enumerate(cast("list[object]", content)):
        try:
            orders.append(read_order(wish, f"{path}: {_LIST}[{place}]"))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)

    return tuple(orders)


def _parsed(path: Path) -> object:
    try:
        text = path.read_text(encoding="utf-8")
        content: object = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except OSError as error:
        raise ConfigError([Problem(str(path), f"cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError:
        raise ConfigError([Problem(str(path), "is not UTF-8 text")]) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([Problem(str(path), f"is not TOML: {error}")]) from None
    except (ValueError, RecursionError) as error:
        raise ConfigError([Problem(str(path), f"is not JSON: {error}")]) from None

    return content
