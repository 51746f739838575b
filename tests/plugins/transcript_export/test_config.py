"""The config and the settings of transcript-export, and a sentence for whatever they refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from palabra_agent_transcript_export import plugin

from tests.plugins.transcript_export.telling import mistakes, read, settings, settings_mistakes

pytestmark = pytest.mark.unit

LIST = "`palabra-agent schema` lists the codes"
FORMATS = 'must be "jsonl", "vtt" or "srt", not'
FOLDER = "must be the path of a folder"
ABSOLUTE = 'must be an absolute path such as "/var/lib/transcripts", not'


def test_nothing_need_be_said() -> None:
    """A room that says nothing gets every format and language, and no names."""
    config = read({})
    assert config.formats == ("jsonl", "vtt", "srt")
    assert (config.languages, config.names, config.originals) == ((), False, True)


def test_the_example_can_be_read() -> None:
    """What the recipe shows is right."""
    assert read(plugin.example).names is True


@pytest.mark.parametrize(
    ("config", "mistake"),
    [
        ({"formats": "vtt"}, 'formats: must be a list, not "vtt"'),
        ({"formats": {}}, "formats: must be a list, not an object"),
        ({"formats": []}, "formats: must not be empty"),
        ({"formats": ["vtx"]}, f'formats[0]: {FORMATS} "vtx", did you mean "vtt"?'),
        ({"formats": ["vtt", 3]}, f"formats[1]: {FORMATS} 3"),
        ({"formats": ["vtt", "vtt"]}, 'formats: "vtt" is given twice'),
        ({"languages": "es"}, 'languages: must be a list, not "es"'),
        (
            {"languages": ["es", "Spanish"]},
            f'languages[1]: "spanish" is not a known language, did you mean "es"? {LIST}',
        ),
        ({"languages": [3]}, "languages[0]: must be a language code, not 3"),
        ({"languages": [None]}, "languages[0]: must be a language code, not null"),
        ({"languages": ["es", "ES"]}, 'languages: "es" is given twice'),
        ({"languages": ["no", "nb-NO"]}, 'languages: "no" is given twice'),
        ({"names": "yes"}, 'names: must be true or false, not "yes"'),
        ({"names": 1}, "names: must be true or false, not 1"),
        ({"originals": None}, "originals: must be true or false, not null"),
        ({"name": True}, 'name: unknown key, did you mean "names"?'),
    ],
)
async def test_what_a_room_cannot_say(config: dict[str, Any], mistake: str) -> None:
    """Each mistake is told at its place, with the value and what is allowed."""
    assert await mistakes(config) == [mistake]


async def test_a_room_cannot_say_where() -> None:
    """The directory is the operator's alone."""
    (mistake,) = await mistakes({"directory": "/etc"})
    assert mistake.startswith("directory: belongs into the worker's settings")


@pytest.mark.parametrize(
    ("said", "mistake"),
    [
        ({"max_megabytes": 5}, "directory: is missing"),
        ({"directory": ""}, f"directory: {FOLDER}"),
        ({"directory": 3}, f"directory: {FOLDER}, not 3"),
        ({"directory": ["/a"]}, f"directory: {FOLDER}"),
        ({"directory": None}, f"directory: {FOLDER}"),
        (
            {"directory": "~nobody-of-this-name/x"},
            f'directory: {FOLDER}, not "~nobody-of-this-name/x"',
        ),
        ({"directory": "notes"}, f'directory: {ABSOLUTE} "notes"'),
        ({"directory": "/a", "max_megabytes": 0}, "max_megabytes: must be greater than 0"),
        (
            {"directory": "/a", "max_megabytes": -1.5},
            "max_megabytes: must be greater than 0",
        ),
        (
            {"directory": "/a", "max_megabytes": 2e6},
            "max_megabytes: must be at most 1000000",
        ),
        ({"directory": "/a", "max_megabytes": "9"}, 'max_megabytes: must be a number, not "9"'),
        ({"directory": "/a", "max_megabytes": True}, "max_megabytes: must be a number, not true"),
        ({"directory": "/a", "allow_names": 0}, "allow_names: must be true or false, not 0"),
        ({"directory": "/a", "folder": "/b"}, "folder: unknown key"),
    ],
)
async def test_what_the_operator_cannot_say(said: dict[str, Any], mistake: str) -> None:
    """The same holds for the worker's settings."""
    (told,) = await settings_mistakes(said)
    assert told.startswith(mistake)


def test_a_home_directory_is_found() -> None:
    """`~` is the home of the worker's user."""
    assert settings(Path("~/transcripts")).directory == Path.home() / "transcripts"


def test_everything_is_described() -> None:
    """Each key has a description in its schema."""
    for model in (plugin.config_model, plugin.settings_model):
        for key, described in model.model_json_schema()["properties"].items():
            assert described.get("description"), key
