"""One module adds a format, and one adds a disposition, without a change of the engine.

CONTRIBUTING.md shows the same steps.
"""

from __future__ import annotations

import importlib
import sys

import pytest

from include.landfall.errors import FeedError, MisshapenRow
from include.landfall.feed.dispositions import DISPOSITIONS
from include.landfall.feed.formats import FORMATS
from include.landfall.feed.schema import schema
from include.landfall.feed.yaml_file import read_feed

FORMAT = "tests.support.extensions.key_value"
DISPOSITION = "tests.support.extensions.archive"
FEED = """\
feed: t
source: {bucket: landing, pattern: x/*}
format: {type: key_value, separator: ":"}
target: {table: raw.t, disposition: archive}
columns: {id: integer, name: text}
"""


@pytest.fixture(autouse=True)
def extensions(monkeypatch):
    """Imports both modules again for the test, and forgets them after it."""
    for registry in (FORMATS, DISPOSITIONS):
        for name in ("key_value", "archive"):
            monkeypatch.setitem(registry, name, None)
            monkeypatch.delitem(registry, name)
    for module in (FORMAT, DISPOSITION):
        monkeypatch.delitem(sys.modules, module, raising=False)
        importlib.import_module(module)


@pytest.mark.parametrize("child", [False, True], ids=["in this process", "in a child"])
def test_a_format_of_one_module_loads_a_file(engine, mocker, child):
    mocker.patch("include.landfall.transfer.INLINE_BYTES", 0 if child else 1 << 30)
    engine.be(format="key_value")
    receipt = engine.load("id=1 name=a\nname=b id=2\n")
    assert (receipt.outcome, receipt.rows) == ("loaded", 2)
    assert engine.rows() == [(1, "a"), (2, "b")]


@pytest.mark.parametrize("child", [False, True], ids=["in this process", "in a child"])
def test_its_faults_and_refused_cells_have_their_line(engine, mocker, child):
    mocker.patch("include.landfall.transfer.INLINE_BYTES", 0 if child else 1 << 30)
    engine.be(format={"type": "key_value", "separator": ":"})
    with pytest.raises(MisshapenRow, match="not key and value") as refused:
        engine.load("id:1 name:a\nwrong\n")
    assert refused.value.place.line == 2
    with pytest.raises(Exception, match="invalid input syntax") as refused:
        engine.load("id:1 name:a\nid:x name:b\n")
    assert (refused.value.place.line, refused.value.place.column) == (2, "id")


def test_a_disposition_of_one_module_decides_what_becomes_of_replaced_rows(engine):
    engine.be(disposition="archive")
    engine.load("id,name\n1,a\n")
    engine.sql("CREATE TABLE raw.archive (LIKE raw.t)")
    # The blanks make the second row a suspect, which goes through staging.
    engine.load("id,name\n1,b\n 2 ,c\n")
    assert engine.rows() == [(1, "b"), (2, "c")]
    assert engine.sql("SELECT id, name FROM raw.archive") == [(1, "a")]
    assert engine.statuses() == ["superseded", "loaded"]


def test_feeds_name_both_and_the_schema_has_them(tmp_path):
    path = tmp_path / "t.yaml"
    path.write_text(FEED)
    feed = read_feed(path)
    assert (feed.format.dialect().separator, feed.target.disposition) == (":", "archive")
    described = schema()
    assert "key_value" in described["properties"]["format"]["anyOf"][0]["enum"]
    assert "archive" in described["$defs"]["Target"]["properties"]["disposition"]["enum"]


def test_a_wrong_option_of_it_is_named_with_the_right_one(tmp_path):
    path = tmp_path / "t.yaml"
    path.write_text(FEED.replace("separator", "seperator"))
    with pytest.raises(FeedError, match=r"unknown key 'format\.seperator'") as refused:
        read_feed(path)
    assert (refused.value.place.line, refused.value.do) == (3, "did you mean 'separator'?")
