"""docs/room.md leaves out no name by which a client and the interpreter know each other."""

from __future__ import annotations

import re
from typing import Final

import pytest
from livekit.agents import types

from tests.node import LISTENER_PAGE
from tests.pages import ROOT

pytestmark = pytest.mark.unit

PAGE: Final = (ROOT / "docs" / "room.md").read_text(encoding="utf-8")
NAME: Final = re.compile(
    r'"((?:palabra|lk)\.[a-z_]+(?:\.[a-z_]+)*|/(?:lang|speak|languages|help))"'
)
PACKAGES: Final = ("meeting", "interpretation", "room", "worker")

LIVEKIT_S: Final = (
    types.ATTRIBUTE_AGENT_STATE,
    types.ATTRIBUTE_TRANSCRIPTION_FINAL,
    types.ATTRIBUTE_TRANSCRIPTION_SEGMENT_ID,
    types.ATTRIBUTE_TRANSCRIPTION_TRACK_ID,
    types.TOPIC_CHAT,
    types.TOPIC_TRANSCRIPTION,
)


def names_in_code() -> set[str]:
    """The attributes, topics, methods and commands that the code and the page speak of."""
    files = [file for it in PACKAGES for file in (ROOT / "palabra_agent" / it).rglob("*.py")]
    files += [ROOT / "palabra_agent" / "voices.py", LISTENER_PAGE / "src" / "contract.ts"]
    texts = (file.read_text(encoding="utf-8") for file in files)
    return {name for text in texts for name in NAME.findall(text)} | set(LIVEKIT_S)


def test_every_name_is_explained() -> None:
    """In one of its tables."""
    explained = set(re.findall(r"^\| .*", PAGE, re.MULTILINE))
    left_out = [name for name in names_in_code() if not any(f"`{name}" in it for it in explained)]

    assert sorted(left_out) == []
