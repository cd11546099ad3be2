"""Imports only go down, and the lint sees it when one does not."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = ["dags", "include", "plugins"]
ENGINE = "include/landfall/arrival.py"
BRIDGE = "include/airflow_bridge.py"


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Check the floors of the project in a folder, as `make lint` does."""
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [program, "--no-logo", "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def project(tmp_path):
    """A copy of the project's Python and settings, to break."""
    for name in CODE:
        shutil.copytree(
            ROOT / name,
            tmp_path / name,
            ignore=lambda _, names: [n for n in names if n == "__pycache__"],
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name in ("dags", "plugins"):
        (tmp_path / name / "broken.py").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("where", "line", "broken"),
    [
        (ENGINE, "import airflow", "include.landfall is not allowed to import airflow"),
        (
            ENGINE,
            "def late():\n    import airflow.sdk",
            "include.landfall is not allowed to import airflow",
        ),
        (ENGINE, "from astro import sql", "include.landfall is not allowed to import astro"),
        (
            ENGINE,
            "import include.astro_sdk",
            "include.landfall is not allowed to import include.astro_sdk",
        ),
        (
            ENGINE,
            "import include.airflow_bridge",
            "include.landfall is not allowed to import include.airflow_bridge",
        ),
        (
            BRIDGE,
            "import include.astro_sdk.patching",
            "include.airflow_bridge is not allowed to import include.astro_sdk",
        ),
        (
            BRIDGE,
            "import plugins.s3_to_postgres",
            "include.airflow_bridge is not allowed to import plugins",
        ),
        (ENGINE, "import include.local", "include.landfall is not allowed to import include.local"),
        ("plugins/broken.py", "import astro", "plugins is not allowed to import astro"),
        ("plugins/broken.py", "import dags.feeds", "plugins is not allowed to import dags"),
        (
            "include/reports/app.py",
            "import airflow.sdk",
            "include.reports is not allowed to import airflow",
        ),
        (
            "include/reports/app.py",
            "import include.local",
            "include.reports is not allowed to import include.local",
        ),
        ("dags/broken.py", "import include.local", "dags is not allowed to import include.local"),
        ("dags/broken.py", "from astro.files import File", "dags is not allowed to import astro"),
    ],
)
def test_an_import_that_goes_up_fails_the_lint(project, where, line, broken):
    with (project / where).open("a") as file:
        file.write(f"\n{line}\n")
    result = lint_imports(project)
    assert result.returncode == 1
    assert broken in result.stdout


def test_the_lint_checks_the_floors():
    assert "check floors .venv/bin/lint-imports" in (ROOT / ".ci/lint").read_text()
