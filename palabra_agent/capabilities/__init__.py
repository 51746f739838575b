"""The capabilities that plugins may have: a module for each, and one table of them all.

Another one is a module beside the others, its names in the two lists below and in `plugin.py`, and
a section in docs/plugins.md: then plugins may have it, and `PluginChain.first_answer` or `tell_all`
asks them. A room that asks does so by a method of the port `interpretation/plugins.py`, which
`PluginChain` (`plugins_host/chain.py`) and `SettlingPlugins` (`testing/settling.py`) have as well.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from palabra_agent.capabilities.capability import AnyCapability
from palabra_agent.capabilities.timbre import TIMBRE_ESTIMATOR, TimbreEstimator
from palabra_agent.capabilities.transcript import TRANSCRIPT_LISTENER, TranscriptListener
from palabra_agent.capabilities.voice import VOICE_POLICY, VoicePolicy

Capability: TypeAlias = VoicePolicy | TranscriptListener | TimbreEstimator
"""An opened plugin must have at least one of these; type checkers look at it."""

ALL: Final[tuple[AnyCapability, ...]] = (VOICE_POLICY, TRANSCRIPT_LISTENER, TIMBRE_ESTIMATOR)
"""The same for the host: each with its method, its acceptable answers, and how it is asked."""
