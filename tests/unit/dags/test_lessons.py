"""The rules for a lesson's file: it is small, its names agree, its page has the same headings."""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from include.local.course.course import LESSONS

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "dags" / "lessons"
FILES = sorted(FOLDER.glob("*.py"))
HEADINGS = ["What", "Why", "The code that matters", "Look at", "Since Airflow 2.9", "Exercise"]
NO_CODE = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
    tokenize.ENCODING, tokenize.ENDMARKER,
}  # fmt: skip
MAX_LINES = 60
# Texts in italics that begin like a label of the UI.
NO_LABELS = {
    "API server", "DAG processor", "Delete the day, insert the day", "It works on my machine",
    "With the Astro CLI",
}  # fmt: skip
SECTIONS = 19

each_file = pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])


@pytest.fixture(scope="module")
def bag():
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(FOLDER, bundle_path=FOLDER, safe_mode=True)


@pytest.fixture(scope="module")
def dags(bag) -> dict[str, list]:
    """The DAGs of each file, by the file's name."""
    made: dict[str, list] = {path.stem: [] for path in FILES}
    for dag in bag.dags.values():
        made[Path(dag.fileloc).stem].append(dag)
    return made


def page(path: Path) -> str:
    """Returns the lesson's page."""
    return ast.get_docstring(ast.parse(path.read_text())) or ""


def section(path: Path) -> int:
    """Returns the section in the title of the page."""
    title = re.match(r"# (\d+)\. \S", page(path))
    assert title, f"{path.name} has no title"
    return int(title[1])


def code_lines(source: str) -> int:
    """Counts the lines with code: no docstrings, comments or empty lines."""
    lines = {
        line
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type not in NO_CODE
        for line in range(token.start[0], token.end[0] + 1)
    }
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            lines -= set(range(node.lineno, (node.end_lineno or 0) + 1))
    return len(lines)


def test_only_lines_with_code_are_counted():
    source = '"""Text.\n\nMore.\n"""\n\n# why\nx = f(\n    1,\n)\n\n\ndef f():\n    """Says."""\n'
    assert code_lines(source) == 4


@each_file
def test_a_lesson_is_small(path):
    assert code_lines(path.read_text()) <= MAX_LINES


@each_file
def test_its_page_has_a_title_and_the_six_headings_in_order(path):
    headings = re.findall(r"^(#+) (.+)$", re.sub(r"```.*?```", "", page(path), flags=re.S), re.M)
    assert [text for level, text in headings if level == "##"] == HEADINGS
    assert [level for level, _ in headings].count("#") == 1
    parts = re.split(r"^## .+$", page(path), flags=re.M)[1:]
    assert all(part.strip() for part in parts)


@each_file
def test_its_page_quotes_code(path):
    quoted = re.split(r"^## .+$", page(path), flags=re.M)[3]
    assert "```" in quoted


@each_file
def test_the_answer_is_folded_away(path):
    """Airflow's UI does not show a block of HTML, but a blank line would end the block."""
    exercise = page(path).split("## Exercise\n")[1]
    folded = re.search(r"<details><summary>Answer</summary>(.+)</details>\Z", exercise, re.S)
    assert folded, "the page ends with the answer"
    assert folded[1].strip()
    assert "\n\n" not in folded[1]
    assert f"[Code](/dags/lesson_{section(path):02}_{path.stem}/code)" in exercise


def _texts(labels: object) -> Iterator[str]:
    if isinstance(labels, dict):
        for each in labels.values():
            yield from _texts(each)
    else:
        yield str(labels)


def test_a_label_of_the_ui_that_a_page_names_is_in_the_ui():
    """A reader looks for a button or a tab by its name, and a new Airflow may name it otherwise."""
    import airflow

    folder = Path(airflow.__file__).parent / "ui" / "dist" / "i18n" / "locales" / "en"
    labels = {
        text for file in folder.glob("*.json") for text in _texts(json.loads(file.read_text()))
    }
    pages = [*map(page, FILES), (FOLDER / "README.md").read_text()]
    prose = re.sub(r"```.*?```", "", "\n".join(pages), flags=re.S)
    named = {
        " ".join(label.split())
        for words in re.findall(r"(?<![*\w])\*([A-Z][^*]+?)\*(?![*\w])", prose)
        for label in words.split(" → ")
    }
    assert len(named & labels) > 15
    assert named - labels == NO_LABELS


@each_file
def test_file_dag_and_tags_agree(path, dags):
    (dag,) = dags[path.stem]
    assert dag.dag_id == f"lesson_{section(path):02}_{path.stem}"
    assert set(dag.tags) == {"lesson", f"section {section(path)}"}
    assert dag.doc_md.strip() == page(path)


@each_file
def test_it_is_in_the_course_under_its_section(path):
    assert {lesson.name: lesson.section for lesson in LESSONS}[path.stem] == section(path)


def test_the_course_has_no_lesson_without_a_file():
    assert {lesson.name for lesson in LESSONS} == {path.stem for path in FILES}
    assert [lesson.section for lesson in LESSONS] == sorted({lesson.section for lesson in LESSONS})


ROW = re.compile(r"^\| (\d+) \|([^|]*)\|([^|]*)\|([^|]*)\|$", re.M)


def rows() -> dict[int, tuple[str, ...]]:
    """Returns the rows of the README's table of contents, by section."""
    matches = ROW.findall((FOLDER / "README.md").read_text())
    return {int(number): tuple(cell.strip() for cell in cells) for number, *cells in matches}


def test_the_table_of_contents_has_every_section():
    assert list(rows()) == list(range(1, SECTIONS + 1))


@each_file
def test_it_is_in_the_table_of_contents(path):
    lesson, command, result = rows()[section(path)]
    assert lesson == f"[{path.stem}]({path.name})"
    assert command == f"`make lessons L={path.stem}`"
    assert len(result) > 20
