"""`landfall audit`: the rows in the table against the ledger."""

from __future__ import annotations

import pytest

from include.landfall.audit import audit
from include.landfall.errors import FeedError
from include.landfall.ledger.entries import create_ledger
from include.landfall.postgres.connection import connect
from tests.support.engine import Engine

MERGE = {"table": "raw.t", "disposition": "merge", "key": ["id"]}


def differences(engine: Engine) -> list[tuple[str | None, str, int, int]]:
    """The key, what is wrong, the rows of the ledger and those in the table."""
    compared = audit(engine.feed, warehouse=engine.warehouse)
    return [(d.key, d.what, d.loaded, d.counted) for d in compared.differences]


def three_files(engine: Engine, **feed) -> None:
    """Loads three files of two rows; the second one comes twice, with other rows."""
    target = {"target": feed.pop("target")} if "target" in feed else {}
    engine.feed = type(engine.feed).model_validate(
        {**engine.make_feed(**feed).model_dump(exclude_unset=True), **target}
    )
    for number, name in ((1, "a"), (2, "a"), (3, "a"), (2, "b")):
        engine.load(f"id,name\n{number},{name}\n{number + 10},{name}\n", f"{number}.csv")


@pytest.mark.parametrize("target", [
    {"table": "raw.t"}, {"table": "raw.t", "disposition": "replace"}, MERGE,
    {**MERGE, "strategy": "delete-insert"}, {**MERGE, "strategy": "scd2"},
    {"table": "raw.t", "disposition": "replace", "replace_where": ["id"]},
])  # fmt: skip
def test_a_table_that_nobody_touched_has_no_difference(engine, target):
    three_files(engine, target=target)
    assert differences(engine) == []


WITH_LOSS = {
    "TRUNCATE raw.t": [(f"{n}.csv", "missing", 2, 0) for n in (1, 3, 2)],
    "DELETE FROM raw.t WHERE id = 1": [("1.csv", "missing", 2, 1)],
    "INSERT INTO raw.t SELECT * FROM raw.t WHERE id = 3": [("3.csv", "too many", 2, 3)],
    "INSERT INTO raw.t VALUES (2, 'a', 2)": [("2.csv", "replaced", 0, 1)],
    "INSERT INTO raw.t VALUES (2, 'a', 99)": [(None, "unknown", 0, 1)],
    "INSERT INTO raw.t VALUES (2, 'by hand', NULL)": [],
}


@pytest.mark.parametrize("statement", WITH_LOSS)
def test_rows_that_are_gone_or_back_are_told_by_file(engine, statement):
    three_files(engine)
    engine.sql(statement)
    assert differences(engine) == WITH_LOSS[statement]


def test_a_file_that_is_told_as_missing_can_be_loaded_again(engine):
    three_files(engine)
    engine.sql("DELETE FROM raw.t WHERE id = 1")
    engine.load("id,name\n1,a\n11,a\n", "1.csv", force=True)
    assert differences(engine) == []
    assert len(engine.rows()) == 6


def test_a_merged_table_of_an_older_backup_is_told(engine):
    three_files(engine, target=MERGE)
    engine.sql("CREATE TABLE raw.backup AS TABLE raw.t")
    engine.load("id,name\n1,c\n4,c\n", "4.csv")
    assert differences(engine) == []  # 4.csv has taken a row over from 1.csv
    engine.sql("TRUNCATE raw.t; INSERT INTO raw.t SELECT * FROM raw.backup")
    assert differences(engine) == [("4.csv", "missing", 2, 0)]


@pytest.mark.parametrize("target", [
    MERGE, {**MERGE, "strategy": "delete-insert"},
    {"table": "raw.t", "disposition": "replace", "replace_where": ["id"]},
])  # fmt: skip
def test_rows_that_another_feed_has_taken_over_are_no_difference(engine, target):
    feeds = []
    for name in ("a", "b"):
        keys = {**engine.feed.model_dump(exclude_unset=True), "feed": name, "target": target}
        feeds.append(engine.feed.model_validate(keys))
        engine.feed = feeds[-1]
        engine.load(f"id,name\n1,{name}\n", f"{name}.csv")
    for engine.feed in feeds:
        assert differences(engine) == []


def test_the_load_that_ends_last_is_the_last_one_whenever_it_began(engine):
    engine.feed = engine.feed.model_validate(
        {**engine.feed.model_dump(exclude_unset=True), "target": MERGE}
    )
    for name in ("short", "long"):
        engine.load(f"id,name\n1,{name}\n", f"{name}.csv")
    engine.sql(
        "UPDATE landfall.ledger SET started = started - interval '1 hour', seconds = 3610"
        " WHERE key = 'long.csv'"
    )
    assert differences(engine) == []


def test_a_partition_that_comes_back_with_replaced_rows_is_told(engine):
    engine.sql("CREATE SCHEMA raw")
    engine.sql("CREATE TABLE raw.t (id integer, name text) PARTITION BY LIST (id)")
    engine.sql("CREATE TABLE raw.t1 PARTITION OF raw.t FOR VALUES IN (1)")
    engine.load("id,name\n1,a\n", "1.csv")
    engine.sql("ALTER TABLE raw.t DETACH PARTITION raw.t1")
    assert differences(engine) == [("1.csv", "missing", 1, 0)]
    engine.sql("CREATE TABLE raw.t2 PARTITION OF raw.t DEFAULT")
    engine.load("id,name\n1,b\n", "1.csv")
    engine.sql("DELETE FROM raw.t; ALTER TABLE raw.t ATTACH PARTITION raw.t1 FOR VALUES IN (1)")
    assert ("1.csv", "replaced", 0, 1) in differences(engine)


def test_rows_of_replayed_rejects_and_of_other_feeds_are_no_difference(engine):
    engine.be(rejects={"at_most": 9})
    engine.load("id,name\n1,a\n20000000000,b\n", "1.csv")
    engine.sql("ALTER TABLE raw.t ALTER id TYPE bigint")
    engine.be(columns={"id": "bigint", "name": "text"}, rejects={"at_most": 9})
    engine.replay()
    assert engine.sql("SELECT count(*) FROM raw.t") == [2]
    other = {**engine.feed.model_dump(exclude_unset=True), "feed": "other"}
    engine.feed = type(engine.feed).model_validate(other)
    engine.load("id,name\n2,b\n", "2.csv")
    assert differences(engine) == []


def test_rows_without_load_ids_cannot_be_compared(engine):
    engine.feed = engine.make_feed().model_validate(
        {**engine.make_feed().model_dump(exclude_unset=True),
         "target": {"table": "raw.t", "load_id": False}}
    )  # fmt: skip
    engine.load("id,name\n1,a\n")
    with pytest.raises(FeedError, match="do not tell which file"):
        audit(engine.feed, warehouse=engine.warehouse)


def test_a_table_without_a_ledger_and_a_ledger_without_the_table_s_files_are_told(engine):
    three_files(engine)
    engine.sql("DROP SCHEMA landfall CASCADE")
    with pytest.raises(FeedError, match="there is no ledger"):
        audit(engine.feed, warehouse=engine.warehouse)
    with connect(engine.warehouse) as connection:
        create_ledger(connection)
    assert {what for _, what, _, _ in differences(engine)} == {"unknown"}
    engine.sql("DROP TABLE raw.t")
    assert differences(engine) == []


def test_the_command_does_not_count_rows_that_later_files_took_over(shell):
    shell.feed["target"] |= {"disposition": "merge", "key": ["id"]}
    shell.write_feed()
    for number in (1, 2):
        shell.put(b"id,day\n1,2013-01-01\n", f"things/{number}.csv")
    shell.run()
    same = "no difference (later files may have replaced some of the rows)"
    assert shell.run(command="audit")[:2] == (0, f"raw.things: 2 files with 2 rows, {same}\n")


def test_the_command_says_what_to_do_and_its_code_is_for_a_monitor(shell):
    shell.put(b"id,day\n1,2013-01-01\n2,\n")
    shell.run()
    same = "raw.things: 1 file with 2 rows, as in the ledger\n"
    assert shell.run(command="audit")[:2] == (0, same)
    shell.query("DELETE FROM raw.things WHERE id = 1 RETURNING 1")
    code, out, err = shell.run(command="audit")
    assert code == 1
    assert "missing   things/1.csv  load 1  1 of 2 rows in the table" in out
    assert f"load --feed {shell.path} --key … --force" in err
    code, out, _ = shell.run("--json", command="audit")
    assert (code, '"what": "missing"' in out) == (1, True)
