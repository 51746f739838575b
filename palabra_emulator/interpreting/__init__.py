"""What a session makes of sound: utterances, their transcripts and translations, and speech."""
