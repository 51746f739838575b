"""Voices by timbre: a high voice interprets speakers who have a high voice."""

from __future__ import annotations

from typing import Final

from palabra_agent.plugin import Plugin
from palabra_agent_voice_timbre.config import TimbreConfig
from palabra_agent_voice_timbre.policies import open_timbre

__all__ = ["TimbreConfig", "plugin"]

EXAMPLE: Final = {
    "detection": "local",
    "high": {"es": ["default_high", "your-voice-id"], "default": "default_high"},
    "low": {"default": "default_low"},
}

plugin = Plugin(TimbreConfig, open_timbre, example=EXAMPLE)
"""The recipe that the entry point names."""
