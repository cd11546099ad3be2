"""What a team loses when the mends come late, cost too much, or meet another astro-sdk.

Each way to begin has a Python of its own: what a first import does can be seen only once.
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
    """What a fresh Python says; its warnings are errors, its plugins folder ours or none."""
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
    """What a Python says that starts Airflow, then imports as the documentation does."""
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


def test_a_dag_that_imports_astro_before_airflow_is_mended_too() -> None:
    """A script, outside of Airflow. Only the warnings of `astro.sql` itself get through."""
    said = python(f"{DOCUMENTED}print('fine')", warnings="ignore")
    assert said.endswith("fine\n")


def test_without_a_plugins_folder_the_projects_own_import_mends() -> None:
    """`astro dev start --standalone` leaves the plugins out."""
    code = f"from include.astro_sdk import aql, File, Table\n{DOCUMENTED}print('fine')"
    assert python(code, plugins=False).endswith("fine\n")


def test_a_process_that_never_imports_astro_pays_nothing() -> None:
    """The scheduler would otherwise carry pandas around."""
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
    said = python(code, path=tmp_path)
    assert said.startswith("FAILED")
    assert "astro-sdk-python 1.10.0 is installed" in said
    assert "install astro-sdk-python==1.9.0" in said


def test_tracebacks_and_inspect_still_find_astros_sources(started: str) -> None:
    assert started.endswith("def drop_table\n"), started


@pytest.mark.parametrize("module", sorted({**patches.MENDS, **patches.STAND_INS}))
def test_every_mend_has_a_module_to_mend(module: str) -> None:
    """A mend under a misspelt name would never run, without a word."""
    root = Path(importlib.util.find_spec("astro").submodule_search_locations[0])  # type: ignore[union-attr,index]
    path = root.joinpath(*module.split(".")[1:])
    assert path.with_suffix(".py").exists() or (path / "__init__.py").exists()


@pytest.mark.parametrize(
    "mend", [m for made in (*patches.MENDS.values(), *patches.STAND_INS.values()) for m in made]
)
def test_every_mend_says_what_broke_and_why_it_mends_it(mend: object) -> None:
    text = mend.__doc__ or ""
    assert text.startswith("Broke")
    assert "Mends:" in text
