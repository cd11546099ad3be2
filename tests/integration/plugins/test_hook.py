"""The hook moves files in and results out through the real servers."""

from __future__ import annotations

import time
from types import SimpleNamespace

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowFailException
from airflow.sdk.execution_time.context import set_current_context

from include.landfall.feed.loaded_files import LoadedFiles
from include.landfall.feed.model import Feed
from include.landfall.feed.yaml_file import Feeds
from include.landfall.load import Receipt
from include.landfall.s3.listing import find_arrival
from plugins.s3_to_postgres import S3ToPostgresHook
from tests.support.engine import Engine
from tests.support.kept_rejects import keep_load, keep_reject


@pytest.fixture
def feed(bucket, connections):
    return Feed.model_validate(
        {
            "feed": "things",
            "source": {"bucket": bucket, "pattern": "things/*.csv"},
            "target": {"table": "raw.things"},
            "columns": {"id": "integer", "name": "text"},
        }
    )


@pytest.fixture
def engine_of(warehouse, object_store, client, bucket):
    """Makes the engine of a feed, for what the tests write by SQL."""

    def make(feed):
        engine = Engine(warehouse, object_store, client, bucket)
        engine.feed = feed
        return engine

    return make


@pytest.fixture
def arrival(client, bucket):
    def put(text, key="things/1.csv"):
        client.put_object(Bucket=bucket, Key=key, Body=text.encode())
        return find_arrival(client, bucket, key)

    return put


def rows(warehouse):
    with psycopg.connect(warehouse.conninfo()) as connection:
        return connection.execute("SELECT id, name FROM raw.things ORDER BY id").fetchall()


def test_a_file_is_loaded_once_and_the_second_receipt_says_by_whom(feed, arrival, warehouse):
    listed = arrival("id,name\n1,one\n2,two\n")
    hook = S3ToPostgresHook.of(feed)
    first = hook.load(feed, listed.as_dict(), by="the test")  # as it comes out of XCom
    assert (first.outcome, first.rows) == ("loaded", 2)
    second = hook.load(feed, listed)
    assert (second.outcome, second.by) == ("already_loaded", "the test")
    assert rows(warehouse) == [(1, "one"), (2, "two")]


def test_a_load_in_a_task_is_in_the_ledger_under_the_name_of_the_task(feed, arrival, warehouse):
    ti = SimpleNamespace(dag_id="things", task_id="load", run_id="manual__1", try_number=2)
    with set_current_context({"ti": ti}):
        S3ToPostgresHook.of(feed).load(feed, arrival("id,name\n1,one\n"))
    with psycopg.connect(warehouse.conninfo()) as connection:
        (loaded_by,) = connection.execute("SELECT loaded_by FROM landfall.ledger").fetchone()
    assert loaded_by.startswith("things.load manual__1 #2")


def test_a_bad_file_fails_without_a_retry_and_says_where(feed, arrival, caplog):
    listed = arrival("id,name\n1,one\nx,two\n")
    with pytest.raises(AirflowFailException) as failure:
        S3ToPostgresHook.of(feed).load(feed, listed)
    message = str(failure.value)
    assert listed.uri in message
    assert "line: 3" in message
    assert "column: id" in message
    assert failure.value.__cause__ is None  # no second traceback above the message


def test_a_result_is_exported(feed, arrival, client, bucket):
    hook = S3ToPostgresHook.of(feed)
    hook.load(feed, arrival("id,name\n1,one\n2,two\n"))
    query = "SELECT id, name FROM raw.things WHERE id > %s"
    exported = hook.export(query, [1], bucket=bucket, key="out.csv")
    assert (exported.rows, exported.uri) == (1, f"s3://{bucket}/out.csv")
    assert client.get_object(Bucket=bucket, Key="out.csv")["Body"].read() == b"id,name\n2,two\n"
    with pytest.raises(AirflowFailException, match="does not exist"):
        hook.export("SELECT * FROM nowhere", bucket=bucket, key="out.csv")


def test_it_knows_which_tables_are_missing(feed, arrival):
    hook = S3ToPostgresHook.of(feed)
    assert hook.missing_tables(["raw.things", "raw.others"]) == ["raw.things", "raw.others"]
    hook.load(feed, arrival("id,name\n"))
    assert hook.missing_tables(["raw.things", "raw.others"]) == ["raw.others"]


@pytest.mark.parametrize("table", ["raw.Flights", "raw.my table", 'raw."quoted"', "raw.a'b"])
def test_a_table_is_found_by_the_very_name_that_a_feed_has(feed, arrival, table):
    """Unquoted, raw.Flights is raw.flights, and a space is a syntax error."""
    named = {**feed.model_dump(by_alias=True), "target": {"table": table}}
    feed = Feed.model_validate(named)
    hook = S3ToPostgresHook.of(feed)
    assert hook.missing_tables([table]) == [table]
    hook.load(feed, arrival("id,name\n"))
    assert hook.missing_tables([table, table.lower(), "raw.nothing"]) == [
        name for name in (table.lower(), "raw.nothing") if name != table
    ]


def test_a_table_without_its_schema_is_no_question(feed):
    with pytest.raises(AirflowFailException, match="without its schema"):
        S3ToPostgresHook.of(feed).missing_tables(["things"])


def test_a_load_with_rejects_warns_with_the_command_that_shows_them(feed, arrival, mocker):
    receipt = Receipt(
        "things", "b", "it's.csv", "v", 7, "loaded", 10, 1.0, "me", 3, {"cell": 2, "fields": 1}
    )
    mocker.patch("include.landfall.load.load", return_value=receipt)
    hook = S3ToPostgresHook.of(feed)
    warning = mocker.patch.object(hook.log, "warning")
    hook.load(feed, arrival("id,name\n"))
    warning.assert_called_once_with(
        "s3://b/it's.csv: 3 rows are rejected (2 cell, 1 fields); to see them: .venv/bin/landfall"
        " rejects --feed include/feeds/things.yaml --object 'it'\"'\"'s.csv'"
    )


def test_a_load_of_a_file_that_departs_from_its_feed_warns_with_each_change(feed, arrival, mocker):
    changes = ["column added x: bigint", "missing column name: null"]
    receipt = Receipt("things", "b", "a.csv", "v", 7, "loaded", 10, 1.0, "me", changes=changes)
    mocker.patch("include.landfall.load.load", return_value=receipt)
    hook = S3ToPostgresHook.of(feed)
    warning = mocker.patch.object(hook.log, "warning")
    hook.load(feed, arrival("id,name\n"))
    warning.assert_called_once_with(
        "s3://b/a.csv departs from its feed: column added x: bigint; missing column name: null"
    )


def test_old_rejects_expire_through_the_hook(feed, engine_of):
    engine = engine_of(feed)
    load_id = keep_load(engine, rejected=2)
    keep_reject(engine, load_id, {"id": "x"})
    keep_reject(engine, load_id, {"id": "y"}, row=2)
    engine.sql(
        "UPDATE landfall.rejects SET rejected_at = now() - interval '91 days' WHERE line = 2"
    )
    assert S3ToPostgresHook.of(feed).expire_rejects(feed) == {"open": 1}
    assert S3ToPostgresHook.of(feed).expire_rejects(feed) == {}


def test_loaded_files_are_tidied_through_the_hook(feed, arrival):
    rule = feed.source.model_copy(update={"loaded_files": LoadedFiles(delete=True, after_days=0)})
    feed = feed.model_copy(update={"source": rule})
    S3ToPostgresHook.of(feed).load(feed, arrival("id,name\n1,a\n"))
    assert S3ToPostgresHook.of(feed).tidy(feed, others=Feeds([feed])) == {"deleted": 1}
    assert S3ToPostgresHook.of(feed).tidy(feed) == {}


def test_2_1_a_load_that_waits_for_a_forgotten_lock_ends_with_its_task_s_time(
    feed, arrival, warehouse, caplog
):
    """As the task's execution_timeout does; the next run loads the file."""
    from airflow.sdk.execution_time.timeout import timeout

    hook = S3ToPostgresHook.of(feed)
    hook.load(feed, arrival("id,name\n1,one\n"))
    second = arrival("id,name\n2,two\n", "things/2.csv")
    with psycopg.connect(warehouse.conninfo()) as other:
        other.execute("LOCK TABLE raw.things")
        started = time.monotonic()
        with pytest.raises(AirflowFailException, match="stopped the task") as caught, timeout(2):
            hook.load(feed, second)
        assert "pg_stat_activity" in str(caught.value)
        assert time.monotonic() - started < 20
    assert "error ignored" not in caplog.text  # it would hide in the log what has happened
    assert hook.load(feed, second).outcome == "loaded"
    assert rows(warehouse) == [(1, "one"), (2, "two")]
