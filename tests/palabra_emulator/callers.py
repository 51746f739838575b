"""Callers of the emulator's HTTP surface."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from palabra_emulator.options import EmulatorOptions
from tests.palabra_emulator.client import CREDENTIALS
from tests.palabra_emulator.fakes import OPTIONS, FakeLiveKit, fake_emulator

STORAGE = "/session-storage"


@dataclass(slots=True)
class Answer:
    """What came back."""

    status: int
    body: Any
    headers: Mapping[str, str]


@dataclass(slots=True)
class Caller:
    """A client of the REST API."""

    livekit: FakeLiveKit
    url: str
    http: aiohttp.ClientSession

    async def call(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] = CREDENTIALS,
    ) -> Answer:
        """Ask something."""
        sent = body if isinstance(body, bytes) else json.dumps(body).encode() if body else None
        async with self.http.request(method, path, data=sent, headers=headers) as answer:
            text = await answer.text()
            is_json = answer.content_type == "application/json" and text
            return Answer(answer.status, json.loads(text) if is_json else text, answer.headers)

    async def create(self, **wishes: object) -> dict[str, Any]:
        """Create a session."""
        answer = await self.call("POST", f"{STORAGE}/session", {"data": wishes})
        assert answer.status == 201
        assert answer.body["ok"] is True
        return answer.body["data"]  # type: ignore[no-any-return]


@asynccontextmanager
async def caller(options: EmulatorOptions = OPTIONS) -> AsyncGenerator[Caller]:
    """Have an emulator and a client of it."""
    livekit = FakeLiveKit()
    async with (
        fake_emulator(livekit, options) as emulator,
        aiohttp.ClientSession(emulator.url) as http,
    ):
        yield Caller(livekit, emulator.url, http)
