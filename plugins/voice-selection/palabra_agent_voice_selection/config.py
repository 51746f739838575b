"""Config of a room: the rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Final

from pydantic import AfterValidator, Field

from palabra_agent.plugin import PluginConfig, VoiceRequest, same_language
from palabra_agent_voice_selection.fields import (
    Patterns,
    Spoken,
    Targets,
    covers,
    fits,
    fits_in_any_case,
    not_empty,
)
from palabra_agent_voice_selection.wanted import Voice

VOICE_ATTRIBUTE = "palabra.voice"
"""The participant attribute by which people, or the app's server, ask for a voice."""


_CONSENT: Final = (
    "is not said here: speakers agree themselves, or by their token, with the participant "
    "attribute `palabra.voice_consent`, set to `true`"
)


class Rule(PluginConfig):
    """A voice, and for whom it is: all conditions that are given must hold."""

    elsewhere: ClassVar[Mapping[str, str]] = {
        "identity": 'unknown key, did you mean "speaker"?',
        "participant": 'unknown key, did you mean "speaker"?',
        "language": 'unknown key, did you mean "target_language" or "source_language"?',
        "pool": 'belongs into the voice: {"voice": {"pool": […]}}',
        "clone": 'is a voice: {"voice": "clone"}',
        "consent": _CONSENT,
    }

    speaker: Patterns | None = None
    """Identity of the speaker, or a pattern such as `guest-*`, or a list of them."""
    name: Patterns | None = None
    """Display name, or a pattern, or a list; upper and lower case are the same. People choose
    their names, so that a name proves nothing."""
    attribute: Patterns | None = None
    """Value of the participant attribute `palabra.voice`, or a pattern, or a list; upper and lower
    case are the same. `*` is any value; where there is none, the condition does not hold."""
    source_language: Spoken | None = None
    """Language of the speaker, or a list, whatever the region. Does not hold while unknown."""
    target_language: Targets | None = None
    """The language in which the voice is heard, or a list: `es` means every Spanish, `es-mx` only
    that one."""
    voice: Voice
    """A voice id such as `default_high`; `clone`; `{"pool": [ids]}`; `{"attribute": [ids or
    patterns]}`: what the attribute `palabra.voice` asks for, if it is one of these; or one of these
    per language: `{"es": …, "default": …}`."""

    def applies(self, request: VoiceRequest) -> bool:
        """Tell if every condition holds."""
        return self._is_about_them(request) and self._is_about_their_languages(request)

    def _is_about_them(self, request: VoiceRequest) -> bool:
        speaker = request.speaker
        return (
            (self.speaker is None or fits(self.speaker, speaker.identity))
            and (self.name is None or fits_in_any_case(self.name, speaker.name))
            and (self.attribute is None or self._is_what_they_ask_for(self.attribute, request))
        )

    def _is_what_they_ask_for(self, patterns: Patterns, request: VoiceRequest) -> bool:
        value = request.speaker.attributes.get(VOICE_ATTRIBUTE, "").strip()
        return value != "" and fits_in_any_case(patterns, value)

    def _is_about_their_languages(self, request: VoiceRequest) -> bool:
        return (
            self.source_language is None or self._is_spoken(self.source_language, request)
        ) and (
            self.target_language is None or covers(self.target_language, request.target_language)
        )

    def _is_spoken(self, codes: Spoken, request: VoiceRequest) -> bool:
        spoken = request.speaker.source_language
        return spoken is not None and any(same_language(code, spoken) for code in codes)


class SelectionConfig(PluginConfig):
    """Voices by rules; the first rule that applies and can give its voice wins."""

    elsewhere: ClassVar[Mapping[str, str]] = {"consent": _CONSENT}

    rules: Annotated[
        tuple[Rule, ...], AfterValidator(not_empty), Field(json_schema_extra={"minItems": 1})
    ]
    """In the order of trying. A rule is passed over where its conditions do not hold, its voice is
    not available, or the speaker has not agreed to be cloned."""
