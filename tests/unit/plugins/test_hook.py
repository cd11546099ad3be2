"""The hook from other people's DAGs: every argument that is wrong ends in one message."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from include.landfall.arrival import Arrival
from include.landfall.feed.model import Feed
from plugins.s3_to_postgres import S3ToPostgresHook

FEED = Feed.model_validate(
    {
        "feed": "orders",
        "source": {"bucket": "landing", "pattern": "orders/*"},
        "target": {"table": "raw.orders"},
        "columns": {"id": "integer"},
    }
)
ARRIVAL = Arrival("landing", "orders/1.csv", "e", 1, datetime(2026, 1, 1, tzinfo=UTC))
LISTED = ARRIVAL.as_dict()
NOT_FEEDS = [None, "", "orders", "include/feeds/orders.yaml", {"feed": "orders"}, 5]
NOT_ARRIVALS = [
    None, "", "s3://landing/orders/1.csv", {}, [], [LISTED], 5, {**LISTED, "last_modified": None},
    {**LISTED, "last_modified": "yesterday"}, {"bucket": "landing", "key": "orders/1.csv"},
]  # fmt: skip
NO_LISTS = [None, "", "raw.orders", b"raw.orders", 5, [None], [("raw", "orders")], {1: 2}]
WRONG_EXPORTS = {
    "no query": {"query": None},
    "an empty query": {"query": "  ;"},
    "a query that is no text": {"query": 5},
    "no bucket": {"bucket": None},
    "an empty bucket": {"bucket": ""},
    "a bucket that is no text": {"bucket": 5},
    "no key": {"key": None},
    "an empty key": {"key": ""},
    "a key that is no text": {"key": 5},
    "a key with its bucket": {"key": "s3://landing/out/x.csv"},
    "a bucket that is an address": {"bucket": "s3://landing"},
    "a key that Airflow has not filled in": {"key": "out/{{ ds }}.csv"},
    "no format": {"format": None},
    "a list of formats": {"format": {"type": ["csv"]}},
    "an empty format": {"format": ""},
    "a format that is unknown": {"format": "xlsx"},
    "a format that is no text": {"format": 5},
    "a compression that is unknown": {"compression": "rar"},
    "an empty compression": {"compression": ""},
    "a compression that is no text": {"compression": 5},
    "a part of no size": {"part_size": 0},
    "a part size that is no size": {"part_size": "big"},
    "a part size that is no number": {"part_size": [5]},
    "parameters that are a text": {"parameters": "abc"},
    "parameters that are a number": {"parameters": 5},
}


@pytest.fixture(autouse=True)
def connections(monkeypatch):
    """Connections to servers that nobody may reach."""
    landing = {"conn_type": "aws", "login": "key", "password": "s3cr3t"}
    warehouse = {"conn_type": "postgres", "host": "127.0.0.1", "port": 1, "schema": "w"}
    monkeypatch.setenv("AIRFLOW_CONN_LANDING", json.dumps(landing))
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(warehouse))


@pytest.mark.parametrize("feed", NOT_FEEDS, ids=repr)
@pytest.mark.parametrize("call", ["of", "load", "expire_rejects", "tidy"])
def test_what_is_no_feed_is_refused_by_name(call, feed):
    hook = S3ToPostgresHook()
    calls = {
        "of": lambda: S3ToPostgresHook.of(feed),
        "load": lambda: hook.load(feed, ARRIVAL),
        "expire_rejects": lambda: hook.expire_rejects(feed),
        "tidy": lambda: hook.tidy(feed),
    }
    with pytest.raises(AirflowFailException, match="the argument feed is wrong"):
        calls[call]()


@pytest.mark.parametrize("call", ["load", "expire_rejects", "tidy"])
def test_a_hook_of_other_connections_than_the_feed_s_says_so(call, mocker):
    """Its rows would come into another database than the feed names, without a word."""
    target = FEED.target.model_copy(update={"connection": "partner"})
    hook = S3ToPostgresHook()
    warning = mocker.patch.object(hook.log, "warning")
    arguments = [ARRIVAL] if call == "load" else []
    with pytest.raises(AirflowException):
        getattr(hook, call)(FEED.model_copy(update={"target": target}), *arguments)
    ((text, *values),) = [each.args for each in warning.call_args_list]
    assert "'warehouse', and the feed orders names 'partner'" in text % tuple(values)


@pytest.mark.parametrize("arrival", NOT_ARRIVALS, ids=repr)
def test_what_is_no_arrival_is_refused_by_name(arrival):
    with pytest.raises(AirflowFailException, match="the argument arrival is wrong"):
        S3ToPostgresHook.of(FEED).load(FEED, arrival)


@pytest.mark.parametrize("tables", NO_LISTS, ids=repr)
def test_a_text_is_not_taken_for_a_list_of_tables(tables):
    """`missing_tables("raw.orders")` would ask for a table of each letter."""
    with pytest.raises(AirflowFailException, match="the argument tables is wrong"):
        S3ToPostgresHook().missing_tables(tables)


@pytest.mark.parametrize("case", WRONG_EXPORTS)
def test_an_export_s_wrong_argument_is_refused_before_any_server_is_asked(case):
    values = {"query": "SELECT 1", "bucket": "landing", "key": "out/x.csv", **WRONG_EXPORTS[case]}
    with pytest.raises(AirflowFailException) as refused:
        S3ToPostgresHook().export(**values)
    assert "127.0.0.1" not in str(refused.value)
    assert "found:" in str(refused.value)


@pytest.mark.parametrize("name", ["", 5, None], ids=repr)
def test_a_connection_without_a_name_is_refused(name):
    with pytest.raises(AirflowFailException, match="a connection without a name"):
        S3ToPostgresHook(postgres_conn_id=name).missing_tables(["raw.orders"])
