"""Plugins as strangers write them, with the stock of pydantic."""
