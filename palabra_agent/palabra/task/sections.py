"""The sections of Palabra's task that a room may choose, field by field.

Palabra's names, our defaults, and the values that Palabra documents as allowed. Fields that it does
not document say so: they are known from its SDKs and their defaults, are sent only where they are
set, and are checked for their type alone, since what the server allows is not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Final, Literal

from pydantic import AfterValidator, JsonValue, ValidationInfo, field_validator

from palabra_agent.config.fields import (
    Between,
    ConfigModel,
    Name,
    Names,
    Number,
    SpokenCodes,
    Switch,
    Whole,
    refusal,
)

Share = Annotated[Number, Between(0, 1)]
Seconds = Annotated[Number, Between(0, 600)]
Count = Annotated[Whole, Between(0, 100_000)]

OPUS_RATES: Final = frozenset({16_000, 24_000, 48_000})
"""Sample rates that Opus has, of those that Palabra takes."""


def _one_voice(value: tuple[str, ...]) -> tuple[str, ...]:
    if len(value) != 1:
        raise refusal(f"must hold exactly one voice id, not {len(value)}")
    return value


VoiceId = Name
OneVoice = Annotated[tuple[VoiceId, ...], AfterValidator(_one_voice)]


class VoiceTimbreDetection(ConfigModel):
    """The voices that answer a high and a low one."""

    enabled: Switch = False
    """Choose the voice by the speaker's timbre; excludes `voice_cloning`."""
    high_timbre_voices: OneVoice = ("default_high",)
    """One voice id."""
    low_timbre_voices: OneVoice = ("default_low",)
    """One voice id."""


class SpeechAdvanced(ConfigModel):
    """The sound of a voice, in detail."""

    f0_variance_factor: Annotated[Number, Between(0, 10)] | None = None
    """Undocumented: how much the pitch varies."""
    energy_variance_factor: Annotated[Number, Between(0, 10)] | None = None
    """Undocumented: how much the loudness varies."""
    with_custom_stress: Switch | None = None
    """Undocumented."""


class SpeechGeneration(ConfigModel):
    """The voice of one target."""

    voice_cloning: Switch = False
    """Imitate the voice of speakers who have agreed to it, after 10 to 20 seconds of speech."""
    voice_id: VoiceId | None = "default_low"
    """A voice of Palabra's or your own; excludes `voice_cloning`."""
    voice_timbre_detection: VoiceTimbreDetection = VoiceTimbreDetection()
    """A voice by the timbre of the speaker; where it is enabled, it wins over `voice_id`."""
    tts_model: Name | None = None
    """Undocumented: the model that speaks, such as `auto`."""
    voice_cloning_mode: Name | None = None
    """Undocumented: `static_5` and `static_10` are known."""
    denoise_voice_samples: Switch | None = None
    """Undocumented: clean what a voice is cloned from."""
    speech_tempo_auto: Switch | None = None
    """Undocumented, and superseded by the queue's `auto_tempo`."""
    speech_tempo_timings_factor: Annotated[Number, Between(0, 10)] | None = None
    """Undocumented."""
    speech_tempo_adjustment_factor: Annotated[Number, Between(0, 10)] | None = None
    """Undocumented."""
    advanced: SpeechAdvanced | None = None
    """Undocumented."""


class Translation(ConfigModel):
    """The settings of one target."""

    elsewhere: ClassVar[Mapping[str, str]] = {
        "target_language": "the key of this entry is the target language; leave this out"
    }

    translate_partial_transcriptions: Switch | None = None
    """Translate before the sentence is confirmed; left out: as `captions.partials` says."""
    allow_translation_glossaries: Switch | None = None
    """Apply the account's enabled glossaries."""
    allowed_translation_glossary_ids: Names | None = None
    """Apply these only."""
    speech_generation: SpeechGeneration = SpeechGeneration()
    allowed_source_languages: SpokenCodes | None = None
    """Undocumented: with `auto`, only what is said in these is translated into this target."""
    translation_model: Name | None = None
    """Undocumented: `auto` and `alpha` are known."""
    style: Name | None = None
    """Undocumented: free text; `church_catholic` was seen to work."""
    advanced: dict[str, JsonValue] | None = None
    """Undocumented: nothing is known of what may stand here."""


class TranslationQueueConfig(ConfigModel):
    """The lag that speech may have, and the tempo at which it may catch up."""

    desired_queue_level_ms: Annotated[Whole, Between(1, 600_000)] = 6_000
    """Unspoken speech that is aimed at; Palabra recommends 6000 to 8000."""
    max_queue_level_ms: Annotated[Whole, Between(1, 600_000)] = 20_000
    """Above this the oldest is dropped; more than `desired_queue_level_ms`, best 2 to 3 times."""
    auto_tempo: Switch = True
    """Talk faster or slower to keep the desired level."""
    min_tempo: Annotated[Number, Between(0.1, 10)] = 1.0
    """Slowest."""
    max_tempo: Annotated[Number, Between(0.1, 10)] = 1.3
    """Fastest; not below `min_tempo`."""
    auto_tempo_max_delay_ms: Annotated[Whole, Between(0, 600_000)] | None = None
    """Undocumented."""
    tempo_decay: Annotated[Number, Between(0, 10)] | None = None
    """Undocumented."""
    tempo_smoothing: Annotated[Number, Between(0, 10)] | None = None
    """Undocumented."""


class SplitterAdvanced(ConfigModel):
    """The cutting of sentences, in detail."""

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


class SentenceSplitter(ConfigModel):
    """The cutting of long sentences, so that they are spoken sooner."""

    enabled: Switch = True
    """Cut them; a cut within a clause sometimes repeats words."""
    splitter_model: Name | None = None
    """Undocumented: such as `auto`."""
    advanced: SplitterAdvanced | None = None
    """Undocumented."""


class Verification(ConfigModel):
    """Correction of transcriptions by a language model."""

    auto_transcription_correction: Switch = False
    """Correct transcriptions; Palabra calls it unfinished."""
    transcription_correction_style: Name | None = None
    """The style of the corrections."""
    allow_verification_glossaries: Switch | None = None
    """Apply the account's enabled glossaries there."""
    allowed_verification_glossary_ids: Names | None = None
    """Apply these only."""
    verification_model: Name | None = None
    """Undocumented: such as `auto`."""


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
    """The recognition of speech, in detail."""

    filler_phrases: FillerPhrases | None = None
    """Undocumented."""
    ignore_languages: SpokenCodes | None = None
    """Undocumented: languages that are not transcribed."""


class Transcription(ConfigModel):
    """The recognition of speech."""

    elsewhere: ClassVar[Mapping[str, str]] = {
        "source_language": (
            "is not said here but by `source_language` and `speakers` of the room config"
        ),
        "detectable_languages": "is not said here but by `spoken_languages` of the room config",
    }

    segment_confirmation_silence_threshold: Annotated[Number, Between(0.3, 2.0)] = 0.7
    """Seconds of silence that end a sentence."""
    sentence_splitter: SentenceSplitter = SentenceSplitter()
    verification: Verification = Verification()
    allow_hotwords_glossaries: Switch | None = None
    """Listen for the words of the account's enabled glossaries."""
    allowed_hotwords_glossary_ids: Names | None = None
    """Of these only."""
    asr_model: Name | None = None
    """Undocumented: `auto` and `alpha` are known."""
    denoise: Literal["none", "alpha", "beta"] | None = None
    """Undocumented, but for what the server says that it permits."""
    priority: Literal["speed", "normal", "quality"] | None = None
    """Undocumented, but for what the server says that it permits."""
    supress_numeral_tokens: Switch | None = None
    """Undocumented: as newer SDKs spell it."""
    suppress_numeral_tokens: Switch | None = None
    """Undocumented: as an older page of the documentation spells it."""
    diarize_speakers: Switch | None = None
    """Undocumented: tell speakers apart."""
    speakers_total: Annotated[Whole, Between(1, 100)] | None = None
    """Undocumented: how many there are."""
    min_alignment_score: Annotated[Number, Between(0, 1)] | None = None
    """Undocumented."""
    max_alignment_cer: Annotated[Number, Between(0, 1)] | None = None
    """Undocumented."""
    only_confirm_by_silence: Switch | None = None
    """Undocumented: end sentences at pauses alone."""
    batched_inference: Switch | None = None
    """Undocumented."""
    force_detect_language: Switch | None = None
    """Undocumented."""
    calculate_voice_loudness: Switch | None = None
    """Undocumented."""
    advanced: TranscriptionAdvanced | None = None
    """Undocumented."""


class Preprocessing(ConfigModel):
    """The treatment of sound before it is recognised; Palabra's JavaScript SDK sends it."""

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


class WebSocketFormat(ConfigModel):
    """Audio formats of the WebSocket transport."""

    format: Literal["pcm_s16le", "wav", "opus"] = "pcm_s16le"
    """Sound that we send."""
    sample_rate: Annotated[Whole, Between(16_000, 48_000)] = 24_000
    """Of what we send; with `opus` 16000, 24000 or 48000."""
    channels: Annotated[Whole, Between(1, 2)] = 1
    """Of what we send; ours is one channel, repeated for the second."""
    output_format: Literal["pcm_s16le", "zlib_pcm_s16le"] = "pcm_s16le"
    """Sound that we get; always 24 kHz, one channel."""
    chunk_ms: Annotated[Whole, Between(40, 2_000)] = 320
    """Milliseconds per message; Palabra recommends 320 and takes no very small ones."""

    @field_validator("sample_rate")
    @classmethod
    def _rate_of_format(cls, rate: int, info: ValidationInfo) -> int:
        if info.data.get("format") == "opus" and rate not in OPUS_RATES:
            allowed = ", ".join(map(str, sorted(OPUS_RATES)))
            raise refusal(f"must be one of {allowed} with opus, not {rate}")

        return rate
