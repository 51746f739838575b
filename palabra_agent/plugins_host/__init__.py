"""Strangers' code in our rooms: found, checked, opened, asked and closed, each behind a fence."""
