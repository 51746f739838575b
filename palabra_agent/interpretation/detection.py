"""The language that a speaker on `auto` speaks, as Palabra hears it. Pure."""

from __future__ import annotations

from palabra_agent.languages import AUTO, LanguageCode, base, find_source
from palabra_agent.session import Transcript


class LanguageDetection:
    """Tells a speaker's language when two finished utterances in a row agree on it.

    Palabra mishears: a name, a quotation or a cough makes one utterance of another language, and
    partial words change theirs from moment to moment. Other targets and tracks for each of these
    would cost the listeners words.
    """

    def __init__(self) -> None:
        self._language = LanguageCode("")
        """Of the utterance that was finished last."""
        self._utterance = ""

    def hear(self, transcript: Transcript) -> LanguageCode | None:
        """Take in a transcript; return the language that it and the utterance before agree on.

        Parts of one utterance, and what is told of it again, are one utterance. One whose language
        Palabra does not name, or that is said to be `auto`, counts for nothing.
        """
        heard = find_source(transcript.language) or base(transcript.language)
        if transcript.is_translation or not transcript.is_final or heard in {"", AUTO}:
            return None

        is_another = transcript.transcription_id != self._utterance
        has_agreed = is_another and heard == self._language
        self._language, self._utterance = heard, transcript.transcription_id
        return heard if has_agreed else None
