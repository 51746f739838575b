"""The worker's own part around LiveKit Agents: waiting for LiveKit, its name, and its port."""

from __future__ import annotations

import asyncio
import errno
import os
import signal

import pytest
from livekit.agents import AgentServer, JobRequest
from livekit.agents.job import JobAcceptArguments, RunningJobInfo
from livekit.protocol import agent, models

from palabra_agent.config.settings import WorkerSettings, load_settings
from palabra_agent.errors import SetupError
from palabra_agent.plugins_host.configuring import DEFAULT_DEADLINES
from palabra_agent.worker.server import accept_job, build_server, is_made_anew, run_worker, serve
from tests.environment import environment

pytestmark = pytest.mark.unit


def settings_for(url: str) -> WorkerSettings:
    """A worker's settings for a LiveKit at an address."""
    variables = {
        "LIVEKIT_URL": url,
        "LIVEKIT_API_KEY": "key",
        "LIVEKIT_API_SECRET": "s" * 40,
        "PALABRA_CLIENT_ID": "client",
        "PALABRA_CLIENT_SECRET": "secret",
    }
    with environment(variables):
        return load_settings()


class FailingServer(AgentServer):
    """A server to which the system refuses something."""

    def __init__(self, number: int) -> None:
        super().__init__(ws_url="ws://127.0.0.1:9", api_key="key", api_secret="s" * 40)
        self.number = number

    async def run(self, *, devmode: bool = False, unregistered: bool = False) -> None:
        """Fail at once."""
        raise OSError(self.number, "the library's own text")


class IdleServer(FailingServer):
    """A server that is in no room yet."""

    @property
    def active_jobs(self) -> list[RunningJobInfo]:
        """None."""
        return []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_is_heeded_while_livekit_is_silent(number: signal.Signals) -> None:
    """A LiveKit that takes the question and never answers does not delay the end of the worker."""
    hung_up = asyncio.Event()

    async def be_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        os.kill(os.getpid(), number)
        await reader.read()
        writer.close()
        hung_up.set()

    server = await asyncio.start_server(be_silent, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    # it would wait five seconds for the answer
    async with server, asyncio.timeout(4):
        await run_worker(settings_for(f"ws://{host}:{port}"))
        await hung_up.wait()


@pytest.mark.parametrize(
    ("number", "host", "sentence"),
    [
        (
            errno.EADDRINUSE,
            "",
            "port 8081 of the health server: address already in use; choose another",
        ),
        (errno.EACCES, "", "port 8081 of the health server: permission denied; choose another"),
        (
            errno.EADDRNOTAVAIL,
            "192.0.2.1",
            "port 8081 of the health server at 192.0.2.1: cannot assign requested address; "
            "choose another",
        ),
        (errno.EMFILE, "", "the worker cannot go on: too many open files"),
        (errno.EPIPE, "", "the worker cannot go on: broken pipe"),
    ],
)
async def test_only_the_port_s_errors_are_told_as_the_port_s(
    number: int, host: str, sentence: str
) -> None:
    """Another port does not help where the system lacks something else."""
    settings = settings_for("ws://127.0.0.1:9").model_copy(update={"host": host})
    with pytest.raises(SetupError) as caught:
        await serve(FailingServer(number), settings)

    assert str(caught.value) == sentence


@pytest.mark.parametrize("variable", ["LIVEKIT_AGENT_NAME", "LIVEKIT_AGENT_NAME_OVERRIDE"])
def test_livekit_s_own_variables_do_not_name_the_worker(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The settings do; otherwise `dispatch` would ask for somebody else."""
    monkeypatch.setenv(variable, "somebody-else")
    server = build_server(settings_for("ws://127.0.0.1:9"))

    assert vars(server)["_agent_name"] == "palabra-interpreter"


async def test_a_job_is_accepted_as_an_agent_that_is_coming() -> None:
    """LiveKit's clients see from the first moment on that the agent initializes."""
    accepted: list[JobAcceptArguments] = []

    async def on_accept(arguments: JobAcceptArguments) -> None:
        accepted.append(arguments)

    async def on_reject(_terminate: bool) -> None:
        raise AssertionError

    job = agent.Job(id="AJ_1", room=models.Room(name="board", sid="RM_1"))
    request = JobRequest(job=job, on_reject=on_reject, on_accept=on_accept)
    await accept_job(settings_for("ws://127.0.0.1:9"), IdleServer(errno.EMFILE), request)

    assert [it.attributes for it in accepted] == [
        {
            "palabra.state": "starting",
            "palabra.synthetic": "true",
            "lk.agent.state": "initializing",
        }
    ]


def test_health_is_served_where_the_settings_say() -> None:
    """On all addresses of the machine, unless one is named."""
    settings = settings_for("ws://127.0.0.1:9")
    local = settings.model_copy(update={"host": "127.0.0.1"})

    assert vars(build_server(settings))["_host"] == ""
    assert vars(build_server(local))["_host"] == "127.0.0.1"


def test_a_process_has_time_to_load_its_plugins() -> None:
    """One that is killed for a slow plugin would be replaced by the next such, for ever."""
    server = build_server(settings_for("ws://127.0.0.1:9"))

    assert vars(server)["_initialize_process_timeout"] > 2 * DEFAULT_DEADLINES.total


@pytest.mark.parametrize(
    ("ours", "expected"),
    [
        ([], False),
        ([("board", "RM_1")], True),
        ([("board", "RM_2")], False),
        ([("other", "RM_1")], False),
        ([("other", "RM_3"), ("board", "RM_1")], True),
    ],
)
def test_a_room_that_was_made_anew_is_recognised(
    ours: list[tuple[str, str]], *, expected: bool
) -> None:
    """By its name in one of our jobs, under another sid; a second call into one room is none."""
    jobs = [agent.Job(room=models.Room(name=name, sid=sid)) for name, sid in ours]

    assert is_made_anew(models.Room(name="board", sid="RM_2"), jobs) is expected
