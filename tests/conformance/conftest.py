"""The SDKs' interpreters: tests fail, and are never skipped, where they are not installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from palabra_agent.errors import SetupError
from palabra_agent.local.livekit_server import RunningLiveKit
from palabra_emulator.options import EmulatorOptions

from .environments import NEW, OLD, Sdk, installed_python
from .sdk_process import CurrentSdk


def _python_of(sdk: Sdk) -> Path:
    try:
        return installed_python(sdk)
    except SetupError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def old_sdk_python() -> Path:
    """The Python that has palabra-ai 0.6."""
    return _python_of(OLD)


@pytest.fixture(scope="session")
def new_sdk_python() -> Path:
    """The Python that has palabra-ai 2."""
    return _python_of(NEW)


@pytest.fixture
def options(livekit_server: RunningLiveKit) -> EmulatorOptions:
    """The emulator's options: the defaults, on any free port."""
    return EmulatorOptions(
        livekit_url=livekit_server.url,
        livekit_api_key=livekit_server.api_key,
        livekit_api_secret=livekit_server.api_secret,
        port=0,
    )


@pytest.fixture
def sdk(new_sdk_python: Path, tmp_path: Path, options: EmulatorOptions) -> CurrentSdk:
    """palabra-ai 2, ready to talk."""
    return CurrentSdk(new_sdk_python, tmp_path, options)
