"""Which servers a run uses, described or refused in one line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import server_choice
from tests.support.container_servers import pinned_images

ROOT = Path(__file__).parents[3]
NOWHERE = "unix:///nowhere/docker.sock"


def run_pytest(*arguments: str, **environ: str) -> subprocess.CompletedProcess:
    """Runs pytest as a program, with these settings."""
    command = [sys.executable, "-m", "pytest", *arguments]
    home = {"PATH": "/usr/bin:/bin", "HOME": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        command, cwd=ROOT, env=home | environ, capture_output=True, text=True, check=False
    )


def test_tests_that_need_docker_end_the_run_where_it_does_not_run():
    result = run_pytest("tests/containers", DOCKER_HOST=NOWHERE)
    assert result.returncode == 3
    assert "Docker does not run here" in result.stderr + result.stdout
    assert "make docker" in result.stderr + result.stdout


def test_the_whole_folder_can_be_tested_where_docker_does_not_run():
    """`astro dev pytest` does that in the Astro image."""
    layers = [f"--ignore=tests/{layer}" for layer in ("unit", "project", "integration", "e2e")]
    result = run_pytest("--collect-only", "tests", *layers, DOCKER_HOST=NOWHERE)
    assert result.returncode == pytest.ExitCode.NO_TESTS_COLLECTED, result.stdout


@pytest.mark.parametrize(
    ("setting", "value", "expected", "choose"),
    [
        ("LANDFALL_TEST_SERVICES", "docker", "expected 'containers' or 'embedded'",
         server_choice.chosen_servers.__wrapped__),
        ("LANDFALL_TEST_STORE", "ceph", "expected 'minio' or 'seaweedfs'",
         server_choice.chosen_store),
    ],
)  # fmt: skip
def test_a_setting_with_an_unknown_value_ends_the_run(
    monkeypatch, setting, value, expected, choose
):
    monkeypatch.setenv(setting, value)
    with pytest.raises(pytest.exit.Exception, match=f"{setting}={value!r}: {expected}") as ended:
        choose()
    assert ended.value.returncode == 3


@pytest.mark.parametrize("store", ["minio", "seaweedfs"])
def test_the_header_names_the_images(monkeypatch, store):
    monkeypatch.setattr(server_choice, "chosen_servers", lambda: ("containers", "a reason"))
    monkeypatch.setenv("LANDFALL_TEST_STORE", store)
    images = pinned_images()
    line = f"services: containers {images['postgres']}, {images[store]} (a reason)"
    assert server_choice.server_line() == line
