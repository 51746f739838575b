"""The process that serves many rooms: registers with LiveKit, and takes its jobs."""
