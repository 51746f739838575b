"""Which values of a configuration are secret, by their types or by their keys' names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, get_args

from palabra_agent.config.annotations import Model, annotation_at, is_model, is_secret
from palabra_agent.config.wording import Path, is_credential_key

_SHORTEST: Final = 4
"""A shorter one would be found in every sentence."""


def is_hidden(model: Model, place: Path) -> bool:
    """Whether what stands at a place must not be shown, nor what it is part of."""
    return any(
        is_credential_key(part) or is_secret(annotation_at(model, place[: end + 1]))
        for end, part in enumerate(place)
    )


def secrets_in(model: Model, written: object) -> frozenset[str]:
    """Every string that was written where a secret belongs."""
    return frozenset(_hidden_strings(model, written, (), hidden=False))


def has_secrets(model: Model) -> str | None:
    """The first key of a model, or of one within it, that is of a secret type."""
    return _first_secret(model, frozenset())


def _hidden_strings(model: Model, value: object, place: Path, *, hidden: bool) -> Iterator[str]:
    match value:
        case str():
            if hidden and len(value) >= _SHORTEST:
                yield value
        case Mapping():
            for key, item in value.items():
                below = (*place, str(key))
                is_secret_here = hidden or is_hidden(model, below)
                yield from _hidden_strings(model, item, below, hidden=is_secret_here)
        case list() | tuple():
            # of one type, all of them
            below = (*place, 0)
            is_secret_here = hidden or is_hidden(model, below)
            for item in value:
                yield from _hidden_strings(model, item, below, hidden=is_secret_here)
        case _:
            pass


def _first_secret(model: Model, above: frozenset[Model]) -> str | None:
    for name, field in model.model_fields.items():
        if is_secret(field.annotation):
            return field.alias or name
        for inner in _models_in(field.annotation):
            if inner not in above:
                found = _first_secret(inner, above | {model, inner})
                if found is not None:
                    return f"{field.alias or name}.{found}"
    return None


def _models_in(annotation: object) -> Iterator[Model]:
    if is_model(annotation):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)
