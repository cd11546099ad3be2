# `make` alone prints what there is. Each target makes .venv when it is missing or the lock changed;
# all that is asked of the machine is Python 3.11 or 3.12, make and a way to the package registries.
.DEFAULT_GOAL := help
.PHONY: help demo test test-unit test-integration test-e2e airflow bench lint format chaos up down env lock clean
.NOTPARALLEL:  # lint, then test; and one .venv
MAKEFLAGS += --no-print-directory
export PYTHON

READY := .venv/.ready
RUN := .venv/bin/python -m

help:
	@sed -n 's/^\([a-z0-9-]*\):[^#]*## /  make \1|/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-24s%s\n", $$1, $$2}'

demo: $(READY)  ## The main job, end to end: real flights from a bucket into Postgres, marts, a chart
	@$(RUN) include.local demo

test: $(READY)  ## All tests: unit, integration, end to end
	@$(RUN) pytest tests/unit tests/integration tests/e2e

test-unit: $(READY)  ## The tests that need no server (seconds)
	@$(RUN) pytest tests/unit

test-integration: $(READY)  ## The tests against real PostgreSQL and a real object store
	@$(RUN) pytest tests/integration

test-e2e: $(READY)  ## Every DAG by dag.test(), and one run under a real scheduler
	@$(RUN) pytest tests/e2e

airflow: $(READY)  ## Airflow's UI on this machine, with everything wired
	@$(RUN) include.local airflow

bench: $(READY)  ## Speed and memory of a load, beside psql's own \copy
	@$(RUN) tests.bench

lint: $(READY)  ## Format, lint, types, floors, workflows, lock
	@.ci/lint

format: $(READY)  ## Format the code and mend what can be mended
	@$(RUN) ruff check --fix --quiet . && $(RUN) ruff format .

chaos: $(READY)  ## The attacks on the promises, in full number
	@$(RUN) tests.chaos

up: $(READY)  ## Start the local services
	@$(RUN) include.local up

down: $(READY)  ## Stop the local services
	@$(RUN) include.local down

env: $(READY)  ## Print the exports that reach the running services: eval "$(make env)"
	@$(RUN) include.local env

lock: $(READY)  ## Resolve the requirements anew into requirements-dev.txt
	@$(RUN) uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command 'make lock' --output-file requirements-dev.txt requirements-dev.in

clean:  ## Stop the local services and remove what make made: .venv, .local, caches
	@.ci/clean

$(READY): requirements-dev.txt .ci/uv.txt .ci/venv .ci/python
	@.ci/venv
