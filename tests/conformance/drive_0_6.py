"""palabra-ai 0.6 as its README uses it: a file in, a file out, transcripts to callbacks.

Run with the SDK's own Python, as a program. Nothing of this project is imported here.
"""

from __future__ import annotations

import argparse
import importlib
import json
from pathlib import Path
from typing import Any, Final

PADDING_SECONDS: Final = 5.0
"""Silence that the SDK sends behind the file, during which the translation comes (10 of its own
accord)."""


def main() -> None:
    """Translate a file, and write down what came."""
    words = _arguments()
    # only the environment that runs this file has it
    sdk: Any = importlib.import_module("palabra_ai")
    config: Any = importlib.import_module("palabra_ai.config")
    texts: list[dict[str, str]] = []

    def note(message: Any) -> None:  # noqa: ANN401 - a class of the SDK's
        texts.append(
            {
                "type": str(message.type_.value),
                "id": message.id_,
                "language": message.language.code,
                "text": message.text,
            }
        )

    source = sdk.SourceLang(
        sdk.Language.get_or_create(words.source),
        sdk.FileReader(words.input),
        on_transcription=note,
    )
    target = sdk.TargetLang(
        sdk.Language.get_or_create(words.target),
        sdk.FileWriter(words.output),
        on_transcription=note,
    )
    mode = config.WebrtcMode() if words.mode == "webrtc" else config.WsMode()
    client = sdk.PalabraAI(words.client_id, words.client_secret, api_endpoint=words.api)
    result = client.run(
        sdk.Config(source, [target], mode=mode, eos_silence_s=PADDING_SECONDS), no_raise=True
    )
    report = {
        "ok": result.ok,
        "eos": result.eos,
        "error": f"{type(result.exc).__name__}: {result.exc}" if result.exc else None,
        "texts": texts,
    }
    words.report.write_text(json.dumps(report), encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--api", required=True)
    parser.add_argument("--client-id", default="local")
    parser.add_argument("--client-secret", default="local")
    parser.add_argument("--mode", choices=("webrtc", "ws"), default="webrtc")
    parser.add_argument("--source", required=True)
    parser.add_argument("--target", required=True)
    parser.add_argument("--input", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--report", type=Path, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()
