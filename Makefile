# `make` without a target prints the list of targets. Each target makes .venv first, if it is missing or
# the lock has changed. The machine needs Python 3.11 or 3.12, make, and access to the package registries.
.DEFAULT_GOAL := help
.PHONY: help demo test test-unit test-integration test-e2e airflow lessons celery celery-down screenshots bench memory bench-beside bench-dirty bench-formats bench-merge bench-plain bench-polluted bench-celery lint format chaos up down env lock clean docker docker-down test-celery test-containers reports training-image audit .venv
.NOTPARALLEL:  # `make lint test` must run one after the other, and make .venv once
MAKEFLAGS += --no-print-directory
export PYTHON
unexport CDPATH  # with it cd may lead to another folder
# With this variable Python writes no bytecode, and each of Airflow's programs compiles for two seconds.
# git ignores the bytecode.
unexport PYTHONDONTWRITEBYTECODE

# The system's list of certificates may have those of a company. uv's built-in list does not.
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem),)
export UV_SYSTEM_CERTS := 1
endif

RUN := .venv/bin/python -m

help:
	@awk -F ':[^#]*## ' '/^## / {print (n++ ? "\n" : "") substr($$0, 4)} /^[a-z0-9-]+:[^#]*## / {printf "  make %-19s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

## Run it
demo: .venv  ## Real flights from a bucket into Postgres, marts, a chart
	@$(RUN) include.local demo

up: .venv  ## Start the local services
	@$(RUN) include.local up

down: .venv  ## Stop the local services
	@$(RUN) include.local down

env: .venv  ## Print how to reach them: eval "$(make -s env)"
	@$(RUN) include.local env

airflow: .venv  ## Airflow's UI on this machine, with all connections
	@$(RUN) include.local airflow

lessons: .venv  ## Run every lesson on a real Airflow; one: L=xcom or L=9
	@$(RUN) include.local lessons $(L)

celery: .venv  ## CeleryExecutor with two workers (needs Docker)
	@$(RUN) include.local celery

celery-down: .venv  ## Stop the Celery stack and remove its volumes
	@$(RUN) include.local celery-down

reports: .venv  ## The report service: an API, a Celery worker, Flower
	@$(RUN) include.local reports

clean:  ## Stop the local services, remove .venv, .local and caches
	@.ci/clean

## Test it
# One process alone takes longer for the integration and the end-to-end tests than a job of the workflow may.
WORKERS := -n 3 --max-worker-restart=0

test: .venv  ## All tests: unit, integration, end to end
	@$(RUN) pytest $(WORKERS) tests/e2e tests/integration tests/unit tests/project

test-unit: .venv  ## The tests that need no server (seconds)
	@$(RUN) pytest tests/unit tests/project

test-integration: .venv  ## The tests against real PostgreSQL and an object store
	@$(RUN) pytest $(WORKERS) tests/integration

test-e2e: .venv  ## Every DAG by dag.test(), one with a real scheduler
	@$(RUN) pytest $(WORKERS) tests/e2e

# Another PostgreSQL or another object store can change their outcome. The other integration tests are
# about files, commands and Airflow, or have many cases of one thing, and run with the embedded servers
# only: `make test-containers ON_SERVERS=tests/integration/landfall` runs all of them in containers.
ON_SERVERS := $(patsubst %,tests/integration/landfall/test_%.py,check check_roles export fault_connections \
	fault_types faults judge law ledger load merge replay target types writing)

CELERY := tests/containers/test_celery.py
IN_CONTAINERS := $(filter-out $(CELERY),$(wildcard tests/containers/test_*.py))

test-celery: .venv  ## The tests of the Celery stack: they kill its parts
	@LANDFALL_TEST_SERVICES=containers $(RUN) pytest $(CELERY)

test-containers: .venv  ## The tests against containers, and those of the images
	@LANDFALL_TEST_SERVICES=containers $(RUN) pytest -n 2 --max-worker-restart=0 $(IN_CONTAINERS) tests/integration/plugins $(ON_SERVERS)

docker:  ## Start Docker where it does not run; pull or build images
	@tests/images/docker-up

docker-down:  ## Stop the Docker engine that `make docker` started
	@tests/images/docker-down

## Make pictures and images
screenshots: .venv  ## Take the pictures of Airflow's UI again (needs Chromium)
	@$(RUN) include.local screenshots

training-image:  ## Build the image that trains the model (needs Docker)
	@docker build -t landfall/training:local include/training

## Measure and attack it
bench: .venv  ## Speed and memory of a load beside psql's \copy
	@$(RUN) tests.bench

bench-dirty: .venv  ## Loads of files with bad rows beside the clean file
	@$(RUN) tests.bench.dirty

bench-formats: .venv  ## Other formats beside the CSV: A="--only JSON"
	@$(RUN) tests.bench.formats $(A)

bench-plain: .venv  ## load_file of the Astro SDK without a feed, beside a feed
	@$(RUN) tests.bench.plain

bench-merge: .venv  ## An upsert beside SQL by hand: A="--rows 1000000"
	@$(RUN) tests.bench.merge $(A)

memory: .venv  ## The memory of a load, for each shape that attacks it
	@$(RUN) tests.bench.memory

bench-beside: .venv  ## Loads of this checkout beside a commit: COMMIT=main~1
	@$(RUN) tests.bench.beside $(COMMIT)

bench-polluted: .venv  ## Read thousands of polluted files, DuckDB beside
	@$(RUN) tests.bench.polluted

bench-celery: .venv  ## One worker, and two (needs Docker)
	@$(RUN) tests.bench.workers

chaos: .venv  ## Attack: kill processes, cut connections, restart servers
	@$(RUN) tests.chaos

## Change it
lint: .venv  ## Check format, lint, types, import rules, workflows, lock
	@.ci/lint

format: .venv  ## Format the code, and fix what ruff can fix
	@$(RUN) ruff check --fix --quiet . && $(RUN) ruff format .

audit: .venv  ## Known vulnerabilities of the locked packages (asks PyPI)
	@$(RUN) pip_audit --strict --require-hashes --disable-pip --progress-spinner off -r requirements-dev.txt -r include/training/requirements.txt -r .ci/uv.txt

lock: .venv  ## Resolve the requirements again: all locks
	@.ci/lock

.venv:
	@.ci/venv
