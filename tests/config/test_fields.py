"""Building blocks of configuration models: ranges, distinct names, language codes, refusals."""

from __future__ import annotations

from typing import Annotated, ClassVar

import pytest
from pydantic import AfterValidator, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from palabra_agent.config.fields import (
    Between,
    ConfigModel,
    Names,
    Number,
    SourceCode,
    SpokenCodes,
    Switch,
    TargetCodes,
    Whole,
    check_source,
    check_spoken,
    check_target,
    refusal,
    refuse_all,
    repeated,
)
from tests.problems import mistakes_by

pytestmark = pytest.mark.unit


def _not_nine(value: int) -> int:
    if value == 9:
        raise refusal("must not be nine")
    return value


class Part(ConfigModel):
    """Has a field of each kind."""

    of_strays: ClassVar[str] = "others belong elsewhere"

    share: Annotated[Number, Between(0, 1)] = 0
    count: Annotated[Whole, Between(1), AfterValidator(_not_nine)] = 1
    is_on: Switch = True
    names: Names = ()
    source: SourceCode = check_source("auto")
    targets: TargetCodes = ()
    spoken: SpokenCodes = ()


@pytest.mark.parametrize(
    ("said", "mistakes"),
    [
        ({"share": 1.01}, ["share: must be between 0 and 1, not 1.01"]),
        ({"share": -2.0}, ["share: must be between 0 and 1, not -2"]),
        ({"share": float("nan")}, ["share: must be a finite number, not NaN"]),
        ({"count": 0}, ["count: must be at least 1, not 0"]),
        ({"count": 9}, ["count: must not be nine"]),
        ({"count": 1.0}, ["count: must be a whole number, not 1.0"]),
        ({"is_on": "yes"}, ['is_on: must be true or false, not "yes"']),
        ({"names": ["a", "b", "a", "b"]}, ['names: "a" is given twice', 'names: "b" is given']),
        ({"source": "xx"}, ['source: "xx" is not a known language']),
        (
            {"targets": ["es", 5, "ES", "yue"]},
            [
                "targets[1]: must be a language code, not 5",
                'targets[2]: "es" is given twice',
                'targets[3]: "yue" is understood by Palabra but not spoken',
            ],
        ),
        ({"spoken": ["auto"]}, ['spoken[0]: "auto" is not one of the languages that may be']),
        ({"xyz": 1}, ["xyz: unknown key; known are share, count, is_on, names, source, targets"]),
    ],
)
def test_each_field_refuses_in_a_sentence(said: dict[str, object], mistakes: list[str]) -> None:
    """All mistakes in a field are told, at their places."""
    told = mistakes_by(Part, said)

    assert len(told) == len(mistakes)
    for sentence, beginning in zip(told, mistakes, strict=True):
        assert sentence.startswith(beginning)


def test_good_values_are_let_through() -> None:
    """Both ends of a range belong to it; codes are spelt Palabra's way."""
    said = {"share": 1, "count": 10**9, "targets": ["ES_mx", " zh-Hans"], "spoken": ["en_US"]}
    part = Part.model_validate(said)

    assert (part.share, part.count) == (1, 10**9)
    assert (part.targets, part.spoken) == (("es-mx", "zh-hans"), ("en-us",))


@pytest.mark.parametrize(
    ("written", "target", "spoken"),
    [
        ("es_MX", "es-mx", "es-mx"),
        ("en-US", "en-us", "en-us"),
        ("de-AT", "de", "de-at"),
        ("de_AT.UTF-8@euro", "de", "de"),
        ("nb-NO", "no", "no"),
        ("iw", "he", "he"),
        ("cmn", "zh", "zh"),
        ("in", "id", "id"),
        ("zh-TW", "zh-hant", "zh-tw"),
        ("ar-EG-u-nu-latn", "ar", "ar"),
        ("pt-PT", "pt", "pt-pt"),
        ("es-419", "es-la", "es-419"),
        ("zh-yue", None, "yue"),
    ],
)
def test_codes_are_read_as_browsers_and_phones_write_them(
    written: str, target: str | None, spoken: str
) -> None:
    """A target is one of Palabra's; of what is spoken, a region stays as it was written."""
    assert check_spoken(written) == spoken
    if target is not None:
        assert check_target(written) == target
    else:
        with pytest.raises(PydanticCustomError, match="understood by Palabra but not spoken"):
            check_target(written)


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [("vn", "vi"), ("german", "de"), ("de-", "de"), ("ua", "uk")],
)
def test_a_wrong_code_is_told_with_the_one_that_was_meant(wrong: str, meant: str) -> None:
    """Countries, names of languages, and unknown regions."""
    with pytest.raises(PydanticCustomError) as caught:
        check_target(wrong)
    assert f'did you mean "{meant}"?' in caught.value.message()
    assert "`palabra-agent schema` lists the codes" in caught.value.message()


def test_auto_is_a_source_alone() -> None:
    """It can neither be detected nor spoken."""
    assert check_source(" AUTO ") == "auto"
    for check in (check_spoken, check_target):
        with pytest.raises(PydanticCustomError, match='"auto" is not'):
            check("auto")


def test_a_range_stands_in_the_schema() -> None:
    """An editor marks what is out of it."""
    schema = TypeAdapter(Part).json_schema()["properties"]

    assert (schema["share"]["minimum"], schema["share"]["maximum"]) == (0, 1)
    assert schema["count"]["minimum"] == 1
    assert "maximum" not in schema["count"]


def test_no_mistake_is_no_refusal() -> None:
    """Several are raised together."""
    refuse_all([])
    with pytest.raises(ValidationError) as caught:
        refuse_all([(("a",), refusal("x")), (("b", 1), refusal("y"))])

    assert [it["loc"] for it in caught.value.errors()] == [("a",), ("b", 1)]
    assert repeated(["a", "b", "a", "a"]) == ["a"]
