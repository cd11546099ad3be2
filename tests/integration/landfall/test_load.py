"""A load brings all rows of a file or none, replaces earlier rows, and says so."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import psycopg
import pytest

from include.landfall.errors import DataError, ObjectChanged, ObjectMissing
from include.landfall.load import Receipt, load_each
from include.landfall.read.process import Reader
from include.landfall.s3 import client as s3_client
from tests.support.engine import LARGE, many

A, B, C = "id,name\n1,a\n2,b\n", "id,name\n3,c\n", "id,name\n1,A\n"


def test_append_adds_the_rows_of_each_file(engine):
    assert engine.load(A, "1.csv").rows == 2
    assert engine.load(B, "2.csv").rows == 1
    assert engine.rows() == [(1, "a"), (2, "b"), (3, "c")]


def test_replace_leaves_the_rows_of_the_newest_file_alone(engine):
    engine.be(disposition="replace")
    engine.load(A, "1.csv")
    engine.sql("INSERT INTO raw.t VALUES (99, 'of another hand', 0)")
    engine.load(B, "2.csv")
    assert engine.rows() == [(3, "c")]
    assert engine.statuses() == ["superseded", "loaded"]


@pytest.mark.parametrize("disposition", ["append", "replace"])
def test_a_rerun_loads_nothing_and_says_who_has_loaded(engine, disposition):
    arrival = engine.be(disposition=disposition).put(A)
    first = engine.load(arrival, by="monday")
    again = engine.load(arrival, by="tuesday")
    assert (again.outcome, again.by, again.load_id) == ("already_loaded", "monday", first.load_id)
    assert again.rows == 2
    assert len(engine.rows()) == 2
    assert len(engine.entries()) == 1


def test_a_forced_rerun_replaces_its_own_rows_alone(engine):
    engine.load(B, "2.csv")
    arrival = engine.put(A)
    first = engine.load(arrival)
    engine.sql("UPDATE raw.t SET name = 'spoilt'")
    again = engine.load(arrival, force=True, by="wednesday")
    assert (again.outcome, again.load_id, again.by) == ("loaded", first.load_id, "wednesday")
    assert engine.rows() == [(1, "a"), (2, "b"), (3, "spoilt")]


def test_a_changed_object_replaces_its_own_rows_alone(engine):
    engine.load(B, "2.csv")
    engine.load(A, "1.csv")
    engine.load(C, "1.csv")
    assert engine.rows() == [(1, "A"), (3, "c")]
    assert engine.statuses() == ["loaded", "superseded", "loaded"]


def test_content_that_is_put_back_is_loaded_again(engine):
    for text in (A, C, A):
        assert engine.load(text).outcome == "loaded"
    assert engine.rows() == [(1, "a"), (2, "b")]
    assert sorted(engine.statuses()) == ["loaded", "superseded"]


def test_an_older_file_of_a_replace_feed_comes_too_late(engine):
    engine.be(disposition="replace")
    old, new = (engine.put(text, key) for text, key in ((A, "1"), (B, "2")))
    first = engine.load(new, by="the newer")
    late = engine.load(old)
    assert (late.outcome, late.by, late.load_id) == ("superseded", "the newer", first.load_id)
    assert engine.rows() == [(3, "c")]
    assert engine.statuses() == ["loaded", "superseded"]


def test_a_version_that_is_no_longer_in_the_bucket_is_not_loaded(engine):
    old, new = engine.put(A), engine.put(B)
    engine.load(new)
    with pytest.raises(ObjectChanged):
        engine.load(old)
    assert engine.rows() == [(3, "c")]


def test_a_superseded_file_loaded_again_keeps_its_count_in_the_ledger(engine):
    engine.be(disposition="replace")
    old = engine.put(A, "1.csv")
    engine.load(old)
    engine.load(B, "2.csv")
    assert engine.load(old).outcome == "superseded"
    assert [(e.status, e.rows) for e in engine.entries()] == [("superseded", 2), ("loaded", 1)]


def test_within_one_second_the_last_key_wins_whichever_is_loaded_first(engine):
    engine.be(disposition="replace")
    one, two = engine.put(A, "1.csv"), engine.put(B, "2.csv")
    one = replace(one, last_modified=two.last_modified)
    assert engine.load(two).outcome == "loaded"
    assert engine.load(one).outcome == "superseded"
    assert engine.rows() == [(3, "c")]


def test_a_failed_load_leaves_its_error_in_the_ledger_and_no_row(engine):
    engine.load(B, "2.csv")
    with pytest.raises(DataError) as refused:
        engine.load("id,name\n1,a\nx,b\n")
    assert engine.rows() == [(3, "c")]
    entry = engine.entries()[-1]
    assert (entry.status, entry.rows) == ("failed", None)
    assert entry.error == str(refused.value)
    assert entry.seconds is not None


def test_a_failed_first_load_leaves_no_table_and_no_schema(engine):
    with pytest.raises(DataError):
        engine.load("id,name\nx,b\n")
    assert engine.sql("SELECT to_regclass('raw.t') IS NULL AND to_regnamespace('raw') IS NULL") == [
        True
    ]


def test_a_failed_change_leaves_the_rows_of_the_version_before(engine):
    engine.load(A)
    with pytest.raises(DataError):
        engine.load("id,name\nx,b\n")
    assert engine.rows() == [(1, "a"), (2, "b")]
    assert engine.statuses() == ["loaded", "failed"]


def test_a_failed_file_that_was_corrected_loads(engine):
    with pytest.raises(DataError):
        engine.load("id,name\nx,b\n")
    assert engine.load(A).outcome == "loaded"
    assert engine.statuses() == ["failed", "loaded"]


def test_a_failed_file_loads_once_its_feed_was_corrected(engine):
    arrival = engine.put("id,name\nx,b\n")
    with pytest.raises(DataError):
        engine.load(arrival)
    engine.be(columns={"id": "text", "name": "text"})
    assert engine.load(arrival).outcome == "loaded"
    assert [(e.status, e.error) for e in engine.entries()] == [("loaded", None)]


def test_a_forced_rerun_that_fails_leaves_what_was_loaded(engine):
    arrival = engine.put(A)
    engine.load(arrival)
    engine.client.delete_object(Bucket=engine.bucket, Key="a.csv")
    with pytest.raises(ObjectMissing):
        engine.load(arrival, force=True)
    assert len(engine.rows()) == 2
    assert engine.statuses() == ["loaded"]


@pytest.mark.parametrize(
    ("text", "rows"),
    [("", 0), ("id,name\n", 0), ("id,name", 0), ("id,name\n1,a", 1), ("id,name\r\n1,a\r\n", 1)],
)
def test_empty_files_and_missing_line_ends_load_as_what_they_are(engine, text, rows):
    assert engine.load(text).rows == rows
    assert len(engine.rows()) == rows
    assert [(e.status, e.rows) for e in engine.entries()] == [("loaded", rows)]


def test_an_empty_file_of_a_replace_feed_empties_the_table(engine):
    engine.be(disposition="replace").load(A, "1.csv")
    engine.load("id,name\n", "2.csv")
    assert engine.rows() == []


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('id,name\n1,"two\nlines"\n', ["two\nlines"]),
        ('id,name\n1,"two\r\nlines"', ["two\r\nlines"]),
        ('id,name\n1,"a\rb"\n2,b\n', ["a\rb", "b"]),
        ('id,name\n1,"it ""ends"" so\n"', ['it "ends" so\n']),
    ],
)
def test_odd_quotes_and_a_last_row_of_many_lines_are_no_fault(engine, text, names):
    assert engine.load(text).rows == len(names)
    assert engine.sql("SELECT name FROM raw.t ORDER BY id") == names


@pytest.mark.parametrize(
    "text",
    ['id,name\n1,"a\n2,b\n3,c\n', 'id,name\n1,a\n2,"b\n', "id,name\n1,a\rx\n2,b\n"],
)
def test_a_quote_that_is_never_closed_swallows_no_rows(engine, text):
    with pytest.raises(DataError) as refused:
        engine.load(text)
    assert refused.value.place.line in (2, 3)
    assert engine.statuses() == ["failed"]


@pytest.mark.parametrize("disposition", ["append", "replace"])
def test_a_reader_who_began_before_the_load_sees_the_old_rows_to_the_end(engine, disposition):
    """TRUNCATE would show an empty table to readers who began before it."""
    engine.be(disposition=disposition).load(A)
    with psycopg.connect(engine.warehouse.conninfo()) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute("SELECT 1 FROM landfall.ledger")
        with ThreadPoolExecutor() as pool:
            pool.submit(engine.load, B).result(timeout=30)
        assert reader.execute("SELECT id FROM raw.t ORDER BY 1").fetchall() == [(1,), (2,)]
    assert engine.rows() == [(3, "c")]


@pytest.mark.parametrize("disposition", ["append", "replace"])
def test_a_reader_never_waits_for_a_load_and_sees_the_old_rows_meanwhile(engine, disposition):
    engine.be(disposition=disposition).load(A)
    engine.sql(f"ALTER DATABASE {engine.warehouse.dbname} SET lock_timeout = '2s'")
    seen = []
    engine.load(B, progress=lambda rows: seen.extend(engine.rows()))
    assert seen == [(1, "a"), (2, "b")]


def test_every_row_carries_the_id_of_its_load(engine):
    receipts = [engine.load(A, "1.csv"), engine.load(B, "2.csv")]
    rows_by_load = engine.sql("SELECT _load_id, count(*) FROM raw.t GROUP BY 1 ORDER BY 1")
    assert rows_by_load == [(r.load_id, r.rows) for r in receipts]


def test_an_object_that_has_changed_since_its_listing_is_not_loaded(engine):
    listed = engine.put(A)
    engine.put(B)
    with pytest.raises(ObjectChanged, match="no longer the version"):
        engine.load(listed)
    assert engine.statuses() == ["failed"]
    assert engine.sql("SELECT to_regclass('raw.t') IS NULL") == [True]


@pytest.mark.parametrize("rows", [1, 7, LARGE])
def test_rows_of_any_number_are_all_there(engine, rows):
    receipt = engine.load(many(rows))
    query = "SELECT count(*)::int, count(DISTINCT id)::int, max(id), sum(name::int) FROM raw.t"
    assert engine.sql(query) == [(rows, rows, rows, rows * (rows + 1) // 2)]
    assert receipt.rows == rows


def test_progress_is_told_and_ends_with_every_row(engine):
    reported = []
    engine.load(many(LARGE), progress=reported.append)
    assert reported == sorted(reported)
    assert reported[-1] == LARGE


def test_an_error_that_nobody_foresaw_is_kept_too(engine):
    def stumble(rows):
        raise RuntimeError("over its own feet")

    with pytest.raises(RuntimeError):
        engine.load(A, progress=stumble)
    assert engine.entries()[0].error == "RuntimeError: over its own feet"
    assert engine.sql("SELECT to_regclass('raw.t') IS NULL") == [True]


DROP_ONE = "IF new.id = 2 THEN RETURN NULL; END IF;"
REFUSE_COPY = "IF current_query() LIKE 'COPY%' THEN RAISE EXCEPTION 'not like this'; END IF;"


def with_trigger(engine, body):
    engine.sql(
        "CREATE SCHEMA raw; CREATE TABLE raw.t (id int, name text, _load_id bigint);"
        " CREATE FUNCTION raw.look() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN {body} RETURN new; END $$;"
        " CREATE TRIGGER t BEFORE INSERT ON raw.t FOR EACH ROW EXECUTE FUNCTION raw.look()"
    )


@pytest.mark.parametrize("text", [A, "id,name\n1,a\n 2 ,b\n"], ids=["straight", "suspect"])
def test_rows_that_a_trigger_drops_are_an_error(engine, text):
    with_trigger(engine, DROP_ONE)
    with pytest.raises(DataError, match="rows were lost on the way"):
        engine.load(text)
    assert engine.rows() == []
    assert engine.statuses() == ["failed"]


def test_rows_that_a_trigger_drops_only_when_judged_are_an_error_too(engine):
    """After a refusal the file is read again on the text path, where the rows are counted too."""
    with_trigger(engine, REFUSE_COPY + DROP_ONE)
    with pytest.raises(DataError, match="rows were lost on the way"):
        engine.load(A)
    assert engine.rows() == []


def test_what_copy_is_refused_and_an_insert_is_not_is_loaded(engine):
    with_trigger(engine, REFUSE_COPY)
    assert engine.load(A).rows == 2


def test_a_trigger_that_judges_the_whole_file_ends_with_its_own_words(engine):
    """No single row is at fault. The search for one must still end."""
    engine.sql(
        "CREATE SCHEMA raw; CREATE TABLE raw.t (id int, name text, _load_id bigint);"
        " CREATE FUNCTION raw.few() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF (SELECT count(*) FROM fresh) > 2 THEN RAISE EXCEPTION 'too many at once'; END IF;"
        " RETURN NULL; END $$;"
        " CREATE TRIGGER t AFTER INSERT ON raw.t REFERENCING NEW TABLE AS fresh"
        " FOR EACH STATEMENT EXECUTE FUNCTION raw.few()"
    )
    with pytest.raises(DataError, match="too many at once"):
        engine.load("id,name\n1,a\n2,b\n3,c\n4,d\n")
    assert engine.rows() == []


def test_a_column_may_have_the_name_of_our_own_row_number(engine):
    engine.be(columns={"_row": "integer", "name": "text"})
    engine.load("_row,name\n 7 ,a\n8,b\n")
    assert engine.sql("SELECT _row FROM raw.t ORDER BY 1") == [7, 8]


def test_a_large_and_a_small_file_take_the_two_ways_of_reading(engine, mocker):
    apart = mocker.spy(Reader, "frames")
    engine.load(A, "small.csv")
    assert apart.call_count == 0
    engine.load(many(LARGE), "large.csv")
    assert apart.call_count == 1


@pytest.mark.parametrize("child", [False, True], ids=["in the process", "in a child"])
def test_rows_that_grow_in_the_encoding_all_arrive(engine, mocker, child):
    """Short rows grow beyond one megabyte in binary COPY, so they are sent in parts."""
    mocker.patch("include.landfall.transfer.INLINE_BYTES", 0 if child else 1 << 30)
    numbers = range(300_000)
    engine.load("id,name\n" + "".join(f"{n},\n" for n in numbers))
    query = "SELECT count(DISTINCT id), min(id), max(id), count(name), count(*) FROM raw.t"
    assert engine.sql(query) == [(300_000, 0, 299_999, 0, 300_000)]


def test_many_files_are_loaded_through_one_client_and_a_bad_one_stops_no_other(engine, mocker):
    """A client and its connection take longer to make than a small file takes to load."""
    made = mocker.spy(s3_client, "make_client")
    arrivals = [engine.put(text, f"{n}.csv") for n, text in enumerate([A, "id,name\nx,y\n", B])]
    servers = {"store": engine.store, "warehouse": engine.warehouse}
    became = list(load_each(engine.feed, arrivals, **servers))
    assert [arrival for arrival, _ in became] == arrivals
    assert [isinstance(each, Receipt) for _, each in became] == [True, False, True]
    assert isinstance(became[1][1], DataError)
    assert engine.rows() == [(1, "a"), (2, "b"), (3, "c")]
    assert made.call_count == 1
