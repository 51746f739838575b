"""Palabra's session API over HTTP."""
