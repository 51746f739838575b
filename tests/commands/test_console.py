"""Shared parts of the commands: a room config on a command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from palabra_agent.commands.console import read_config_argument
from palabra_agent.errors import RoomConfigError

pytestmark = pytest.mark.unit


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
