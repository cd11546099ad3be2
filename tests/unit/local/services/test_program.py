"""Programs that run together: the first serves the others until they have ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from include.local.airflow.run import run
from include.local.services import control
from include.local.services.control import LOGS
from include.local.services.leftovers import leftovers
from include.local.services.process import free_ports, wait_until
from include.local.services.program import Program, interrupt_on, run_programs, wait_for_parts
from include.local.state import PROJECT, LocalError

SERVER = """
import socket
with socket.create_server(("127.0.0.1", {port})) as server:
    print("ready", flush=True)
    while True:
        server.accept()[0].close()
"""
# Like a task that succeeds: it needs a moment, then reports.
CLIENT = """
import signal, socket, sys, time
def report(*_):
    time.sleep(0.5)
    socket.create_connection(("127.0.0.1", {port})).close()
    print("reported", flush=True)
    sys.exit()
signal.signal(signal.SIGTERM, report)
print("ready", flush=True)
time.sleep(60)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(60)
"""


@contextmanager
def running(folder: Path, server: str, client: str) -> Iterator[list[Program]]:
    """Runs the two programs; yields them once both are ready."""
    port = free_ports(1)[0]
    commands = {
        name: ("timeit", "-n", "1", "-r", "1", code.format(port=port))
        for name, code in {"server": server, "client": client}.items()
    }
    logs = {name: folder / name for name in commands}
    with run_programs(commands, os.environ, logs) as programs:
        assert wait_until(lambda: all("ready" in log.read_text() for log in logs.values()), 10)
        yield programs


def ended(programs: list[Program]) -> bool:
    return all(program.child.returncode is not None for program in programs)


def test_the_first_program_serves_until_the_others_have_ended(tmp_path) -> None:
    with running(tmp_path, SERVER, CLIENT) as programs:
        started = time.monotonic()
    assert "reported" in programs[1].log.read_text()
    assert time.monotonic() - started < 10
    assert ended(programs)


def test_a_second_ctrl_c_ends_all_of_them_at_once(tmp_path, mocker) -> None:
    mocker.patch.object(Program, "wait", side_effect=KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt), running(tmp_path, SERVER, STUBBORN) as programs:
        pass
    assert ended(programs)


def test_parts_that_are_not_ready_in_time_are_named_with_the_logs(tmp_path) -> None:
    with pytest.raises(LocalError, match="Airflow is not ready: scheduler, triggerer") as error:
        wait_for_parts("Airflow", [], lambda: ["scheduler", "triggerer"], 0, tmp_path)
    assert str(tmp_path) in str(error.value)


def test_waiting_for_parts_ends_when_a_program_does(tmp_path) -> None:
    program = Program.start("api", ("timeit", "-n"), os.environ, tmp_path / "api.log")
    with pytest.raises(LocalError, match="api ended with exit code") as error:
        wait_for_parts("Airflow", [program], lambda: ["api"], 60, tmp_path)
    assert "api.log" in str(error.value)


OWNER = """
import os, signal, sys
from pathlib import Path
from include.local.services.program import run_programs
logs = Path(sys.argv[1])
code = "import time; time.sleep(60)"
commands = {name: ("timeit", "-n", "1", "-r", "1", code) for name in ("api", "scheduler")}
with run_programs(commands, os.environ, {name: logs / f"airflow-{name}.log" for name in commands}):
    os.kill(os.getpid(), int(sys.argv[2]))
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_what_a_killed_command_leaves_is_told_and_ends_with_make_down(tmp_path, number) -> None:
    command = [sys.executable, "-c", OWNER, str(tmp_path / LOGS), str(int(number))]
    subprocess.run(command, cwd=PROJECT, check=False, stderr=subprocess.DEVNULL)
    left = leftovers(tmp_path / LOGS)
    if number == signal.SIGINT:
        assert (left, list((tmp_path / LOGS).glob("*.json"))) == ({}, [])
        return
    assert list(left) == ["airflow-api", "airflow-scheduler"]
    with pytest.raises(LocalError, match="was killed") as error:
        run(tmp_path)
    assert "make down" in str(error.value.do)
    assert f"airflow-api (pid {left['airflow-api'].pid})" in str(error.value.found)
    assert control.down(tmp_path) == list(left)
    assert not any(process.alive() for process in left.values())
    assert leftovers(tmp_path / LOGS) == {}


@pytest.fixture
def _handlers():
    numbers = (signal.SIGHUP, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("_handlers")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_the_end_of_the_terminal_interrupts_as_ctrl_c_does(number) -> None:
    """Whoever closes the window of `make airflow` had an Airflow that no command could stop."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # which nohup changes, also for these tests
    interrupt_on(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), number)


@pytest.mark.usefixtures("_handlers")
def test_with_nohup_the_end_of_the_terminal_interrupts_nothing() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    interrupt_on(signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGHUP)
