"""A session at work: the voice up, words and tracks down, commands when they may."""
