"""`forget` undoes a merge: what the load overwrote comes back, or it is refused with the reason."""

from __future__ import annotations

import pytest

from include.landfall.errors import FeedError, ObjectMissing
from include.landfall.forget import forget_together
from tests.support.undo import keeping, objects_of, replay_edited, undo

EACH = pytest.mark.parametrize("strategy", ["upsert", "delete-insert", "scd2"])


@EACH
def test_what_the_load_overwrote_comes_back(engine, strategy):
    keeping(engine, strategy, days=1).load("id,name\n1,a\n2,b\n", "1.csv")
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
    assert objects_of(refused.value) == ["2.csv", "1.csv"]
    undo(engine, "2.csv")
    undo(engine, "1.csv")
    assert engine.rows() == []


@EACH
def test_files_that_need_each_other_are_undone_together(engine, strategy):
    keeping(engine, strategy).load("id,name\n7,z\n", "0.csv")
    engine.load("id,name\n1,a\n1x,c\n", "a's.csv")
    engine.load("id,name\n1,b\n7,y\n", "b.csv")
    replay_edited(engine, "id", {"1x": "1"})
    for key in ("a's.csv", "b.csv"):
        with pytest.raises(FeedError, match="changed after they were loaded") as refused:
            undo(engine, key)
        assert sorted(objects_of(refused.value)) == ["a's.csv", "b.csv"]
    forgotten = forget_together(engine.feed, objects_of(refused.value), warehouse=engine.warehouse)
    assert {each.key: each.rows for each in forgotten} == {"a's.csv": 1, "b.csv": 2}
    assert engine.sql("SELECT id, name FROM raw.t") == [(7, "z")]
    assert engine.sql("SELECT key FROM landfall.ledger") == ["0.csv"]


def test_what_another_feed_loaded_since_is_named(engine):
    keeping(engine).load("id,name\n1,a\n", "1.csv")
    ours = engine.feed
    engine.feed = ours.model_copy(update={"name": "other"})
    engine.load("id,name\n1,b\n", "2.csv")
    engine.feed = ours
    with pytest.raises(
        FeedError, match=r"what the feed other has loaded since from s3://.*/2\.csv"
    ):
        undo(engine, "1.csv")


def test_files_that_are_appended_are_taken_away_together_or_not_at_all(engine):
    for key in ("1.csv", "2.csv", "3.csv"):
        engine.load(f"id,name\n1,{key}\n2,{key}\n", key)
    with pytest.raises(ObjectMissing) as refused:
        undo(engine, "1.csv", "9.csv")
    assert refused.value.place.object == f"s3://{engine.bucket}/9.csv"
    assert engine.sql("SELECT count(*) FROM raw.t") == [6]
    forgotten = forget_together(
        engine.feed, ["1.csv", "3.csv", "1.csv"], warehouse=engine.warehouse
    )
    assert [(each.key, each.rows) for each in forgotten] == [("1.csv", 2), ("3.csv", 2)]
    assert engine.sql("SELECT DISTINCT name FROM raw.t") == ["2.csv"]


@EACH
def test_a_change_by_hand_refuses_it(engine, strategy):
    keeping(engine, strategy).load("id,name\n1,a\n2,b\n", "1.csv")
    engine.sql("UPDATE raw.t SET name = 'by hand' WHERE id = 1")
    with pytest.raises(FeedError, match="changed after they were loaded"):
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


@EACH
def test_a_row_that_a_later_file_has_too_stays_where_that_was_not_kept(engine, strategy):
    """It changed nothing, and without the earlier file it would have brought the row."""
    keeping(engine, strategy).load("id,name\n1,a\n", "1.csv")
    keeping(engine, strategy, days=None).load("id,name\n1,a\n", "2.csv")
    with pytest.raises(FeedError, match="was not kept"):
        undo(keeping(engine, strategy), "1.csv")
    assert engine.sql("SELECT id, name FROM raw.t") == [(1, "a")]


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


@pytest.mark.parametrize("names", ["b,a", "z,a", "b,z"])
def test_unique_values_that_rows_have_exchanged_come_back(engine, names):
    """No order of the updates would do for each of them: a value is free only after another."""
    engine.sql(
        "CREATE SCHEMA raw;"
        " CREATE TABLE raw.t (id integer PRIMARY KEY, name text UNIQUE, _load_id bigint)"
    )
    keeping(engine, "delete-insert").load("id,name\n1,a\n2,b\n", "1.csv")
    first, second = names.split(",")
    engine.load(f"id,name\n1,{first}\n2,{second}\n", "2.csv")
    undo(engine, "2.csv")
    assert engine.rows() == [(1, "a"), (2, "b")]


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


@pytest.mark.parametrize("rule", ["CASCADE", "SET NULL"])
@pytest.mark.parametrize(
    "target",
    [{"disposition": "merge", "key": ["id"], "strategy": "delete-insert"},
     {"disposition": "replace", "replace_where": ["id"]}],
)  # fmt: skip
def test_a_merge_that_deletes_takes_no_rows_of_its_own_table_away(engine, target, rule):
    engine.sql(
        "CREATE SCHEMA raw; CREATE TABLE raw.t (id integer PRIMARY KEY, name text, _load_id bigint,"
        f" up integer REFERENCES raw.t ON DELETE {rule})"
    )
    columns = {"id": "integer", "name": "text", "up": "integer"}
    engine.be(target={"table": "raw.t", **target}, columns=columns)
    engine.load("id,name,up\n1,a,\n2,b,1\n", "1.csv")
    engine.load("id,name,up\n1,A,\n2,B,1\n", "2.csv")  # all that refer to it are replaced too
    with pytest.raises(FeedError, match=r"raw\.t would lose rows"):
        engine.load("id,name,up\n1,x,\n", "3.csv")
    assert engine.sql("SELECT id, name, up FROM raw.t ORDER BY id") == [(1, "A", None), (2, "B", 1)]


def test_rows_that_refer_to_one_partition_are_not_taken_away(engine):
    engine.sql(
        "CREATE SCHEMA raw; CREATE TABLE raw.t (id integer, name text, _load_id bigint)"
        " PARTITION BY LIST (name); CREATE TABLE raw.a PARTITION OF raw.t (PRIMARY KEY (id))"
        " FOR VALUES IN ('a');"
        " CREATE TABLE raw.child (id integer REFERENCES raw.a ON DELETE CASCADE)"
    )
    keeping(engine, "delete-insert").load("id,name\n1,a\n", "1.csv")
    engine.sql("INSERT INTO raw.child VALUES (1)")
    with pytest.raises(FeedError, match=r"raw\.child would lose rows"):
        engine.load("id,name\n1,a\n", "2.csv")
    assert engine.sql("SELECT id FROM raw.child") == [1]


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


@EACH
def test_a_column_that_a_later_file_added_is_no_change_of_the_earlier_rows(engine, strategy):
    keeping(engine, strategy, more={"contract": {"new_columns": "evolve"}})
    engine.load("id,name\n1,a\n2,b\n", "1.csv")
    engine.load("id,name,x\n2,B,7\n", "2.csv")
    undo(engine, "2.csv")
    undo(engine, "1.csv")
    assert engine.rows() == []


@pytest.mark.parametrize("key", [["name"], ["id", "name"]])
def test_a_file_that_was_merged_by_another_key_is_refused(engine, key):
    """By the new key a row that the file has deleted would come back beside its later one."""
    keeping(engine, "delete-insert").load("id,name\n1,a\n", "1.csv")
    keeping(engine, "delete-insert", key=key)
    with pytest.raises(FeedError, match="merged by another key than the feed has") as refused:
        undo(engine, "1.csv")
    assert refused.value.expected == "[id]"
    assert engine.rows() == [(1, "a")]


def test_a_ledger_that_was_restored_without_the_kept_rows_undoes_nothing(engine):
    """It says that they are kept. The file would be forgotten, and its rows would stay."""
    keeping(engine).load("id,name\n1,a\n", "1.csv")
    engine.sql("DROP TABLE landfall.replaced")
    with pytest.raises(FeedError, match="was not kept, or is not kept any more"):
        undo(engine, "1.csv")
    assert (engine.rows(), engine.statuses()) == ([(1, "a")], ["loaded"])


def test_a_refused_undo_does_not_show_a_secret_key(engine):
    columns = {"id": {"type": "integer", "secret": True}, "name": "text"}
    keeping(engine, more={"columns": columns})
    engine.load("id,name\n4711,a\n", "1.csv")
    engine.load("id,name\n4711,b\n", "2.csv")
    with pytest.raises(FeedError) as refused:
        undo(engine, "1.csv")
    assert "4711" not in f"{refused.value} {refused.value.found}"


@pytest.mark.parametrize("disposition", ["append", "replace"])
def test_a_merged_file_of_a_feed_that_merges_no_more_is_not_deleted(engine, disposition):
    """Rows that it changed would go, with the values that they had before."""
    keeping(engine).load("id,name\n1,a\n", "1.csv")
    engine.load("id,name\n1,A\n", "2.csv")
    loaded = engine.rows()
    engine.be(disposition=disposition)
    with pytest.raises(FeedError, match="the file was merged, and the rows that it changed would"):
        undo(engine, "2.csv")
    assert engine.rows() == loaded


def test_versions_are_undone_by_a_feed_that_keeps_no_versions_any_more(engine):
    keeping(engine, "scd2").load("id,name\n1,a\n", "1.csv")
    before = engine.sql("SELECT * FROM raw.t")
    engine.load("id,name\n1,A\n", "2.csv")
    keeping(engine, "delete-insert")
    undo(engine, "2.csv")
    assert engine.sql("SELECT * FROM raw.t") == before
