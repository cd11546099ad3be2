"""The faults of test_faults.py that are about memory, readings and waits, each by its number."""

from __future__ import annotations

import datetime as dt
import time
import tracemalloc

import psycopg
import pytest

from include.landfall.arrival import Arrival
from include.landfall.errors import DataError
from include.landfall.ledger.arrivals import new_arrivals
from include.landfall.postgres.connection import connect
from include.landfall.read.process import Reader
from tests.support.engine import LARGE, many

A, B = "id,name\n1,a\n", "id,name\n2,b\n"


@pytest.mark.timeout(60)
def test_2_1_a_trigger_that_raises_a_notice_a_row_does_not_hang_the_load(engine):
    engine.load(engine.put(A))
    engine.sql(
        "CREATE FUNCTION raw.talk() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN RAISE NOTICE '%', repeat('x', 500); RETURN NEW; END$$"
    )
    engine.sql(
        "CREATE TRIGGER talk BEFORE INSERT ON raw.t FOR EACH ROW EXECUTE FUNCTION raw.talk()"
    )
    assert engine.load(engine.put(many(200_000, first=2), "b.csv")).rows == 200_000


@pytest.mark.timeout(60)
def test_2_7_readers_do_not_wait_for_the_end_of_the_first_load_into_their_table(engine):
    engine.sql("CREATE SCHEMA raw; CREATE TABLE raw.t (id integer, name text)")
    seen = []
    engine.load(
        engine.put(many(1000)),
        progress=lambda rows: seen.extend(engine.sql("SELECT count(*) FROM raw.t")),
    )
    assert seen == [0]


def test_3_8_a_retry_of_a_failed_file_does_not_look_for_rows_to_replace(engine, mocker):
    # These look at the table's last pages, and for one row.
    for look in ("check_ledger", "rows_gone"):
        mocker.patch(f"include.landfall.write.settle.{look}", return_value=[])
    engine.load(engine.put(A, "1.csv"))
    arrival = engine.put("id,name\nx,\n", "2.csv")
    with pytest.raises(DataError):
        engine.load(arrival)
    before = engine.sql("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 't'")
    with pytest.raises(DataError):
        engine.load(arrival)
    engine.sql("SELECT pg_stat_force_next_flush()")
    assert engine.sql("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 't'") == before


MANY_ENTRIES = """
    INSERT INTO landfall.ledger (
        feed, bucket, key, etag, size, last_modified, target, started, status, error, loaded_by,
        attempt
    )
    SELECT
        't', {}, 'x/' || n, 'e', 1, '2026-01-01', 'raw.t', now(), 'loaded', repeat('x', 2000),
        'me', gen_random_uuid()
    FROM generate_series(1, {}) AS n
"""


def test_3_9_a_look_takes_the_same_memory_for_any_number_of_loaded_files(engine):
    engine.load(engine.put(A))
    listed = 30_000
    values = psycopg.sql.Literal(engine.bucket), psycopg.sql.Literal(listed)
    engine.sql(psycopg.sql.SQL(MANY_ENTRIES).format(*values))
    when = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    arrivals = (Arrival(engine.bucket, f"x/{n}", "e", 1, when) for n in range(listed + 2))
    with connect(engine.warehouse) as connection:
        tracemalloc.start()
        try:
            new = new_arrivals(connection, engine.feed, arrivals)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert [arrival.key for arrival in new] == ["x/0", f"x/{listed + 1}"]
    assert peak < 10 << 20


def test_3_9_a_load_reads_few_rows_of_the_ledger_for_any_number_of_loaded_files(engine):
    engine.load(engine.put(A, "1.csv"))
    values = psycopg.sql.Literal(engine.bucket), psycopg.sql.Literal(5_000)
    engine.sql(psycopg.sql.SQL(MANY_ENTRIES).format(*values))
    engine.sql("ANALYZE landfall.ledger; SELECT pg_stat_force_next_flush()")
    read = (
        "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables"
        " WHERE schemaname = 'landfall' AND relname = 'ledger'"
    )
    (before,) = engine.sql(read)
    engine.load(engine.put(B, "2.csv"))
    for _ in range(50):  # the session of the load tells of its reading when it ends
        (after,) = engine.sql(read)
        if after > before:
            break
        time.sleep(0.1)
    assert 0 < after - before < 100


def test_3_7_a_row_that_a_key_refuses_does_not_make_the_file_read_again(engine, mocker):
    engine.sql("CREATE SCHEMA raw; CREATE TABLE raw.t (id integer UNIQUE, name text)")
    readings = mocker.spy(Reader, "frames")
    engine.be(rejects={"at_most": 1})
    receipt = engine.load(many(LARGE).replace("\n2,", "\n1,", 1))
    assert (receipt.rows, receipt.reasons) == (LARGE - 1, {"unique": 1})
    assert engine.sql("SELECT line, raw FROM landfall.rejects") == [(3, f"1,{2:070}")]
    assert readings.call_count == 1
