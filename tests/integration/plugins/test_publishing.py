"""Which loads a feed's asset does not tell of yet: never twice, and never too few."""

from __future__ import annotations

from types import SimpleNamespace

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowSkipException

from include.landfall.feed.model import Feed
from include.landfall.s3.listing import find_arrival
from plugins.arrivals.publishing import extra_of_feed, unpublished_loads
from plugins.s3_to_postgres import S3ToPostgresHook


class Events(list):
    """The events of an asset, newest last, as a task gets them."""

    def ascending(self, is_ascending):
        assert not is_ascending
        return Events(reversed(self))

    def limit(self, number):
        return self[:number]

    def add(self, extra):
        self.append(SimpleNamespace(extra=extra))


@pytest.fixture
def feed_of(bucket, connections):
    """Makes a feed of a name; all have one table."""

    def make(name):
        return Feed.model_validate(
            {
                "feed": name,
                "source": {"bucket": bucket, "pattern": f"{name}/*.csv"},
                "target": {"table": "raw.things"},
                "columns": {"id": "integer"},
            }
        )

    return make


@pytest.fixture
def load(client, bucket):
    def load(feed, number):
        key = f"{feed.name}/{number}.csv"
        client.put_object(Bucket=bucket, Key=key, Body=f"id\n{number}\n".encode())
        S3ToPostgresHook.of(feed).load(feed, find_arrival(client, bucket, key))

    return load


def publish(feed, events):
    """Does what the last two tasks of a feed's DAG do; returns whether the asset is updated."""
    try:
        loads = unpublished_loads(feed, events)
    except AirflowSkipException:
        return False
    events.add(extra_of_feed(feed, loads))
    return True


def test_a_load_is_published_once(feed_of, load):
    feed, events = feed_of("one"), Events()
    assert not publish(feed, events)
    load(feed, 1)
    assert [publish(feed, events) for _ in range(3)] == [True, False, False]
    load(feed, 2)
    assert [publish(feed, events) for _ in range(2)] == [True, False]


def test_two_feeds_of_one_table_do_not_wake_the_marts_at_every_run(feed_of, load):
    """Each would take the other's event for news of its own, for ever."""
    one, other, events = feed_of("one"), feed_of("other"), Events()
    load(one, 1)
    load(other, 2)
    assert [publish(each, events) for each in (one, other) * 3] == [True, True] + [False] * 4
    load(other, 3)
    assert [publish(each, events) for each in (one, other) * 2] == [False, True, False, False]


def test_an_event_of_an_earlier_release_is_the_feed_s_own(feed_of, load):
    feed, events = feed_of("one"), Events()
    load(feed, 1)
    events.add({"landfall_loads": unpublished_loads(feed, Events())})
    events.add(None)  # by hand, in the UI
    assert not publish(feed, events)


def test_the_marts_hear_that_the_last_file_is_forgotten(feed_of, load, warehouse):
    feed, events = feed_of("one"), Events()
    load(feed, 1)
    assert publish(feed, events)
    with psycopg.connect(warehouse.conninfo()) as connection:
        connection.execute("DELETE FROM landfall.ledger; DELETE FROM raw.things")
    assert [publish(feed, events) for _ in range(2)] == [True, False]
    load(feed, 2)
    assert publish(feed, events)


def test_a_new_warehouse_is_no_news(feed_of, load, warehouse):
    """Nothing can be checked there before the first load: the run would be red."""
    feed, events = feed_of("one"), Events()
    events.add(extra_of_feed(feed, "loads of another warehouse"))
    assert not publish(feed, events)
    load(feed, 1)
    assert publish(feed, events)


def test_a_table_that_others_made_is_no_news(feed_of, warehouse):
    with psycopg.connect(warehouse.conninfo()) as connection:
        connection.execute("CREATE SCHEMA raw; CREATE TABLE raw.things (id integer)")
    assert not publish(feed_of("one"), Events())


def test_a_server_s_time_zone_does_not_make_old_loads_new(feed_of, load, warehouse):
    feed, events = feed_of("one"), Events()
    load(feed, 1)
    assert publish(feed, events)
    name = psycopg.sql.Identifier(warehouse.dbname)
    with psycopg.connect(warehouse.conninfo(), autocommit=True) as connection:
        set_zone = psycopg.sql.SQL("ALTER DATABASE {} SET TimeZone = 'Asia/Kolkata'")
        connection.execute(set_zone.format(name))
    assert not publish(feed, events)
