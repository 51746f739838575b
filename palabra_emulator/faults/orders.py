"""Reading what somebody wishes to go wrong: one object, every mistake in it told at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, cast

from palabra_agent.errors import ConfigError, Problem
from palabra_emulator.faults.catalogue import BY_ID
from palabra_emulator.faults.kinds import Fault, Variant
from palabra_emulator.faults.parameters import (
    Between,
    Maybe,
    Parameter,
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
class Order:
    """A fault to be armed."""

    fault: Fault
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


def read_order(content: object, where: str = "") -> Order:
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

    def order(self) -> Order | None:
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
        return Order(fault, variant, times or None, session, at, after, every, params)

    def _fault(self) -> Fault | None:
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

    def _session(self, fault: Fault | None) -> str | int | None:
        value = self._wish.get(_SESSION)
        is_number = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        if value is not None and not is_number and not (isinstance(value, str) and value):
            reason = f"must be a session's id or number, or null, not {shown(value)}"
            self.problems.append(Problem(_SESSION, reason))
        elif value is not None and fault is not None and not fault.is_of_a_session:
            reason = f"{fault.id} strikes requests that no session exists for; leave it out"
            self.problems.append(Problem(_SESSION, reason))

        return cast("str | int | None", value)

    def _refuse_unknown(self, fault: Fault) -> None:
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
