"""What a team loses when the patches come late, cost too much, or meet another astro-sdk.

Each test starts a Python of its own, because a first import happens only once in a process.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from include.astro_sdk import patches

PROJECT = Path(__file__).parents[3]
DOCUMENTED = """
from astro import sql as aql
from astro.files import File
from astro.table import Table, Metadata
assert aql.load_file and File and Table and Metadata
"""


def python(
    code: str, *, plugins: bool = True, path: Path | None = None, warnings: str = "error"
) -> str:
    """What a new Python prints. Its warnings are errors; it has the project's plugins or none."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, filter(None, [path, PROJECT])))}
    environ["AIRFLOW__CORE__PLUGINS_FOLDER"] = str(PROJECT / "plugins") if plugins else "/nowhere"
    for name in ("ENABLE_XCOM_PICKLING", "ALLOWED_DESERIALIZATION_CLASSES"):
        environ.pop(f"AIRFLOW__CORE__{name}", None)
    done = subprocess.run(
        [sys.executable, "-W", warnings, "-c", code],
        check=False, capture_output=True, text=True, env=environ, timeout=100,
    )  # fmt: skip
    return done.stdout + done.stderr if done.returncode == 0 else f"FAILED {done.stderr}"


@pytest.fixture(scope="module")
def started() -> str:
    """What a Python prints that starts Airflow, then imports as the documentation does."""
    return python(f"""
import airflow, importlib.util, inspect, os, sqlalchemy.engine.row as row
{DOCUMENTED}
print("fine")
print(
    importlib.util.find_spec("airflow.hooks.dbapi"),
    __import__("smart_open").__file__ is None,
    __import__("airflow.models.dagrun").models.dagrun.DagRun is object, hasattr(row, "LegacyRow"),
    os.environ.get("AIRFLOW__CORE__ENABLE_XCOM_PICKLING"),
)
print(inspect.getsource(aql.drop_table)[:14])
""")


def test_a_documented_dag_file_imports_where_airflow_has_started(started: str) -> None:
    assert "fine\n" in started, started


def test_a_dag_that_imports_astro_before_airflow_is_patched_too() -> None:
    """A script, outside of Airflow. Only the warnings of `astro.sql` itself get through."""
    printed = python(f"{DOCUMENTED}print('fine')", warnings="ignore")
    assert printed.endswith("fine\n")


def test_without_a_plugins_folder_the_projects_own_import_patches() -> None:
    """`astro dev start --standalone` leaves the plugins out."""
    code = f"from include.astro_sdk import aql, File, Table\n{DOCUMENTED}print('fine')"
    assert python(code, plugins=False).endswith("fine\n")


def test_the_settings_of_the_page_let_a_standalone_airflow_import_astro(tmp_path: Path) -> None:
    """The CLI gives its Airflow a home without plugins (7.7), and leaves the address open (7.8)."""
    page = (PROJECT / "docs/astro-cli.md").read_text()
    (settings,) = [line for line in page.splitlines() if line.startswith("export ")]
    code = f"""
import airflow
from airflow.configuration import conf
{DOCUMENTED}
print(conf.get("api", "host"))
"""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    done = subprocess.run(
        ["sh", "-c", f'{settings}\n"$0" -c "$1"', sys.executable, code],
        cwd=PROJECT, env=kept | {"AIRFLOW_HOME": str(tmp_path), "PYTHONPATH": ""},
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.endswith("127.0.0.1\n"), done.stderr


def test_a_process_that_never_imports_astro_pays_nothing() -> None:
    """Otherwise every scheduler would have pandas in its memory."""
    code = """
import airflow, sys
assert any(type(f).__module__ == "include.astro_sdk.patching" for f in sys.meta_path)
print([m for m in ("astro.sql", "pandas", "include.astro_sdk.patches") if m in sys.modules])
"""
    assert python(code).endswith("[]\n")


def test_the_stand_ins_are_gone_when_astro_is_loaded(started: str) -> None:
    """Other code must not take this Airflow for an older one."""
    assert "fine\nNone False False False None\n" in started, started


def test_another_version_of_astro_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "astro").mkdir()
    (tmp_path / "astro" / "__init__.py").write_text("__version__ = '1.10.0'\n")
    code = "from include.astro_sdk.patching import install; install()\nimport astro"
    printed = python(code, path=tmp_path)
    assert printed.startswith("FAILED")
    assert "astro-sdk-python 1.10.0 is installed" in printed
    assert "install astro-sdk-python==1.9.0" in printed


def test_tracebacks_and_inspect_still_find_astros_sources(started: str) -> None:
    assert started.endswith("def drop_table\n"), started


@pytest.mark.parametrize("module", sorted({**patches.PATCHES, **patches.STAND_INS}))
def test_every_patch_has_a_module_to_patch(module: str) -> None:
    """A patch under a misspelt name would never run, and nothing would show it."""
    root = Path(importlib.util.find_spec("astro").submodule_search_locations[0])  # type: ignore[union-attr,index]
    path = root.joinpath(*module.split(".")[1:])
    assert path.with_suffix(".py").exists() or (path / "__init__.py").exists()


@pytest.mark.parametrize(
    "patch",
    [
        each
        for all_of in (*patches.PATCHES.values(), *patches.STAND_INS.values())
        for each in all_of
    ],
)
def test_every_patch_names_the_problem_and_the_fix(patch: object) -> None:
    text = patch.__doc__ or ""
    assert "\n    Problem: " in text
    assert "\n    Fix: " in text
