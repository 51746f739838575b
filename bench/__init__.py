"""Measures what palabra-agent costs and how fast it is, on this machine, with everything real."""
