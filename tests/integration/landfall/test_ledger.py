"""The ledger knows what is loaded and what is new, and a person can read it."""

from __future__ import annotations

import os
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace

import psycopg
import pytest
from psycopg.errors import LockNotAvailable

from include.landfall.check import Database, check
from include.landfall.errors import DataError, FeedError, ObjectMissing, ServerUnavailable
from include.landfall.forget import forget
from include.landfall.ledger import arrivals, claims
from include.landfall.ledger.entries import create_ledger
from include.landfall.ledger.sequences import IDS
from include.landfall.postgres.connection import connect
from include.landfall.write import ledger_behind
from tests.support.engine import many

A, B = "id,name\n1,a\n", "id,name\n2,b\n"


@pytest.mark.parametrize("look", ["has_relation", "value"])
def test_a_table_that_another_load_brings_meanwhile_is_neither_gone_nor_emptied(
    engine, mocker, look
):
    """Of the first files of a feed, which are loaded at once."""
    if look == "value":
        engine.sql("CREATE SCHEMA raw; CREATE TABLE raw.t (id integer, name text, _load_id bigint)")
        engine.load("id,name\n", "0.csv")  # a ledger
    looked, first = getattr(arrivals, look), iter([True])

    def look_before_the_other_load(*arguments):
        is_there = looked(*arguments)
        if next(first, False):
            engine.load("id,name\n2,b\n", "2.csv")
        return is_there

    mocker.patch.object(arrivals, look, look_before_the_other_load)
    assert engine.load("id,name\n1,a\n", "1.csv").changes == []
    assert engine.rows() == [(1, "a"), (2, "b")]


def test_a_row_says_all_of_a_load(engine):
    arrival = engine.put(A)
    receipt = engine.load(arrival, by="somebody")
    (entry,) = engine.entries()
    assert (entry.load_id, entry.feed, entry.target) == (receipt.load_id, "t", "raw.t")
    assert (entry.bucket, entry.key) == (arrival.bucket, arrival.key)
    assert (entry.etag, entry.size) == (arrival.etag, arrival.size)
    assert entry.last_modified == arrival.last_modified
    assert (entry.rows, entry.status, entry.error) == (1, "loaded", None)
    assert entry.loaded_by == "somebody"
    assert 0 < entry.seconds < 60


def test_without_a_name_it_says_which_process_on_which_host(engine):
    assert engine.load(A).by == f"{socket.gethostname()}:{os.getpid()}"


def test_everything_is_new_where_there_is_no_ledger_yet(engine):
    assert engine.new_keys(engine.put(A)) == ["a.csv"]
    assert engine.sql("SELECT to_regnamespace('landfall') IS NULL") == [True]


def test_what_is_loaded_is_not_new_and_what_failed_is(engine):
    loaded, failed, fresh = engine.put(A, "1"), engine.put("id,name\nx,\n", "2"), engine.put(B, "3")
    engine.load(loaded)
    with pytest.raises(DataError):
        engine.load(failed)
    assert engine.new_keys(loaded, failed, fresh) == ["3", "2"]


def test_what_is_new_comes_oldest_first_whatever_its_name(engine):
    arrivals = [engine.put(A, key) for key in ("z", "a", "m")]
    assert engine.new_keys(*reversed(arrivals)) == ["z", "a", "m"]


def test_no_arrival_is_overlooked_because_it_is_older_than_one_that_is_loaded(engine):
    """The listing is compared with the ledger; a time cursor would miss this arrival."""
    old = engine.put(A, "old")
    engine.load(engine.put(B, "new"))
    assert engine.new_keys(old) == ["old"]


def test_a_changed_object_is_new_and_so_is_content_put_back(engine):
    first = engine.put(A)
    engine.load(first)
    second = engine.put(B)
    assert engine.new_keys(second) == ["a.csv"]
    engine.load(second)
    assert engine.new_keys(second) == []
    assert engine.new_keys(engine.put(A)) == ["a.csv"]


def test_a_superseded_file_of_a_replace_feed_is_not_new_for_ever(engine):
    engine.be(disposition="replace")
    arrivals = [engine.put(A, "1"), engine.put(B, "2")]
    for arrival in arrivals:
        engine.load(arrival)
    assert engine.new_keys(*arrivals) == []


def test_feeds_do_not_know_of_each_other(engine):
    arrival = engine.put(A)
    engine.load(arrival)
    engine.feed = engine.make_feed(feed="u", table="raw.u")
    assert engine.new_keys(arrival) == ["a.csv"]
    assert engine.load(arrival).outcome == "loaded"


def test_an_object_of_the_same_etag_and_another_size_is_two_arrivals(engine):
    """Clones of S3 give two objects one ETag."""
    first = engine.put(A)
    engine.load(first)
    assert engine.new_keys(replace(first, size=first.size + 1)) == ["a.csv"]


def test_the_ledger_of_many_first_loads_is_made_once(engine):
    def prepare(_):
        with connect(engine.warehouse) as connection:
            create_ledger(connection)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(prepare, range(6)))
    assert engine.sql("SELECT count(*) FROM landfall.ledger") == [0]


def test_a_load_that_is_under_way_is_not_seen(engine):
    seen = []
    engine.load(A, progress=lambda rows: seen.extend(engine.statuses()))
    assert seen == []
    assert engine.statuses() == ["loaded"]


def test_a_load_waits_no_longer_than_its_role_may(engine):
    """The lock of a load that hangs makes a second load fail with an error that a retry can fix."""
    arrival = engine.put(A)
    engine.load(arrival)
    name = psycopg.sql.Identifier(engine.warehouse.dbname)
    engine.sql(psycopg.sql.SQL("ALTER DATABASE {} SET lock_timeout = '200ms'").format(name))
    with connect(engine.warehouse) as other, other.transaction():
        claims.lock(other, claims.Claimant.new(engine.feed, arrival, ""))
        with pytest.raises(ServerUnavailable, match="lock timeout"):
            engine.load(arrival)
    assert engine.load(arrival).outcome == "already_loaded"


WHOLE = {"disposition": "replace"}
CLOSING = {"disposition": "merge", "key": ["id"], "strategy": "scd2", "absent": "close"}


@pytest.mark.parametrize(("target", "feed", "key", "waits"), [
    ({}, "t", "a.csv", True), ({}, "t", "b.csv", False), ({}, "other", "a.csv", False),
    (WHOLE, "t", "b.csv", True), (WHOLE, "other", "a.csv", False), (CLOSING, "t", "b.csv", True),
])  # fmt: skip
def test_a_load_waits_for_those_of_its_object_or_of_a_feed_of_whole_files_alone(
    engine, target, feed, key, waits
):
    """So two feeds read one object, and the files of one feed, at the same time."""
    engine.be(target={"table": "raw.t", **target})
    first = engine.put(A)
    ours = claims.Claimant.new(engine.feed, first)
    other_feed = engine.feed.model_copy(update={"name": feed})
    theirs = claims.Claimant.new(other_feed, replace(first, key=key))
    with connect(engine.warehouse) as one, one.transaction():
        claims.lock(one, ours)
        with connect(engine.warehouse) as two, two.transaction():
            two.execute("SET LOCAL lock_timeout = '100ms'")
            with pytest.raises(LockNotAvailable) if waits else nullcontext():
                claims.lock(two, theirs)


def test_a_superseded_file_whose_forced_rerun_failed_does_not_come_back(engine):
    engine.be(disposition="replace")
    old = engine.put(A, "1.csv")
    engine.load(old)
    engine.load(B, "2.csv")
    engine.client.delete_object(Bucket=engine.bucket, Key="1.csv")
    with pytest.raises(ObjectMissing):
        engine.load(old, force=True)
    assert engine.load(old).outcome == "superseded"
    assert engine.rows() == [(2, "b")]


# ---- a ledger without the latest loads of its table ----------------------------------------------


def bring_back_ledger(engine, rows):
    """Makes the ledger again with these rows alone, as a restore of an older dump of it does."""
    engine.sql("DROP SCHEMA landfall CASCADE")
    with connect(engine.warehouse) as connection:
        create_ledger(connection)
    for entry in rows:
        engine.sql(
            "INSERT INTO landfall.ledger (load_id, feed, bucket, key, etag, size, last_modified,"
            " target, rows, started, seconds, status, loaded_by, attempt) OVERRIDING SYSTEM VALUE"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 1, %s, 'x', gen_random_uuid())",
            entry.load_id, entry.feed, entry.bucket, entry.key, entry.etag, entry.size,
            entry.last_modified, entry.target, entry.rows, entry.started, entry.status,
        )  # fmt: skip
    engine.sql(
        "SELECT setval(pg_get_serial_sequence('landfall.ledger', 'load_id'),"
        " greatest(1, (SELECT max(load_id) FROM landfall.ledger)))"
    )


@pytest.mark.parametrize("left", [0, 1])
@pytest.mark.parametrize("disposition", ["append", "merge"])
def test_a_ledger_that_is_behind_its_table_is_noticed_and_no_row_is_doubled(
    engine, left, disposition
):
    target = {"table": "raw.t", "disposition": disposition}
    target |= {"key": ["id"]} if disposition == "merge" else {}
    feed = {**engine.feed.model_dump(exclude_unset=True), "target": target}
    engine.feed = type(engine.feed).model_validate(feed)
    for number in range(1, 4):
        engine.load(many(3_000, first=number * 10_000), f"{number}.csv")
    bring_back_ledger(engine, engine.entries()[:left])
    database = Database("warehouse", (engine.feed,))
    (finding,) = check([database], warehouse_of=lambda _: engine.warehouse)
    assert "the ledger is behind the table raw.t" in finding.answer
    last = engine.put(many(3_000, first=30_000), "3.csv")
    for force in (False, True, False, True):  # each try takes a load id
        with pytest.raises(FeedError, match=r"the ledger is behind the table raw\.t"):
            engine.load(last, force=force)
    assert engine.sql("SELECT count(*) FROM raw.t") == [9_000]
    engine.sql("DELETE FROM raw.t WHERE _load_id > %s", engine.sql(
        "SELECT coalesce(max(load_id) FILTER (WHERE status = 'loaded'), 0) FROM landfall.ledger"
    )[0])  # fmt: skip
    for number in range(2 if left else 1, 4):
        assert engine.load(many(3_000, first=number * 10_000), f"{number}.csv").rows == 3_000
    assert engine.sql("SELECT count(*), count(DISTINCT id) FROM raw.t") == [(9_000, 9_000)]


def test_a_file_that_is_forgotten_meanwhile_leaves_no_ledger_behind(engine, mocker):
    """The advice was to delete rows."""
    engine.load(A, "1.csv")
    engine.load(B, "2.csv")
    look, first = ledger_behind.last_with_rows, iter([True])

    def look_after_the_forget(connection):
        if next(first, False):
            forget(engine.feed, "2.csv", warehouse=engine.warehouse)
        return look(connection)

    mocker.patch.object(ledger_behind, "last_with_rows", look_after_the_forget)
    assert engine.load("id,name\n3,c\n", "3.csv").outcome == "loaded"
    assert engine.rows() == [(1, "a"), (3, "c")]


def test_a_ledger_that_is_behind_a_partitioned_table_is_noticed(engine):
    engine.sql("CREATE SCHEMA raw")
    engine.sql("CREATE TABLE raw.t (id integer, name text) PARTITION BY LIST (id)")
    for number in (1, 2, 3):
        engine.sql(f'CREATE TABLE raw."T {number}" PARTITION OF raw.t FOR VALUES IN ({number})')
        engine.load(f"id,name\n{number},a\n", f"{number}.csv")
    engine.sql("DROP SCHEMA landfall CASCADE")
    with pytest.raises(FeedError, match=r"the ledger is behind the table raw\.t"):
        engine.load("id,name\n1,a\n", "1.csv")
    assert engine.rows() == [(1, "a"), (2, "a"), (3, "a")]


EMPTIED = {
    "truncated": "TRUNCATE raw.t",
    "deleted": "DELETE FROM raw.t",
    "brought back without rows": "DROP TABLE raw.t; CREATE TABLE raw.t (id integer, name text,"
    " _load_id bigint)",
}


@pytest.mark.parametrize("how", EMPTIED)
def test_a_load_into_a_table_that_others_emptied_keeps_a_note_of_it(engine, how):
    for number in (1, 2):
        assert engine.load(f"id,name\n{number},a\n", f"{number}.csv").changes == []
    engine.sql(EMPTIED[how])
    assert engine.load("id,name\n3,a\n", "3.csv").changes == ["rows gone: 2 -> an empty table"]
    assert engine.load("id,name\n4,a\n", "4.csv").changes == []
    assert engine.sql("SELECT what FROM landfall.changes") == ["rows gone"]


def test_a_file_that_replaces_its_own_rows_or_all_rows_misses_none(engine):
    engine.load("id,name\n1,a\n", "1.csv")
    engine.sql("TRUNCATE raw.t")
    assert engine.load("id,name\n1,b\n", "1.csv").changes == []
    engine.sql("TRUNCATE raw.t")
    engine.be(disposition="replace")
    assert engine.load("id,name\n2,b\n", "2.csv").changes == []


def test_rows_of_no_load_and_rows_of_another_feed_are_no_reason(engine):
    engine.sql("CREATE SCHEMA raw; CREATE TABLE raw.t (id integer, name text)")
    engine.sql("INSERT INTO raw.t VALUES (0, 'by hand')")
    engine.load("id,name\n1,a\n", "1.csv")
    feed = {**engine.feed.model_dump(exclude_unset=True), "feed": "other"}
    engine.feed = type(engine.feed).model_validate(feed)
    assert engine.load("id,name\n2,b\n", "2.csv").outcome == "loaded"


def test_a_load_that_commits_during_the_look_at_the_ledger_is_no_reason(engine, mocker):
    """The ledger is read before the table, and another load may commit in between."""
    engine.load("id,name\n1,a\n", "1.csv")
    read = ledger_behind.last_with_rows

    def meanwhile(connection):
        mocker.stopall()
        last = read(connection)
        engine.load("id,name\n2,b\n", "2.csv")
        return last

    mocker.patch.object(ledger_behind, "last_with_rows", meanwhile)
    assert engine.load("id,name\n3,c\n", "3.csv").outcome == "loaded"
    assert engine.sql("SELECT id FROM raw.t ORDER BY 1") == [1, 2, 3]


def test_ids_are_not_given_out_again_where_the_sequences_were_not_copied(engine):
    """As by logical replication, and by a restore of the data alone."""
    engine.be(rejects={"at_most": 9})
    for number in range(3):
        engine.load(f"id,name\n{number},a\nx,b\n", f"{number}.csv")
    engine.sql("DELETE FROM landfall.ledger WHERE load_id = 1")  # its rows and its id stay
    for name, column in IDS.items():
        sequence = f"pg_get_serial_sequence('landfall.{name}', '{column}')"
        engine.sql(f"SELECT setval({sequence}, 1, false)")
    receipt = engine.load("id,name\n3,a\nx,b\n", "3.csv")
    assert (receipt.outcome, receipt.load_id) == ("loaded", 4)
    assert engine.sql("SELECT count(DISTINCT reject_id) FROM landfall.rejects") == [4]
    assert engine.sql("SELECT DISTINCT _load_id FROM raw.t ORDER BY 1") == [1, 2, 3, 4]


def test_the_ids_of_rejects_that_have_expired_are_not_given_out_again(engine):
    engine.be(rejects={"at_most": 9}).load("id,name\n1,a\nx,b\nx,c\n")
    engine.sql("DELETE FROM landfall.rejects WHERE reject_id > 1")
    sequence = "pg_get_serial_sequence('landfall.ledger', 'load_id')"
    engine.sql(f"SELECT setval({sequence}, 1, false)")
    engine.load("id,name\n2,a\nx,b\n", "2.csv")
    assert engine.sql("SELECT reject_id FROM landfall.rejects ORDER BY 1") == [1, 3]
