"""RPC methods by which people say what they speak and want to hear, and ask what is offered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from palabra_agent.concurrency import Watched
from palabra_agent.config.fields import ConfigModel, Name
from palabra_agent.config.wording import shown
from palabra_agent.interpretation.ports import Person
from palabra_agent.interpretation.settings import InterpretationSettings, Regime
from palabra_agent.interpretation.wishes import (
    ORIGINAL,
    Wishes,
    listening_language_of,
    read_listening,
    read_speaking,
    source_language_of,
)
from palabra_agent.languages import SOURCE_LANGUAGES, did_you_mean
from palabra_agent.meeting.rpc import Call, CallRefused, Method
from palabra_agent.room.requests import read_request

LISTEN: Final = "palabra.listen"
SPEAK: Final = "palabra.speak"
LANGUAGES: Final = "palabra.languages"
"""Names of the RPC methods."""

_EXAMPLE: Final = '{"language": "es"}'


class _ListenRequest(ConfigModel):
    """The payload of `palabra.listen`: a language, and a speaker where it is for that one alone."""

    language: Name
    speaker: Name | None = None


class _SpeakRequest(ConfigModel):
    """The payload of `palabra.speak`."""

    language: Name


class WishMethods:
    """The methods, for the people of one room."""

    def __init__(self, wishes: Wishes, settings: Watched[InterpretationSettings]) -> None:
        """Serve them.

        Args:
            wishes: Take what was said.
            settings: The room's languages at any time.
        """
        self._wishes = wishes
        self._settings = settings
        self.methods: Mapping[str, Method] = {
            LISTEN: self.listen,
            SPEAK: self.speak,
            LANGUAGES: self.languages,
        }
        """By name."""

    async def listen(self, call: Call) -> Mapping[str, Any]:
        """Have the caller hear a language, or the original; in all speakers, or in one.

        Raises:
            CallRefused: The language is not offered, or the request is wrong; nothing has changed.
        """
        person, regime = self._caller(call), self._regime
        asked = read_request(call.payload, _ListenRequest, _EXAMPLE)
        language = read_listening(asked.language, regime)
        if language is None:
            near = did_you_mean(asked.language, regime.offered) or ";"
            offered = f"{', '.join(regime.offered)}, {ORIGINAL}"
            reason = f"{shown(asked.language)} is not offered{near} offered are {offered}"
            raise CallRefused(404, f"language: {reason}", {"languages": [*regime.offered]})

        if asked.speaker is None:
            self._wishes.say(person, "listen", language)
            return {"language": language}

        if not regime.is_per_speaker:
            reason = 'has an effect with "channels": "per_speaker" in the room config alone'
            raise CallRefused(400, f"speaker: {reason}")

        if self._wishes.person(asked.speaker) is None:
            who = f"no participant of the identity {shown(asked.speaker)}"
            raise CallRefused(404, f"speaker: {who} is in the room")

        self._wishes.choose(person, asked.speaker, language)
        return {"language": language, "speaker": asked.speaker}

    async def speak(self, call: Call) -> Mapping[str, Any]:
        """Take the caller to speak a language, or have it detected.

        Raises:
            CallRefused: There is no such language, or the request is wrong; nothing has changed.
        """
        person = self._caller(call)
        asked = read_request(call.payload, _SpeakRequest, _EXAMPLE)
        language = read_speaking(asked.language)
        if language is None:
            codes = sorted(SOURCE_LANGUAGES)
            near = did_you_mean(asked.language, codes)
            reason = (
                f"{shown(asked.language)} is not known{near or ';'} known are {', '.join(codes)}"
            )
            raise CallRefused(404, f"language: {reason}", {"languages": codes})

        self._wishes.say(person, "speak", language)
        return {"language": language}

    async def languages(self, call: Call) -> Mapping[str, Any]:
        """Tell the caller what is offered, and what they hear and are taken to speak.

        Raises:
            CallRefused: The caller is none of the people in the room.
        """
        person, regime = self._caller(call), self._regime
        return {
            "languages": [*regime.offered],
            "listen": listening_language_of(person, regime) or ORIGINAL,
            "speak": source_language_of(person, regime),
        }

    def on_number(self, caller: str, number: int) -> None:
        """Have a caller by telephone hear an offered language by its number; 0: the original.

        Numbers that mean none are left alone: a caller cannot read an answer.
        """
        person, choices = self._wishes.person(caller), (ORIGINAL, *self._regime.offered)
        if person is not None and number < len(choices):
            self._wishes.say(person, "listen", choices[number])

    @property
    def _regime(self) -> Regime:
        return self._settings.value.regime

    def _caller(self, call: Call) -> Person:
        person = self._wishes.person(call.caller)
        if person is None:
            raise CallRefused(403, "only people in the room can choose what they speak and hear")

        return person
