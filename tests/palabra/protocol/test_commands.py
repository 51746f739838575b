"""The commands, as Palabra's documentation and its SDKs have them."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palabra_agent.errors import ConfigError
from palabra_agent.languages import LanguageCode
from palabra_agent.palabra.protocol.commands import (
    Command,
    end_task,
    get_task,
    input_audio_data,
    interrupt_task,
    pause_task,
    set_task,
    tts_task,
)

pytestmark = pytest.mark.unit

TARGETS = (LanguageCode("es"), LanguageCode("en-us"))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (set_task({"pipeline": {}}), ("set_task", {"pipeline": {}})),
        (get_task(), ("get_task", {"exclude_hidden": True})),
        (get_task(exclude_hidden=False), ("get_task", {"exclude_hidden": False})),
        (pause_task(), ("pause_task", {})),
        (end_task(), ("end_task", {})),
        (end_task(force=True), ("end_task", {"force": True})),
        (end_task(eos_timeout=2), ("end_task", {"eos_timeout": 2})),
        (
            interrupt_task(),
            ("interrupt_task", {"languages": ["global"], "pause_task": False}),
        ),
        (
            interrupt_task(["ES", "de"], pause=True),
            ("interrupt_task", {"languages": ["de", "es"], "pause_task": True}),
        ),
        (
            tts_task("Hola", "es", targets=TARGETS),
            ("tts_task", {"text": "Hola", "language": "es", "translate_text": False}),
        ),
        (
            tts_task("Hi", "EN", targets=TARGETS),
            ("tts_task", {"text": "Hi", "language": "en-us", "translate_text": False}),
        ),
        (
            tts_task("Hallo", "de-at", targets=TARGETS, translate=True),
            ("tts_task", {"text": "Hallo", "language": "de", "translate_text": True}),
        ),
        (
            input_audio_data(b"\x01" * 768),
            ("input_audio_data", {"data": base64.b64encode(b"\x01" * 768).decode()}),
        ),
    ],
)
def test_a_command_is_said(said: Command, expected: tuple[str, dict[str, Any]]) -> None:
    """Name and data are those that Palabra knows; nothing is said that need not be."""
    assert said == Command(*expected)


@pytest.mark.parametrize(
    ("text", "language", "translate", "sentence"),
    [
        ("", "es", False, "text: must not be empty"),
        (" \n", "es", False, "text: must not be empty"),
        ("hi \ud83d", "es", False, "text: holds half of a character (a lone surrogate)"),
        ("x" * 2049, "es", False, "text: must have at most 2048 characters, not 2049"),
        (
            "x",
            "de",
            False,
            'language: "de" is not one of the targets of the task, which are es, en-us',
        ),
        (
            "x",
            "vn",
            True,
            'language: "vn" is not a language that Palabra understands',
        ),
        ("x", "auto", True, 'language: "auto" is not a language that Palabra understands'),
        (
            "",
            "zz",
            False,
            'text: must not be empty; language: "zz" is not one of the targets of the task, '
            "which are es, en-us",
        ),
    ],
)
def test_what_cannot_be_spoken_is_told(
    text: str, language: str, translate: bool, sentence: str
) -> None:
    """Everything that is wrong is told at once, in words, before anything is sent."""
    with pytest.raises(ConfigError) as caught:
        tts_task(text, language, targets=TARGETS, translate=translate)

    assert str(caught.value).startswith(sentence)


def test_the_longest_text_is_spoken() -> None:
    """Exactly as long as Palabra takes, in letters of any size."""
    command = tts_task("ß" * 2048, "es", targets=TARGETS)

    assert len(command.data["text"]) == 2048


@pytest.mark.parametrize("size", [0, 767, 400_000])
def test_sound_has_a_size_that_palabra_takes(size: int) -> None:
    """Neither crumbs nor everything at once."""
    with pytest.raises(ValueError, match=f"not {size} and"):
        input_audio_data(bytes(size))


@given(st.dictionaries(st.sampled_from(["a", "b"]), st.text(), max_size=2))
def test_a_command_is_written_so_that_it_can_be_read(data: dict[str, str]) -> None:
    """It is one JSON object, in UTF-8."""
    read = json.loads(set_task(data).encode().decode())

    assert read == {"message_type": "set_task", "data": data}
