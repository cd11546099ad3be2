"""The pages of the project: short where they must be, and no link in them leads nowhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.readmes import pages

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures"
PAGES = {**pages(), "CHANGELOG.md": (ROOT / "CHANGELOG.md").read_text()}
MOST_LINES = 130
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")

NAMED_FILE = re.compile(r"`([\w./-]+\.(?:py|md))`")
EXAMPLES = {"dags/orders.py"}  # files that a page asks its reader to write
LESSONS = {str(path.relative_to(ROOT)): path.read_text() for path in ROOT.glob("dags/lessons/*.py")}

each_page = pytest.mark.parametrize("page", PAGES)


def text_of(page: str) -> str:
    """The page without its blocks of code."""
    return re.sub(r"^ *```.*?^ *```$", "", PAGES[page], flags=re.DOTALL | re.MULTILINE)


def links(page: str) -> list[tuple[Path, str]]:
    """File and anchor of each link that stays in the project."""
    targets = [link for link in LINK.findall(text_of(page)) if "://" not in link]
    parts = [target.partition("#") for target in targets]
    here = ROOT / page
    return [(here.parent / file if file else here, anchor) for file, _, anchor in parts]


def anchors(page: Path) -> set[str]:
    """What GitHub makes of the page's headings."""
    headings = re.findall(
        r"^#+ (.+)$", text_of(str(page.resolve().relative_to(ROOT))), re.MULTILINE
    )
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_page
def test_a_link_leads_to_a_file_and_a_heading(page):
    dead = [str(file) for file, _ in links(page) if not file.exists()]
    dead += [f"#{anchor}" for file, anchor in links(page) if anchor and anchor not in anchors(file)]
    assert dead == []


def test_a_file_that_a_page_or_a_lesson_names_is_there():
    folders = ("dags", "docs", "include", "plugins", "tests")
    files = [path for name in folders for path in (ROOT / name).rglob("*.*")]
    there = {"/" + str(path.relative_to(ROOT)) for path in [*files, *ROOT.glob("*.*")]}
    named = [
        (page, file)
        for page, text in {**pages(), **LESSONS}.items()
        for file in set(NAMED_FILE.findall(text)) - EXAMPLES
    ]
    assert len(named) > 50
    gone = [each for each in named if not any(path.endswith("/" + each[1]) for path in there)]
    assert gone == []


def test_the_readme_is_read_in_one_sitting():
    assert PAGES["README.md"].count("\n") <= MOST_LINES


def test_a_long_page_has_a_table_of_contents():
    long = [page for page, text in PAGES.items() if text.count("\n") > 100]
    assert [page for page in long if page.startswith("docs/") and "](#" not in PAGES[page]] == []


def test_each_picture_is_shown_by_a_page():
    shown = {file.resolve() for page in PAGES for file, _ in links(page)}
    assert set(PICTURES.iterdir()) - shown == set()


def test_no_page_sends_a_reader_to_documentation_that_the_report_service_has_not():
    sent = [
        page
        for page, text in PAGES.items()
        if re.search(r"(127\.0\.0\.1|localhost):\d+/docs", text)
    ]
    assert sent == []
