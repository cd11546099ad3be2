"""Processes are told apart by more than their pid, and end when they are told to."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from include.local.services.process import (
    LOCALHOST,
    Process,
    free_ports,
    is_free,
    quiet_port,
    wait_until,
)

SLEEP = "import time; time.sleep(60)"
DEAF = f"import signal; signal.signal(15, signal.SIG_IGN); print(1, flush=True); {SLEEP}"


def start(program: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)


@pytest.fixture
def child():
    with start(SLEEP) as running:
        yield running
        running.kill()


def test_a_running_process_is_alive_until_it_is_stopped(child):
    process = Process.of(child.pid)
    assert process.alive()
    process.stop(signal.SIGTERM)
    assert not process.alive()
    assert not psutil.pid_exists(child.pid)


def test_a_pid_that_now_belongs_to_another_program_is_not_ours(child):
    """After a reboot the remembered pid may be anybody's: it must not be stopped."""
    stale = replace(Process.of(child.pid), started=1.0)
    assert not stale.alive()
    stale.stop()
    assert child.poll() is None


def test_a_process_that_does_not_listen_is_killed():
    with start(DEAF) as deaf:
        deaf.stdout.read(1)
        Process.of(deaf.pid).stop(signal.SIGTERM, seconds=0.2)
        assert not psutil.pid_exists(deaf.pid)


def test_nothing_is_known_of_a_state_without_a_pid():
    assert Process.from_state({}) is None
    assert Process.from_state({"pid": os.getpid(), "started": 1.0}) is None


def test_free_ports_are_free_and_all_different():
    ports = free_ports(20)
    assert len(set(ports)) == 20
    assert all(map(is_free, ports))


def test_a_port_that_somebody_listens_on_is_not_free():
    with socket.create_server((LOCALHOST, 0)) as server:
        assert not is_free(server.getsockname()[1])


def test_waiting_ends_when_it_is_true_and_when_the_time_is_up():
    answers = iter([False, False, True])
    assert wait_until(lambda: next(answers), seconds=5, pause=0)
    assert not wait_until(lambda: False, seconds=0, pause=0)


def test_a_quiet_port_is_none_that_a_client_is_given():
    """A client of a server that is away would meet itself there, and keep the port."""
    given = Path("/proc/sys/net/ipv4/ip_local_port_range")
    least, most = map(int, given.read_text().split()) if given.exists() else (49_152, 65_535)
    port = quiet_port()
    assert is_free(port)
    assert not least <= port <= most
