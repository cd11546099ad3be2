"""Which servers a run takes, said or refused in one line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import servers as services
from tests.support.container_servers import pins
from tests.support.run_summary import Answers

ROOT = Path(__file__).parents[3]
NOWHERE = "unix:///nowhere/docker.sock"


def run_pytest(*arguments: str, **environ: str) -> subprocess.CompletedProcess:
    """A run of its own, with these settings."""
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
    """`astro dev pytest` does so, in the Astro image."""
    layers = [f"--ignore=tests/{layer}" for layer in ("unit", "project", "integration", "e2e")]
    result = run_pytest("--collect-only", "tests", *layers, DOCKER_HOST=NOWHERE)
    assert result.returncode == pytest.ExitCode.NO_TESTS_COLLECTED, result.stdout


@pytest.mark.parametrize(
    ("setting", "value", "expected", "ask"),
    [
        ("LANDFALL_TEST_SERVICES", "docker", "expected 'containers' or 'embedded'",
         services.kind.__wrapped__),
        ("LANDFALL_TEST_STORE", "ceph", "expected 'minio' or 'seaweedfs'", services.store_kind),
    ],
)  # fmt: skip
def test_a_setting_that_names_nothing_ends_the_run(monkeypatch, setting, value, expected, ask):
    monkeypatch.setenv(setting, value)
    with pytest.raises(pytest.exit.Exception, match=f"{setting}={value!r}: {expected}") as ended:
        ask()
    assert ended.value.returncode == 3


@pytest.mark.parametrize("store", ["minio", "seaweedfs"])
def test_the_header_names_the_images(monkeypatch, store):
    monkeypatch.setattr(services, "kind", lambda: ("containers", "so it is"))
    monkeypatch.setenv("LANDFALL_TEST_STORE", store)
    images = pins()
    said = f"services: containers {images['postgres']}, {images[store]} (so it is)"
    assert services.describe() == said


def test_answers_of_workers_are_told_with_ones_own(mocker):
    answers = Answers()
    answers.said.add("PostgreSQL 15.20")
    answers.pytest_testnodedown(mocker.Mock(workeroutput={Answers.NAME: ["SeaweedFS 4.48"]}))
    answers.pytest_testnodedown(mocker.Mock(spec=[]))  # one that crashed says nothing
    reporter = mocker.Mock()
    answers.pytest_terminal_summary(reporter)
    reporter.write_line.assert_called_once_with("servers: PostgreSQL 15.20; SeaweedFS 4.48")
