"""The sections of Palabra's task that it does not document: known from its SDKs and their defaults.

None of it is sent unless somebody sets it, and none is checked beyond its type, since what the
server allows is not known. What they do is in their names at best.
"""

from __future__ import annotations

from typing import Annotated

from palabra_agent.config.fields import (
    Between,
    ConfigModel,
    Names,
    Number,
    SpokenCodes,
    Switch,
    Whole,
)

Share = Annotated[Number, Between(0, 1)]
Seconds = Annotated[Number, Between(0, 600)]
Count = Annotated[Whole, Between(0, 100_000)]


class Preprocessing(ConfigModel):
    """What happens to the sound before it is recognised; Palabra's JavaScript SDK sends it."""

    enable_vad: Switch | None = None
    """Undocumented: find out where speech is."""
    vad_threshold: Share | None = None
    """Undocumented: how sure that must be."""
    vad_left_padding: Seconds | None = None
    """Undocumented: seconds kept before speech."""
    vad_right_padding: Seconds | None = None
    """Undocumented: seconds kept after speech."""
    pre_vad_denoise: Switch | None = None
    """Undocumented: remove noise before."""
    pre_vad_dsp: Switch | None = None
    """Undocumented: filter before."""
    record_tracks: Names | None = None
    """Undocumented: names of tracks that Palabra is to keep; think of who is recorded."""
    auto_tempo: Switch | None = None
    """Undocumented."""
    normalize_audio: Switch | None = None
    """Undocumented: even out the loudness."""


class SplitterAdvanced(ConfigModel):
    """How sentences are cut."""

    force_split_min_characters: Count | None = None
    """Undocumented."""
    force_split_min_seconds: Seconds | None = None
    """Undocumented."""
    min_sentence_characters: Count | None = None
    """Undocumented."""
    min_sentence_seconds: Seconds | None = None
    """Undocumented."""
    min_split_interval: Seconds | None = None
    """Undocumented."""
    context_size: Count | None = None
    """Undocumented."""
    segments_after_restart: Count | None = None
    """Undocumented."""
    step_size: Count | None = None
    """Undocumented."""
    max_steps_without_eos: Count | None = None
    """Undocumented."""
    force_end_of_segment: Seconds | None = None
    """Undocumented."""


class FillerPhrases(ConfigModel):
    """Phrases spoken while a translation is awaited."""

    enabled: Switch | None = None
    """Undocumented."""
    min_transcription_len: Count | None = None
    """Undocumented."""
    min_transcription_time: Seconds | None = None
    """Undocumented."""
    phrase_chance: Share | None = None
    """Undocumented."""


class TranscriptionAdvanced(ConfigModel):
    """More about how speech is heard."""

    filler_phrases: FillerPhrases | None = None
    """Undocumented."""
    ignore_languages: SpokenCodes | None = None
    """Undocumented: languages that are not transcribed."""


class SpeechAdvanced(ConfigModel):
    """More about how a voice sounds."""

    f0_variance_factor: Annotated[Number, Between(0, 10)] | None = None
    """Undocumented: how much the pitch varies."""
    energy_variance_factor: Annotated[Number, Between(0, 10)] | None = None
    """Undocumented: how much the loudness varies."""
    with_custom_stress: Switch | None = None
    """Undocumented."""
