"""How Docker and compose are called, and the errors when they cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.local.celery import docker
from include.local.celery.docker import Compose, compose_program, require_docker
from include.local.state import LocalError


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A PATH that has only the programs that a test puts there."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def put(name: str, script: str) -> None:
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    return put


def test_without_docker_it_says_what_to_do(programs):
    with pytest.raises(LocalError, match="no Docker on this machine") as error:
        require_docker()
    assert "make docker" in str(error.value)


def test_an_engine_that_does_not_answer_is_another_error(programs):
    programs("docker", "exit 1")
    with pytest.raises(LocalError, match="no Docker engine answers"):
        require_docker()


def test_compose_2_goes_before_1_29(programs):
    programs("docker-compose", "exit 0")
    programs("docker", '[ "$1" = compose ]')
    assert compose_program() == ["docker", "compose"]


def test_compose_1_29_is_used_where_the_newer_is_missing(programs):
    programs("docker-compose", "exit 0")
    programs("docker", "exit 1")
    assert compose_program() == ["docker-compose"]


def test_no_compose_at_all_is_an_error(programs):
    programs("docker", "exit 1")
    with pytest.raises(LocalError, match="there is no docker compose"):
        compose_program()


def test_a_failure_has_the_end_of_the_output_and_no_secret(programs):
    programs("docker", '[ "$2" = version ] || { echo "port is already allocated" >&2; exit 1; }')
    stack = Compose("p", (Path("a.yml"),), {"LANDFALL_REDIS_PASSWORD": "hidden-secret"})
    with pytest.raises(LocalError) as error:
        stack.run("up", "-d")
    assert "port is already allocated" in str(error.value)
    assert "change LANDFALL_..._PORT in .env" in str(error.value)
    assert "hidden-secret" not in str(error.value) + repr(stack)


@pytest.mark.parametrize("output", ["pull access denied for x", "dial tcp: lookup r: no such host"])
def test_an_image_that_cannot_be_pulled_leads_to_make_docker(output):
    assert "make docker" in (docker._advice(output) or "")
