"""The project's code keeps the project's own rules, and each rule finds what breaks it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.code_rules import RULES

ROOT = Path(__file__).parents[2]
LONG_BODY = "    x = 1\n" * 30
DOCSTRING = '    """Loads.\n\n    With a reason.\n    """\n'


@pytest.mark.parametrize("rule", RULES)
def test_the_code_keeps_the_rule(rule):
    assert RULES[rule](ROOT) == []


@pytest.fixture
def check(tmp_path):
    """Runs a rule on a project that has only this file."""

    def check(rule: str, path: str, text: str) -> list[str]:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return RULES[rule](tmp_path)

    return check


BROKEN = [
    ("long_modules", "plugins/a.py", "x = 1\n" * 351, "plugins/a.py: 351 lines"),
    ("long_modules", "tests/a.py", "x = 1\n" * 351, "tests/a.py: 351 lines"),
    ("long_classes", "include/a.py", "class A:\n" + "    x = 1\n" * 200,
     "include/a.py:1: A has 201 lines"),
    ("long_functions", "dags/a.py", "def f():\n" + LONG_BODY, "dags/a.py:1: f has 31 lines"),
    ("long_functions", "dags/a.py", "class A:\n  async def f():\n" + LONG_BODY,
     "dags/a.py:2: f has 31 lines"),
    ("format_names", "include/landfall/load.py", "x = form == 'parquet'\n",
     "include/landfall/load.py:1: tells cases apart by the name 'parquet'"),
    ("format_names", "include/landfall/read/pipeline.py", "x = form in ('csv', 'b')\n", "'csv'"),
    ("format_names", "plugins/a.py", "match form:\n    case 'csv':\n        pass\n", "a.py:2: "),
    ("format_names", "dags/a.py", "SUFFIXES = {('csv', None): '.csv'}\n", "'csv'"),
    ("format_names", "dags/a.py", "x = readers['csv']\n", "'csv'"),
    ("format_names", "include/landfall/load.py", "x = readers.get('csv')\n", "'csv'"),
    ("format_names", "include/landfall/load.py", "CHOICES = frozenset({'csv'})\n", "'csv'"),
    ("disposition_names", "include/landfall/write/settle.py", "x = 'replace' != how\n",
     "include/landfall/write/settle.py:1: tells cases apart by the name 'replace'"),
    ("disposition_names", "include/landfall/sql/ledger/claim.sql", "SELECT 1\nWHERE d = 'append'\n",
     "include/landfall/sql/ledger/claim.sql:2: 'append'"),
    ("docstring_verbs", "include/a.py", 'def f():\n    """The rows."""\n',
     "include/a.py:1: f begins with 'The'"),
    ("docstring_verbs", "include/a.py", 'class A:\n    def f(self):\n        """Load it."""\n',
     "include/a.py:2: f begins with 'Load'"),
    ("docstring_verbs", "include/a.py", 'def f():\n    """Rows of it."""\n', "'Rows'"),
    ("docstring_verbs", "plugins/a.py", 'def f() -> int:\n    """Gives the rows."""\n',
     "plugins/a.py:1: f begins with 'Gives', not with Returns or Yields"),
    ("private_words", "include/a.py", "# Read it anew.\n", "include/a.py:1: anew"),
    ("vague_names", "tests/a.py", "\nfound = 1\n", "tests/a.py:2: found does not say"),
    ("private_words", ".ci/run", "# the manner\n", ".ci/run:1: manner"),
    ("private_words", "dags/README.md", "one\nMend the file.\n", "dags/README.md:2: Mend"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "path", "text", "message"), BROKEN)
def test_a_rule_finds_what_breaks_it(check, rule, path, text, message):
    (violation,) = check(rule, path, text)
    assert message in violation


def test_a_format_and_a_disposition_that_a_module_adds_are_known_to_the_rules(check):
    check("format_names", "include/landfall/read/formats/json_lines.py", "")
    assert check("format_names", "dags/a.py", "x = form == 'json_lines'\n")
    check("disposition_names", "include/landfall/write/dispositions/delete_insert.py", "")
    assert check("disposition_names", "dags/b.py", "x = how == 'delete-insert'\n")


KEPT = [
    ("long_modules", "plugins/a.py", "x = 1\n" * 350),
    ("long_classes", "include/a.py", "class A:\n" + "    x = 1\n" * 199),
    ("long_functions", "dags/a.py", "def f():\n" + DOCSTRING + LONG_BODY[10:]),
    ("format_names", "include/landfall/feed/formats.py", "x = form == 'parquet'\n"),
    ("format_names", "include/landfall/read/formats/csv.py", "NAMES = {'csv': 1}\n"),
    ("format_names", "include/reports/making.py", "NAMES = {'csv': 1}\n"),
    ("format_names", "dags/a.py", "table = export(format='parquet')\n"),
    ("disposition_names", "include/landfall/write/dispositions/replace.py", "x = a == 'replace'\n"),
    ("disposition_names", "include/landfall/sql/write/dispositions/a.sql", "SELECT 'append'"),
    ("disposition_names", "include/astro_sdk/loading.py", "x = if_exists == 'append'\n"),
    ("docstring_verbs", "include/a.py", 'def f():\n    """Loads it."""\n'),
    ("docstring_verbs", "include/a.py", 'def f():\n    """Loads, and commits."""\n'),
    ("docstring_verbs", "include/a.py", 'def f() -> None:\n    """Gives it a name."""\n'),
    ("docstring_verbs", "include/a.py", 'def _f():\n    """The rows."""\n'),
    ("docstring_verbs", "include/a.py",
     'class A:\n    """A row."""\n    @property\n    def f(self):\n        """The rows."""\n'),
    ("vague_names", "include/a.py", "error = Error(found=1)\n"),
    ("private_words", "include/a.py", "warehouse = streets = 1\n"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "path", "text"), KEPT)
def test_a_rule_leaves_alone_what_keeps_it(check, rule, path, text):
    assert check(rule, path, text) == []
