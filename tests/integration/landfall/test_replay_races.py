"""A replay beside loads and other replays, and one that is killed."""

from __future__ import annotations

import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from include.landfall.ledger import claims
from include.landfall.postgres.connection import connect
from include.landfall.replay import rejects_to_replay, replay
from tests.support.kept_rejects import counts, keep_load, keep_reject, replayed_rows, states


@pytest.mark.parametrize("who", ["append", "replace"])
def test_a_replay_waits_for_a_load_of_its_object_and_finds_it_replaced(engine, who):
    engine.be(disposition=who)
    load_id = keep_load(engine, rejected=1)
    keep_reject(engine, load_id, {"id": "1", "name": "a"})
    (batch,) = rejects_to_replay(engine.feed, warehouse=engine.warehouse).batches
    with ThreadPoolExecutor() as pool, connect(engine.warehouse) as connection:
        with connection.transaction():
            claimant = claims.Claimant.new(
                engine.feed, engine.put("id,name\n"), replaces_feed=who == "replace"
            )
            claims.lock(connection, claimant)
            waiting = pool.submit(replay, engine.feed, batch, warehouse=engine.warehouse)
            wait_for_a_lock(engine)
            connection.execute("UPDATE landfall.ledger SET status = 'superseded'")
            connection.execute("UPDATE landfall.rejects SET state = 'superseded'")
        assert waiting.result(30).rows == 0
    assert (states(engine), replayed_rows(engine)) == (["superseded"], [])


def wait_for_a_lock(engine, kind="advisory"):
    with psycopg.connect(engine.warehouse.conninfo(), autocommit=True) as connection:
        connection.execute(
            "DO $$BEGIN FOR n IN 1..300 LOOP PERFORM pg_sleep(0.05);"
            f" EXIT WHEN EXISTS (SELECT FROM pg_locks WHERE locktype = '{kind}' AND NOT granted);"
            " END LOOP; END$$"
        )


def test_two_replays_at_once_load_each_reject_once(engine):
    load_id = keep_load(engine, rows=5, rejected=200)
    for row in range(1, 201):
        keep_reject(engine, load_id, {"id": str(row), "name": "a"}, row=row)
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda _: engine.replay(), range(4)))
    assert sorted(each.rows for done in outcomes for each in done)[-1] == 200
    assert sum(each.rows for done in outcomes for each in done) == 200
    assert engine.sql("SELECT count(*), count(DISTINCT id) FROM raw.t WHERE id < 1000") == [
        (200, 200)
    ]
    assert counts(engine) == [(205, 0)]


REPLAYS = """
import pickle, sys
from include.landfall.replay import rejects_to_replay, replay
feed, warehouse = pickle.load(sys.stdin.buffer)
for batch in rejects_to_replay(feed, warehouse=warehouse).batches:
    replay(feed, batch, warehouse=warehouse)
"""


def test_a_replay_that_is_killed_has_changed_nothing_and_the_next_one_loads_all(engine):
    load_id = keep_load(engine, rejected=50)
    for row in range(1, 51):
        keep_reject(engine, load_id, {"id": str(row), "name": "a"}, row=row)
    with psycopg.connect(engine.warehouse.conninfo()) as holding:
        # The replay waits here with all its rows in the target: for the history of replays.
        holding.execute("LOCK TABLE landfall.replays")
        child = subprocess.Popen([sys.executable, "-c", REPLAYS], stdin=subprocess.PIPE)
        child.stdin.write(pickle.dumps((engine.feed, engine.warehouse)))
        child.stdin.close()
        wait_for_a_lock(engine, "relation")
        child.kill()
        child.wait(10)
    engine.sql(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE application_name LIKE 'landfall replay%'"
    )
    assert (counts(engine), replayed_rows(engine)) == ([(0, 50)], [])
    (replayed,) = engine.replay()
    assert (replayed.rows, counts(engine), len(replayed_rows(engine))) == (50, [(50, 0)], 50)
