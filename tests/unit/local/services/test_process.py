"""A process is more than its pid, and ends when it is stopped."""

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
STUBBORN = f"import signal; signal.signal(15, signal.SIG_IGN); print(1, flush=True); {SLEEP}"


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
    """After a reboot the remembered pid may be another program's, which must go on."""
    stale = replace(Process.of(child.pid), started=1.0)
    assert not stale.alive()
    stale.stop()
    assert child.poll() is None


def test_a_process_that_ignores_the_signal_is_killed():
    with start(STUBBORN) as stubborn:
        stubborn.stdout.read(1)
        Process.of(stubborn.pid).stop(signal.SIGTERM, seconds=0.2)
        assert not psutil.pid_exists(stubborn.pid)


def test_a_state_names_no_process_without_its_pid_and_its_start():
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


def test_a_quiet_port_is_none_that_the_system_gives_to_clients():
    """A client of a server that is away could connect to itself there, and keep the port."""
    setting = Path("/proc/sys/net/ipv4/ip_local_port_range")
    least, most = map(int, setting.read_text().split()) if setting.exists() else (49_152, 65_535)
    port = quiet_port()
    assert is_free(port)
    assert not least <= port <= most
