"""Participants of a LiveKit room and their tracks, as far as we look at them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

from livekit import rtc


@dataclass
class FakePublication:
    """A track that is published."""

    kind: int = rtc.TrackKind.KIND_AUDIO
    source: int = rtc.TrackSource.SOURCE_MICROPHONE
    sid: str = "TR_mic"
    muted: bool = False
    encryption_type: int = rtc.EncryptionType.NONE

    def __call__(self) -> rtc.RemoteTrackPublication:
        """Pass for LiveKit's class, which only its own library can make."""
        return cast("rtc.RemoteTrackPublication", self)


@dataclass
class FakeParticipant:
    """A participant."""

    kind: int = rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD
    identity: str = "ann"
    sid: str = "PA_ann"
    name: str = "Ann"
    attributes: dict[str, str] = field(default_factory=dict[str, str])
    state: int = rtc.ParticipantState.PARTICIPANT_STATE_ACTIVE
    track_publications: dict[str, FakePublication] = field(
        default_factory=dict[str, FakePublication]
    )

    def __call__(self) -> rtc.RemoteParticipant:
        """Pass for LiveKit's class, which only its own library can make."""
        return cast("rtc.RemoteParticipant", self)
