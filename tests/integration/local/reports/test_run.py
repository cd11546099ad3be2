"""`make reports` as a developer types it: all of it runs, says how to ask, and ends at Ctrl-C."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import psutil
import pytest

from include.local.services import control as services
from include.local.services.redis_server import find_redis
from include.local.state import PROJECT

pytestmark = pytest.mark.timeout(240)


def environ(home: Path) -> dict[str, str]:
    return {**os.environ, "LANDFALL_LOCAL": str(home), "PYTHONUNBUFFERED": "1"}


def said_until(program: subprocess.Popen[str], word: str) -> str:
    said = ""
    for line in program.stdout:
        said += line
        if word in line:
            return said
    pytest.fail(f"it ended before it said {word!r}:\n{said}")


@pytest.fixture
def home(tmp_path):
    yield tmp_path
    services.clean(tmp_path)


def start(home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "include.local", "reports"], text=True, cwd=PROJECT,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environ(home),
    )  # fmt: skip


def test_the_service_runs_until_ctrl_c(home):
    with start(home) as program:
        said = said_until(program, "Ctrl-C")
        family = psutil.Process(program.pid).children(recursive=True)
        names = {word for each in family for word in each.cmdline()[2:5]}
        assert {"uvicorn", "celery"} <= names
        assert "no marts.delays_by_carrier" in said
        assert "make demo makes them" in said
        _asks_as_it_is_told(said)
        second = subprocess.run(
            [sys.executable, "-m", "include.local", "reports"], text=True, cwd=PROJECT,
            capture_output=True, env=environ(home), check=False,
        )  # fmt: skip
        assert second.returncode == 1
        assert "the report service runs already" in second.stderr
        program.send_signal(signal.SIGINT)
        rest = program.stdout.read()
    assert program.returncode == 0, rest
    assert "Traceback" not in said + rest
    assert not [each for each in family if runs(each)]
    assert services.alive(home) == []
    assert find_redis(home / "redis") is None


def runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _asks_as_it_is_told(said: str) -> None:
    """The first of the two lines for curl, sent without it."""
    (line,) = re.findall(r"^ +curl .*-d .*$", said, re.M)
    _, _, header, url, _, body = shlex.split(line)
    name, value = header.split(": ")
    request = urllib.request.Request(url, body.encode(), {name: value})
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 202


def test_what_a_killed_run_left_is_stopped_by_down(home):
    with start(home) as program:
        said_until(program, "Ctrl-C")
        family = psutil.Process(program.pid).children(recursive=True)
        for each in family:
            if "redis" not in each.name():
                each.kill()
        program.kill()
    assert find_redis(home / "redis") is not None
    done = subprocess.run(
        [sys.executable, "-m", "include.local", "down"], text=True, cwd=PROJECT,
        capture_output=True, env=environ(home), check=False,
    )  # fmt: skip
    assert "redis" in done.stdout
    assert find_redis(home / "redis") is None
