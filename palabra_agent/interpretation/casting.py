"""Who sounds how: asks a room's plugins for voices, and asks again when the facts change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from palabra_agent.audio.pcm import Pcm
from palabra_agent.interpretation.plugins import NoPlugins, RoomPlugins
from palabra_agent.interpretation.ports import Transcript
from palabra_agent.languages import LanguageCode
from palabra_agent.voices import Speaker, Verdict, VoiceChoice


@dataclass(frozen=True, slots=True)
class Role:
    """Somebody who is interpreted, and into what."""

    speaker: Speaker
    """Without a timbre: that is found here."""
    targets: tuple[LanguageCode, ...]


class Casting:
    """The voices of everybody in a room, for as long as the room lasts."""

    def __init__(self, plugins: RoomPlugins | None = None) -> None:
        self._plugins: RoomPlugins = plugins or NoPlugins()

    async def run(self, on_change: Callable[[], None]) -> None:
        """Ask whenever there is reason to, until cancelled; tells when something came of it."""

    def follow(self, roles: Sequence[Role], revision: int = 0) -> None:
        """Learn who is interpreted now, and into what; never waits.

        Args:
            roles: Everybody, in the order in which they came.
            revision: Another number where other plugins are there than before.
        """

    def voices_of(
        self, identity: str, targets: Sequence[LanguageCode]
    ) -> Mapping[LanguageCode, VoiceChoice] | None:
        """The voices chosen for a speaker, the default left out; None while one is not decided."""
        return {}

    def miss(self, voice_id: str) -> None:
        """Learn that Palabra does not have a voice: nobody gets it any more in this room."""

    def hear(self, identity: str, frame: Pcm) -> None:
        """Listen to a frame of a speaker's voice, as long as their timbre is of interest."""

    def tell(self, identity: str, transcript: Transcript) -> None:
        """Let plugins know what a speaker said."""

    def explain(self, identity: str, language: LanguageCode) -> Verdict | None:
        """What came of asking for a speaker's voice in a language; None where nobody asked."""
        return None
