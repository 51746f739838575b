"""Requests for faults and scenario files, read or refused in sentences."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from palabra_agent.errors import ConfigError
from palabra_emulator.faults.catalogue import (
    RestFailure,
)
from palabra_emulator.faults.reading import load_scenario, read_fault
from palabra_emulator.script import ScriptError, load_script
from tests.problems import mistakes_in

pytestmark = pytest.mark.unit

HUGE = 10**400

LONE = "\ud800"


def mistakes(content: object) -> list[str]:
    """What is wrong with a request for a fault."""
    return mistakes_in(lambda: read_fault(content))


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ([], ['must be an object such as {"fault": "F8"}, not []']),
        ({}, ["fault: is missing; there are F1 to F27"]),
        ({"fault": "f8"}, ['fault: is "f8"; there are F1 to F27; did you mean "F8"?']),
        ({"fault": 8}, ["fault: is 8; there are F1 to F27"]),
        (
            {"fault": "F8", "times": -1},
            ["times: must be a whole number from 0 to 1000000, or null, not -1"],
        ),
        ({"fault": "F8", "times": True}, ["times: must be a whole number"]),
        ({"fault": "F8", "variant": "leave"}, ['not "leave"; did you mean "leaves"?']),
        (
            {"fault": "F8", "delay_ms": "3"},
            ["delay_ms: must be a whole number from 0 to 600000, n"],
        ),
        (
            {"fault": "F8", "delay": 3},
            ["delay: is not a parameter of F8, which has variant, delay_"],
        ),
        (
            {"fault": "F8", "after_seconds": 3},
            ["F8 never is triggered before a session runs"],
        ),
        ({"fault": "F13", "at_seconds": 1e9}, ["at_seconds: must be a number from 0 to 86400"]),
        ({"fault": "F2", "session": 1}, ["session: F2 is about requests that no session"]),
        ({"fault": "F13", "session": ""}, ["session: must be a session's id or number, or null"]),
        ({"fault": "F3", "status": 500}, ["status: must be 403, 409 or 429, not 500"]),
        ({"fault": "F10", "loc": []}, ["loc: must be a list of keys and positions, not []"]),
        (
            {"fault": "F5", "variant": "200", "times": 1.5, "retry_after": -1},
            ["times: must be", "variant: must be", "retry_after: must be"],
        ),
    ],
)
def test_wrong_wish_is_refused_in_sentences(wish: object, expected: list[str]) -> None:
    """Each mistake names its field, the value, and what is allowed; all are told at once."""
    found = mistakes(wish)

    assert len(found) == len(expected)
    for sentence, part in zip(found, expected, strict=True):
        assert part in sentence


def test_variant_may_be_a_number() -> None:
    """An HTTP status that is a variant may be written as a number."""
    assert read_fault({"fault": "F5", "variant": 503}) == RestFailure(variant="503")


def test_scenario_is_a_list_of_wishes(tmp_path: Path) -> None:
    """JSON or TOML, with a list alone or under its name."""
    wishes = [{"fault": "F13", "at_seconds": 30}, {"fault": "F5", "variant": "429", "times": 2}]
    for name, text in {
        "list.json": json.dumps(wishes),
        "named.json": json.dumps({"faults": wishes}),
        "named.toml": (
            '[[faults]]\nfault = "F13"\nat_seconds = 30\n'
            '[[faults]]\nfault = "F5"\nvariant = "429"\ntimes = 2\n'
        ),
    }.items():
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        assert load_scenario(path) == tuple(read_fault(wish) for wish in wishes)

        # some editors put a byte order mark first
        path.write_text(text, encoding="utf-8-sig")
        assert load_scenario(path) == tuple(read_fault(wish) for wish in wishes)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.json", "{", ["is not JSON"]),
        ("a.toml", "fault =", ["is not TOML"]),
        ("a.json", '"F8"', ["needs a list of faults"]),
        ("a.json", '{"fault": "F8"}', ['has "fault", and only "faults" is known']),
        (
            "a.json",
            '[{"fault": "F99"}, {"fault": "F8", "tims": 2}]',
            ['faults[0].fault: is "F99"', "faults[1].tims: is not a parameter of F8"],
        ),
    ],
)
def test_wrong_scenario_is_refused_in_sentences(
    tmp_path: Path, name: str, content: str, expected: list[str]
) -> None:
    """The file and the place in it are named, and all mistakes are told."""
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_scenario(path)

    assert len(caught.value.problems) == len(expected)
    for problem, part in zip(caught.value.problems, expected, strict=True):
        assert str(problem).startswith(str(path))
        assert part in str(problem)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_scenario_in_another_encoding_is_said(tmp_path: Path, encoding: str) -> None:
    """One sentence, whatever the file begins with."""
    path = tmp_path / "faults.json"
    path.write_text("[]", encoding=encoding)
    with pytest.raises(ConfigError, match=r"faults\.json: is not UTF-8 text"):
        load_scenario(path)


def test_absent_scenario_is_said(tmp_path: Path) -> None:
    """A file that is not there is one sentence."""
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load_scenario(tmp_path / "none.json")


def test_fault_cannot_say_half_a_character() -> None:
    """A fault's words must be text."""
    with pytest.raises(ConfigError, match="detail: must be a text"):
        read_fault({"fault": "F12", "detail": LONE})


def test_fault_refuses_a_number_of_any_size() -> None:
    """A number of faults' parameters may be as large as it likes: it is a mistake like others."""
    with pytest.raises(ConfigError, match="times: must be a whole number"):
        read_fault({"fault": "F8", "times": HUGE})


def test_whole_numbers_are_not_fractions() -> None:
    """What must be one of some whole numbers is not their equal among the fractions."""
    with pytest.raises(ConfigError, match="close_code: must be 1001"):
        read_fault({"fault": "F17", "close_code": 1001.0})


@pytest.mark.parametrize("digits", [400, 5_000])
def test_scenario_and_script_are_refused_in_words(tmp_path: Path, digits: int) -> None:
    """Numbers beyond reason and nesting beyond depth are mistakes in a file, told as such."""
    path = tmp_path / "file.json"
    path.write_text(f'[{{"fault": "F8", "times": {"9" * digits}}}]')
    with pytest.raises(ConfigError):
        load_scenario(path)

    path.write_text("[" * 100_000 if digits == 400 else "9" * digits)
    with pytest.raises(ScriptError):
        load_script(path)
