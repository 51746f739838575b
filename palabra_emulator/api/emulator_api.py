"""`/emulator/`: the journal, the sessions and the faults, for tests and demos."""

from __future__ import annotations

import json

from aiohttp import web

from palabra_agent.errors import ConfigError
from palabra_emulator.faults.catalogue import (
    FAULTS,
    Fault,
    FaultWithVariants,
    common_parameters,
)
from palabra_emulator.faults.injection import FaultInjector
from palabra_emulator.faults.reading import read_fault
from palabra_emulator.journal import Journal
from palabra_emulator.session.registry import SessionRegistry
from palabra_emulator.session.session import EmulatedSession
from palabra_emulator.validation import Parameter


class EmulatorApi:
    """Shows the journal and the sessions, and takes faults; no credentials needed."""

    def __init__(
        self, registry: SessionRegistry, journal: Journal, injector: FaultInjector
    ) -> None:
        self._registry = registry
        self._journal = journal
        self._injector = injector

    def add_to(self, app: web.Application) -> None:
        """Serve it."""
        app.router.add_get("/emulator/journal", self._show_journal)
        app.router.add_get("/emulator/sessions", self._show_sessions)
        app.router.add_get("/emulator/sessions/{id}/heard.wav", self._show_sound)
        app.router.add_get("/emulator/faults", self._show_faults)
        app.router.add_post("/emulator/faults", self._arm)
        app.router.add_delete("/emulator/faults", self._withdraw_all)
        app.router.add_delete("/emulator/faults/{id}", self._withdraw)

    async def _show_journal(self, _request: web.Request) -> web.Response:
        text = "".join(f"{line}\n" for line in self._journal.lines())
        return web.Response(text=text, content_type="application/x-ndjson")

    async def _show_sessions(self, _request: web.Request) -> web.Response:
        sessions = [_session_facts(session) for session in self._registry.remembered()]
        return web.json_response({"sessions": sessions})

    async def _show_sound(self, request: web.Request) -> web.Response:
        for session in self._registry.remembered():
            if session.identity.session_id == request.match_info["id"]:
                return web.Response(body=session.recording.as_wav(), content_type="audio/wav")

        raise web.HTTPNotFound

    async def _show_faults(self, _request: web.Request) -> web.Response:
        return web.json_response(
            {
                "faults": [_fault_facts(fault) for fault in FAULTS],
                "for_all": {it.name: _parameter(it) for it in common_parameters()},
                "armed": [armed.facts() for armed in self._injector.armed],
            }
        )

    async def _arm(self, request: web.Request) -> web.Response:
        try:
            content: object = json.loads(await request.read())
        except (ValueError, RecursionError):
            return _refusal("The body is not valid JSON.")

        try:
            fault = read_fault(content)
        except ConfigError as error:
            problems = [{"field": it.path or "body", "reason": it.reason} for it in error.problems]
            text = str(error)
            return _refusal(text if text.endswith("?") else f"{text}.", problems=problems)

        return web.json_response(self._injector.arm(fault).facts(), status=201)

    async def _withdraw_all(self, _request: web.Request) -> web.Response:
        return web.json_response({"withdrawn": self._injector.withdraw_all()})

    async def _withdraw(self, request: web.Request) -> web.Response:
        armed_id = request.match_info["id"]
        if not self._injector.withdraw(armed_id):
            text = f'No fault is armed under the id "{armed_id}".'
            return web.json_response({"error": text}, status=404)

        return web.Response(status=204)


def _session_facts(session: EmulatedSession) -> dict[str, object]:
    task = session.task
    return {
        "id": session.identity.session_id,
        "number": session.identity.number,
        "state": session.state,
        "transport": session.transport,
        "room": session.identity.names.room,
        "billed_seconds": round(session.billed_seconds, 3),
        "marker_hz": session.identity.marker_hz,
        "source_language": task.transcription.source if task else None,
        "targets": list(task.targets) if task else [],
        "utterances": session.pipeline.utterances,
        "created_at": session.created_at,
        "ended_at": session.ended_at,
        "end_reason": session.end_reason,
    }


def _fault_facts(fault: type[Fault]) -> dict[str, object]:
    return {
        "fault": fault.id,
        "sentence": fault.sentence(),
        "appears": fault.appearance(),
        "on_websocket": fault.on_websocket or "The same.",
        "variants": fault.variants if issubclass(fault, FaultWithVariants) else {},
        "parameters": {it.name: _parameter(it) for it in fault.own_parameters()},
    }


def _parameter(parameter: Parameter) -> dict[str, object]:
    return {
        "meaning": parameter.meaning,
        "default": parameter.default,
        "allowed": parameter.allowed,
    }


def _refusal(text: str, **more: object) -> web.Response:
    return web.json_response({"error": text, **more}, status=422)
