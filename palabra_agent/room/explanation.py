"""Explains a speaker to any participant: the track that is heard, the voice, and why it is that."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from palabra_agent.capabilities.capability import Verdict
from palabra_agent.config.fields import ConfigModel, Name
from palabra_agent.config.problems import problems_of
from palabra_agent.config.wording import shown
from palabra_agent.languages import LanguageCode, nearest
from palabra_agent.meeting.microphones import SoundTrack
from palabra_agent.meeting.rpc import Call, CallRefused
from palabra_agent.voices import ClonedVoice, FixedVoice, TimbreMatchedVoice, VoiceChoice

EXPLAIN: Final = "palabra.explain"
"""Name of the RPC method."""

_LARGEST_QUESTION: Final = 4096


class _Request(ConfigModel):
    """The payload: a speaker's identity, and a language where their voice in it is asked for."""

    speaker: Name
    language: Name | None = None


class Explanations:
    """Answers which track of a speaker is heard, and why listeners hear the voice that they do."""

    def __init__(
        self,
        verdict_on: Callable[[str, LanguageCode], Verdict | None],
        sounds_of: Callable[[str], Sequence[SoundTrack] | None],
        offered: Callable[[], Sequence[LanguageCode]],
    ) -> None:
        """Explain what others know.

        Args:
            verdict_on: Tells what came of asking for a speaker's voice in a language.
            sounds_of: Tells the audio tracks of a participant; None where there is no such.
            offered: Tells the languages that there are now.
        """
        self._verdict_on = verdict_on
        self._sounds_of = sounds_of
        self._offered = offered

    async def explain(self, call: Call) -> Mapping[str, Any]:
        """Tell what is heard of a speaker; with a language, which voice they have in it, and why.

        Raises:
            CallRefused: The request is wrong, or nothing is known of this speaker.
        """
        asked = _read(call.payload)
        tracks = self._sounds_of(asked.speaker)
        sounds = {"tracks": list(map(_track, tracks or ()))}
        if asked.language is not None:
            return self._explain_voice(asked.speaker, asked.language, sounds)

        if tracks is None:
            who = f"no participant of the identity {shown(asked.speaker)}"
            raise CallRefused(404, f"speaker: {who} is in the room")

        return {"speaker": asked.speaker, **sounds}

    def _explain_voice(
        self, speaker: str, wanted: str, sounds: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        offered = self._offered()
        language = nearest(wanted, offered)
        if language is None:
            allowed = ", ".join(offered)
            reason = f"{shown(wanted)} is not among the languages, which are {allowed}"
            raise CallRefused(404, f"language: {reason}")

        verdict = self._verdict_on(speaker, language)
        if verdict is None:
            who = f"no speaker of the identity {shown(speaker)}"
            sentence = f'speaker: {who} is interpreted into "{language}" now'
            raise CallRefused(404, sentence, sounds)

        return {
            "speaker": speaker,
            "language": language,
            "voice": _said(verdict.choice),
            "chosen_by": verdict.chosen_by,
            "passed": [{"plugin": name, "reason": reason} for name, reason in verdict.passed],
            **sounds,
        }


def _read(payload: str) -> _Request:
    try:
        asked = json.loads(payload) if len(payload) <= _LARGEST_QUESTION else None
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict):
        example = '{"speaker": "alice", "language": "es"}'
        raise CallRefused(400, f"the payload must be a short JSON object such as {example}")

    try:
        return _Request.model_validate(asked)
    except ValidationError as error:
        problems = problems_of(error, _Request)
        listed = [{"path": it.path, "reason": it.reason} for it in problems]
        sentence = "; ".join(map(str, problems))
        raise CallRefused(400, sentence, {"problems": listed}) from None


def _track(sound: SoundTrack) -> dict[str, object]:
    told: dict[str, object] = {
        "track_sid": sound.track_sid,
        "source": sound.source,
        "heard": not sound.objection,
    }
    return told | ({"reason": sound.objection} if sound.objection else {})


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
