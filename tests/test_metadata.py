"""What `dispatch` can tell of a room config without knowing the worker's settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from palabra_agent.errors import RoomConfigError
from palabra_agent.metadata import check_metadata, read_config_argument

pytestmark = pytest.mark.unit

NOT_OFFERED = '"de" is not among the languages, which are en, es'


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"languages": ["de"], "default_listen": "de"},
        {"always_on": ["de"]},
        {"default_listen": "es"},
    ],
)
def test_a_good_config_is_not_remarked_on(said: dict[str, object]) -> None:
    """What holds with the built-in defaults needs no warning."""
    assert check_metadata(json.dumps(said)) == ()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"default_listen": "de"}, f"default_listen: {NOT_OFFERED}"),
        ({"default_listen": "DE"}, f"default_listen: {NOT_OFFERED}"),
        ({"always_on": ["fr"], "default_listen": "de"}, "default_listen: "),
        ({"limits": {"max_languages": 1}}, "languages: 2 languages (en, es) are more than"),
        (
            {"languages": ["en", "es", "de", "fr", "it", "pt", "pl", "nl", "sv"]},
            "languages: 9 languages",
        ),
    ],
)
def test_what_the_worker_may_allow_is_a_warning(said: dict[str, object], words: str) -> None:
    """A `[room]` of the worker's that offers other languages, or more, makes it right."""
    (problem,) = check_metadata(json.dumps(said))

    assert words in str(problem)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"languages": ["en"], "default_listen": "de"}, "de"),
        ({"always_on": ["de", "fr"], "limits": {"max_languages": 1}}, "2 languages (de, fr)"),
        ({"default_listen": "klingon"}, "klingon"),
        ({"default_listen": 5}, "5"),
        ({"always_on": "de", "default_listen": "de"}, "always_on"),
        ({"languages": None, "default_listen": "de"}, "languages"),
        ({"langauges": ["es"], "default_listen": "de"}, "langauges: unknown key"),
        ({"limits": 3}, "limits"),
        ([], "must be a JSON object"),
    ],
)
def test_what_no_worker_allows_is_refused(said: object, words: str) -> None:
    """Such a mistake is told alone: what might be right is not said beside it."""
    with pytest.raises(RoomConfigError) as caught:
        check_metadata(json.dumps(said))

    assert words in str(caught.value)
    assert "which are en, es" not in str(caught.value)


def test_text_that_is_no_json_is_refused() -> None:
    """A slip of the pen is an error, not a warning."""
    with pytest.raises(RoomConfigError, match="is not JSON"):
        check_metadata("{")


def test_a_config_is_read_from_a_file(tmp_path: Path) -> None:
    """`@` names a file; everything else is the config itself."""
    file = tmp_path / "room.json"
    file.write_text('{"languages": ["es"]}', encoding="utf-8")

    assert read_config_argument(f"@{file}") == '{"languages": ["es"]}'
    assert read_config_argument("{}") == "{}"


@pytest.mark.parametrize(
    ("content", "words"), [(b"\xff", "not UTF-8 text"), (None, "No such file")]
)
def test_a_file_that_cannot_be_read_is_told(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    """The sentence names the file."""
    file = tmp_path / "room.json"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(RoomConfigError, match=rf"room\.json: .*{words}"):
        read_config_argument(f"@{file}")
