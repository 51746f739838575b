"""Works, and talks about it."""

from tests.good_plugins.voices import plugin

print("hello from a plugin")  # noqa: T201 - that is the point

__all__ = ["plugin"]
