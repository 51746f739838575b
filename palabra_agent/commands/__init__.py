"""The commands by subject: what people type, and how they are told what went wrong. No logic."""
