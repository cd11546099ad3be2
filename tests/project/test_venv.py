"""`make` and the Astro CLI both call their environment .venv: neither may break the other (7.4)."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# A Python that only notes what it is asked to do, and makes the folders that it would make.
PYTHON = """#!/bin/sh
echo "$*" >> asked
case "$*" in
    -c*) echo 3.12 ;;
    --version) echo Python 3.12.1 ;;
    "-m venv --clear .venv")
        sleep ${SECONDS_TO_MAKE:-0}
        rm -rf .venv && mkdir -p .venv/bin .venv/lib/python3.12/site-packages
        cp "$0" .venv/bin/python ;;
    *"pip sync"*) mkdir -p .venv/lib/python3.12/site-packages/airflow-3.3.2.dist-info ;;
esac
"""


@pytest.fixture
def project(tmp_path):
    """A project whose Python notes what it is asked to do."""
    (tmp_path / ".ci").mkdir()
    for name in ("venv", "clean", "python", "astro-airflow", "landfall", "uv.txt"):
        shutil.copy(ROOT / ".ci" / name, tmp_path / ".ci")
    (tmp_path / "requirements-dev.txt").write_text("airflow==3.3.2\n")
    (tmp_path / "python3.12").write_text(PYTHON)
    (tmp_path / "python3.12").chmod(0o755)
    return tmp_path


def start(project: Path, script: str, **environ: str) -> subprocess.Popen[str]:
    """Starts a script of .ci with the project's Python before all others."""
    path = f"{project}:{os.environ['PATH']}"
    environ = {"PATH": path, "PYTHON": str(project / "python3.12"), **environ}
    return subprocess.Popen(
        [f".ci/{script}"], cwd=project, env=environ, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def run(project: Path, script: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Runs a script of .ci to its end."""
    with start(project, script, **environ) as process:
        printed, errors = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, printed, errors)


def asked(project: Path) -> str:
    """Returns what Python was asked to do since the last call."""
    text = (project / "asked").read_text()
    (project / "asked").write_text("")
    return text


@pytest.fixture
def made(project):
    """The project with an environment that `make` has made."""
    assert run(project, "venv").returncode == 0
    assert "-m venv --clear .venv" in asked(project)
    return project


@pytest.fixture
def astro_airflow(made):
    """An Airflow of the Astro CLI, which has changed a version in .venv."""
    site = made / ".venv/lib/python3.12/site-packages"
    (site / "airflow-3.3.2.dist-info").rename(site / "airflow-3.3.2+astro.1.dist-info")
    (made / ".astro/standalone").mkdir(parents=True)
    with subprocess.Popen(["bash", "-c", 'exec -a "airflow standalone" sleep 60']) as airflow:
        (made / ".astro/standalone/airflow.pid").write_text(str(airflow.pid))
        yield airflow
        airflow.kill()


def test_an_environment_is_made_once(made):
    assert run(made, "venv").stderr == ""
    assert "venv" not in asked(made)


def test_a_package_that_a_developer_adds_stays(made):
    (made / ".venv/lib/python3.12/site-packages/ipython-9.0.dist-info").mkdir()
    assert run(made, "venv").stderr == ""
    assert "venv" not in asked(made)


def test_an_environment_that_the_astro_cli_has_changed_is_made_again_with_a_word(made):
    site = made / ".venv/lib/python3.12/site-packages"
    (site / "airflow-3.3.2.dist-info").rename(site / "airflow-3.3.2+astro.1.dist-info")
    result = run(made, "venv")
    assert result.returncode == 0
    assert result.stderr.startswith(".venv is not as make left it, for instance because the Astro")
    assert "-m venv --clear .venv" in asked(made)


def test_an_environment_that_an_airflow_of_the_astro_cli_runs_from_is_left_alone(
    made, astro_airflow
):
    result = run(made, "venv")
    assert result.returncode == 1
    assert f"pid {astro_airflow.pid}" in result.stderr
    assert "astro dev stop --standalone" in result.stderr
    assert "docs/astro-cli.md" in result.stderr
    assert "pip" not in asked(made)


def test_make_clean_does_not_remove_an_environment_that_is_in_use(made, astro_airflow):
    result = run(made, "clean")
    assert result.returncode == 1
    assert "astro dev stop --standalone" in result.stderr
    assert (made / ".venv").is_dir()


def test_after_a_crash_the_number_of_another_program_stops_nobody(made, astro_airflow):
    (made / ".astro/standalone/airflow.pid").write_text(str(os.getpid()))
    assert run(made, "venv").returncode == 0


def test_two_makes_at_once_make_one_environment(project):
    """The second one emptied the environment under the first."""
    slow = {"SECONDS_TO_MAKE": "0.5"}
    with start(project, "venv", **slow) as one, start(project, "venv", **slow) as other:
        errors = one.communicate()[1] + other.communicate()[1]
    assert (one.returncode, other.returncode) == (0, 0)
    assert asked(project).count("-m venv --clear .venv") == 1
    assert "This one waits for it." in errors
    assert not (project / ".venv.lock").is_symlink()


def test_a_make_that_was_killed_holds_up_no_other(project):
    with subprocess.Popen(["true"]) as ended:
        pass
    (project / ".venv.lock").symlink_to(str(ended.pid))
    assert run(project, "venv").returncode == 0
    assert not (project / ".venv.lock").is_symlink()


def test_a_checkout_that_is_also_reached_by_a_link_keeps_its_environment(made, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(made)
    assert run(link, "venv").stderr == ""
    assert "venv" not in asked(made)


def test_a_python_may_be_in_a_folder_with_a_blank(project):
    (project / "a blank").mkdir()
    python = project / "a blank/python3.12"
    shutil.copy(project / "python3.12", python)
    assert run(project, "venv", PYTHON=str(python)).returncode == 0


def test_a_python_that_is_not_there_is_named(project):
    result = run(project, "venv", PYTHON="/nonexistent/python3.12")
    assert result.returncode == 1
    assert "/nonexistent/python3.12, which does not run" in result.stderr


SHOW = """#!/bin/sh
echo "$PYTHONPATH"
"""


@pytest.mark.parametrize("cdpath", ["", ".:.."])
def test_the_command_finds_its_project_by_a_link_and_with_cdpath(made, tmp_path, cdpath):
    (made / ".venv/bin/python").write_text(SHOW)
    link = tmp_path / "landfall"
    link.symlink_to(made / ".venv/bin/landfall")
    environ = {"PATH": os.environ["PATH"], "CDPATH": cdpath}
    for program in (link, ".venv/bin/landfall"):
        result = subprocess.run(
            [program], cwd=made, env=environ, capture_output=True, text=True, check=False
        )
        assert result.stdout == f"{made}\n", result.stderr


def test_the_page_that_the_message_names_exists():
    assert (ROOT / "docs/astro-cli.md").is_file()
