"""Configurations as text: what is read or refused, and how layers are laid over each other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from palabra_agent.config.documents import lay_over, read_object, read_toml
from tests.problems import mistakes_in

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("text", ["\ufeff", "", " \n\t", "{}"])
def test_no_text_is_an_empty_object(text: str) -> None:
    """The mark that an editor puts before a file's text is no part of the config."""
    assert read_object(text) == ({}, [])


def test_an_object_is_read_as_it_is() -> None:
    """Behind such a mark too, and to the last of 64 KiB."""
    said = {"languages": ["es"], "limits": {"max_minutes": 1.5, "max_speakers": 9}}

    assert read_object("\ufeff" + json.dumps(said)) == (said, [])
    assert read_object("{}".ljust(65_536)) == ({}, [])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is not JSON: Expecting property name enclosed in double quotes (line 1, column 2)"),
        ('{"a":\n 1,}', "is not JSON: "),
        ('{"a": "\n"}', "is not JSON: Invalid control character at (line 1, column 8)"),
        ("hello", "is not JSON: Expecting value (line 1, column 1)"),
        ("[]", "must be a JSON object, not a list"),
        ('"{}"', "must be a JSON object, not a string"),
        ("7", "must be a JSON object, not a number"),
        ("true", "must be a JSON object, not true or false"),
        ("null", "must be a JSON object, not null"),
        ('{"limits": {"max_minutes": NaN}}', "holds NaN, which is not JSON"),
        ('{"limits": {"max_minutes": -Infinity}}', "holds -Infinity, which is not JSON"),
        ('{"a": 1e999}', "holds 1e999, a number that is too large"),
        ('{"a": ' + "9" * 5000 + "}", "holds a number of 5000 digits, which is too large"),
        ("[" * 60_000, "is nested more than 32 levels deep"),
        ('{"a":' * 40 + "1" + "}" * 40, "is nested more than 32 levels deep"),
        (" " * 65_537, "has 65537 bytes; at most 65536 are allowed"),
        ('{"é": "' + "é" * 33_000 + '"}', "has 66010 bytes; at most 65536 are allowed"),
    ],
)
def test_text_that_is_no_config_is_told_in_words(text: str, words: str) -> None:
    """Text that is too large, no JSON or no object is refused with what it is, and where."""
    [told] = mistakes_in(lambda: read_object(text))
    assert told.startswith(f"the room config {words}")


def test_repeated_keys_are_told_at_their_paths() -> None:
    """JSON lets the last of two equal keys win in silence."""
    said, problems = read_object('{"a": 1, "b": [{"c": 1, "c": 2, "c": 3}], "a": 2}')

    assert said == {"a": 2, "b": [{"c": 3}]}
    assert list(map(str, problems)) == ["a: given twice", "b[0].c: given twice"]


@pytest.mark.parametrize("text", ['{"a": "\\ud83d"}', '{"\\udc00": 1}', '{"a": "\ud83d"}'])
def test_half_characters_are_refused(text: str) -> None:
    """Half of a surrogate pair is no text that a participant could be shown."""
    [told] = mistakes_in(lambda: read_object(text))
    assert told.endswith('"?" holds half of a surrogate pair')
    assert told.encode()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"port = = 1", "is not TOML: Invalid value (at line 1, column 8)"),
        (b"\xff\xfe", "is not UTF-8 text"),
        ("[worker]\nidentity = 'é'".encode("utf-16"), "is not UTF-8 text"),
        (b"a = " + b"[" * 5000, "is nested too deeply"),
        (b"[room]\n" + b".".join([b"a"] * 2000) + b" = 1", "is nested too deeply"),
        (b"[worker]\nport = " + b"1" * 5000, "holds a number of too many digits"),
    ],
)
def test_an_unreadable_file_is_told_in_words(tmp_path: Path, content: bytes, words: str) -> None:
    """A file that is no TOML is named, with the place where it goes wrong."""
    file = tmp_path / "worker.toml"
    file.write_bytes(content)
    assert mistakes_in(lambda: read_toml(file)) == [f"the settings file {file} {words}"]


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    """It is no part of the settings."""
    file = tmp_path / "worker.toml"
    file.write_bytes(b"\xef\xbb\xbf[worker]\nport = 9000\n")
    assert read_toml(file) == {"worker": {"port": 9000}}


def test_a_missing_file_is_told_in_words(tmp_path: Path) -> None:
    """A file that is named must exist; a folder is no file."""
    missing = tmp_path / "none.toml"
    assert mistakes_in(lambda: read_toml(missing)) == [
        f"the settings file {missing} does not exist"
    ]
    assert mistakes_in(lambda: read_toml(tmp_path)) == [
        f"the settings file {tmp_path} cannot be read: Is a directory"
    ]


def test_objects_are_merged_and_all_else_is_replaced() -> None:
    """The upper layer's keys come first, and neither layer is changed."""
    lower = {"a": {"x": 1, "y": [1, 2]}, "b": 1, "c": {"z": 1}}
    upper = {"c": None, "a": {"y": [3]}, "d": 4}
    laid = lay_over(lower, upper)

    assert laid == {"a": {"x": 1, "y": [3]}, "b": 1, "c": None, "d": 4}
    assert list(laid) == ["c", "a", "d", "b"]
    assert lower["a"] == {"x": 1, "y": [1, 2]}
