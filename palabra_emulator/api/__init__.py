"""The HTTP surface: Palabra's REST API, the way to its LiveKit server, and `/emulator/`."""
