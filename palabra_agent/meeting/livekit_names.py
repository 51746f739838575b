"""Names that LiveKit's clients know, as LiveKit Agents has them (`livekit.agents.types`).

They stand here once more because that import costs a second, which commands would take longer.
"""

from __future__ import annotations

from typing import Final

ATTRIBUTE_AGENT_STATE: Final = "lk.agent.state"
ATTRIBUTE_TRANSCRIPTION_FINAL: Final = "lk.transcription_final"
ATTRIBUTE_TRANSCRIPTION_SEGMENT_ID: Final = "lk.segment_id"
ATTRIBUTE_TRANSCRIPTION_TRACK_ID: Final = "lk.transcribed_track_id"
TOPIC_CHAT: Final = "lk.chat"
TOPIC_TRANSCRIPTION: Final = "lk.transcription"
