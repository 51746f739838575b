# What a contributor types. Everything happens in .venv and a cache; `make setup` is part of each.

PYTHON ?= $(shell sh scripts/find-python)
ISOLATED = .venv/bin/python -m palabra_agent.local.isolation
PARALLEL ?= -n 4 --dist loadscope --no-loadscope-reorder
ARGS ?=

# tests start hundreds of processes, and each would compile all that it imports anew
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test test-sdks test-pages check bench docs page fix clean

help:
	@echo "make setup   what the others need: .venv, livekit-server, Debian packages (as root)"
	@echo 'make demo    a meeting with an interpreter, live in this terminal (ARGS="--check --isolated")'
	@echo 'make test    all tests, in four processes, each in a network namespace (ARGS="-k captions")'
	@echo "make check   format, lint, types"
	@echo 'make bench   the benchmarks (ARGS="delay load", ARGS="span --minutes 10")'
	@echo "make docs    write docs/configuration.md from the code"
	@echo "make page    build the listener's page from examples/listener-page"
	@echo "make fix     format, what lint can repair, and docs"
	@echo "make clean   remove what these made here (livekit-server and SDKs in the cache stay)"

setup:
	@PYTHON="$(PYTHON)" sh scripts/setup

demo: setup
	@.venv/bin/palabra-agent demo $(ARGS)

# inside the namespace no package index can be reached: Palabra's SDKs and npm's packages come before
test: setup
	@$(MAKE) --no-print-directory -j2 test-sdks test-pages
	@$(ISOLATED) .venv/bin/pytest $(PARALLEL) $(ARGS)

test-sdks:
	@.venv/bin/python -m tests.conformance.environments

test-pages:
	@.venv/bin/python -m tests.node

check: setup
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/pyright

# inside the namespace no package index can be reached: what is measured beside comes before
bench: setup
	@.venv/bin/python -m bench.pinch
	@.venv/bin/python -m bench.crowd
	@$(ISOLATED) .venv/bin/python -m bench $(ARGS)

docs: setup
	.venv/bin/python -m scripts.reference

page: setup
	@.venv/bin/python -m tests.node build

fix: setup
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .
	.venv/bin/python -m scripts.reference

clean:
	rm -rf examples/listener-page/node_modules tests/integration/livekit_hooks/node_modules
	rm -rf .venv dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
