"""Which of the errors in a union are worth telling: pydantic reports those of every branch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import ErrorDetails

from palabra_agent.config.reasons import allowed_by
from palabra_agent.config.wording import Path


@dataclass(frozen=True, slots=True)
class Fault:
    """One error, at its place in what was written."""

    details: ErrorDetails
    place: Path
    """Without the names of union branches, which are pydantic's and which nobody wrote."""
    union: Path | None = None
    """Where the union stands that it is about; None: it is about none."""
    branch: str = ""
    """What pydantic calls the branch of that union."""
    allowed: tuple[str, ...] = ()
    """What all branches together would have let through, where that says more than one of them."""


def fault_in(written: object, details: ErrorDetails, loc: Path) -> Fault:
    """Tell the keys and positions of an error's place from the names of union branches."""
    here: Any = written
    place: Path = ()
    union: Path | None = None
    branch = ""
    for index, part in enumerate(loc):
        is_missing = details["type"] == "missing" and index == len(loc) - 1
        if _has(here, part):
            here = here[part]
        elif not is_missing:
            union, branch = (place, str(part)) if union is None else (union, branch)
            continue
        place = (*place, part)
    return Fault(details, place, union, branch)


def _has(value: object, part: str | int) -> bool:
    if isinstance(value, Mapping):
        return part in value
    return isinstance(value, list | tuple) and isinstance(part, int) and part < len(value)


def worth_telling(faults: Iterable[Fault]) -> list[Fault]:
    """Of each union, the errors of the branch that was probably meant, or one for all of them."""
    groups: dict[object, list[Fault]] = {}
    for index, fault in enumerate(faults):
        key = index if fault.union is None else fault.union
        groups.setdefault(key, []).append(fault)
    return [
        fault
        for group in groups.values()
        for fault in (group if group[0].union is None else _of_one_union(group))
    ]


def _of_one_union(group: Sequence[Fault]) -> Sequence[Fault]:
    branches: dict[str, list[Fault]] = {}
    for fault in group:
        branches.setdefault(fault.branch, []).append(fault)
    right = [faults for faults in branches.values() if not any(map(_is_other_kind, faults))]
    within = [faults for faults in right if any(it.place != it.union for it in faults)]
    if within:
        return min(within, key=len)

    whole = [fault for fault in group if fault.place == fault.union]
    apt = [fault for faults in right for fault in faults]
    is_apt = apt and any(_is_container(fault.details["input"]) for fault in whole)
    return [_merged(apt if is_apt else whole or group)]


def _is_other_kind(fault: Fault) -> bool:
    """Whether a branch is for another kind of value altogether."""
    kind = fault.details["type"]
    is_a_choice = kind in {"literal_error", "enum"} and _is_container(fault.details["input"])
    return fault.place == fault.union and (is_a_choice or kind.endswith("_type"))


def _is_container(value: object) -> bool:
    return isinstance(value, Mapping | list)


def _merged(faults: Sequence[Fault]) -> Fault:
    words = (allowed_by(it.details["type"], it.details.get("ctx", {})) for it in faults)
    allowed = tuple(dict.fromkeys(phrase for phrase in words if phrase is not None))
    first = faults[0]
    return Fault(first.details, first.place, first.union, first.branch, allowed)
