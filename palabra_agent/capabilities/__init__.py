"""The capabilities that plugins may have: a module for each, and one table of them all.

Another one is a module beside the others, its line in the table, its public names in `plugin.py`,
and a section in docs/plugins.md. The room asks it by `PluginChain.first_answer` or `tell_all`.
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
