"""Has everything but a recipe."""

from palabra_agent.plugin import Plugin

plugin = {"config_model": dict}
the_class = Plugin
