"""Imports only go down, and the lint fails where one does not."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = ["dags", "include", "plugins"]


def lint_imports(folder: Path) -> str:
    """Runs the import rules on a project, as `make lint` does, and returns what they print."""
    program = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run(
        [program, "--no-logo", "--cache-dir", folder / ".import_linter_cache"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == int("BROKEN" in result.stdout), result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A copy of the project's Python and settings, to break."""
    folder = tmp_path_factory.mktemp("project")
    for name in CODE:
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


@pytest.fixture(scope="module")
def printed_before(project) -> str:
    """The lint's output for the unbroken copy."""
    return lint_imports(project)


@contextmanager
def added_imports(project: Path) -> Iterator[Callable[[str, str], None]]:
    """Adds lines to modules of the copy; after the block they are as they were."""
    originals = {}

    def add(module: str, lines: str) -> None:
        path = project / module
        originals[path] = path.read_text() if path.exists() else None
        path.write_text(f"{originals[path] or ''}\n{lines}\n")

    yield add
    for path, text in originals.items():
        path.unlink() if text is None else path.write_text(text)


@pytest.fixture
def import_in(project) -> Iterator[Callable[[str, str], None]]:
    """Adds lines to a module of the copy for one test."""
    with added_imports(project) as add:
        yield add


ENGINE = "include/landfall"
LATE_IMPORT = "def late():\n    import airflow.sdk"

# module, what it imports, which import the lint reports
PROJECT = [
    ("dags/broken.py", "import include.local", "dags", "include.local"),
    ("dags/broken.py", "from astro.files import File", "dags", "astro"),
    ("plugins/broken.py", "import astro", "plugins", "astro"),
    ("plugins/broken.py", "import dags.feeds", "plugins", "dags"),
    ("include/reports/app.py", "import airflow.sdk", "include.reports", "airflow"),
    ("include/reports/app.py", "import include.local", "include.reports", "include.local"),
    ("include/airflow_bridge/task.py", "import plugins.s3_to_postgres",
     "include.airflow_bridge", "plugins"),
    ("include/airflow_bridge/task.py", "import include.astro_sdk.patching",
     "include.airflow_bridge", "include.astro_sdk"),
    (f"{ENGINE}/arrival.py", "import include.airflow_bridge",
     "include.landfall", "include.airflow_bridge"),
    (f"{ENGINE}/arrival.py", "import airflow", "include.landfall", "airflow"),
    (f"{ENGINE}/arrival.py", LATE_IMPORT, "include.landfall", "airflow"),
    (f"{ENGINE}/arrival.py", "from astro import sql", "include.landfall", "astro"),
    (f"{ENGINE}/arrival.py", "import include.astro_sdk", "include.landfall", "include.astro_sdk"),
    (f"{ENGINE}/arrival.py", "import include.local", "include.landfall", "include.local"),
]  # fmt: skip
# cli, replay -> load -> write, read -> ledger, export -> s3, postgres -> feed, contract -> errors
LAYERS = [
    ("load", "cli"), ("check", "cli"), ("load", "check"),
    ("write", "load"), ("read", "load"), ("read", "write"), ("write", "read"),
    ("ledger", "write"), ("ledger", "read"), ("export", "read"), ("export", "ledger"),
    ("s3", "ledger"), ("postgres", "export"), ("postgres", "s3"), ("s3", "postgres"),
    ("aws", "s3"), ("aws", "postgres"), ("job", "aws"),
    ("job", "s3"), ("frames", "postgres"),
    ("feed", "job"), ("contract", "frames"), ("contract", "feed"), ("feed", "contract"),
    ("arrival", "feed"), ("connections", "arrival"), ("verdict", "connections"),
    ("errors", "arrival"), ("errors", "connections"),
]  # fmt: skip
# What one side of a load must not import, not even through other modules.
SIDES = [
    ("read", "psycopg"), ("read", "include.landfall.postgres"), ("read", "include.landfall.ledger"),
    ("write", "boto3"), ("write", "botocore"), ("write", "include.landfall.s3"),
    ("write", "include.landfall.feed.formats"),
]  # fmt: skip


def file_of(name: str) -> str:
    """Names the file of a module or package of the engine."""
    folder = ROOT / ENGINE / name
    return f"{ENGINE}/{name}/__init__.py" if folder.is_dir() else f"{ENGINE}/{name}.py"


CASES = [
    *PROJECT,
    *(
        (file_of(upper), f"import include.landfall.{lower}",
         f"include.landfall.{upper}", f"include.landfall.{lower}")
        for upper, lower in LAYERS
    ),
    *(
        (file_of(side), f"import {imported}", f"include.landfall.{side}", imported)
        for side, imported in SIDES
    ),
]  # fmt: skip


def batches() -> list[list[tuple[str, ...]]]:
    """Divides the cases: in a batch each module has one import that goes up."""
    made: list[list[tuple[str, ...]]] = []
    for case in CASES:
        for batch in made:
            if case[0] not in [module for module, *_ in batch]:
                batch.append(case)
                break
        else:
            made.append([case])
    return made


@pytest.fixture(scope="module")
def printed_of(project) -> dict[tuple[str, ...], str]:
    """The lint's output for each case. One run of the lint is for all cases of a batch."""
    printed = {}
    for batch in batches():
        with added_imports(project) as add:
            for module, lines, *_ in batch:
                add(module, lines)
            printed |= dict.fromkeys(batch, lint_imports(project))
    return printed


@pytest.mark.parametrize("case", CASES, ids=[f"{c[0]}: {c[1]}" for c in CASES])
def test_an_import_that_goes_up_fails_the_lint(printed_before, printed_of, case):
    module, _, importer, imported = case
    report = f"{importer} is not allowed to import {imported}:"
    assert report not in printed_before, "the project itself breaks this rule"
    assert report in printed_of[case]
    name = module.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    assert re.search(rf"{name} -> {imported}\S* \(l\.", printed_of[case]), "not this import"


@pytest.mark.parametrize(("side", "through"), [("read", "frames"), ("write", "postgres")])
def test_a_side_of_a_load_may_not_reach_the_other_s_library_through_a_module(
    import_in, project, side, through
):
    library = {"read": "psycopg", "write": "boto3"}[side]
    import_in(file_of(through), f"import {library}")
    import_in(file_of(side), f"import include.landfall.{through}")
    assert f"include.landfall.{side} is not allowed to import {library}:" in lint_imports(project)


def test_a_new_module_of_the_engine_needs_a_layer(import_in, project):
    import_in(f"{ENGINE}/new_module.py", "")
    assert "include.landfall.new_module" in lint_imports(project)


def test_the_lint_checks_the_import_rules():
    assert "check imports .venv/bin/lint-imports" in (ROOT / ".ci/lint").read_text()
