"""With `absent: delete` each file has all keys: what a file does not have leaves the table."""

from __future__ import annotations

import pytest

from include.landfall.errors import DataError, FeedError
from include.landfall.ledger.arrivals import missing_rows
from include.landfall.postgres.connection import connect
from include.landfall.replay import rejects_to_replay, replay
from tests.support.undo import keeping, undo

EACH = pytest.mark.parametrize("strategy", ["upsert", "delete-insert"])


def snapshots(engine, strategy, **target):
    """Makes the feed one whose files have all keys, and loads the first one."""
    keeping(engine, strategy, absent="delete", **target)
    return engine.load("id,name\n1,a\n2,b\n3,c\n", "1.csv")


@EACH
def test_a_snapshot_deletes_the_keys_that_it_does_not_have(engine, strategy):
    snapshots(engine, strategy)
    receipt = engine.load("id,name\n1,A\n4,d\n1,AA\n", "2.csv")
    assert engine.rows() == [(1, "AA"), (4, "d")]
    assert (receipt.rows, receipt.deduplicated) == (2, 1)
    engine.load("id,name\n", "3.csv")
    assert engine.rows() == []
    with connect(engine.warehouse) as connection:
        assert missing_rows(connection, engine.feed) == 0  # nobody has emptied the table
    assert engine.load("id,name\n1,a\n", "4.csv").changes == []


@EACH
def test_rows_that_delete_their_keys_are_gone_as_the_absent_ones(engine, strategy):
    deleted = {"column": "name", "values": ["gone"]}
    snapshots(engine, strategy, deleted=deleted)
    engine.load("id,name\n1,gone\n2,B\n", "2.csv")
    assert engine.rows() == [(2, "B")]


def test_an_upsert_leaves_what_the_feed_does_not_have(engine):
    """Columns beside the feed's, and rows whose key is NULL: no file can have those."""
    engine.sql(
        "CREATE SCHEMA raw; CREATE TABLE raw.t"
        " (id integer UNIQUE, name text, note text, _load_id bigint);"
        " INSERT INTO raw.t VALUES (1, 'x', 'mine', 0), (NULL, 'y', 'theirs', 0), (9, 'z', '', 0)"
    )
    snapshots(engine, "upsert")
    assert engine.sql("SELECT id, note FROM raw.t ORDER BY id") == [
        (1, "mine"), (2, None), (3, None), (None, "theirs")
    ]  # fmt: skip


@EACH
def test_a_snapshot_with_rejects_deletes_nothing(engine, strategy):
    """The row that was refused may be that of the absent key."""
    snapshots(engine, strategy)
    receipt = engine.load("id,name\n1,A\n3,c\nx,b\n", "2.csv")
    assert receipt.changes == ["absent keys kept: 1 -> rejects: 1, whose keys may be these"]
    assert engine.rows() == [(1, "A"), (2, "b"), (3, "c")]


@EACH
def test_a_reject_of_a_snapshot_is_not_replayed_after_a_later_one(engine, strategy):
    snapshots(engine, strategy)
    engine.load("id,name\n1,a\nx,b\n", "2.csv")
    engine.load("id,name\n1,a\n", "3.csv")
    (reject,) = engine.sql("SELECT reject_id FROM landfall.rejects")
    edited = {reject: ["2", "b"]}
    (batch,) = rejects_to_replay(engine.feed, warehouse=engine.warehouse, edited=edited).batches
    with pytest.raises(DataError, match="a later snapshot is loaded"):
        replay(engine.feed, batch, warehouse=engine.warehouse)
    assert engine.rows() == [(1, "a")]


@EACH
def test_an_older_snapshot_and_an_empty_object_delete_nothing(engine, strategy):
    old = engine.put("id,name\n7,old\n", "0.csv")
    snapshots(engine, strategy)
    assert engine.load(old).outcome == "superseded"
    with pytest.raises(DataError, match="the object is empty"):
        engine.load("", "2.csv")
    assert engine.rows() == [(1, "a"), (2, "b"), (3, "c")]


@EACH
def test_what_a_snapshot_deleted_comes_back_when_it_is_forgotten(engine, strategy):
    snapshots(engine, strategy)
    before = engine.sql("SELECT * FROM raw.t ORDER BY id")
    engine.load("id,name\n1,A\n4,d\n", "2.csv")
    assert undo(engine, "2.csv").rows == 4
    assert engine.sql("SELECT * FROM raw.t ORDER BY id") == before


CHILD = "CREATE TABLE raw.child (id integer REFERENCES raw.t {}); INSERT INTO raw.child VALUES (2)"


@pytest.mark.parametrize(
    "rule", ["ON DELETE CASCADE", "ON DELETE SET NULL", "", "DEFERRABLE INITIALLY DEFERRED"]
)
def test_a_row_to_which_another_table_refers_is_not_deleted(engine, rule):
    """The snapshot is refused whole, and says for which key; without that row it is loaded."""
    snapshots(engine, "upsert")
    engine.sql(CHILD.format(rule))
    with pytest.raises((FeedError, DataError)) as refused:
        engine.load("id,name\n1,A\n", "2.csv")
    assert "child" in refused.value.found
    assert "first" in refused.value.do
    assert engine.rows() == [(1, "a"), (2, "b"), (3, "c")]
    assert engine.sql("SELECT id FROM raw.child") == [2]
    engine.load("id,name\n1,A\n2,B\n", "3.csv")
    assert engine.rows() == [(1, "A"), (2, "B")]


@EACH
@pytest.mark.parametrize("rule", ["", "ON DELETE CASCADE"])
def test_what_a_row_of_the_file_refers_to_or_takes_over_may_be_what_goes(engine, strategy, rule):
    """Row 4 has the unique name of row 2, which goes; row 1 has referred to row 3, which goes."""
    engine.sql(
        "CREATE SCHEMA raw; CREATE TABLE raw.t (id integer PRIMARY KEY, name text UNIQUE,"
        f" boss integer REFERENCES raw.t {rule}, _load_id bigint)"
    )
    columns = {"columns": {"id": "integer", "name": "text", "boss": "integer"}}
    keeping(engine, strategy, absent="delete", more=columns)
    engine.load("id,name,boss\n3,c,\n1,a,3\n2,b,\n", "1.csv")
    assert engine.load("id,name,boss\n1,a,3\n3,c,\n4,b,1\n", "2.csv").rejected == 0
    if strategy == "upsert":
        assert engine.load("id,name,boss\n1,a,4\n4,b,\n", "3.csv").rejected == 0
        assert engine.sql("SELECT id, boss FROM raw.t ORDER BY id") == [(1, 4), (4, None)]


@EACH
def test_a_snapshot_is_refused_where_a_trigger_keeps_the_absent_row(engine, strategy):
    snapshots(engine, strategy)
    engine.sql(
        "CREATE FUNCTION raw.keep() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RETURN CASE WHEN OLD.id <> 3 THEN OLD END; END $$;"
        " CREATE TRIGGER keep BEFORE DELETE ON raw.t FOR EACH ROW EXECUTE FUNCTION raw.keep()"
    )
    with pytest.raises(FeedError, match="rows that this load replaces stay"):
        engine.load("id,name\n1,A\n2,B\n", "2.csv")
    assert engine.rows() == [(1, "a"), (2, "b"), (3, "c")]


@EACH
def test_a_snapshot_is_refused_where_a_trigger_gives_rows_another_key(engine, strategy):
    """The key of the file would never be in the table, so its row would go with each snapshot."""
    snapshots(engine, strategy, keep_replaced=None)
    engine.sql(
        "CREATE FUNCTION raw.move() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN NEW.id := NEW.id + 100; RETURN NEW; END $$;"
        " CREATE TRIGGER move BEFORE INSERT ON raw.t FOR EACH ROW EXECUTE FUNCTION raw.move()"
    )
    with pytest.raises(FeedError, match="key"):
        engine.load("id,name\n9,z\n", "2.csv")
    assert engine.rows() == [(1, "a"), (2, "b"), (3, "c")]
