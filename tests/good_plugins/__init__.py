"""Plugins as other authors write them, with the stock of pydantic."""
