"""Walks the annotations of models along the places that pydantic reports."""

from __future__ import annotations

from collections.abc import Sequence
from types import UnionType
from typing import Annotated, Any, Literal, TypeAlias, TypeGuard, Union, get_args, get_origin

from pydantic import BaseModel, Secret, SecretBytes, SecretStr

Model: TypeAlias = type[BaseModel]

_SECRETS = (SecretStr, SecretBytes, Secret)


def model_at(model: Model, path: Sequence[str | int]) -> Model | None:
    """The model whose keys stand at `path` below `model`; the names of union branches belong to it.

    None where there is none, or several that the path does not choose from.
    """
    here = annotation_at(model, path)
    return here if is_model(here) else None


def annotation_at(model: Model, path: Sequence[str | int]) -> object:
    """What stands at `path` below `model`, without what is wrapped around it; None: unknown."""
    here: object = model
    for part in path:
        here = _step(without_wrapping(here), part)
    return without_wrapping(here)


def is_model(annotation: object) -> TypeGuard[Model]:
    """Whether an annotation is a model."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def without_wrapping(annotation: object) -> object:
    """What is inside `Annotated[X, …]` and `X | None`."""
    while True:
        members = [each for each in get_args(annotation) if each is not type(None)]
        if get_origin(annotation) is Annotated or (_is_union(annotation) and len(members) == 1):
            annotation = members[0]
        else:
            return annotation


def is_secret(annotation: object) -> bool:
    """Whether what stands here is never to be shown, or holds something that is not."""
    origin = get_origin(annotation) or annotation
    if isinstance(origin, type) and issubclass(origin, _SECRETS):
        return True
    return any(map(is_secret, get_args(annotation)))


def _is_union(annotation: object) -> bool:
    return get_origin(annotation) in {Union, UnionType}


def _step(annotation: object, part: str | int) -> object:
    if is_model(annotation):
        return next(
            (
                field.annotation
                for name, field in annotation.model_fields.items()
                if part in (name, field.alias)
            ),
            None,
        )
    if _is_union(annotation):
        return _branch(get_args(annotation), part)
    arguments = get_args(annotation)
    if not arguments:
        return None
    return arguments[0] if isinstance(part, int) else arguments[-1]


def _branch(members: Sequence[Any], part: str | int) -> object:
    """The member that pydantic calls so: by its name, or by the tag that it is told by."""
    inner = [without_wrapping(member) for member in members]
    called = next((member for member in inner if _is_called(member, str(part))), None)
    if called is not None:
        return called
    below = [found for member in inner if (found := _step(member, part)) is not None]
    return Union[tuple(below)] if below else None  # noqa: UP007 - of as many as there are


def _is_called(member: object, label: str) -> bool:
    name = getattr(get_origin(member) or member, "__name__", "")
    if label == name or (get_args(member) and label.startswith(f"{name}[")):
        return True
    return is_model(member) and label in _tags(member)


def _tags(model: Model) -> set[str]:
    kinds = (field.annotation for field in model.model_fields.values())
    return {str(value) for kind in kinds if get_origin(kind) is Literal for value in get_args(kind)}
