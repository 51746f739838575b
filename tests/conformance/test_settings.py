"""Every setting that Palabra's SDKs know is one of ours, and the emulator knows it too."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from pydantic import JsonValue

from palabra_agent.languages import LanguageCode
from palabra_agent.palabra.task.building import build_task
from palabra_agent.palabra.task.settings import TaskSettings
from palabra_emulator.session.task import TaskRules, read_task
from tests.clock import HANG_SECONDS

pytestmark = pytest.mark.livekit

_HERE: Final = Path(__file__).parent
_OTHER_TRANSPORT: Final = {"ws": "websocket", "webrtc": "webrtc"}
_IGNORED: Final = {"output_stream.target.sample_rate", "output_stream.target.channels"}
"""The 0.6 line says them; the server has one answer only, so we do not."""


@pytest.mark.parametrize("interpreter", ["old_sdk_python", "new_sdk_python"])
def test_what_the_sdks_can_say_we_can_say(request: pytest.FixtureRequest, interpreter: str) -> None:
    """Said in our words, an SDK's task becomes the same task again."""
    for theirs in tasks_of(request.getfixturevalue(interpreter)):
        pipeline = theirs["pipeline"]
        ours = build_task(
            TaskSettings.model_validate(in_our_words(theirs)),
            source_language=LanguageCode(pipeline["transcription"]["source_language"]),
            detectable_languages=pipeline["transcription"]["detectable_languages"],
            targets=[LanguageCode(it["target_language"]) for it in pipeline["translations"]],
            partial_translations=False,
            transport=theirs["input_stream"]["source"]["type"],
            may_clone=True,
        )

        said = dict(leaves(ours))
        differing = {at: value for at, value in leaves(theirs) if said.get(at) != value}
        assert {at for at in differing if at not in _IGNORED} == set()


@pytest.mark.parametrize("interpreter", ["old_sdk_python", "new_sdk_python"])
def test_what_the_sdks_can_say_the_strict_emulator_knows(
    request: pytest.FixtureRequest, interpreter: str
) -> None:
    """No field is unknown to it, and none of the values is refused."""
    for theirs in tasks_of(request.getfixturevalue(interpreter)):
        rules = TaskRules(transport=theirs["input_stream"]["source"]["type"], is_strict=True)
        task = read_task(theirs, rules)

        assert task.targets == tuple(
            it["target_language"] for it in theirs["pipeline"]["translations"]
        )


def tasks_of(python: Path) -> list[dict[str, Any]]:
    """The tasks that an SDK makes."""
    printed = subprocess.run(
        [python, _HERE / "print_tasks.py"],
        env={"PYTHONPATH": str(_HERE / "stand_ins")},
        capture_output=True,
        check=True,
        timeout=HANG_SECONDS,
        text=True,
    ).stdout
    return [json.loads(line) for line in printed.splitlines()]


def in_our_words(task: Mapping[str, Any]) -> dict[str, JsonValue]:
    """A task as the room config's `palabra` says it."""
    pipeline = task["pipeline"]
    source, target = task["input_stream"]["source"], task["output_stream"]["target"]
    sections = {
        key: value
        for key, value in pipeline.items()
        if key in {"preprocessing", "translation_queue_configs", "allowed_message_types"}
    }
    sections["transcription"] = without(
        pipeline["transcription"], "source_language", "detectable_languages"
    )
    sections["translations"] = {
        it["target_language"]: without(it, "target_language") for it in pipeline["translations"]
    }
    sections["transport"] = _OTHER_TRANSPORT[source["type"]]
    if source["type"] == "ws":
        sections["websocket"] = {**without(source, "type"), "output_format": target["format"]}
    return sections


def without(section: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """A section but for some fields."""
    return {key: value for key, value in section.items() if key not in names}


def leaves(value: object, at: str = "") -> Iterator[tuple[str, object]]:
    """Each value that is no object, with its path; lists of values count as one, in any order."""
    match value:
        case dict() if value:
            for key, inner in value.items():
                yield from leaves(inner, f"{at}.{key}" if at else str(key))
        case [dict(), *_]:
            for place, inner in enumerate(value):
                yield from leaves(inner, f"{at}[{place}]")
        case list():
            yield at, sorted(map(str, value))
        case _:
            yield at, value
