"""`forget` undoes a merge: what the load overwrote comes back, or it is refused with the reason.

LANDFALL_UNDO_HISTORIES is how many random histories are played, LANDFALL_MERGE_SEED repeats a run.
"""

from __future__ import annotations

import os
import random

import pytest

from include.landfall.errors import FeedError
from include.landfall.forget import forget
from tests.support.merge_reference import Table, Versions, as_csv, random_files

HISTORIES = int(os.environ.get("LANDFALL_UNDO_HISTORIES", "12"))
SEED = int(os.environ.get("LANDFALL_MERGE_SEED", random.randrange(10**6)))
EACH = pytest.mark.parametrize("strategy", ["upsert", "delete-insert", "scd2"])


def keeping(engine, strategy="upsert", days=7, more=None, **target):
    """Makes the engine's feed one that merges into `raw.t` and keeps what it replaces."""
    merge = {"table": "raw.t", "disposition": "merge", "key": ["id"], "strategy": strategy}
    merge |= {"keep_replaced": days} if days else {}
    return engine.be(target=merge | target, rejects={"at_most": 100}, **(more or {}))


def undo(engine, key):
    return forget(engine.feed, key, warehouse=engine.warehouse)


@EACH
def test_what_the_load_overwrote_comes_back(engine, strategy):
    keeping(engine, strategy).load("id,name\n1,a\n2,b\n", "1.csv")
    before = engine.sql("SELECT * FROM raw.t ORDER BY id, name")
    engine.load("id,name\n2,B\n3,c\nx,bad\n", "2.csv")
    forgotten = undo(engine, "2.csv")
    assert (forgotten.rows, forgotten.rejects, forgotten.entries) == (2, 1, 1)
    assert engine.sql("SELECT * FROM raw.t ORDER BY id, name") == before
    assert engine.sql("SELECT count(*) FROM landfall.replaced") == [2]
    undo(engine, "1.csv")
    assert engine.sql("SELECT count(*) FROM raw.t") == [0]
    assert engine.load(engine.put("id,name\n2,B\n", "2.csv")).outcome == "loaded"


@EACH
def test_a_later_change_of_the_same_key_refuses_it_until_that_file_is_forgotten(engine, strategy):
    keeping(engine, strategy).load("id,name\n1,a\n2,b\n", "1.csv")
    engine.load("id,name\n2,B\n", "2.csv")
    with pytest.raises(FeedError, match="rows of 1 keys were changed after") as refused:
        undo(engine, "1.csv")
    assert refused.value.found == 'for instance {"id": 2}'
    undo(engine, "2.csv")
    undo(engine, "1.csv")
    assert engine.rows() == []


@EACH
def test_a_change_by_hand_refuses_it(engine, strategy):
    keeping(engine, strategy).load("id,name\n1,a\n2,b\n", "1.csv")
    engine.sql("UPDATE raw.t SET name = 'by hand' WHERE id = 1")
    with pytest.raises(FeedError, match="changed after this file was loaded"):
        undo(engine, "1.csv")
    assert engine.sql("SELECT count(*) FROM raw.t") == [2]


def test_it_is_refused_where_nothing_was_kept_or_no_longer(engine):
    keeping(engine, days=None).load("id,name\n1,a\n", "1.csv")
    keeping(engine).load("id,name\n2,a\n", "2.csv")
    engine.load("id,name\n3,a\n", "3.csv")
    engine.sql("UPDATE landfall.ledger SET kept_until = now() - interval '1 s' WHERE key = '2.csv'")
    for key in ("1.csv", "2.csv"):
        with pytest.raises(FeedError, match="replaced was not kept, or is not kept any more"):
            undo(engine, key)
    engine.load("id,name\n4,a\n", "4.csv")
    assert engine.sql("SELECT DISTINCT load_id FROM landfall.replaced ORDER BY 1") == [3, 4]
    engine.load(engine.put("id,name\n1,b\n", "1.csv"), force=True)
    with pytest.raises(FeedError, match="was not kept"):
        undo(engine, "1.csv")  # its first version was not


def test_all_versions_of_an_object_are_undone_together(engine):
    keeping(engine).load("id,name\n1,a\n", "1.csv")
    engine.load("id,name\n1,b\n2,b\n", "2.csv")
    engine.load("id,name\n1,c\n3,c\n", "2.csv")
    arrival = engine.put("id,name\n1,c\n3,c\n", "2.csv")
    engine.load(arrival, force=True)
    undo(engine, "2.csv")
    assert engine.rows() == [(1, "a")]


def test_rows_of_tables_that_refer_to_it_stay(engine):
    keeping(engine).load("id,name\n1,a\n", "1.csv")
    engine.sql("CREATE TABLE raw.child (id integer REFERENCES raw.t ON DELETE CASCADE);")
    engine.sql("INSERT INTO raw.child VALUES (1)")
    engine.load("id,name\n1,b\n", "2.csv")
    undo(engine, "2.csv")
    assert (engine.rows(), engine.sql("SELECT id FROM raw.child")) == ([(1, "a")], [1])


@pytest.mark.parametrize(
    "target",
    [{"disposition": "merge", "key": ["id"], "strategy": "delete-insert"},
     {"disposition": "replace", "replace_where": ["id"]}],
)  # fmt: skip
def test_a_merge_that_deletes_takes_no_rows_of_another_table_away(engine, target):
    keeping(engine).load("id,name\n1,a\n", "1.csv")
    engine.sql("CREATE TABLE raw.child (id integer REFERENCES raw.t ON DELETE CASCADE);")
    engine.sql("INSERT INTO raw.child VALUES (1)")
    engine.be(target={"table": "raw.t", **target})
    with pytest.raises(FeedError, match=r"raw\.child would lose rows"):
        engine.load("id,name\n1,b\n", "2.csv")
    assert (engine.rows(), engine.sql("SELECT id FROM raw.child")) == ([(1, "a")], [1])


def test_rows_that_refer_to_a_row_that_an_undo_deletes_refuse_it(engine):
    keeping(engine).load("id,name\n1,a\n", "1.csv")
    engine.sql("CREATE TABLE raw.child (id integer REFERENCES raw.t ON DELETE CASCADE);")
    engine.sql("INSERT INTO raw.child VALUES (1)")
    with pytest.raises(FeedError, match=r"raw\.child would lose rows"):
        undo(engine, "1.csv")
    assert engine.sql("SELECT id FROM raw.child") == [1]


def test_a_changed_file_of_a_merge_is_loaded_though_others_refer_to_its_rows(engine):
    keeping(engine).load("id,name\n1,a\n", "1.csv")
    engine.sql("CREATE TABLE raw.child (id integer REFERENCES raw.t ON DELETE CASCADE);")
    engine.sql("INSERT INTO raw.child VALUES (1)")
    engine.load("id,name\n1,b\n", "1.csv")
    assert (engine.rows(), engine.sql("SELECT id FROM raw.child")) == ([(1, "b")], [1])


def test_what_a_snapshot_closed_is_current_again(engine):
    keeping(engine, "scd2", absent="close").load("id,name\n1,a\n2,b\n", "1.csv")
    engine.load("id,name\n1,A\n", "2.csv")
    undo(engine, "2.csv")
    assert engine.sql("SELECT id, name, _is_current FROM raw.t ORDER BY id") == [
        (1, "a", True), (2, "b", True)
    ]  # fmt: skip


COLUMNS = {
    "history": "integer", "region": "text", "name": "text", "value": "text",
    "at": "integer", "op": "text",
}  # fmt: skip
CONTENT = "SELECT history, region, name, value, {} FROM raw.t"


@pytest.mark.timeout(1800)
@EACH
def test_the_table_is_as_if_the_file_had_never_come_or_it_is_refused_rightly(engine, strategy):
    rng = random.Random(f"{SEED} undo {strategy}")
    engine.be(
        columns=COLUMNS,
        target={
            "table": "raw.t", "disposition": "merge", "strategy": strategy, "newest": "at",
            "key": ["history", "region", "name"], "keep_replaced": 7,
            "deleted": {"column": "op", "values": ["D"]},
        },
    )  # fmt: skip
    for number in range(HISTORIES):
        files = random_files(rng, number, nulls=strategy != "scd2")
        for place, rows in enumerate(files):
            engine.load(as_csv(rows), f"{number}-{place}.csv")
        gone = rng.randrange(len(files))
        without, touched = content_without(strategy, files, gone)
        if refusal := undo_or_refusal(engine, f"{number}-{gone}.csv"):
            assert "were changed after" in refusal
            assert touched, f"LANDFALL_MERGE_SEED={SEED}"
            without = content_without(strategy, files, None)[0]
        assert content(engine, strategy, number) == without, f"LANDFALL_MERGE_SEED={SEED}"


def undo_or_refusal(engine, key):
    """Forgets the file, or returns why that is refused."""
    try:
        undo(engine, key)
    except FeedError as error:
        return str(error)
    return None


def content(engine, strategy, number):
    times = "_valid_from, _valid_to" if strategy == "scd2" else "at"
    rows = engine.sql(f"{CONTENT.format(times)} WHERE history = {number}")
    return sorted(map(str, rows))


def content_without(strategy, files, gone):
    """Returns the table without the file, and whether a later file has a key of it."""
    reference = Versions() if strategy == "scd2" else Table(by_newest=True)
    for place, rows in enumerate(files):
        if place != gone:
            reference.merge(rows)
    if strategy == "scd2":
        rows = [
            (*key, value, begin, end)
            for key, versions in reference.versions.items()
            for begin, end, value in versions
        ]
    else:
        rows = [(*key, row.value, row.at) for key, row in reference.rows.items()]
    keys = {row.key for row in files[gone or 0]}
    touched = any(row.key in keys for later in files[(gone or 0) + 1 :] for row in later)
    return sorted(map(str, rows)), touched


@EACH
def test_a_column_that_a_later_file_added_is_no_change_of_the_earlier_rows(engine, strategy):
    keeping(engine, strategy, more={"contract": {"new_columns": "evolve"}})
    engine.load("id,name\n1,a\n2,b\n", "1.csv")
    engine.load("id,name,x\n2,B,7\n", "2.csv")
    undo(engine, "2.csv")
    undo(engine, "1.csv")
    assert engine.rows() == []


def test_a_refused_undo_does_not_show_a_secret_key(engine):
    columns = {"id": {"type": "integer", "secret": True}, "name": "text"}
    keeping(engine, more={"columns": columns})
    engine.load("id,name\n4711,a\n", "1.csv")
    engine.load("id,name\n4711,b\n", "2.csv")
    with pytest.raises(FeedError) as refused:
        undo(engine, "1.csv")
    assert "4711" not in f"{refused.value} {refused.value.found}"
