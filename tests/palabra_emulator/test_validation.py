"""Pydantic's errors in the emulator's sentences."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError, field_validator

from palabra_emulator.validation import parameter, plain_error, problems

pytestmark = pytest.mark.unit


class Model(BaseModel):
    """A field of each kind."""

    count: int = Field(default=1, ge=0, le=9)
    seconds: float | None = Field(default=None, ge=0.25, le=2)
    mode: Literal["late", "never"] = "late"
    is_on: bool = True
    name: Annotated[str, Field(min_length=1)] = "x"
    note: Annotated[str, Field(max_length=3)] = ""
    even: int = Field(default=0, ge=0, le=9, json_schema_extra={"allowed": "an even number"})

    @field_validator("even")
    @classmethod
    def _is_even(cls, even: int) -> int:
        if even % 2:
            raise plain_error("must be even, or 0")
        return even


@pytest.mark.parametrize(
    ("field", "given", "sentence"),
    [
        ("count", 10, "must be a whole number from 0 to 9, not 10"),
        ("seconds", "soon", 'must be a number from 0.25 to 2, or null, not "soon"'),
        ("mode", "latte", 'must be "late" or "never", not "latte"; did you mean "late"?'),
        ("mode", 7, 'must be "late" or "never", not 7'),
        ("is_on", "perhaps", 'must be true or false, not "perhaps"'),
        ("name", "", 'must be a text that is not empty, not ""'),
        ("note", "a\nlong one", r'must be a text of at most 3 characters, not "a\nlong one"'),
        ("note", "x" * 100, f'must be a text of at most 3 characters, not "{"x" * 59}…'),
        ("even", "x", 'must be an even number, not "x"'),
        ("even", 3, "must be even, or 0"),
    ],
)
def test_a_sentence_says_what_is_allowed(field: str, given: object, sentence: str) -> None:
    """The field, the value on one short line, and what it may be; our own words as they are."""
    parameters = {name: parameter(name, it) for name, it in Model.model_fields.items()}
    said = {field: given}
    with pytest.raises(ValidationError) as caught:
        Model.model_validate(said)

    assert [str(it) for it in problems(caught.value, parameters, said)] == [f"{field}: {sentence}"]
