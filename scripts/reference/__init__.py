"""Writes docs/configuration.md from the models that check configurations: `make docs`."""
