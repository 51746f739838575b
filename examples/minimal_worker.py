"""The worker from your own code: `palabra-agent start`, with settings of your choice.

Run it with LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET and Palabra's credentials set. It is
asked into a room by its name: `palabra-agent dispatch my-room --agent-name interpreter`.
"""

from __future__ import annotations

import asyncio
import sys

from palabra_agent.config.settings import load_settings
from palabra_agent.errors import PalabraAgentError
from palabra_agent.worker.log import set_up_logging
from palabra_agent.worker.server import run_worker


def main() -> None:
    """Serve rooms until SIGTERM or Ctrl-C."""
    try:
        settings = load_settings(agent_name="interpreter", port=0)
        set_up_logging()
        asyncio.run(run_worker(settings))
    except PalabraAgentError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
