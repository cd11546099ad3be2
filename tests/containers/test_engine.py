"""`make docker` on a machine without an engine, and `make docker-down` after it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(300)  # a slow machine starts containers slowly
ROOT = Path(__file__).parents[2]
# Elsewhere the script says that it cannot. The tests check either case, so none is skipped.
CAN_START = (
    os.geteuid() == 0
    and platform.freedesktop_os_release()["ID"] == "debian"
    and shutil.which("dockerd", path=f"{os.environ['PATH']}:/usr/sbin") is not None
)


@pytest.fixture
def folder():
    """A folder with a short path: a socket's has 107 bytes at most, and an engine adds thirty."""
    with tempfile.TemporaryDirectory(prefix="landfall-engine-", dir="/tmp") as made:
        yield Path(made)


@pytest.fixture
def run_script(folder):
    """Runs one of the two scripts with settings for an engine that does not exist yet."""
    # The engine gets its own network: an engine without a bridge removes the bridge of another one.
    alone = ["unshare", "--net"] if CAN_START else []
    options = {
        "data-root": folder / "root", "exec-root": folder / "exec",
        "pidfile": folder / "pid", "bridge": "none", "iptables": "false",
    }  # fmt: skip
    environ = os.environ | {
        "DOCKER_HOST": f"unix://{folder}/docker.sock",
        "DOCKERD_OPTIONS": " ".join(f"--{name}={value}" for name, value in options.items()),
        "LANDFALL_LOCAL": str(folder / "local"),
    }

    def run(script: str, *arguments: str) -> subprocess.CompletedProcess:
        command = [*alone, ROOT / "tests/images" / script, *arguments]
        return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)

    yield run
    run("docker-down")


def test_an_engine_is_started_once_and_ended(run_script, folder):
    up = run_script("docker-up", "engine")
    if not CAN_START:
        assert up.returncode == 1
        assert "no Docker engine answers" in up.stderr
        return
    assert up.returncode == 0, up.stderr
    pid = int((folder / "local/docker/dockerd.pid").read_text())
    assert Path(f"/proc/{pid}/comm").read_text() == "dockerd\n"
    assert run_script("docker-up", "engine").stderr == ""  # the engine answers already
    down = run_script("docker-down")
    assert down.returncode == 0, down.stderr
    assert not Path(f"/proc/{pid}").exists()
    assert "no engine was started from here" in run_script("docker-down").stdout


def test_an_engine_that_cannot_start_is_reported_with_the_end_of_its_log(run_script, folder):
    (folder / "root").write_text("a file, where its folder should be")
    up = run_script("docker-up", "engine")
    assert up.returncode == 1
    assert "docker: dockerd does not start here" in up.stderr or not CAN_START
    assert not (folder / "local/docker/dockerd.pid").exists()
