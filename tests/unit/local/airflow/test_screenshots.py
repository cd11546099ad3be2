"""Every picture of the UI that a page shows is one that the script takes, and is light."""

from __future__ import annotations

import re

import pytest
from PIL import Image

from include.landfall.errors import LandfallError
from include.local.airflow import screenshots
from include.local.airflow.screenshots import PICTURES
from include.local.course.course import LESSONS
from include.local.state import PROJECT

MOST_BYTES = 150_000
PAGES = ("README.md", "docs/course.md")


def shown() -> set[str]:
    """The PNG files that the pages show."""
    return {
        str((PROJECT / page).parent.joinpath(link).relative_to(PROJECT))
        for page in PAGES
        for link in re.findall(r"!\[[^\]]*\]\(([^)]+\.png)\)", (PROJECT / page).read_text())
    }


def test_the_script_takes_exactly_the_pictures_that_are_shown():
    assert shown() == {picture.file for picture in PICTURES}


@pytest.mark.parametrize("picture", PICTURES, ids=[picture.file for picture in PICTURES])
def test_it_is_there_in_its_size_and_light(picture):
    path = PROJECT / picture.file
    assert path.stat().st_size <= MOST_BYTES
    with Image.open(path) as image:
        assert image.mode == "P"
        assert image.size[0] <= picture.size[0]


def test_each_is_of_a_lesson_that_there_is():
    assert {picture.lesson for picture in PICTURES} - {None} <= {lesson.name for lesson in LESSONS}


def test_without_a_browser_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(screenshots.shutil, "which", lambda name: None)
    with pytest.raises(LandfallError, match="apt-get install -y --no-install-recommends chromium"):
        screenshots.run(tmp_path)
