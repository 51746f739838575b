"""Commands in the chat, by which people say what they speak and want to hear, and their answers.

They are for apps that were not written for this interpreter. Each is answered to the person who
wrote it, and to no other; whatever is no command of ours is left to those whom it concerns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from palabra_agent.concurrency import Watched
from palabra_agent.interpretation.frequency import FrequencyLimit
from palabra_agent.interpretation.ports import ChatMessage, Notice, Person, TextQueue
from palabra_agent.interpretation.settings import InterpretationSettings, Regime
from palabra_agent.interpretation.wishes import (
    ORIGINAL,
    Wishes,
    listed_offer,
    listening_language_of,
    quoted,
    read_listening,
    read_speaking,
    recognised,
    source_language_of,
)
from palabra_agent.languages import AUTO, did_you_mean

_LONGEST: Final = 100
"""Characters of a command; what is longer is something else."""

_HELP: Final = (
    "Speech here is interpreted. Write /lang and a language, such as /lang es, to hear it in that "
    "language; /lang original to hear the speakers alone; /speak and a language, such as /speak "
    "en, to say what you speak, or /speak auto to have it detected; /languages to see what is "
    "offered."
)

_SPEAK_HELP: Final = "Write /speak and a language, such as /speak en, or /speak auto."

_BURST: Final = 5
_EVERY_SECONDS: Final = 3.0
"""One person is answered so many times in a row, and then once in so many seconds."""


class ChatCommands:
    """Follows the commands that people write in the chat, and answers them."""

    def __init__(
        self, wishes: Wishes, settings: Watched[InterpretationSettings], texts: TextQueue
    ) -> None:
        """Follow commands as long as the room's settings allow it.

        Args:
            wishes: Take what was said.
            settings: The room's languages, and whether commands are heeded, at any time.
            texts: Take the answers.
        """
        self._wishes = wishes
        self._settings = settings
        self._texts = texts
        self._limit = FrequencyLimit(_BURST, _EVERY_SECONDS)
        self._commands: dict[str, Callable[[Person, str], str]] = {
            "/lang": self._listen,
            "/speak": self._speak,
            "/languages": self._languages,
            "/help": self._help,
        }

    def on_message(self, message: ChatMessage) -> None:
        """Read a chat message, which need not be a command."""
        person = self._wishes.person(message.sender)
        if person is None or not self._settings.value.rules.commands:
            return

        if not message.text.lstrip().startswith("/") or len(message.text) > _LONGEST:
            return

        name, _, rest = message.text.strip().partition(" ")
        command = self._commands.get(name.lower())
        if command is None:
            return

        answer = command(person, rest.strip())
        if self._limit.allows(person.identity, asyncio.get_running_loop().time()):
            self._texts.put(Notice(answer, (person.identity,)))

    @property
    def _regime(self) -> Regime:
        return self._settings.value.regime

    def _listen(self, person: Person, said: str) -> str:
        if not said:
            return f"You hear {_heard(person, self._regime)}. {listed_offer(self._regime)}"

        language = read_listening(said, self._regime)
        if language is None:
            near = did_you_mean(said, self._regime.offered)
            return f"{quoted(said)} is not offered here{near or '.'} {listed_offer(self._regime)}"

        self._wishes.say(person, "listen", language)
        return (
            "You hear the original from now on."
            if language == ORIGINAL
            else f"You hear {language} from now on. /lang original ends that."
        )

    def _speak(self, person: Person, said: str) -> str:
        if not said:
            return f"Your language {_taken(person, self._regime)}. {_SPEAK_HELP}"

        language = read_speaking(said)
        if language is None:
            return f"{quoted(said)} is no language that is known here. {recognised()}"

        self._wishes.say(person, "speak", language)
        return (
            "Your language is detected as you speak."
            if language == AUTO
            else f"You are taken to speak {language}."
        )

    def _languages(self, person: Person, _: str) -> str:
        return f"You hear {_heard(person, self._regime)}. {listed_offer(self._regime)}"

    def _help(self, _person: Person, _: str) -> str:
        return _HELP


def _heard(person: Person, regime: Regime) -> str:
    language = listening_language_of(person, regime)
    return "the original" if language is None else language


def _taken(person: Person, regime: Regime) -> str:
    language = source_language_of(person, regime)
    return "is detected as you speak" if language == AUTO else f"is taken to be {language}"
