"""`python -m palabra_agent` is the same as the `palabra-agent` command."""

from palabra_agent.cli import main

if __name__ == "__main__":
    main()
