"""`/emulator/faults`: the catalogue, what is armed, and the wishes of whoever tests something."""

from __future__ import annotations

import json

from aiohttp import web

from palabra_agent.errors import ConfigError
from palabra_emulator.faults.catalogue import FAULTS
from palabra_emulator.faults.injection import Injection
from palabra_emulator.faults.kinds import Fault
from palabra_emulator.faults.orders import COMMON_PARAMETERS, read_order
from palabra_emulator.faults.parameters import Parameter


class FaultDesk:
    """Takes and shows orders over HTTP; no credentials needed."""

    def __init__(self, injection: Injection) -> None:
        self._injection = injection

    def add_to(self, app: web.Application) -> None:
        """Serve it."""
        app.router.add_get("/emulator/faults", self._show)
        app.router.add_post("/emulator/faults", self._arm)
        app.router.add_delete("/emulator/faults", self._withdraw_all)
        app.router.add_delete("/emulator/faults/{id}", self._withdraw)

    async def _show(self, _request: web.Request) -> web.Response:
        return web.json_response(
            {
                "faults": [_described(fault) for fault in FAULTS],
                "for_all": {it.name: _parameter(it) for it in COMMON_PARAMETERS},
                "armed": [armed.described() for armed in self._injection.armed],
            }
        )

    async def _arm(self, request: web.Request) -> web.Response:
        try:
            content: object = json.loads(await request.read())
        except (ValueError, RecursionError):
            return _refusal("The body is not valid JSON.")

        try:
            order = read_order(content)
        except ConfigError as error:
            problems = [{"field": it.path or "body", "reason": it.reason} for it in error.problems]
            text = str(error)
            return _refusal(text if text.endswith("?") else f"{text}.", problems=problems)

        return web.json_response(self._injection.arm(order).described(), status=201)

    async def _withdraw_all(self, _request: web.Request) -> web.Response:
        return web.json_response({"withdrawn": self._injection.withdraw_all()})

    async def _withdraw(self, request: web.Request) -> web.Response:
        armed_id = request.match_info["id"]
        if not self._injection.withdraw(armed_id):
            text = f'No fault is armed under the id "{armed_id}".'
            return web.json_response({"error": text}, status=404)

        return web.Response(status=204)


def _refusal(text: str, **more: object) -> web.Response:
    return web.json_response({"error": text, **more}, status=422)


def _described(fault: Fault) -> dict[str, object]:
    variants = {it.name: it.meaning for it in fault.variants if it.name}
    return {
        "fault": fault.id,
        "sentence": fault.sentence,
        "appears": fault.appears,
        "on_websocket": fault.on_websocket or "The same.",
        "variants": variants,
        "parameters": {it.name: _parameter(it) for it in fault.all_parameters},
    }


def _parameter(parameter: Parameter) -> dict[str, object]:
    return {
        "meaning": parameter.meaning,
        "default": parameter.default,
        "allowed": str(parameter.domain),
    }
