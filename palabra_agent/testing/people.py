"""Who is in the room of a test: what is known of each, and what they are interpreted into."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType

from palabra_agent.audio.frame import FrameReader
from palabra_agent.interpretation.plan import brief_for
from palabra_agent.interpretation.ports import Person
from palabra_agent.interpretation.settings import Regime
from palabra_agent.languages import AUTO, SOURCE_LANGUAGES, LanguageCode, base
from palabra_agent.plugin import Speaker


@dataclass(slots=True)
class Somebody:
    """Somebody in the room."""

    identity: str
    name: str
    attributes: dict[str, str]
    said: LanguageCode | None
    """What they say they speak."""
    detected: LanguageCode | None = None
    """What Palabra heard them speak."""
    microphone: FrameReader = field(default_factory=FrameReader)
    """Measures their voice."""

    @property
    def language(self) -> LanguageCode | None:
        """What they speak, as far as it is known."""
        return self.said or self.detected

    def speaker(self) -> Speaker:
        """Them, as plugins are told."""
        return Speaker(
            identity=self.identity,
            name=self.name,
            attributes=MappingProxyType(dict(self.attributes)),
            source_language=self.language,
        )

    def targets(self, regime: Regime) -> tuple[LanguageCode, ...]:
        """What they are interpreted into."""
        brief = brief_for(Person(self.identity, self.name, self.said), regime, self.detected)
        return brief.targets if brief is not None else ()


def spoken(language: str | None) -> LanguageCode | None:
    """The code of a language that somebody may speak; `auto` says as little as nothing.

    Raises:
        ValueError: Palabra does not recognise it.
    """
    if language is None or base(language) == AUTO:
        return None

    code = base(language)
    if code not in SOURCE_LANGUAGES:
        raise ValueError(f'"{language}" is no language that Palabra recognises')

    return code
