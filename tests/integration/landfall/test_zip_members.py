"""Several members of a zip file are one arrival: all rows are loaded, or none of them."""

from __future__ import annotations

import gzip
import json
import zipfile

import pytest

from include.landfall.cli import main as cli
from include.landfall.errors import DataError, HeaderMismatch, LandfallError, RefusedCell
from include.landfall.ledger.kept_rejects import Selection, rejects_of
from include.landfall.postgres.connection import connect
from include.landfall.replay import rejects_to_replay
from include.local.services.environ import connections as spelled
from tests.support.engine import LARGE, Engine, many
from tests.support.file_bytes import zip_bytes

ALL = {"pattern": "**", "member": "*.csv"}


@pytest.fixture
def zips(engine):
    """The engine with a feed that takes every member of a zip file."""

    def zips(**changes):
        return engine.be(source={"bucket": engine.bucket, **ALL}, **changes)

    return zips


def test_all_rows_of_all_members_are_one_load(zips):
    engine = zips()
    packed = zip_bytes(
        ("a.csv", "id,name\n1,Ann\n"),
        ("readme.txt", "no data"),
        ("empty.csv", ""),
        ("in/b.csv", "name,id\nBob,2\n"),  # its own header counts
        ("c.csv", "id,name\n3,Cid\n"),
    )
    receipt = engine.load(packed, "all.zip")
    assert (receipt.outcome, receipt.rows) == ("loaded", 3)
    assert engine.rows() == [(1, "Ann"), (2, "Bob"), (3, "Cid")]
    assert engine.load(packed, "all.zip").outcome == "already_loaded"


def test_rows_that_are_padded_count_in_every_member_and_a_new_column_once(zips):
    packed = zip_bytes(("a.csv", "id,name,x\n1\n2,Bob,\n"), ("b.csv", "id,name,x\n3\n"))
    receipt = zips(contract={"row_shape": "pad", "new_columns": "ignore"}).load(packed, "all.zip")
    assert (receipt.rows, receipt.changes) == (3, ["new column x: ignored", "rows padded: 2"])


def rejects(engine):
    query = "SELECT member, line, row_number, raw FROM landfall.rejects ORDER BY reject_id"
    return engine.sql(query)


BAD = (
    ("a.csv", "id,name\n1,Ann\nx,bad cell\n"),
    ("b.csv", "id,name\n2,Bob\n3\n4,Dan\ny,bad cell\n99999999999,too large\n"),
)


def test_a_reject_has_its_member_and_the_line_and_row_within_it(zips):
    engine = zips(rejects={"at_most": 10})
    receipt = engine.load(zip_bytes(*BAD), "all.zip")
    assert (receipt.rows, receipt.rejected) == (3, 4)
    assert rejects(engine) == [
        ("a.csv", 3, 2, "x,bad cell"),
        ("b.csv", 3, 2, "3"),
        ("b.csv", 5, 4, "y,bad cell"),
        ("b.csv", 6, 5, "99999999999,too large"),
    ]


def test_what_only_the_server_refuses_is_found_in_its_member(zips):
    engine = zips(rejects={"at_most": 10})
    engine.sql("CREATE SCHEMA raw")
    engine.sql("CREATE TABLE raw.t (id integer CHECK (id < 100), name text, _load_id bigint)")
    members = [("a.csv", "id,name\n1,Ann\n"), ("b.csv", "name,id\nBob,2\nEve,500\n")]
    assert engine.load(zip_bytes(*members), "all.zip").rejected == 1
    assert rejects(engine) == [("b.csv", 3, 2, "Eve,500")]


def test_a_refused_file_names_the_member_and_its_line(zips):
    engine = zips()
    with pytest.raises(RefusedCell) as caught:
        engine.load(zip_bytes(*BAD), "all.zip")
    place = caught.value.place
    assert (place.member, place.line, place.row) == ("a.csv", 3, 2)
    assert place.object.endswith("/all.zip")
    assert "also: b.csv, line 3: the row has 1 field, not 2" in str(caught.value)
    assert {member for member, *_ in rejects(engine)} == {"a.csv", "b.csv"}
    with pytest.raises(HeaderMismatch) as caught:
        engine.load(zip_bytes(("a.csv", "id,name\n1,Ann\n"), ("b.csv", "id,title\n")), "other.zip")
    assert (caught.value.place.member, caught.value.place.line) == ("b.csv", 1)
    assert engine.sql("SELECT to_regclass('raw.t') IS NULL") == [True]


def test_members_that_bring_other_columns_are_refused(zips):
    engine = zips(contract={"new_columns": "evolve", "missing_columns": "default"})
    first = ("a.csv", "id,name,more\n1,Ann,x\n")
    assert engine.load(zip_bytes(first, ("b.csv", "more,name,id\ny,Bob,2\n")), "same.zip").rows == 2
    assert engine.sql("SELECT id, more FROM raw.t ORDER BY id") == [(1, "x"), (2, "y")]
    with pytest.raises(HeaderMismatch, match="other columns than the first file") as caught:
        engine.load(zip_bytes(first, ("b.csv", "id,more\n2,y\n")), "other.zip")
    assert caught.value.place.member == "b.csv"


def test_a_member_without_a_byte_does_not_say_which_columns_there_are(zips):
    engine = zips(contract={"missing_columns": "default"})
    packed = zip_bytes(("a.csv", ""), ("b.csv", "id\n1\n"), ("c.csv", ""))
    assert engine.load(packed, "all.zip").rows == 1


def test_cells_that_become_null_have_the_row_of_their_member(zips):
    columns = {"id": {"type": "integer", "on_bad_cell": "null"}, "name": "text"}
    engine = zips(columns=columns)
    engine.load(zip_bytes(("a.csv", "id,name\n1,Ann\n"), ("b.csv", "id,name\nx,Bob\n")), "all.zip")
    assert rejects(engine) == [("b.csv", 2, 1, "x,Bob")]


TWO = (("a.csv", "id,name\n1,Ann\n"), ("b.csv", "id,name\n2,Bob\n7,Eve\n"))
TRIGGER = (
    "CREATE FUNCTION raw.no() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN"
    " IF NEW.id = 7 THEN RAISE EXCEPTION 'not seven'; END IF; RETURN NEW; END$$;"
    " CREATE TRIGGER no BEFORE INSERT ON raw.t FOR EACH ROW EXECUTE FUNCTION raw.no()"
)


def load_two(engine):
    return engine.load(zip_bytes(*TWO), "all.zip")


@pytest.mark.parametrize("is_replay", [False, True], ids=["load", "replay"])
def test_an_error_of_a_row_names_its_member_and_the_row_within_it(zips, is_replay):
    engine = zips(rejects={"at_most": 1})
    engine.load("id,name\n0,Zoe\n", "zoe.csv")
    if is_replay:
        engine.sql("ALTER TABLE raw.t ADD CONSTRAINT no CHECK (id <> 7)")
        load_two(engine)
        engine.sql("ALTER TABLE raw.t DROP CONSTRAINT no")
    engine.sql(TRIGGER)
    attempt = Engine.replay if is_replay else load_two
    with pytest.raises(LandfallError, match="not seven") as caught:
        attempt(engine)
    place = caught.value.place
    assert (place.member, place.line, place.row) == ("b.csv", 3, 2)


def test_members_that_are_read_in_a_process_of_their_own(zips):
    """Both members are larger than what is read inline, and the second has the bad row."""
    engine = zips(rejects={"at_most": 1})
    second = many(LARGE, LARGE + 1) + "x,bad\n"
    packed = zip_bytes(("a.csv", many(LARGE)), ("b.csv", second), method=zipfile.ZIP_STORED)
    assert engine.load(packed, "all.zip").rows == 2 * LARGE
    assert rejects(engine) == [("b.csv", LARGE + 2, LARGE + 1, "x,bad")]


def test_members_must_not_unpack_to_more_than_the_ratio_allows(zips, monkeypatch):
    monkeypatch.setattr("include.landfall.read.unpack.UNPACKED_FREELY", 1 << 16)
    engine = zips(limits={"ratio": 2})
    packed = zip_bytes(("a.csv", many(900)), ("b.csv", many(900)))
    with pytest.raises(DataError, match="more than 2 times its size"):
        engine.load(packed, "all.zip")


def test_without_member_several_are_refused_with_the_advice(engine):
    with pytest.raises(DataError, match="2 members") as caught:
        engine.load(zip_bytes(("a.csv", "id,name\n"), ("b.csv", "id,name\n")), "all.zip")
    assert "source: {member: '*.csv'}" in caught.value.do


def test_landfall_rejects_shows_the_member(zips, monkeypatch, capsys, tmp_path):
    engine = zips(rejects={"at_most": 10})
    engine.load(zip_bytes(*BAD), "all.zip")
    for name, value in spelled(engine.warehouse, engine.store).items():
        monkeypatch.setenv(name, value)
    feed = tmp_path / "t.yaml"
    feed.write_text(
        json.dumps(engine.feed.model_dump(by_alias=True, mode="json", exclude_unset=True))
    )
    assert cli.main(["rejects", "--feed", str(feed)]) == 0
    assert "all.zip!b.csv" in capsys.readouterr().out


def test_rejects_of_an_earlier_version_are_read_and_get_the_member(zips):
    engine = zips(rejects={"at_most": 10})
    engine.load("id,name\n1,Ann\nx,Ben\n", "one.csv")
    # What came last tells a ledger of an earlier version, so that goes too.
    engine.sql("ALTER TABLE landfall.rejects DROP COLUMN member")
    engine.sql("ALTER TABLE landfall.ledger DROP COLUMN failed_at")
    with connect(engine.warehouse) as connection, connection.transaction():
        [kept] = rejects_of(connection, Selection("t"))
    corrected = {kept.reject_id: ["2", "Ben"]}
    to_replay = rejects_to_replay(engine.feed, warehouse=engine.warehouse, edited=corrected)
    assert (kept.file, len(to_replay.batches)) == ("one.csv", 1)
    engine.load(zip_bytes(*BAD), "all.zip")
    assert {member for member, *_ in rejects(engine)} == {None, "a.csv", "b.csv"}


def test_landfall_validate_names_the_member(zips, monkeypatch, capsys, tmp_path):
    engine = zips()
    engine.put(zip_bytes(("a.csv", "id,name\n1,A\n"), ("b.csv", "id,name\nx,B\n")), "all.zip")
    for name, value in spelled(engine.warehouse, engine.store).items():
        monkeypatch.setenv(name, value)
    feed = tmp_path / "t.yaml"
    feed.write_text(
        f"feed: t\nsource: {{bucket: {engine.bucket}, pattern: '**', member: '*.csv'}}\n"
        "target: {table: raw.t}\ncolumns: {id: integer, name: text}\n"
    )
    assert cli.main(["validate", "--feed", str(feed)]) == 5
    assert "    b.csv, line 2, column id: cell: invalid input" in capsys.readouterr().out


NOTHING = [gzip.compress(b"", mtime=0), zip_bytes(("a.csv", ""), ("b.csv", ""))]


@pytest.mark.parametrize("packed", NOTHING, ids=["gzip", "zip"])
def test_a_packed_file_without_a_byte_does_not_empty_the_table(zips, packed):
    engine = zips(target={"table": "raw.t", "disposition": "replace"})
    engine.load("id,name\n1,Ann\n", "a.csv")
    with pytest.raises(DataError, match="found: 0 bytes, unpacked"):
        engine.load(packed, "b.csv")
    assert engine.rows() == [(1, "Ann")]
    assert engine.load(zip_bytes(("a.csv", ""), ("b.csv", "id,name\n")), "c.csv").rows == 0
    assert engine.rows() == []  # a header says that there are no rows
