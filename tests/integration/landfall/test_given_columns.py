"""Columns that the file does not have: from the object's key, the object, and the row's place."""

from __future__ import annotations

import io
import zipfile

import pytest

from include.landfall.cli.reject_csv import lines_of
from include.landfall.ledger.kept_rejects import Selection, rejects_of
from include.landfall.postgres.connection import connect
from include.landfall.replay import rejects_to_replay, replay
from tests.support.engine import many

COLUMNS = {
    "row": {"type": "bigint", "from_object": "row"},
    "id": "integer",
    "member": {"type": "text", "from_object": "member"},
    "month": {"type": "integer", "from_key": r"month=(\d+)/"},
    "note": {"ignore": True},
    "name": "text",
}
KEY = "month=07/a.csv"
LARGE = 700_000  # rows, of more than 8 MB


@pytest.fixture
def given(engine):
    """The engine with such a feed, whose rejects are kept."""
    engine.be(columns=COLUMNS, rejects={"at_most": 10})
    return engine


def zipped(**members: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in members.items():
            archive.writestr(f"{name}.csv", text)
    return buffer.getvalue()


def test_rows_are_numbered_as_the_file_has_them(given):
    """The rejected ones count, and so do those that came by another path than their neighbours."""
    data = "id,note,name\n1,x,a\nbad,x,b\n3,x\n 4 ,x,d\n5,x,e\n"
    assert given.load(data, key=KEY).rows == 3
    assert given.sql("SELECT row, id, member, month FROM raw.t ORDER BY row") == [
        (1, 1, None, 7), (4, 4, None, 7), (5, 5, None, 7),
    ]  # fmt: skip
    kept = given.sql("SELECT row_number, cells ->> 'row' FROM landfall.rejects ORDER BY 1")
    assert kept == [(2, "2"), (3, None)]  # the second could not be cut into cells


def test_members_of_a_zip_file_are_named_and_each_is_numbered_from_1(given):
    given.be(
        columns=COLUMNS,
        source={"bucket": given.bucket, "pattern": "**", "member": "*.csv"},
        rejects={"at_most": 10},
    )
    one, two = "id,note,name\n1,x,a\n2,x,b\n", "id,note,name\n3,x,c\nbad,x,d\n"
    given.load(zipped(one=one, two=two), key="month=07/a.zip")
    assert given.sql("SELECT id, row, member FROM raw.t ORDER BY id") == [
        (1, 1, "one.csv"), (2, 2, "one.csv"), (3, 1, "two.csv"),
    ]  # fmt: skip
    assert given.sql("SELECT cells ->> 'row', cells ->> 'member' FROM landfall.rejects") == [
        ("2", "two.csv")
    ]


def test_a_large_file_is_numbered_through(given):
    given.be(columns={"id": "integer", "name": "text", "row": COLUMNS["row"]})
    given.load(many(LARGE))
    assert given.sql("SELECT count(*), min(row), max(row), count(DISTINCT row) FROM raw.t") == [
        (LARGE, 1, LARGE, LARGE)
    ]
    assert given.sql("SELECT count(*) FROM raw.t WHERE row <> id") == [0]


def test_a_row_that_is_corrected_has_what_its_object_gives(given):
    """Its fields stand under their columns, and nobody has to know the others."""
    given.load("id,note,name\n1,x,a\n2,x\n3,x,c,d\n", key=KEY)
    with connect(given.warehouse) as connection, connection.transaction():
        _, short, long = lines_of(given.feed, rejects_of(connection, Selection("t")))
    assert [line.partition('not 3",')[2] for line in (short, long)] == [",2,,\n", ",3,,,c,d\n"]
    ids = given.sql("SELECT reject_id FROM landfall.rejects ORDER BY reject_id")
    cells = [[None, "2", None, None, "b"], [None, "3", None, "8", "c"]]
    edited = dict(zip(ids, cells, strict=True))
    [batch] = rejects_to_replay(given.feed, warehouse=given.warehouse, edited=edited).batches
    assert replay(given.feed, batch, warehouse=given.warehouse).rows == 2
    assert given.sql("SELECT row, id, month, name FROM raw.t ORDER BY id") == [
        (1, 1, 7, "a"), (2, 2, 7, "b"), (3, 3, 8, "c"),
    ]  # fmt: skip
