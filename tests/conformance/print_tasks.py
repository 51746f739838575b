"""The tasks that an SDK makes when everything that it knows is said, one JSON object a line.

Run with the SDK's own Python, as a program. Nothing of this project is imported here.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from typing import Any


def old_tasks(sdk: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - a module of whatever version
    """The 0.6 line has every field as a default."""
    modes = importlib.import_module("palabra_ai.config")
    for mode in (modes.WebrtcMode(), modes.WsMode()):
        source, target = sdk.SourceLang(sdk.EN), sdk.TargetLang(sdk.ES)
        yield sdk.Config(source, [target], mode=mode).to_dict(full=True)


def new_tasks(sdk: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - a module of whatever version
    """The current one has an option for each field that it knows."""
    for voice in ({"voice_id": "default_high"}, {"voice_cloning": True}):
        yield sdk.build_task(
            "auto",
            {"es": {"allowed_source_languages": ["en"]}, "zh-hans": {"style": "plain"}},
            input_format="opus",
            input_sample_rate=48_000,
            input_channels=2,
            output_format="zlib_pcm_s16le",
            translate_partials=True,
            silence_threshold=0.5,
            transcription={"detectable_languages": ["en", "de"]},
            hotwords_glossaries=["first", "second"],
            verification_glossaries=True,
            translation_glossaries=["third"],
            **voice,
        )


def main() -> None:
    """Print them."""
    sdk: Any = importlib.import_module("palabra_ai")
    tasks = new_tasks(sdk) if hasattr(sdk, "build_task") else old_tasks(sdk)
    for task in tasks:
        sys.stdout.write(json.dumps(task) + "\n")


if __name__ == "__main__":
    main()
