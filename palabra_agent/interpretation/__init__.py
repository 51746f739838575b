"""The heart: who is interpreted into what, by which scopes. Free of LiveKit and Palabra."""
