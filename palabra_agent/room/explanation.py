"""Explains a voice to any participant: whose it is, which plugin chose it, why others did not."""

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
from palabra_agent.meeting.rpc import Call, CallRefused
from palabra_agent.voices import ClonedVoice, FixedVoice, TimbreMatchedVoice, VoiceChoice

EXPLAIN: Final = "palabra.explain"
"""Name of the RPC method."""

_LARGEST_QUESTION: Final = 4096


class _Request(ConfigModel):
    """The payload: a speaker's identity, and a language."""

    speaker: Name
    language: Name


class VoiceExplanations:
    """Answers why a speaker has the voice that listeners hear."""

    def __init__(
        self,
        verdict_on: Callable[[str, LanguageCode], Verdict | None],
        offered: Callable[[], Sequence[LanguageCode]],
    ) -> None:
        """Explain what others know.

        Args:
            verdict_on: Tells what came of asking for a speaker's voice in a language.
            offered: Tells the languages that there are now.
        """
        self._verdict_on = verdict_on
        self._offered = offered

    async def explain(self, call: Call) -> Mapping[str, Any]:
        """Tell which voice a speaker has in a language, and why.

        Raises:
            CallRefused: The request is wrong, or nothing is known of this voice.
        """
        asked = _read(call.payload)
        offered = self._offered()
        language = nearest(asked.language, offered)
        if language is None:
            allowed = ", ".join(offered)
            reason = f"{shown(asked.language)} is not among the languages, which are {allowed}"
            raise CallRefused(404, f"language: {reason}")

        verdict = self._verdict_on(asked.speaker, language)
        if verdict is None:
            who = f"no speaker of the identity {shown(asked.speaker)}"
            raise CallRefused(404, f'speaker: {who} is interpreted into "{language}" now')

        return {
            "speaker": asked.speaker,
            "language": language,
            "voice": _said(verdict.choice),
            "chosen_by": verdict.chosen_by,
            "passed": [{"plugin": name, "reason": reason} for name, reason in verdict.passed],
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
