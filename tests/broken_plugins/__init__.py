"""Plugins that fail before they are opened for any room: one module per way to do so."""
