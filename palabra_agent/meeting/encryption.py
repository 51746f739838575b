"""LiveKit's end-to-end encryption in a meeting's room: which sound the interpreter can decrypt.

Every SDK makes the same keys of a shared passphrase, so the interpreter is given that. Without it
an encrypted track is loud noise; with another one LiveKit leaves its frames out, but for the first,
which come before it has begun to decrypt. So an encrypted track is heard only when LiveKit says
that it was decrypted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from livekit import rtc

from palabra_agent.interpretation.ports import EncryptionProblem

_FAILURES: Final = 10
"""So many frames that cannot be decrypted make LiveKit say so; by its default it never does."""

_STATES: Final[Mapping[rtc.EncryptionState.ValueType, bool]] = {
    rtc.EncryptionState.OK: True,
    rtc.EncryptionState.KEY_RATCHETED: True,
    rtc.EncryptionState.DECRYPTION_FAILED: False,
    rtc.EncryptionState.MISSING_KEY: False,
    rtc.EncryptionState.INTERNAL_ERROR: False,
}
"""Whether a participant's sound is decrypted in a state; the others say nothing of it."""


def encryption_with(key: str) -> rtc.E2EEOptions:
    """LiveKit's options for a room whose participants share a passphrase.

    LiveKit looks for a key that may have followed this one only where it is told to, and would take
    half a second of a processor for each frame of a participant who has another.
    """
    keys = rtc.KeyProviderOptions(
        shared_key=key.encode(), ratchet_window_size=0, failure_tolerance=_FAILURES
    )
    return rtc.E2EEOptions(key_provider_options=keys)


class Decryption:
    """Knows of each participant whether their sound can be decrypted."""

    def __init__(self, room: rtc.Room, on_change: Callable[[], None]) -> None:
        """Follow a room, once its events are told to `callbacks`.

        Args:
            room: Connected.
            on_change: Called where what can be heard may be other than before.
        """
        self._room = room
        self._on_change = on_change
        self._is_decrypted: dict[str, bool] = {}
        """By the participant's sid, which is another one when they come back."""
        self.callbacks: dict[rtc.room.EventTypes, Callable[..., None]] = {
            "e2ee_state_changed": self._on_state_changed,
        }
        """Must be called by the room, by event."""

    def is_impossible(self, publication: rtc.RemoteTrackPublication) -> bool:
        """Tell whether a track is encrypted, and the interpreter has no key."""
        return is_encrypted(publication) and not self._has_key

    def objection_to(
        self, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> str:
        """The reason why encryption keeps a track from being heard; empty where it does not."""
        if not is_encrypted(publication):
            return ""

        if not self._has_key:
            return "it is encrypted, and the interpreter has no key"

        match self._is_decrypted.get(participant.sid):
            case True:
                return ""
            case False:
                return "it is encrypted with another key than the interpreter's"
            case None:
                return "it is encrypted, and none of it was decrypted yet"

    def problem_with(
        self, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> EncryptionProblem | None:
        """What stands between a speaker and the interpreter, because of one of their tracks."""
        if self.is_impossible(publication):
            return EncryptionProblem.NO_KEY

        if self._has_key and not is_encrypted(publication):
            return EncryptionProblem.NOT_ENCRYPTED

        is_refused = self._is_decrypted.get(participant.sid) is False
        is_other = is_encrypted(publication) and is_refused
        return EncryptionProblem.OTHER_KEY if is_other else None

    @property
    def _has_key(self) -> bool:
        return self._room.e2ee_manager.enabled

    def _on_state_changed(
        self, participant: rtc.Participant | None, state: rtc.EncryptionState.ValueType
    ) -> None:
        if participant is not None and state in _STATES:
            self._is_decrypted[participant.sid] = _STATES[state]
            self._on_change()


def is_encrypted(publication: rtc.RemoteTrackPublication) -> bool:
    """Tell whether a track is end-to-end encrypted."""
    return publication.encryption_type != rtc.EncryptionType.NONE
