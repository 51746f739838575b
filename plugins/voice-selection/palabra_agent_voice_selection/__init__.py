"""Voices by rules: the room's config says which speaker has which voice, in which language."""

from __future__ import annotations

from typing import Final

from palabra_agent.plugin import Plugin
from palabra_agent_voice_selection.config import SelectionConfig
from palabra_agent_voice_selection.policy import SelectionPolicy, open_selection

__all__ = ["SelectionConfig", "SelectionPolicy", "plugin"]

EXAMPLE: Final = {
    "rules": [
        {"speaker": "alice", "voice": "clone"},
        {"voice": {"attribute": ["default_high", "default_low"]}},
        {"target_language": "es", "voice": {"pool": ["default_low", "default_high"]}},
        {
            "source_language": ["en", "de"],
            "voice": {"fr": "default_low", "default": "default_high"},
        },
    ],
}

plugin = Plugin(SelectionConfig, open_selection, example=EXAMPLE)
"""The recipe that the entry point names."""
