"""Fields of a command as Palabra's validator reads them, and its words for what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from operator import methodcaller

import pytest

from palabra_emulator.session.validator import Fields, InvalidCommand

pytestmark = pytest.mark.unit

Read = Callable[[Fields], object]


def number(fields: Fields) -> float:
    """Read a number from 1 to 3; 2 by default."""
    return fields.number("it", 2, ge=1, le=3)


def flag(fields: Fields) -> bool:
    """Read a yes or no; yes by default."""
    return fields.flag("it", default=True)


def objects(fields: Fields) -> list[object]:
    """Read a list of objects."""
    return [it.values for it in fields.sections("it")]


@pytest.mark.parametrize(
    ("read", "said", "expected"),
    [
        (number, 1.5, 1.5),
        (number, "1.5", 1.5),
        (number, None, 2),
        (flag, False, False),
        (flag, "off", False),
        (flag, "Yes", True),
        (flag, 0, False),
        (flag, None, True),
        (methodcaller("text", "it"), "words", "words"),
        (methodcaller("text", "it"), None, None),
        (methodcaller("texts", "it"), ["a", "b"], ("a", "b")),
        (methodcaller("texts", "it"), None, ()),
        (objects, [{"a": 1}], [{"a": 1}]),
    ],
)
def test_what_is_right_is_read(read: Read, said: object, expected: object) -> None:
    """Numbers and yes or no may be written as texts; what is absent has its default."""
    fields = Fields({"it": said})

    assert read(fields) == expected
    assert fields.errors == []


@pytest.mark.parametrize(
    ("read", "said", "place", "words"),
    [
        (number, "soon", ("it",), "value is not a valid float"),
        (number, True, ("it",), "value is not a valid float"),
        (number, 10**400, ("it",), "value is not a valid float"),
        (number, 0.5, ("it",), "ensure this value is greater than or equal to 1"),
        (number, 4, ("it",), "ensure this value is less than or equal to 3"),
        (flag, "perhaps", ("it",), "value could not be parsed to a boolean"),
        (methodcaller("text", "it"), 7, ("it",), "str type expected"),
        (methodcaller("texts", "it"), ["a", 7], ("it", 1), "str type expected"),
        (methodcaller("texts", "it"), "a", ("it",), "value is not a valid list"),
        (methodcaller("section", "it"), [], ("it",), "value is not a valid dict"),
        (methodcaller("sections", "it"), [7], ("it", 0), "value is not a valid dict"),
        (methodcaller("require", "it"), None, ("it",), "none is not an allowed value"),
        (
            methodcaller("literal", "it", ("ws",)),
            "wss",
            ("it",),
            "unexpected value; permitted: 'ws'",
        ),
        (
            methodcaller("member", "it", "xx", ("en", "de")),
            "xx",
            ("it",),
            "value is not a valid enumeration member; permitted: 'en', 'de'",
        ),
    ],
)
def test_what_is_wrong_is_noted_with_its_place(
    read: Read, said: object, place: tuple[str | int, ...], words: str
) -> None:
    """The words are those of Palabra's own validator."""
    fields = Fields({"it": said}, ("data",))
    read(fields)

    assert [(error.loc, error.msg) for error in fields.errors] == [(("data", *place), words)]


def test_all_mistakes_of_a_message_are_in_one_text() -> None:
    """Sections share their list; the text names the model, as the validator's exception does."""
    fields = Fields({"a": 7, "b": {"c": "x"}})
    fields.text("a")
    fields.section("b").number("c", 0)
    fields.require("d")

    assert InvalidCommand("SetTask", fields.errors).desc == (
        "ValidationError(model='SetTask', errors=["
        "{'loc': ('a',), 'msg': 'str type expected', 'type': 'type_error.str'}, "
        "{'loc': ('b', 'c'), 'msg': 'value is not a valid float', 'type': 'type_error.float'}, "
        "{'loc': ('d',), 'msg': 'field required', 'type': 'value_error.missing'}])"
    )
