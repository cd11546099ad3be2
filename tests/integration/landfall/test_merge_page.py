"""Every example of docs/merge.md does what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

PAGE = (Path(__file__).parents[3] / "docs" / "merge.md").read_text()
BLOCK = re.compile(r"^```(yaml|csv|text)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SECTIONS = {
    section.splitlines()[0]: BLOCK.findall(section)
    for section in PAGE.split("\n## ")
    if "```yaml" in section
}
SCD2 = ["_valid_from", "_valid_to", "_is_current"]


@pytest.mark.parametrize("section", SECTIONS)
def test_an_example_leaves_the_table_that_the_page_shows(engine, section):
    (_, feed), *files, (_, expected) = SECTIONS[section]
    values = yaml.safe_load(feed)
    engine.be(**values)
    for number, (_, text) in enumerate(files):
        assert engine.load(text, f"{number}.csv").outcome == "loaded"
    lines = [[cell.strip() for cell in line.split("|")] for line in expected.splitlines()]
    names = list(values["columns"])
    if values["target"].get("strategy") == "scd2":
        names = ["id", "name", *SCD2[2 - len(lines[0]) :]]
    columns = ", ".join(f"coalesce({name}::text, '')" for name in names)
    rows = engine.sql(f"SELECT {columns} FROM raw.t")
    assert sorted(map(list, rows)) == sorted(lines)


def test_the_page_has_an_example_of_each_strategy():
    assert len(SECTIONS) == 8
