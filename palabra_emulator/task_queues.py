"""The queues of a task: how long each language's speech may wait, by the server's rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from palabra_emulator.reading import Fields
from palabra_emulator.speaking import QueueLimits

_DESIRED_AT_LEAST: Final = 2000
_MAX_AT_LEAST: Final = 4000


def read_queues(configs: Fields, *, has_minimums: bool) -> Mapping[str, QueueLimits]:
    """Read `translation_queue_configs`; what is wrong is noted in the fields."""
    for name in configs.values:
        configs.refuse_null(name)

    return {name: _read_queue(configs.section(name), has_minimums) for name in configs.values}


def _read_queue(config: Fields, has_minimums: bool) -> QueueLimits:
    usual = QueueLimits()
    lowest_desired, lowest_max = (_DESIRED_AT_LEAST, _MAX_AT_LEAST) if has_minimums else (0, 0)
    desired = config.number("desired_queue_level_ms", usual.desired_ms, ge=lowest_desired)
    highest = config.number("max_queue_level_ms", usual.max_ms, ge=lowest_max)
    config.flag("auto_tempo", default=True)
    config.number("min_tempo", 1.0)
    config.number("max_tempo", 1.0)

    if highest <= desired:
        text = "`max_queue_level_ms` must be greater than `desired_queue_level_ms`"
        config.note("__root__", text, "value_error")

    return QueueLimits(int(desired), int(highest))
