"""Sentences for the mistakes that pydantic finds, in models of ours and of plugins."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import Enum
from typing import Annotated, Any, ClassVar, Literal

import pytest
from pydantic import BaseModel, Field, SecretStr, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from palabra_agent.config.fields import ConfigModel, refusal
from palabra_agent.config.problems import enough_of, mistakes_of, problems_of
from palabra_agent.errors import Problem
from tests.problems import mistakes_by

pytestmark = pytest.mark.unit


class Size(Enum):
    """Two sizes."""

    SMALL = "small"
    BIG = "big"


class Inner(BaseModel):
    """Not even one of our own models."""

    ids: Annotated[list[str], Field(min_length=2, max_length=3)]


class Model(ConfigModel):
    """Uses the stock of pydantic, and words of its own."""

    elsewhere: ClassVar[Mapping[str, str]] = {"colour": "belongs to the paint"}

    number: Annotated[float, Field(gt=0, le=4)] = 1
    whole: Annotated[int, Field(ge=1, lt=9, multiple_of=2)] = 2
    switch: bool = True
    title: Annotated[str, Field(min_length=2, max_length=10)] = "none"
    code: Annotated[str, Field(pattern="^[a-z]$")] = "x"
    kind: Literal["low", "high", 7] = "low"
    size: Size = Size.SMALL
    names: frozenset[str] = frozenset()
    pairs: dict[Annotated[str, Field(min_length=1)], int] = Field(default={})
    day: date | None = None
    inner: Inner | None = None
    several: str | Inner | None = None
    token: SecretStr | None = None
    words: str = ""

    @field_validator("words")
    @classmethod
    def _speaking(cls, words: str) -> str:
        match words:
            case "refused":
                raise refusal("is refused")
            case "beside":
                raise refusal("is needed", at="title")
            case "whole":
                raise refusal("all of it is wrong", at="")
            case "custom":
                raise PydanticCustomError("too_short", "never on\tSunday\n")
            case "assert":
                raise AssertionError
            case _ if words:
                raise ValueError(words)
            case _:
                return words


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"number": 0}, "number: must be greater than 0, not 0"),
        ({"number": 5}, "number: must be at most 4, not 5"),
        ({"number": "x"}, 'number: must be a number, not "x"'),
        ({"number": float("inf")}, "number: must be a finite number, not Infinity"),
        ({"whole": 0}, "whole: must be at least 1, not 0"),
        ({"whole": 10}, "whole: must be less than 9, not 10"),
        ({"whole": 3}, "whole: must be a multiple of 2, not 3"),
        ({"whole": 1.5}, "whole: must be a whole number, not 1.5"),
        ({"whole": None}, "whole: must be a whole number, not null"),
        ({"whole": "1x"}, 'whole: must be a whole number, not "1x"'),
        ({"switch": "maybe"}, 'switch: must be true or false, not "maybe"'),
        ({"title": ["x"]}, "title: must be a string, not a list"),
        ({"title": "x"}, 'title: must have at least 2 characters, not as few as "x"'),
        (
            {"title": "x" * 11},
            f'title: must have at most 10 characters, not as many as "{"x" * 11}"',
        ),
        ({"title": "ab\ud800"}, "title: holds half of a surrogate pair"),
        ({"code": "X"}, 'code: must match pattern "^[a-z]$", not "X"'),
        ({"kind": "hihg"}, 'kind: must be "low", "high" or 7, not "hihg", did you mean "high"?'),
        ({"size": "bog"}, 'size: must be "small" or "big", not "bog", did you mean "big"?'),
        ({"names": "x"}, 'names: must be a list, not "x"'),
        ({"names": {}}, "names: must be a list, not an object"),
        ({"names": [1]}, "names[0]: must be a string, not 1"),
        ({"pairs": []}, "pairs: must be an object, not a list"),
        ({"pairs": {"": 1}}, 'pairs[""]: must not be empty'),
        ({"day": "soon"}, 'day: must be a date or datetime, not "soon"'),
        ({"inner": 5}, "inner: must be an object, not 5"),
        ({"inner": {}}, "inner.ids: is missing"),
        ({"inner": {"ids": ["a"]}}, "inner.ids: must have at least 2 items, not 1"),
        ({"inner": {"ids": list("abcd")}}, "inner.ids: must have at most 3 items, not 4"),
        # the model's own words
        ({"words": "refused"}, "words: is refused"),
        ({"words": "beside"}, "title: is needed"),
        ({"words": "whole"}, "all of it is wrong"),
        ({"words": "custom"}, 'words: cannot be "custom": never on Sunday'),
        ({"words": "assert"}, 'words: cannot be "assert"'),
        ({"words": "must be even."}, 'words: must be even, not "must be even."'),
        ({"words": "\x1b[31mred"}, 'words: cannot be "\\u001b[31mred": [31mred'),
        # keys
        ({"colour": 1}, "colour: belongs to the paint"),
        ({"nubmer": 1}, 'nubmer: unknown key, did you mean "number"?'),
        ({"x": 1}, "x: unknown key; known are number, whole, switch, title, code, kind, size, "),
        ({"api_key": "x"}, "api_key: credentials are never accepted from a room or a file of"),
        # secrets
        ({"token": 12345}, "token: must be a string, not that"),
    ],
)
def test_each_mistake_has_a_sentence(said: dict[str, Any], sentence: str) -> None:
    """Its path, what is allowed, the value where it may be shown, and what was meant."""
    (told,) = mistakes_by(Model, said)

    assert told.startswith(sentence)
    assert told.isprintable()


def test_paths_stand_below_a_prefix() -> None:
    """That of the section that the model checks."""
    with pytest.raises(ValidationError) as caught:
        Model.model_validate({"names": [1], "words": "refused"})

    assert list(map(str, problems_of(caught.value, Model, ("rooms", 0)))) == [
        "rooms[0].names[0]: must be a string, not 1",
        "rooms[0].words: is refused",
    ]


def told_of_plugin(said: Mapping[str, object], *, are_settings: bool = False) -> list[str]:
    """What is said of a plugin's config."""
    with pytest.raises(ValidationError) as caught:
        Model.model_validate(said)
    found = mistakes_of(caught.value, Model, said, are_settings=are_settings)
    return [f"{'.'.join(map(str, place))}: {reason}" for place, reason in found]


def test_of_a_union_each_branch_is_told_at_the_place_that_was_written() -> None:
    """Pydantic's names of the branches are left out."""
    assert told_of_plugin({"several": 5}) == [
        "several: must be a string, not 5",
        "several: must be an object, not 5",
    ]
    assert told_of_plugin({"several": {"ids": ["a", 7]}}) == [
        "several: must be a string, not an object",
        "several.ids.1: must be a string, not 7",
    ]
    assert "several.ids: is missing" in told_of_plugin({"several": {}})


def test_credentials_belong_to_settings_alone() -> None:
    """A room is told where they belong; an operator, what there is."""
    (of_room,) = told_of_plugin({"api_key": "x"})
    (of_operator,) = told_of_plugin({"api_key": "x"}, are_settings=True)

    assert "under `[plugins.NAME]`" in of_room
    assert of_operator.startswith("api_key: unknown key; known are number")


def test_a_sentence_with_a_secret_is_not_told() -> None:
    """The author of a model may have put it in."""
    said = {"token": "hunter2", "words": "the token is hunter2"}

    assert told_of_plugin(said) == ["words: is not valid"]


def test_of_very_many_mistakes_the_first_are_told() -> None:
    """Of a plugin fewer, so that others are told too; the rest is counted."""
    said = {"names": [0] * 5_000}

    assert len(mistakes_by(Model, said)) == 101
    assert mistakes_by(Model, said)[-1] == "and 4900 more mistakes"
    assert len(told_of_plugin(said)) == 31
    assert told_of_plugin(said)[-1] == ": and 4970 more mistakes"
    problems = [Problem(str(number), "is wrong") for number in range(102)]
    assert [it.reason for it in enough_of(problems)][100:] == ["and 2 more mistakes"]
    assert enough_of(problems[:3]) == problems[:3]
