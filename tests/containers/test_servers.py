"""The tests' servers in containers: only this machine reaches them, and none is left behind."""

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
    minio_container,
    pinned_images,
    postgres_container,
    remove_leftover_containers,
    run_label,
    seaweedfs_container,
)
from tests.support.docker_cli import docker

pytestmark = pytest.mark.timeout(300)  # a slow machine starts containers slowly
SERVERS = [postgres_container, minio_container, seaweedfs_container]


def own_containers() -> dict[str, dict]:
    """Inspects the containers that this process runs; the keys are their ids."""
    names = docker("ps", "--quiet", f"--filter=label={LABEL}={run_label()[LABEL]}").split()
    return {each["Id"]: each for each in json.loads(docker("inspect", *names))} if names else {}


@contextmanager
def inspected(server) -> Iterator[dict]:
    """Runs a server for the block, inspects its container, and checks that it is removed."""
    before = own_containers()
    with server():
        (container,) = [each for name, each in own_containers().items() if name not in before]
        yield container
    assert set(own_containers()) == set(before)


@pytest.mark.parametrize("server", SERVERS, ids=lambda each: each.__name__)
def test_a_server_listens_on_this_machine_only(server):
    with inspected(server) as container:
        ports = container["NetworkSettings"]["Ports"].values()
        assert [each["HostIp"] for bound in ports for each in bound or []] == ["127.0.0.1"]


def test_ryuk_is_not_started():
    """Ryuk, a container of testcontainers, listens on every address and has the engine's socket."""
    with inspected(minio_container):
        assert "ryuk" not in docker("ps", "--format={{.Image}}")


@pytest.mark.parametrize("store", STORES)
def test_the_chosen_store_is_started(store):
    with inspected(STORES[store]) as container:
        assert container["Config"]["Image"] == pinned_images()[store]


KILLED = """
import os, signal
from tests.support.container_servers import minio_container
with minio_container():
    os.kill(os.getpid(), signal.SIGKILL)
"""


def labelled(pid: int) -> str:
    """Lists the containers that this process has started."""
    lines = docker("ps", "--all", "--format={{.Names}} {{.Labels}}", f"--filter=label={LABEL}")
    return "\n".join(line for line in lines.splitlines() if f"{platform.node()} {pid} " in line)


def test_the_next_start_removes_the_containers_of_a_killed_run_and_of_no_other():
    with subprocess.Popen([sys.executable, "-c", KILLED]) as killed, minio_container():
        killed.wait()
        assert labelled(killed.pid)
        count = len(own_containers())
        remove_leftover_containers()
        assert not labelled(killed.pid)
        assert len(own_containers()) == count
