"""`make reports` as a developer types it: it starts, prints how to use it, ends at Ctrl-C."""

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

from include.local.services import control
from include.local.services.redis_server import find_redis
from include.local.state import PROJECT

pytestmark = pytest.mark.timeout(240)


def environ(home: Path) -> dict[str, str]:
    return {**os.environ, "LANDFALL_LOCAL": str(home), "PYTHONUNBUFFERED": "1"}


def output_until(program: subprocess.Popen[str], text: str) -> str:
    output = ""
    for line in program.stdout:
        output += line
        if text in line:
            return output
    pytest.fail(f"it ended before it printed {text!r}:\n{output}")


@pytest.fixture
def home(tmp_path):
    yield tmp_path
    control.clean(tmp_path)


def start(home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "include.local", "reports"], text=True, cwd=PROJECT,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environ(home),
    )  # fmt: skip


def test_the_service_runs_until_ctrl_c(home):
    with start(home) as program:
        output = output_until(program, "Ctrl-C")
        family = psutil.Process(program.pid).children(recursive=True)
        names = {argument for each in family for argument in each.cmdline()[2:5]}
        assert {"uvicorn", "celery"} <= names
        assert "no marts.delays_by_carrier" in output
        assert "make demo makes them" in output
        _ask_as_printed(output)
        second = subprocess.run(
            [sys.executable, "-m", "include.local", "reports"], text=True, cwd=PROJECT,
            capture_output=True, env=environ(home), check=False,
        )  # fmt: skip
        assert second.returncode == 1
        assert "the report service runs already" in second.stderr
        program.send_signal(signal.SIGINT)
        rest = program.stdout.read()
    assert program.returncode == 0, rest
    assert "Traceback" not in output + rest
    assert not [each for each in family if runs(each)]
    assert control.alive(home) == []
    assert find_redis(home / "redis") is None


def runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _ask_as_printed(output: str) -> None:
    """Sends the request of the first of the two lines for curl."""
    (line,) = re.findall(r"^ +curl .*-d .*$", output, re.M)
    _, _, header, url, _, body = shlex.split(line)
    name, value = header.split(": ")
    request = urllib.request.Request(url, body.encode(), {name: value})
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 202


def test_what_a_killed_run_left_is_stopped_by_down(home):
    with start(home) as program:
        output_until(program, "Ctrl-C")
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
