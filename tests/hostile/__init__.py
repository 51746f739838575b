"""Participants, Palabra and plugins that want to do harm: what they say, and what they do."""
