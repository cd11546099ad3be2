"""`forget` undoes a merge: what the load overwrote comes back, or it is refused with the reason.

LANDFALL_UNDO_HISTORIES is how many random histories are played, LANDFALL_MERGE_SEED repeats a run.
"""

from __future__ import annotations

import os
import random
import shlex
from dataclasses import replace
from unittest.mock import patch

import pytest

from include.landfall import load as load_module
from include.landfall.errors import FeedError, ObjectMissing, ServerUnavailable
from include.landfall.forget import forget_together
from include.landfall.replay import rejects_to_replay, replay
from tests.support.memory_store import MemoryStore
from tests.support.merge_reference import Table, Versions, as_csv, random_files

HISTORIES = int(os.environ.get("LANDFALL_UNDO_HISTORIES", "6"))
SEED = int(os.environ.get("LANDFALL_MERGE_SEED", random.randrange(10**6)))
EACH = pytest.mark.parametrize("strategy", ["upsert", "delete-insert", "scd2"])


def keeping(engine, strategy="upsert", days=7, more=None, **target):
    """Makes the engine's feed one that merges into `raw.t` and keeps what it replaces."""
    merge = {"table": "raw.t", "disposition": "merge", "key": ["id"], "strategy": strategy}
    merge |= {"keep_replaced": days} if days else {}
    return engine.be(target=merge | target, rejects={"at_most": 100}, **(more or {}))


def undo(engine, *keys):
    return forget_together(engine.feed, keys, warehouse=engine.warehouse)[0]


def objects_of(refused):
    """Returns the objects of the command that a refusal names."""
    _, _, command = (refused.do or "").partition("landfall forget --feed ...")
    return [word for word in shlex.split(command) if word != "--object"]


def replay_edited(engine, column, cells):
    """Replays rejects with these cells in a column, by its cell in the file."""
    rejects = engine.sql("SELECT reject_id, cells FROM landfall.rejects WHERE state = 'open'")
    names = list(engine.feed.table_columns)
    edited = {
        reject_id: [cells[old[name]] if name == column else old[name] for name in names]
        for reject_id, old in rejects
        if old[column] in cells
    }
    for batch in rejects_to_replay(engine.feed, warehouse=engine.warehouse, edited=edited).batches:
        replay(engine.feed, batch, warehouse=engine.warehouse)


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


COLUMNS = {
    "history": "integer", "region": "text", "name": "text", "value": "text",
    "at": "integer", "op": "text",
}  # fmt: skip
CONTENT = "SELECT history, region, name, value, {} FROM raw.t"


@pytest.mark.timeout(1800)
@EACH
def test_the_table_is_as_if_the_files_had_never_come_or_it_is_refused_rightly(
    engine, strategy, mocker
):
    engine.client = MemoryStore()
    mocker.patch("include.landfall.s3.client.make_client", return_value=engine.client)
    rng = random.Random(f"{SEED} undo {strategy}")
    engine.be(
        columns=COLUMNS,
        target={
            "table": "raw.t", "disposition": "merge", "strategy": strategy, "newest": "at",
            "key": ["history", "region", "name"], "keep_replaced": 7,
            "deleted": {"column": "op", "values": ["D"]},
        },
        rejects={"at_most": 100},
    )  # fmt: skip
    for number in range(HISTORIES):
        files = random_files(rng, number, nulls=strategy != "scd2")
        names = names_of(rng, number, files)
        unkept = rng.choice([0, 1, 1, 2])
        events = load_with_replays(engine, rng, files, names, unkept)
        loaded = sorted({name for name, _ in events})
        gone = set(rng.sample(loaded, min(len(loaded), rng.choice([1, 1, 2]))))
        if gone and (refusal := undo_or_refusal(engine, gone)):
            hint = f"LANDFALL_MERGE_SEED={SEED} {number} {refusal}"
            assert content(engine, strategy, number) == content_without(strategy, events, ()), hint
            if "was not kept" in str(refusal):
                assert unkept, hint
                continue
            assert is_touched(events, gone), hint
            gone = set(objects_of(refusal))
            assert gone, hint
            assert undo_or_refusal(engine, gone) is None, hint
        hint = f"LANDFALL_MERGE_SEED={SEED} {number}"
        assert content(engine, strategy, number) == content_without(strategy, events, gone), hint


def names_of(rng, number, files):
    """Returns an object's name for each file; some are further versions of the first object."""
    places = [0 if rng.random() < 0.4 else place for place in range(len(files))]
    return [f"{number}-{place}.csv" for place in places]


def load_with_replays(engine, rng, files, names, unkept):
    """Loads the files, some of whose rows are rejects that are replayed later.

    Of the first ones, as many as `unkept`, is not kept what they replace. Some versions of objects
    are put back, and some loads fail first. Returns the names of the files and the rows that were
    merged, in the order of the merges.
    """
    events, rejects, versions = [], {}, {}
    keeping_feed = engine.feed
    for place, (name, rows) in enumerate(zip(names, files)):
        target = engine.feed.target.model_copy(
            update={"keep_replaced": None if place < unkept else 7}
        )
        engine.feed = keeping_feed.model_copy(update={"target": target})
        bad = [row for row in rows if rng.random() < 0.15 and row.at is not None]
        before = versions.get(name)
        versions[name] = rows, bad
        is_put_back = before is not None and rng.random() < 0.6
        for good_and_bad in [versions[name], before] if is_put_back else [versions[name]]:
            if receipt := load_or_fail(engine, rng, name, *good_and_bad):
                rows, bad = good_and_bad
                events.append((name, [row for row in rows if row not in bad]))
                rejects[name] = receipt.load_id, bad
    engine.feed = keeping_feed
    replay_edited(engine, "at", {f"{at}?": str(at) for at in range(8)})
    replayed = sorted((load_id, name) for name, (load_id, _) in rejects.items())
    return events + [(name, rejects[name][1]) for _, name in replayed]


def load_or_fail(engine, rng, name, rows, bad):
    """Loads a version of an object, or lets it fail, or both. Returns the receipt of a load."""
    spoiled = [replace(row, at=f"{row.at}?") if row in bad else row for row in rows]
    arrival = engine.put(as_csv(spoiled), name)
    if rng.random() < 0.5:
        away = patch.object(load_module, "settle", side_effect=ServerUnavailable("away"))
        with away, pytest.raises(ServerUnavailable):
            engine.load(arrival, force=rng.random() < 0.5)
        if rng.random() < 0.5:
            return None
    receipt = engine.load(arrival)
    return receipt if receipt.outcome == "loaded" else None


def undo_or_refusal(engine, keys):
    """Forgets the files, or returns why that is refused."""
    try:
        undo(engine, *sorted(keys))
    except FeedError as error:
        return error
    return None


def content(engine, strategy, number):
    times = "_valid_from, _valid_to" if strategy == "scd2" else "at"
    rows = engine.sql(f"{CONTENT.format(times)} WHERE history = {number}")
    return sorted(map(str, rows))


def content_without(strategy, events, gone):
    """Returns the table without these files."""
    reference = Versions() if strategy == "scd2" else Table(by_newest=True)
    for name, rows in events:
        if name not in gone:
            reference.merge(rows)
    if strategy == "scd2":
        rows = [
            (*key, value, begin, end)
            for key, versions in reference.versions.items()
            for begin, end, value in versions
        ]
    else:
        rows = [(*key, row.value, row.at) for key, row in reference.rows.items()]
    return sorted(map(str, rows))


def is_touched(events, gone):
    """Returns whether another file had a key of these files after them."""
    keys = set()
    for name, rows in events:
        own = {row.key for row in rows}
        if name not in gone and keys & own:
            return True
        keys |= own if name in gone else set()
    return False


@EACH
def test_a_column_that_a_later_file_added_is_no_change_of_the_earlier_rows(engine, strategy):
    keeping(engine, strategy, more={"contract": {"new_columns": "evolve"}})
    engine.load("id,name\n1,a\n2,b\n", "1.csv")
    engine.load("id,name,x\n2,B,7\n", "2.csv")
    undo(engine, "2.csv")
    undo(engine, "1.csv")
    assert engine.rows() == []


def test_a_file_that_was_merged_by_another_key_is_refused(engine):
    keeping(engine, "delete-insert").load("id,name\n1,a\n", "1.csv")
    keeping(engine, "delete-insert", key=["name"])
    with pytest.raises(FeedError, match="were changed after they were loaded"):
        undo(engine, "1.csv")
    assert engine.rows() == [(1, "a")]


def test_a_refused_undo_does_not_show_a_secret_key(engine):
    columns = {"id": {"type": "integer", "secret": True}, "name": "text"}
    keeping(engine, more={"columns": columns})
    engine.load("id,name\n4711,a\n", "1.csv")
    engine.load("id,name\n4711,b\n", "2.csv")
    with pytest.raises(FeedError) as refused:
        undo(engine, "1.csv")
    assert "4711" not in f"{refused.value} {refused.value.found}"
