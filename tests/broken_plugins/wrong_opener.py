"""Cannot be opened."""

from __future__ import annotations

from typing import Any, cast

from palabra_agent.plugin import Plugin
from tests.good_plugins.voices import Config

plugin = Plugin(Config, cast("Any", "open_voices"))


class Voices:
    """What somebody might name who forgot to write an opener."""


of_a_class = Plugin(Config, cast("Any", Voices))
