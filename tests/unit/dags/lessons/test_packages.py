"""Packages that differ are named; the custom image is the project's image and one more step."""

from __future__ import annotations

import logging
import re

import pytest
from airflow.sdk.exceptions import AirflowFailException

from tests.support.lesson_module import FOLDER, ROOT, load


@pytest.fixture
def compare(monkeypatch, tmp_path):
    """Runs the lesson's task over a requirements.txt of these lines."""
    lesson = load("packages")

    def run(*lines):
        (tmp_path / "requirements.txt").write_text("\n".join(lines) + "\n")
        (tmp_path / "Dockerfile").write_text("# why\nFROM registry/runtime:3.3-8\n")
        monkeypatch.setattr(lesson, "PROJECT", tmp_path)
        return lesson.compare.function()

    return run


def test_packages_that_agree_are_returned_and_comments_are_ignored(compare):
    versions = compare("# why", "", "PyYAML==6.0.3  # reads feeds", "psycopg[binary]==3.3.9")
    assert versions["packages"] == {"PyYAML": "6.0.3", "psycopg": "3.3.9"}
    assert versions["image"] == "registry/runtime:3.3-8"


def test_every_package_that_differs_or_is_missing_is_named(compare):
    with pytest.raises(AirflowFailException) as failed:
        compare("PyYAML==6.0.2", "pydantic==2.14.3", "no-such-package==1.0")
    assert str(failed.value).splitlines() == [
        "PyYAML: 6.0.3 instead of ==6.0.2",
        "no-such-package: nothing instead of ==1.0",
        "what to do: make lock; for the image, astro dev restart",
    ]


def test_a_long_name_and_a_long_version_leave_blanks_in_the_line(compare, caplog):
    """The walk of the lesson reads the first and the last word of the line."""
    name, required = f"no-{'x' * 50}", "==6.0.12.20261113.post1"
    with caplog.at_level(logging.INFO), pytest.raises(AirflowFailException):
        compare(f"{name}{required}")
    assert caplog.messages[-1].split() == [name, required, "nothing", "WRONG"]


def test_no_column_of_a_lesson_s_table_can_touch_the_next():
    """A value that is wider than its column must not run into the next one."""
    touching = [
        f"{path.name}: {line.strip()}"
        for path in FOLDER.glob("*.py")
        for line in path.read_text().splitlines()
        if re.search(r"%-\d+s(?! )", line)
    ]
    assert touching == []


def steps(path):
    """Returns the lines of a Dockerfile that are not comments."""
    lines = path.read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_the_custom_image_begins_as_the_project_s_own():
    """No step of ./Dockerfile is lost when somebody copies the custom one over it."""
    own, custom = steps(ROOT / "Dockerfile"), steps(FOLDER / "packages.Dockerfile")
    assert custom[: len(own)] == own
    assert len(custom) > len(own)


def test_the_custom_step_pins_its_package_and_the_comment_names_its_environment():
    text = (FOLDER / "packages.Dockerfile").read_text()
    (step,) = steps(FOLDER / "packages.Dockerfile")[1:]
    environment, package = re.fullmatch(
        r"RUN python -m venv (\w+) && \1/bin/pip install --no-cache-dir (\S+)", step
    ).groups()
    assert re.fullmatch(r"[\w-]+==[\d.]+", package)
    assert f"/usr/local/airflow/{environment}/bin/python" in text
    assert "packages.Dockerfile" in load("packages").__doc__
