"""The emulator as a whole: how it starts and ends."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from palabra_agent.errors import SetupError
from palabra_emulator.interpreting.recording import open_recording
from tests.palabra_emulator.callers import caller
from tests.palabra_emulator.client import create_session
from tests.palabra_emulator.fakes import OPTIONS, FakeLiveKit, fake_emulator

pytestmark = pytest.mark.unit


async def test_leaving_ends_every_session() -> None:
    """At the end all sessions are over and all rooms closed."""
    async with caller() as api:
        await api.create()
        await api.create()
        livekit = api.livekit

    assert livekit.rooms.open == set()
    assert [transport.is_closed for transport in livekit.transports] == [True, True]


async def test_failure_of_the_block_stays_what_it_is() -> None:
    """An exception raised while the emulator runs leaves it unwrapped, and sessions are ended."""
    livekit = FakeLiveKit()

    async def fail_with_a_session() -> None:
        async with fake_emulator(livekit) as emulator:
            await create_session(emulator.url)
            raise LookupError

    with pytest.raises(LookupError):
        await fail_with_a_session()

    assert livekit.rooms.open == set()


async def test_taken_port_is_said() -> None:
    """A port in use is a sentence that names it."""
    async with caller() as api:
        port = int(api.url.rpartition(":")[2])
        with pytest.raises(SetupError, match=rf"cannot listen on 127\.0\.0\.1:{port}"):
            async with fake_emulator(FakeLiveKit(), replace(OPTIONS, port=port)):
                pass


async def test_folder_for_recordings_is_made_at_the_start(tmp_path: Path) -> None:
    """A folder that cannot be made is told before anything is served."""
    (tmp_path / "file").write_text("")
    options = replace(OPTIONS, record_input=tmp_path / "file" / "folder")

    with pytest.raises(SetupError, match="record_input"):
        async with fake_emulator(FakeLiveKit(), options):
            pass

    good = replace(OPTIONS, record_input=tmp_path / "folder")
    assert open_recording(good, "000-room") is not None


async def test_host_that_is_no_name_is_refused_in_words() -> None:
    """A host that no resolver takes is a mistake in the settings."""
    with pytest.raises(SetupError, match="cannot listen"):
        async with fake_emulator(FakeLiveKit(), replace(OPTIONS, host="aé..b")):
            pass
