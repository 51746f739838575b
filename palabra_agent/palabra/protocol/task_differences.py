"""The task that Palabra shows, compared with the one that was sent. Pure.

Rules first, then the code:

* Only what was sent is compared, and only where Palabra shows it: it adds defaults, hides fields
  and leaves sections out.
* What was sent as nothing (null, an empty text, list or object) means a default of Palabra's.
* Order, letters, regions of languages, numbers as texts and Palabra's other name for WebRTC are no
  difference. A list may hold more than was sent; the targets must be the same.

A difference is told by its path alone: a value may be the id of a person's own voice.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final, TypeAlias, cast

from palabra_agent.languages import LanguageCode, base, match, normalise
from palabra_agent.palabra.json_values import as_flag, as_number, as_object, as_word, opened
from palabra_agent.palabra.protocol.commands import Task

_Path: TypeAlias = tuple[str, ...]

_MOST: Final = 10
_TARGET: Final = "target_language"
_LANGUAGES: Final = frozenset(
    {"source_language", _TARGET, "detectable_languages", "allowed_source_languages"}
)
_SAME: Final = {"livekit": "webrtc"}


def task_differences(sent: Task, shown: Task) -> tuple[str, ...]:
    """List the paths of fields, at most ten, that Palabra shows otherwise than they were sent."""
    return tuple(".".join(path) for path in islice(_in_object((), sent, shown), _MOST))


def _in_object(path: _Path, sent: Mapping[str, Any], shown: object) -> Iterator[_Path]:
    fields = as_object(opened(shown))
    if fields is None:
        yield path
        return

    for name, value in sent.items():
        if name in fields:
            yield from _in_value((*path, name), value, fields[name])


def _in_value(path: _Path, sent: object, shown: object) -> Iterator[_Path]:
    if sent is None or sent in ("", [], {}):
        return
    if isinstance(sent, dict):
        yield from _in_object(path, cast("dict[str, Any]", sent), shown)
    elif isinstance(sent, list):
        yield from _in_list(path, cast("list[object]", sent), _listed(shown))
    elif not _is_same(path[-1], sent, shown):
        yield path


def _in_list(path: _Path, sent: list[object], shown: list[object]) -> Iterator[_Path]:
    entries = [entry for entry in map(as_object, sent) if entry is not None]
    if entries and all(_TARGET in entry for entry in entries):
        yield from _in_translations(path, entries, shown)
    elif len(entries) == len(sent):
        pairs = zip(sent, [*shown, *[None] * len(sent)], strict=False)
        for place, (ours, theirs) in enumerate(pairs):
            yield from _in_value((*path, str(place)), ours, theirs)
    elif not all(any(_is_same(path[-1], ours, theirs) for theirs in shown) for ours in sent):
        yield path


def _in_translations(
    path: _Path, sent: list[Mapping[str, Any]], shown: list[object]
) -> Iterator[_Path]:
    """Compare targets by their language; one that is still there, or not, is a difference."""
    entries = [as_object(opened(entry)) or {} for entry in shown]
    theirs = {normalise(as_word(entry.get(_TARGET))): entry for entry in entries}
    # those first that are shown as they were sent: what is left may be of another region
    for ours in sorted(sent, key=lambda it: normalise(as_word(it[_TARGET])) not in theirs):
        code = LanguageCode(as_word(ours[_TARGET]))
        found = match(code, tuple(theirs))
        if found is None:
            yield (*path, code)
        else:
            yield from _in_object((*path, code), ours, theirs.pop(found))

    if theirs:
        yield path


def _is_same(name: str, sent: object, shown: object) -> bool:
    if isinstance(sent, bool):
        return as_flag(shown) is sent
    if isinstance(sent, int | float):
        number = as_number(shown)
        return number is not None and math.isclose(number, sent, rel_tol=1e-6)

    ours, theirs = (_SAME.get(word, word) for word in map(_word, (sent, shown)))
    is_base = name in _LANGUAGES and base(ours) == base(theirs)
    return ours == theirs or is_base


def _word(value: object) -> str:
    return as_word(value).strip().lower().replace("_", "-")


def _listed(shown: object) -> list[object]:
    value = opened(shown)
    return cast("list[object]", value) if isinstance(value, list) else [value]
