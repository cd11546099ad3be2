"""The suite's own servers in containers: reached from this machine only, and never left behind."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.container_servers import (
    LABEL,
    STORES,
    label,
    minio_container,
    pins,
    postgres_container,
    seaweedfs_container,
    sweep,
)
from tests.support.docker_cli import docker

pytestmark = pytest.mark.timeout(300)  # containers start at the pace of the machine
SERVERS = [postgres_container, minio_container, seaweedfs_container]


def mine() -> dict[str, dict]:
    """What Docker knows of the containers that this process runs, by their ids."""
    names = docker("ps", "--quiet", f"--filter=label={LABEL}={label()[LABEL]}").split()
    return {each["Id"]: each for each in json.loads(docker("inspect", *names))} if names else {}


@contextmanager
def only(server) -> Iterator[dict]:
    """What Docker knows of the one container that this server is; gone afterwards."""
    before = mine()
    with server():
        (started,) = [found for name, found in mine().items() if name not in before]
        yield started
    assert set(mine()) == set(before)


@pytest.mark.parametrize("server", SERVERS, ids=lambda each: each.__name__)
def test_a_server_listens_on_this_machine_only(server):
    with only(server) as started:
        ports = started["NetworkSettings"]["Ports"].values()
        assert [each["HostIp"] for bound in ports for each in bound or []] == ["127.0.0.1"]


def test_no_container_of_testcontainers_own_watches_over_them():
    """Ryuk publishes on every address and is given the engine's socket."""
    with only(minio_container):
        assert "ryuk" not in docker("ps", "--format={{.Image}}")


@pytest.mark.parametrize("store", STORES)
def test_the_store_is_the_one_that_was_asked_for(store):
    with only(STORES[store]) as started:
        assert started["Config"]["Image"] == pins()[store]


KILLED = """
import os, signal
from tests.support.container_servers import minio_container
with minio_container():
    os.kill(os.getpid(), signal.SIGKILL)
"""


def labelled(pid: int) -> str:
    """The containers that this process started, as Docker lists them."""
    found = docker("ps", "--all", "--format={{.Names}} {{.Labels}}", f"--filter=label={LABEL}")
    return "\n".join(line for line in found.splitlines() if f"{platform.node()} {pid} " in line)


def test_what_a_killed_run_left_is_gone_at_the_next_start_and_a_living_ones_is_not():
    with subprocess.Popen([sys.executable, "-c", KILLED]) as killed, minio_container():
        killed.wait()
        assert labelled(killed.pid)
        here = len(mine())
        sweep()
        assert not labelled(killed.pid)
        assert len(mine()) == here
