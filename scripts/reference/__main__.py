"""Writes the page: `python -m scripts.reference`."""

from scripts.reference.page import write

write()
