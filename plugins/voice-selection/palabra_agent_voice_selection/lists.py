"""Lists as config fields: one text or several, none twice, and the sentences for all others.

A sentence that begins with `must` need not name the value: the host does, where it may be shown.
"""

from __future__ import annotations

from typing import TypeVar

from pydantic import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

T = TypeVar("T")


class OneOrSeveral:
    """Says in the schema of a list that one of its kind may stand for a list of one."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        several = {**handler(schema), "minItems": 1, "uniqueItems": True}
        return {"anyOf": [several["items"], several]}


def listed(value: object) -> object:
    """Take one text for a list of one, and refuse what is neither.

    Raises:
        ValueError: With the sentence that says so.
    """
    if isinstance(value, str):
        return (value,)

    if not isinstance(value, list | tuple):
        raise ValueError("must be a text or a list of texts")  # noqa: TRY004 - pydantic's door

    return value


def not_empty(values: tuple[T, ...]) -> tuple[T, ...]:
    """Let a list through that holds something; only asked where all that it holds is right.

    Raises:
        ValueError: It is empty.
    """
    if not values:
        raise ValueError("must not be empty")

    return values


def distinct(values: tuple[str, ...]) -> tuple[str, ...]:
    """Let a list through that names nothing twice.

    Raises:
        ValueError: With the first that is there twice.
    """
    for position, value in enumerate(values):
        if value in values[:position]:
            raise ValueError(f'"{value}" is given twice')

    return values
