"""Explains a speaker to any participant: the track that is heard, the voice, and why it is that.

Who has agreed to be cloned is told to that speaker and to organisers alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from palabra_agent.capabilities.capability import Verdict
from palabra_agent.capabilities.voice import NO_REASON
from palabra_agent.concurrency import Watched
from palabra_agent.config.fields import ConfigModel, Name
from palabra_agent.config.wording import shown
from palabra_agent.interpretation.cloning import WITHHELD
from palabra_agent.interpretation.settings import InterpretationSettings
from palabra_agent.languages import LanguageCode, nearest
from palabra_agent.meeting.microphones import SoundTrack
from palabra_agent.meeting.rpc import Call, CallRefused
from palabra_agent.room.requests import read_request
from palabra_agent.voices import (
    ClonedVoice,
    FixedVoice,
    Speaker,
    TimbreMatchedVoice,
    VoiceChoice,
)

EXPLAIN: Final = "palabra.explain"
"""Name of the RPC method."""

_EXAMPLE: Final = '{"speaker": "alice", "language": "es"}'


class _Request(ConfigModel):
    """The payload: a speaker's identity, and a language where their voice in it is asked for."""

    speaker: Name
    language: Name | None = None


class KnowsVoices(Protocol):
    """The assigner of voices, which knows the speakers and what was chosen for them."""

    @property
    def speakers(self) -> Sequence[Speaker]:
        """Those who are interpreted now."""
        ...

    def speaker(self, identity: str) -> Speaker:
        """Tell what is known of a speaker."""
        ...

    def explain(self, identity: str, language: LanguageCode) -> Verdict | None:
        """Tell what came of asking for a speaker's voice in a language."""
        ...


class Explanations:
    """Answers which track of a speaker is heard, and why listeners hear the voice that they do."""

    def __init__(
        self,
        voices: KnowsVoices,
        sounds_of: Callable[[str], Sequence[SoundTrack] | None],
        leak_of: Callable[[str], str],
        settings: Watched[InterpretationSettings],
        is_organiser: Callable[[str], bool],
    ) -> None:
        """Explain what others know.

        Args:
            voices: Knows the speakers, and what came of asking for their voices.
            sounds_of: Tells the audio tracks of a participant; None where there is no such.
            leak_of: Tells what holds back the microphone of a participant; empty for nothing.
            settings: Hold now: the languages that there are, and where voices are to be cloned.
            is_organiser: Tells if a participant is an organiser.
        """
        self._voices = voices
        self._sounds_of = sounds_of
        self._leak_of = leak_of
        self._settings = settings
        self._is_organiser = is_organiser

    def not_cloned(self) -> Mapping[str, Any]:
        """Tell organisers who is not cloned although the settings ask for it, and why."""
        if not self._settings.value.cloned:
            return {}

        speakers = (it for it in self._voices.speakers if not it.agrees_to_cloning)
        listed = [{"speaker": it.identity, "reason": WITHHELD} for it in speakers]
        return {"not_cloned": listed} if listed else {}

    async def explain(self, call: Call) -> Mapping[str, Any]:
        """Tell what is heard of a speaker; with a language, which voice they have in it, and why.

        Raises:
            CallRefused: The request is wrong, or nothing is known of this speaker.
        """
        asked = read_request(call.payload, _Request, _EXAMPLE)
        tracks = self._sounds_of(asked.speaker)
        leak = self._leak_of(asked.speaker)
        sounds = {"tracks": [_track(it, it.objection or leak) for it in tracks or ()]}
        if asked.language is not None:
            may_know = call.caller == asked.speaker or self._is_organiser(call.caller)
            return {
                **self._explain_voice(asked.speaker, asked.language, sounds, may_know=may_know),
                **sounds,
            }

        if tracks is None:
            who = f"no participant of the identity {shown(asked.speaker)}"
            raise CallRefused(404, f"speaker: {who} is in the room")

        return {"speaker": asked.speaker, **sounds}

    def _explain_voice(
        self, speaker: str, wanted: str, sounds: Mapping[str, Any], *, may_know: bool
    ) -> Mapping[str, Any]:
        offered = self._settings.value.regime.offered
        language = nearest(wanted, offered)
        if language is None:
            allowed = ", ".join(offered)
            reason = f"{shown(wanted)} is not among the languages, which are {allowed}"
            raise CallRefused(404, f"language: {reason}")

        verdict = self._voices.explain(speaker, language)
        if verdict is None:
            who = f"no speaker of the identity {shown(speaker)}"
            sentence = f'speaker: {who} is interpreted into "{language}" now'
            raise CallRefused(404, sentence, sounds)

        hidden = frozenset[str]() if may_know else verdict.private
        passed = ((it, NO_REASON if it in hidden else reason) for it, reason in verdict.passed)
        choice, is_withheld = self._with_consent(speaker, language, verdict.choice)
        told = {
            "speaker": speaker,
            "language": language,
            "voice": _said(choice),
            "chosen_by": verdict.chosen_by,
            "passed": [{"plugin": name, "reason": reason} for name, reason in passed],
        }
        return told | ({"not_cloned": WITHHELD} if is_withheld and may_know else {})

    def _with_consent(
        self, speaker: str, language: LanguageCode, choice: VoiceChoice | None
    ) -> tuple[VoiceChoice | None, bool]:
        """Give the voice that is heard, and whether another was asked for and not agreed to."""
        is_by_settings = choice is None and language in self._settings.value.cloned
        if not (is_by_settings or isinstance(choice, ClonedVoice)):
            return choice, False

        agrees = self._voices.speaker(speaker).agrees_to_cloning
        return (ClonedVoice(), False) if agrees else (None, True)


def _track(sound: SoundTrack, objection: str) -> dict[str, object]:
    told: dict[str, object] = {
        "track_sid": sound.track_sid,
        "source": sound.source,
        "heard": not objection,
    }
    return told | ({"reason": objection} if objection else {})


def _said(choice: VoiceChoice | None) -> dict[str, str]:
    match choice:
        case FixedVoice(voice_id):
            return {"kind": "fixed", "voice_id": voice_id}
        case ClonedVoice():
            return {"kind": "cloned"}
        case TimbreMatchedVoice(high, low):
            return {"kind": "timbre_matched", "high": high, "low": low}
        case None:
            return {"kind": "default"}
