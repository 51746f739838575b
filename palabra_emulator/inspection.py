"""`/emulator/`: what the emulator tells about itself, for tests and demos."""

from __future__ import annotations

from aiohttp import web

from palabra_emulator.journal import Journal
from palabra_emulator.registry import Registry
from palabra_emulator.session import Session


class Inspection:
    """The journal and the sessions over HTTP; no credentials needed."""

    def __init__(self, registry: Registry, journal: Journal) -> None:
        self._registry = registry
        self._journal = journal

    def add_to(self, app: web.Application) -> None:
        """Serve it."""
        app.router.add_get("/emulator/journal", self._show_journal)
        app.router.add_get("/emulator/sessions", self._show_sessions)
        app.router.add_get("/emulator/sessions/{id}/heard.wav", self._show_sound)

    async def _show_journal(self, _request: web.Request) -> web.Response:
        text = "".join(f"{line}\n" for line in self._journal.lines())
        return web.Response(text=text, content_type="application/x-ndjson")

    async def _show_sessions(self, _request: web.Request) -> web.Response:
        sessions = [_described(session) for session in self._registry.remembered()]
        return web.json_response({"sessions": sessions})

    async def _show_sound(self, request: web.Request) -> web.Response:
        for session in self._registry.remembered():
            if session.identity.session_id == request.match_info["id"]:
                return web.Response(body=session.recording.as_wav(), content_type="audio/wav")

        raise web.HTTPNotFound


def _described(session: Session) -> dict[str, object]:
    task = session.task
    return {
        "id": session.identity.session_id,
        "number": session.identity.number,
        "state": session.state,
        "transport": session.transport,
        "room": session.identity.place.room,
        "billed_seconds": round(session.billed_seconds, 3),
        "marker_hz": session.identity.marker_hz,
        "source_language": task.source if task else None,
        "targets": list(task.targets) if task else [],
        "utterances": session.pipeline.utterances,
        "created_at": session.created_at,
        "ended_at": session.ended_at,
        "end_reason": session.end_reason,
    }
