"""Interpreting: utterances heard in sound, their transcripts and translations, and speech."""
