"""Whether two settings mean the same task. Pure.

What is written is no measure: a default may be written out, and an entry for one target may say
what another config says for all. Compared is what holds.
"""

from __future__ import annotations

from palabra_agent.languages import LanguageCode
from palabra_agent.palabra.task.settings import DEFAULT, TaskSettings
from palabra_agent.palabra.vocabulary import GLOBAL


def is_same_task(one: TaskSettings, other: TaskSettings) -> bool:
    """Whether the tasks are the same, whatever the languages."""
    return _common(one) == _common(other) and _is_same_by_target(one, other)


def _common(settings: TaskSettings) -> TaskSettings:
    """All that is not said by target."""
    return settings.model_copy(update={"translations": {}, "translation_queue_configs": {}})


def _is_same_by_target(one: TaskSettings, other: TaskSettings) -> bool:
    targets = [LanguageCode(key) for key in {DEFAULT, *one.translations, *other.translations}]
    queues = {GLOBAL, *one.translation_queue_configs}
    # a queue that is named is sent, even where it says what holds for all
    return (
        queues == {GLOBAL, *other.translation_queue_configs}
        and all(one.translation_of(it) == other.translation_of(it) for it in targets)
        and all(one.queue_config_of(it) == other.queue_config_of(it) for it in queues)
    )
