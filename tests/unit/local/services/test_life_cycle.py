"""Every local service is found, started and stopped by the same steps."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from include.local.services import life_cycle
from include.local.services.life_cycle import ATTEMPTS, Service, start
from include.local.services.process import Process, wait_until
from include.local.state import LocalError, read_state, write_state


@dataclass(frozen=True)
class Clock(Service):
    """A service that answers on a good port once it has ticked."""

    port: int
    title = "Clock"

    @classmethod
    def from_state(cls, folder, state, process):
        return cls(process, folder, state["port"])

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def healthy(self):
        return self.port in (1, 7) and "tick" in (self.folder / "clock.log").read_text()


class Installation:
    """Runs a script; where the port of the last time is not wanted, the ports are 7, 8, 9."""

    def __init__(self, folder, script="echo tick; exec sleep 60"):
        self.folder, self.script, self.ports = folder, script, []
        self.state = read_state(folder)
        self.log = folder / "clock.log"

    def choose_ports(self, last):
        self.ports.append(last.get("port") or 7 + len(self.ports))
        return {"port": self.ports[-1]}

    def launch(self, state):
        return Process.launch(["sh", "-c", self.script], self.folder, self.log)


@pytest.fixture(autouse=True)
def no_clock_runs_on(tmp_path, monkeypatch):
    monkeypatch.setattr(life_cycle, "START_SECONDS", 1)
    yield
    left = Clock.find(tmp_path)
    if left:
        left.remove()


def test_a_service_is_started_once_and_found_again(tmp_path):
    started = start(Clock, tmp_path, Installation)
    assert Clock.find(tmp_path) == started
    assert start(Clock, tmp_path, pytest.fail) == started
    started.stop()
    assert Clock.find(tmp_path) is None


def test_it_comes_back_on_the_port_of_the_last_time(tmp_path):
    write_state(tmp_path, {"port": 1, "password": "kept"})
    assert start(Clock, tmp_path, Installation).port == 1
    assert read_state(tmp_path)["password"] == "kept"


def test_a_port_that_does_not_work_is_replaced_and_the_process_on_it_stopped(tmp_path, mocker):
    write_state(tmp_path, {"port": 6})
    launch = mocker.spy(Installation, "launch")
    mocker.patch.object(Clock, "healthy", lambda self: self.port == 8)
    assert start(Clock, tmp_path, Installation).port == 8
    first, second = launch.spy_return_list
    assert wait_until(lambda: not first.alive(), 5)
    assert second.alive()


def test_after_the_last_attempt_the_end_of_its_log_says_why(tmp_path):
    broken = Installation(tmp_path, "echo no spring; exit 1")
    with pytest.raises(LocalError, match=r"Clock did not start:\s+no spring") as error:
        start(Clock, tmp_path, lambda folder: broken)
    assert len(broken.ports) == ATTEMPTS
    assert "clock.log" in str(error.value)


def test_a_service_that_runs_and_does_not_answer_is_not_started_a_second_time(tmp_path, mocker):
    started = start(Clock, tmp_path, Installation)
    mocker.patch.object(Clock, "healthy", return_value=False)
    with pytest.raises(LocalError, match=r"does not answer at 127\.0\.0\.1:7") as error:
        start(Clock, tmp_path, pytest.fail)
    assert started.process.alive()
    assert "down, then up" in str(error.value)


def test_remove_deletes_its_data(tmp_path):
    folder = tmp_path / "clock"
    folder.mkdir()
    started = start(Clock, folder, Installation)
    started.remove()
    assert not started.process.alive()
    assert not folder.exists()
