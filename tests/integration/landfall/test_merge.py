"""A merge changes the rows of its keys, and counts every row of the file."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from include.landfall.errors import DataError, FeedError, LandfallError
from include.landfall.validate import validate

BOTH = pytest.mark.parametrize("strategy", ["upsert", "delete-insert"])
COLUMNS = {"id": "integer", "name": "text", "at": "date"}


def merging(engine, strategy="upsert", columns=COLUMNS, rejects=1000, **target):
    """Makes the engine's feed one that merges into `raw.t`."""
    target = {
        "table": "raw.t",
        "disposition": "merge",
        "key": ["id"],
        "strategy": strategy,
    } | target
    return engine.be(columns=columns, target=target, rejects={"at_most": rejects})


@BOTH
def test_rows_change_those_of_their_key_and_others_stay(engine, strategy):
    merging(engine, strategy)
    first = engine.load("id,name,at\n1,a,\n2,b,\n", "1.csv")
    second = engine.load("id,name,at\n2,B,\n 3 ,c,\n", "2.csv")
    assert engine.rows() == [(1, "a"), (2, "B"), (3, "c")]
    assert (second.rows, second.deduplicated) == (2, 0)
    assert engine.sql("SELECT id, _load_id FROM raw.t ORDER BY id") == [
        (1, first.load_id), (2, second.load_id), (3, second.load_id)
    ]  # fmt: skip


@BOTH
def test_of_two_rows_of_one_key_the_later_one_wins_and_the_other_is_counted(engine, strategy):
    merging(engine, strategy)
    receipt = engine.load("id,name,at\n1,a,\n1,b,\n 1 ,c,\n2,x,\n")
    assert (receipt.rows, receipt.deduplicated, receipt.rejected) == (2, 2, 0)
    assert engine.rows() == [(1, "c"), (2, "x")]
    assert engine.entries()[0].deduplicated == 2


@BOTH
def test_the_newest_row_wins_within_a_file_and_against_the_table(engine, strategy):
    merging(engine, strategy, newest="at")
    engine.load("id,name,at\n1,new,2026-02-02\n1,old,2026-02-01\n2,a,2026-02-01\n3,x,\n", "1.csv")
    assert engine.rows() == [(1, "new"), (2, "a"), (3, "x")]
    receipt = engine.load(
        "id,name,at\n1,older,2026-01-01\n1,oldest,\n2,tie,2026-02-01\n3,y,\n", "2.csv"
    )
    assert (receipt.rows, receipt.deduplicated) == (2, 2)
    assert engine.rows() == [(1, "new"), (2, "tie"), (3, "y")]


@BOTH
def test_rows_that_delete_take_their_key_away_and_count_as_loaded(engine, strategy):
    columns = {**COLUMNS, "op": "char(1)"}
    merging(engine, strategy, columns, newest="at", deleted={"column": "op", "values": ["D"]})
    engine.load("id,name,at,op\n1,a,2026-01-01,I\n2,b,2026-01-05,I\n3,c,2026-01-01,\n", "1.csv")
    receipt = engine.load(
        "id,name,at,op\n1,,2026-01-02,D\n2,,2026-01-02,D\n9,,2026-01-02,D\n", "2.csv"
    )
    assert engine.rows() == [(2, "b"), (3, "c")]
    assert (receipt.rows, receipt.deduplicated) == (2, 1)


@pytest.mark.parametrize("strategy", ["upsert", "delete-insert", "scd2"])
def test_a_row_that_deletes_its_key_needs_no_other_cell(engine, strategy):
    """As a tombstone of change data capture: it has the key alone."""
    columns = {**COLUMNS, "name": {"type": "text", "nullable": False}, "op": "char(1)"}
    merging(engine, strategy, columns, deleted={"column": "op", "values": ["D"]})
    engine.load("id,name,at,op\n1,a,2026-01-01,I\n2,b,2026-01-01,I\n", "1.csv")
    engine.sql("ALTER TABLE raw.t ALTER at SET NOT NULL, ADD CHECK (name IS NOT NULL)")
    receipt = engine.load("id,name,at,op\n1,,,D\n2,,,I\n2,b,,U\n,,,D\n3,c,x,D\n", "2.csv")
    assert (receipt.rows, receipt.reasons) == (1, {"null": 3, "cell": 1})
    is_current = "_is_current" if strategy == "scd2" else "true"
    assert engine.sql(f"SELECT id, name FROM raw.t WHERE {is_current}") == [(2, "b")]


@BOTH
def test_a_row_takes_the_unique_value_that_a_row_before_it_gives_up(engine, strategy):
    """All at once, in the order of the key, Postgres refuses it."""
    merging(engine, strategy, rejects=0).load("id,name,at\n1,a,\n2,b,\n", "1.csv")
    engine.sql("ALTER TABLE raw.t ADD UNIQUE (name)")
    assert engine.load("id,name,at\n2,c,\n1,b,\n", "2.csv").rows == 2
    assert engine.rows() == [(1, "b"), (2, "c")]


@BOTH
def test_a_key_is_compared_column_by_column(engine, strategy):
    merging(engine, strategy, {"id": "text", "name": "text"}, key=["id", "name"])
    engine.load("id,name\nab,c\n", "1.csv")
    engine.load('id,name\na,bc\n"",abc\nab,c\n', "2.csv")
    assert engine.rows() == [("", "abc"), ("a", "bc"), ("ab", "c")]


@BOTH
def test_each_row_that_the_target_refuses_is_a_reject_with_its_reason(engine, strategy):
    engine.sql("CREATE SCHEMA raw; CREATE TABLE raw.parent (id integer PRIMARY KEY)")
    engine.sql("INSERT INTO raw.parent SELECT generate_series(1, 3000)")
    engine.sql(
        "CREATE TABLE raw.t (id integer PRIMARY KEY REFERENCES raw.parent, name text UNIQUE,"
        " at date CHECK (at > '2000-01-01'))"
    )
    merging(engine, strategy)
    lines = [f"{i},n{i},2026-01-01" for i in range(1, 2001)]
    lines += [",null,2026-01-01", "2001,n8,2026-01-01", "2002,c,1999-01-01", "9999,f,2026-01-01"]
    lines += ["x,cell,2026-01-01", "7,again,2026-01-01"]
    receipt = engine.load("id,name,at\n" + "\n".join(lines) + "\n")
    assert receipt.reasons == {"null": 1, "unique": 1, "check": 1, "foreign_key": 1, "cell": 1}
    assert (receipt.rows, receipt.deduplicated) == (2000, 1)
    rejects = engine.sql(
        "SELECT line, row_number, reason, cells ->> 'id', raw FROM landfall.rejects ORDER BY line"
    )
    assert [tuple(row[:4]) for row in rejects] == [
        (2002, 2001, "null", None), (2003, 2002, "unique", "2001"), (2004, 2003, "check", "2002"),
        (2005, 2004, "foreign_key", "9999"), (2006, 2005, "cell", "x"),
    ]  # fmt: skip
    assert rejects[1][4] == "2001,n8,2026-01-01"


@BOTH
def test_a_row_that_a_trigger_drops_is_missed(engine, strategy):
    merging(engine, strategy).load("id,name,at\n1,a,\n", "1.csv")
    engine.sql(
        "CREATE FUNCTION raw.drop() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN RETURN CASE WHEN NEW.id <> 2 THEN NEW END; END$$"
    )
    engine.sql("CREATE TRIGGER t BEFORE INSERT ON raw.t FOR EACH ROW EXECUTE FUNCTION raw.drop()")
    with pytest.raises(DataError, match="rows were lost on the way"):
        engine.load("id,name,at\n2,b,\n3,c,\n", "2.csv")
    assert engine.rows() == [(1, "a")]


def test_a_row_that_the_trigger_of_a_partition_drops_is_missed(engine):
    engine.sql(
        "CREATE SCHEMA raw; CREATE TABLE raw.t (id integer PRIMARY KEY, name text, at date,"
        " _load_id bigint) PARTITION BY RANGE (id);"
        " CREATE TABLE raw.p PARTITION OF raw.t FOR VALUES FROM (0) TO (100);"
        " CREATE FUNCTION raw.drop() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN RETURN CASE WHEN NEW.id <> 2 THEN NEW END; END$$;"
        " CREATE TRIGGER t BEFORE INSERT ON raw.p FOR EACH ROW EXECUTE FUNCTION raw.drop()"
    )
    with pytest.raises(DataError, match="rows were lost on the way"):
        merging(engine).load("id,name,at\n1,a,\n2,b,\n")
    assert engine.rows() == []


@BOTH
def test_a_changed_object_is_merged_again_and_rows_that_it_lost_stay(engine, strategy):
    merging(engine, strategy)
    engine.load("id,name,at\n1,a,\n2,b,\n", "1.csv")
    changed = engine.load("id,name,at\n2,B,\n3,c,\n", "1.csv")
    assert changed.outcome == "loaded"
    assert engine.rows() == [(1, "a"), (2, "B"), (3, "c")]
    assert engine.statuses() == ["superseded", "loaded"]


def test_columns_beside_the_feeds_stay_with_an_upsert_and_are_reset_by_delete_insert(engine):
    engine.sql(
        "CREATE SCHEMA raw; CREATE TABLE raw.t (id integer PRIMARY KEY, name text, at date,"
        " note text DEFAULT 'none', twice text GENERATED ALWAYS AS (name || name) STORED)"
    )
    for strategy, note in (("upsert", "kept"), ("delete-insert", "none")):
        merging(engine, strategy)
        engine.load("id,name,at\n1,a,\n", f"{strategy}1.csv")
        engine.sql("UPDATE raw.t SET note = 'kept'")
        engine.load("id,name,at\n1,b,\n", f"{strategy}2.csv")
        assert engine.sql("SELECT name, note, twice FROM raw.t") == [("b", note, "bb")]


def test_an_upsert_needs_a_unique_index_and_delete_insert_does_not(engine):
    engine.sql("CREATE SCHEMA raw; CREATE TABLE raw.t (id integer, name text, at date)")
    engine.sql(
        "CREATE UNIQUE INDEX ON raw.t (id, name); INSERT INTO raw.t VALUES (1, 'a'), (1, 'b')"
    )
    merging(engine)
    with pytest.raises(FeedError, match="no unique index on the key") as refused:
        engine.load("id,name,at\n1,a,\n")
    assert refused.value.expected == "a primary key or unique index on id"
    merging(engine, "delete-insert").load("id,name,at\n1,c,\n")
    assert engine.rows() == [(1, "c")]
    merging(engine, key=["name", "id"]).load("id,name,at\n1,c,2026-01-01\n2,d,\n", "2.csv")
    assert engine.rows() == [(1, "c"), (2, "d")]


@pytest.mark.parametrize("child", [False, True], ids=["in this process", "in a child"])
def test_ties_are_broken_by_the_row_of_the_file_on_every_path(engine, mocker, child):
    """Suspects come to the server after typed rows; numeric without precision goes as text."""
    mocker.patch("include.landfall.transfer.INLINE_BYTES", 0 if child else 1 << 30)
    merging(engine, columns={"id": "integer", "name": "text", "n": "numeric"})
    lines = [f"{n % 50},v{n},{n}" if n % 3 else f" {n % 50} ,v{n},{n}" for n in range(1000)]
    receipt = engine.load("id,name,n\n" + "\n".join(lines) + "\n")
    assert (receipt.rows, receipt.deduplicated) == (50, 950)
    assert engine.rows() == [(key, f"v{950 + key}") for key in range(50)]


@BOTH
def test_a_replayed_reject_is_merged_and_loses_to_a_newer_row(engine, strategy):
    merging(engine, strategy, newest="at")
    receipt = engine.load("id,name,at\n1,,2026-01-02\nx,a,2026-01-02\ny,b,2026-01-02\n", "1.csv")
    assert receipt.rejected == 2
    engine.load("id,name,at\n1,new,2026-02-02\n2,c,2026-01-01\n", "2.csv")
    edited = {1: ["1", "a", "2026-01-02"], 2: ["2", "b", "2026-01-02"]}
    (replayed,) = engine.replay(edited=edited)
    assert (replayed.rows, replayed.deduplicated, replayed.refused) == (1, 1, {})
    assert engine.rows() == [(1, "new"), (2, "b")]
    entry = engine.entries()[0]
    assert (entry.rows, entry.rejected, entry.deduplicated) == (2, 0, 1)
    states = engine.sql("SELECT state FROM landfall.rejects ORDER BY reject_id")
    assert states == ["superseded", "replayed"]


@pytest.mark.parametrize("strategy", ["upsert", "delete-insert", "scd2"])
def test_validate_judges_a_merge_and_changes_nothing(engine, strategy):
    merging(engine, strategy, keep_replaced=3)
    arrival = engine.put("id,name,at\n1,a,\n1,b,\n,c,\nx,d,\n")
    servers = {"store": engine.store, "warehouse": engine.warehouse}
    validated = validate(engine.feed, arrival, **servers)
    assert (validated.read, validated.accepted, validated.reasons) == (4, 1, {"null": 1, "cell": 1})
    assert engine.sql("SELECT to_regclass('raw.t')") == [None]


@BOTH
def test_what_a_trigger_raises_stops_the_file_and_names_the_line(engine, strategy):
    merging(engine, strategy).load("id,name,at\n1,a,\n", "1.csv")
    engine.sql(
        "CREATE FUNCTION raw.stop() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN"
        " IF NEW.id = 3 THEN RAISE EXCEPTION 'three is not allowed'; END IF; RETURN NEW; END$$"
    )
    engine.sql("CREATE TRIGGER t BEFORE INSERT ON raw.t FOR EACH ROW EXECUTE FUNCTION raw.stop()")
    with pytest.raises(LandfallError, match="three is not allowed") as refused:
        engine.load("id,name,at\n2,b,\n3,c,\n", "2.csv")
    assert refused.value.place.line == 3
    assert engine.rows() == [(1, "a")]


@BOTH
def test_a_forced_rerun_merges_the_file_again(engine, strategy):
    arrival = merging(engine, strategy).put("id,name,at\n1,a,\n2,b,\n")
    first = engine.load(arrival)
    assert engine.load(arrival).outcome == "already_loaded"
    engine.sql("UPDATE raw.t SET name = 'spoilt' WHERE id = 1")
    again = engine.load(arrival, force=True)
    assert (again.outcome, again.load_id, again.rows) == ("loaded", first.load_id, 2)
    assert engine.rows() == [(1, "a"), (2, "b")]


@pytest.mark.parametrize("strategy", ["upsert", "delete-insert", "scd2"])
def test_a_reader_never_waits_and_another_load_waits_for_the_commit(engine, strategy):
    merging(engine, strategy).load("id,name,at\n1,a,\n", "1.csv")
    arrivals = [engine.put(f"id,name,at\n1,{name},\n", f"{name}.csv") for name in "bc"]
    with (
        psycopg.connect(engine.warehouse.conninfo()) as writer,
        psycopg.connect(engine.warehouse.conninfo(), autocommit=True) as reader,
        ThreadPoolExecutor() as pool,
    ):
        writer.execute("LOCK TABLE raw.t IN SHARE ROW EXCLUSIVE MODE")  # as a merge does
        loads = [pool.submit(engine.load, arrival) for arrival in arrivals]
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'raw.t'::regclass"
        while reader.execute(waiting).fetchone() != (2,):
            assert not any(load.done() for load in loads)
        assert reader.execute("SELECT name FROM raw.t").fetchall() == [("a",)]
        writer.commit()
        assert [load.result().outcome for load in loads] == ["loaded", "loaded"]
    versions = 3 if strategy == "scd2" else 1
    assert engine.sql("SELECT count(*) FROM raw.t") == [versions]


@pytest.mark.parametrize("strategy", ["upsert", "delete-insert", "scd2"])
def test_a_column_that_a_file_brings_is_merged_too(engine, strategy):
    merging(engine, strategy, {"id": "integer", "name": "text"})
    engine.load("id,name\n1,a\n", "1.csv")
    values = engine.feed.model_dump(exclude_none=True)
    engine.feed = type(engine.feed).model_validate(
        {**values, "contract": {"new_columns": "evolve", "missing_columns": "null"}}
    )
    engine.load("id,name,more\n1,a,5\n2,b,6\n", "2.csv")
    engine.load("id,name\n3,c\n", "3.csv")
    current = " WHERE _is_current" if strategy == "scd2" else ""
    assert engine.sql(f"SELECT id, name, more FROM raw.t{current} ORDER BY id") == [
        (1, "a", 5), (2, "b", 6), (3, "c", None)
    ]  # fmt: skip


@BOTH
def test_a_file_without_a_column_of_the_key_is_refused(engine, strategy):
    merging(engine, strategy)
    values = engine.feed.model_dump(exclude_none=True)
    engine.feed = type(engine.feed).model_validate(
        {**values, "contract": {"missing_columns": "default"}}
    )
    with pytest.raises(LandfallError) as refused:
        engine.load("name,at\na,\n")
    assert "id" in str(refused.value)
