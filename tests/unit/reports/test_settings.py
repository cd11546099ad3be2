"""A wrong setting stops the start with an error that names it, and never shows its value."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from include.landfall.errors import TerminalError
from include.reports.settings import from_environ

ROOT = Path(__file__).parents[3]
BROKER = {"LANDFALL_REPORTS_BROKER": "redis://:secret@127.0.0.1:6379/1"}


def test_only_the_broker_must_be_given():
    values = from_environ(BROKER)
    assert (values.pool, values.link_seconds, values.nightly) == (2, 900, "0 2 * * *")
    assert values.public_endpoint is None


def test_an_empty_variable_is_an_unset_one():
    values = from_environ({**BROKER, "LANDFALL_REPORTS_POOL": "", "LANDFALL_REPORTS_NIGHTLY": ""})
    assert (values.pool, values.nightly) == (2, "0 2 * * *")


def test_secrets_are_not_shown():
    values = from_environ({**BROKER, "LANDFALL_REPORTS_KEY": "secret of sixteen letters"})
    assert "secret" not in repr(values)
    assert "secret" not in str(values.model_dump())
    assert values.api_key == b"secret of sixteen letters"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("BROKER", None, "required"),
        ("BROKER", "amqp://secret", "redis://:PASSWORD@HOST"),
        ("KEY", "secret", "16 characters"),
        ("POOL", "0", "greater than or equal to 1"),
        ("POOL", "many", "integer"),
        ("LINK_SECONDS", "604801", "less than or equal to 604800"),
        ("NIGHTLY", "at two", "five fields"),
        ("NIGHTLY", "0 25 * * *", "five fields"),
        ("PUBLIC_ENDPOINT", "secret:9000", "https?://"),
    ],
)
def test_a_wrong_setting_is_named(name, value, message):
    environ = {**BROKER, f"LANDFALL_REPORTS_{name}": value}
    with pytest.raises(TerminalError) as refused:
        from_environ({key: text for key, text in environ.items() if text is not None})
    assert f"LANDFALL_REPORTS_{name}" in str(refused.value)
    assert message in str(refused.value)
    assert "secret" not in str(refused.value)


def test_an_api_without_a_key_does_not_start():
    with pytest.raises(TerminalError, match="LANDFALL_REPORTS_KEY is not in the environment"):
        _ = from_environ(BROKER).api_key


def modules_after(*statements: str) -> set[str]:
    """Returns the modules that a new process has imported after these statements."""
    program = "; ".join((*statements, "import json, sys; print(json.dumps(list(sys.modules)))"))
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True
    )
    return set(json.loads(done.stdout))


def test_an_import_reads_no_setting_and_no_big_library():
    """The environment has no variable; the modules are those of a worker that makes CSV reports."""
    modules = modules_after(
        "import include.reports.app, include.reports.tasks, include.reports.api",
        "import include.landfall.export.query",
    )
    assert not modules & {"airflow", "pyarrow", "pandas", "numpy", "astro"}


def test_the_parent_of_the_pool_needs_no_client_of_s3():
    assert "boto3" not in modules_after("import include.reports.app, include.reports.tasks")
