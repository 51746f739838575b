"""Packets that make no sense."""

from __future__ import annotations

import json


def junk(variant: str, size: int) -> bytes:
    """A packet of a kind that no client understands."""
    match variant:
        case "array":
            return b'[{"message_type": "warning"}, 1, null]'
        case "empty":
            return b"{}"
        case "no_type":
            return b'{"data": {"text": "a message of no type"}}'
        case "unknown_type":
            return b'{"message_type": "emulated_novelty", "data": {"level": 1}}'
        case "bad_data":
            return b'{"message_type": "validated_transcription", "data": "{\\"transcription\\": "}'
        case "huge":
            frame = {"message_type": "emulated_novelty", "data": {"text": ""}}
            frame["data"] = {"text": "x" * max(0, size - len(json.dumps(frame)))}
            return json.dumps(frame).encode()
        case "binary":
            return bytes(range(256))
        case "cut":
            return b'{"message_type": "validated_transcription", "data": {"transcrip'
        case _:
            return b"this is no JSON"
