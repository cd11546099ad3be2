"""Where pytest has no plugins, a run leaves out what needs tools. `make test` runs everything."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.image_run import FOLDERS, PLUGINS, TESTS, is_left_out, missing_plugins


def without(*names: str):
    """Answers as an environment does in which these modules are not installed."""
    return lambda name: None if name in names else name


def test_nothing_is_missing_here():
    assert missing_plugins() == []


def test_the_image_has_no_plugin(tmp_path):
    """The test of `astro dev pytest` hides them in an environment of `make`."""
    (tmp_path / ".ready").touch()
    assert missing_plugins(without(*PLUGINS), str(tmp_path)) == list(PLUGINS)


def test_an_image_with_one_of_the_plugins_runs_what_it_can(tmp_path):
    """A user may add pytest-mock to the image for tests of their own."""
    missing = ["pytest_socket", "pytest_timeout", "xdist"]
    assert missing_plugins(without(*missing), str(tmp_path)) == missing


def test_an_environment_of_make_without_a_plugin_ends_the_run(tmp_path):
    """The run would leave out most tests and still be green."""
    (tmp_path / ".ready").touch()
    with pytest.raises(pytest.exit.Exception, match=r"no pytest_timeout; remove it, and run make"):
        missing_plugins(without("pytest_timeout"), str(tmp_path))


@pytest.mark.parametrize("folder", ["unit/dags", "unit/dags/lessons", "unit", "unit/landfall"])
def test_a_folder_with_tests_of_what_is_deployed_is_run(folder):
    assert not is_left_out(TESTS / folder)


@pytest.mark.parametrize("folder", ["e2e", "integration", "project", "unit/local", "unit/support"])
def test_a_folder_that_needs_servers_or_tools_is_left_out(folder):
    assert is_left_out(TESTS / folder)


@pytest.mark.parametrize(
    ("text", "left_out"),
    [
        ("from hypothesis import given\n", True),
        ("def test_it(mocker):\n    pass\n", True),
        ("    from include.local.course.course import LESSONS\n", True),
        ("import pyarrow\n", False),
    ],
)
def test_a_file_that_needs_a_tool_is_left_out(tmp_path, text, left_out):
    file = tmp_path / "test_it.py"
    file.write_text(text)
    assert is_left_out(file) is left_out


def test_most_files_of_the_folders_are_run():
    """A word in every file, for instance in a comment, would leave all of them out."""
    files = [path for folder in FOLDERS for path in folder.rglob("test_*.py")]
    assert len([path for path in files if not is_left_out(path)]) > len(files) / 2


def test_every_folder_exists():
    assert [folder for folder in FOLDERS if not Path(folder).is_dir()] == []


def test_pytest_s_settings_name_no_option_of_a_plugin():
    """Pytest refuses a setting that it does not know, and the image has no plugin (7.1)."""
    text = (TESTS.parent / "pyproject.toml").read_text()
    (settings,) = re.findall(r"^\[tool\.pytest\.ini_options\]\n(.*?)^\[", text, re.M | re.S)
    lines = [line for line in settings.splitlines() if not line.startswith("#")]
    assert not re.search(r"required_plugins|timeout|--allow-|socket|mock", "\n".join(lines))
