"""Rejects are loaded once more, each at most once, and the counts close each time."""

from __future__ import annotations

import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from include.landfall.errors import DataError, FeedError, TerminalError, WrongUse
from include.landfall.forget import forget
from include.landfall.ledger import claims
from include.landfall.ledger.kept_rejects import dismiss
from include.landfall.ledger.queries import loads_fingerprint
from include.landfall.postgres.connection import connect
from include.landfall.replay import Replayed, rejects_to_replay, replay
from tests.support.kept_rejects import keep_load, keep_reject


def replay_all(engine, **wanted) -> list[Replayed]:
    chosen = rejects_to_replay(engine.feed, warehouse=engine.warehouse, **wanted)
    return [
        replay(engine.feed, batch, warehouse=engine.warehouse, by="me") for batch in chosen.batches
    ]


def states(engine):
    return engine.sql("SELECT state FROM landfall.rejects ORDER BY reject_id")


def counts(engine):
    return engine.sql("SELECT rows, rejected FROM landfall.ledger ORDER BY load_id")


def replayed_rows(engine):
    return engine.sql("SELECT id, name, _load_id FROM raw.t WHERE id < 1000 ORDER BY id")


def test_after_a_fix_of_the_feed_rejects_go_in_with_the_load_id_of_their_file(engine):
    load_id = keep_load(engine, rows=2, rejected=3)
    for row, name in enumerate(["one", "two", None], 1):
        keep_reject(engine, load_id, {"id": f"{row}.0", "name": name}, row=row)
    # What the owner does: the id is a numeric now, in the feed and in the table.
    engine.sql("ALTER TABLE raw.t ALTER id TYPE numeric")
    engine.be(columns={"name": "text", "id": "numeric"})
    (replayed,) = replay_all(engine)
    assert (replayed.rows, replayed.refused, replayed.left_out) == (3, {}, 0)
    assert replayed_rows(engine) == [(1, "one", load_id), (2, "two", load_id), (3, None, load_id)]
    assert counts(engine) == [(5, 0)]
    assert states(engine) == ["replayed"] * 3
    assert engine.sql("SELECT settled_by FROM landfall.rejects WHERE settled_at IS NULL") == []
    assert engine.sql("SELECT load_id, rows, refused, replayed_by FROM landfall.replays") == [
        (load_id, 3, 0, "me")
    ]
    assert replay_all(engine) == []


def test_what_is_refused_again_stays_open_with_its_new_reasons(engine):
    load_id = keep_load(engine, rejected=3)
    engine.sql("ALTER TABLE raw.t ADD CHECK (id <> 2)")
    for row, cell in enumerate(["1", "2", "x"], 1):
        keep_reject(engine, load_id, {"id": cell, "name": "a"}, row=row, message="old")
    (replayed,) = replay_all(engine)
    assert (replayed.rows, replayed.refused) == (1, {"check": 1, "cell": 1})
    kept = engine.sql(
        "SELECT reason, sqlstate, message, state, cells FROM landfall.rejects"
        " WHERE state = 'open' ORDER BY reject_id"
    )
    assert [(reason, state) for reason, state, *_ in kept] == [
        ("check", "23514"),
        ("cell", "22P02"),
    ]
    assert "violates check constraint" in kept[0][2]
    assert 'invalid input syntax for type integer: "x"' in kept[1][2]
    assert [cells for *_, cells in kept] == [{"id": "2", "name": "a"}, {"id": "x", "name": "a"}]
    assert counts(engine) == [(1, 2)]
    assert engine.sql("SELECT rows, refused FROM landfall.replays") == [(1, 2)]


def test_all_reasons_of_a_row_that_is_refused_again_are_kept(engine):
    engine.be(columns={"id": "integer", "name": {"type": "text", "nullable": False}})
    keep_reject(engine, keep_load(engine, rejected=1), {"id": "x", "name": None})
    replay_all(engine)
    assert engine.sql("SELECT column_name, more->0->>'column' FROM landfall.rejects") == [
        ("id", "name")
    ]


def test_edited_rows_go_in_by_their_ids_and_no_other_does(engine):
    load_id = keep_load(engine, rejected=4)
    edited = keep_reject(engine, load_id, {"id": "x", "name": "a"}, row=1)
    keep_reject(engine, load_id, {"id": "2", "name": "b"}, row=2)
    uncut = keep_reject(engine, load_id, None, row=3, reason="fields", raw="3,a,b")
    worse = keep_reject(engine, load_id, {"id": "4", "name": "d"}, row=4)
    cells = {edited: ["1", None], uncut: ["3", 'a,"b'], worse: ["y", "d"]}
    (replayed,) = replay_all(engine, edited=cells)
    assert (replayed.rows, replayed.refused) == (2, {"cell": 1})
    assert replayed_rows(engine) == [(1, None, load_id), (3, 'a,"b', load_id)]
    assert states(engine) == ["replayed", "open", "replayed", "open"]
    assert engine.sql("SELECT cells FROM landfall.rejects WHERE reject_id = %s", worse) == [
        {"id": "y", "name": "d"}
    ]
    assert counts(engine) == [(2, 2)]


def test_a_row_that_could_not_be_cut_is_loaded_only_when_it_was_corrected(engine):
    load_id = keep_load(engine, rejected=2)
    uncut = keep_reject(engine, load_id, None, reason="fields", raw="3")
    keep_reject(engine, load_id, {"id": "1", "name": "a"}, row=2)
    (replayed,) = replay_all(engine)
    assert (replayed.rows, replayed.left_out) == (1, 1)
    (replayed,) = replay_all(engine, edited={uncut: ["3", None]})  # as a spreadsheet fills it up
    assert (replayed.rows, replayed.left_out) == (0, 1)
    assert states(engine) == ["open", "replayed"]
    (replayed,) = replay_all(engine, edited={uncut: ["3", ""]})
    assert (replayed.rows, replayed_rows(engine)[-1]) == (1, (3, "", load_id))


def test_only_rejects_of_one_object_or_one_reason(engine):
    for key in ("a.csv", "b.csv"):
        load_id = keep_load(engine, rejected=2, key=key)
        for row, reason in enumerate(("cell", "check"), 1):
            keep_reject(engine, load_id, {"id": "1", "name": key}, row=row, reason=reason, key=key)
    (replayed,) = replay_all(engine, key="b.csv", reason="check")
    assert (replayed.key, replayed.rows) == ("b.csv", 1)
    assert states(engine) == ["open", "open", "open", "replayed"]
    assert counts(engine) == [(0, 2), (1, 1)]


def test_an_id_that_is_no_reject_of_the_feed_stops_the_replay_and_a_settled_one_does_not(engine):
    load_id = keep_load(engine, rejected=1)
    reject_id = keep_reject(engine, load_id, {"id": "1", "name": "a"})
    with pytest.raises(TerminalError, match="not every id") as refused:
        replay_all(engine, edited={reject_id: ["1", "a"], 999: ["2", "b"]})
    assert refused.value.found == "999"
    assert states(engine) == ["open"]
    replay_all(engine, edited={reject_id: ["1", "a"]})
    again = rejects_to_replay(
        engine.feed, warehouse=engine.warehouse, edited={reject_id: ["1", "a"]}
    )
    assert (again.batches, again.settled) == ([], [reject_id])


@pytest.mark.parametrize("choice", [{"key": "b.csv"}, {"reason": "check"}])
def test_corrected_rows_are_never_passed_over_because_of_a_key_or_a_reason(engine, choice):
    load_id = keep_load(engine, rejected=1)
    edited = {keep_reject(engine, load_id, {"id": "x", "name": "a"}): ["1", "a"]}
    with pytest.raises(WrongUse, match="neither key nor reason"):
        replay_all(engine, edited=edited, **choice)
    assert states(engine) == ["open"]


def test_corrected_rows_of_a_load_that_is_not_in_the_table_are_never_passed_over(engine):
    load_id = keep_load(engine, rejected=1, status="superseded")
    edited = {keep_reject(engine, load_id, {"id": "x", "name": "a"}): ["1", "a"]}
    with pytest.raises(WrongUse, match="not every id"):
        replay_all(engine, edited=edited)


def test_dismissed_rejects_stay_counted_and_are_never_replayed(engine):
    load_id = keep_load(engine, rejected=2)
    reject_id = keep_reject(engine, load_id, {"id": "1", "name": "a"})
    keep_reject(engine, load_id, {"id": "2", "name": "b"}, row=2)
    with connect(engine.warehouse) as connection:
        dismiss(connection, "t", [reject_id], "me")
    (replayed,) = replay_all(engine)
    assert (replayed.rows, counts(engine)) == (1, [(1, 1)])


def test_cells_of_a_column_that_the_feed_has_lost_are_not_lost_in_silence(engine):
    keep_reject(engine, keep_load(engine, rejected=1), {"id": "1", "nme": "a"})
    with pytest.raises(FeedError) as refused:
        replay_all(engine)
    assert (refused.value.found, states(engine)) == ("nme", ["open"])


def test_a_table_that_is_gone_or_has_another_name_is_told(engine):
    keep_reject(engine, keep_load(engine, rejected=1), {"id": "1", "name": "a"})
    engine.sql("ALTER TABLE raw.t RENAME TO u")
    with pytest.raises(FeedError, match=r"the table raw\.t is gone"):
        replay_all(engine)
    engine.be(table="raw.u")
    with pytest.raises(FeedError, match=r"the file is loaded into raw\.t"):
        replay_all(engine)


def test_what_a_trigger_raises_names_the_line_and_changes_nothing(engine):
    load_id = keep_load(engine, rejected=2)
    engine.sql(
        "CREATE FUNCTION raw.no() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN"
        " IF NEW.id = 7 THEN RAISE EXCEPTION 'not seven'; END IF; RETURN NEW; END$$;"
        " CREATE TRIGGER no BEFORE INSERT ON raw.t FOR EACH ROW EXECUTE FUNCTION raw.no()"
    )
    engine.sql("ALTER TABLE raw.t ADD CHECK (id <> 2)")
    keep_reject(engine, load_id, {"id": "2", "name": "a"}, row=40)
    keep_reject(engine, load_id, {"id": "7", "name": "a"}, row=50)
    with pytest.raises(Exception, match="not seven") as refused:
        replay_all(engine)
    assert (refused.value.place.row, refused.value.place.line) == (50, 51)
    assert refused.value.place.object == f"s3://{engine.bucket}/a.csv"
    assert (states(engine), counts(engine)) == (["open"] * 2, [(0, 2)])


def test_a_trigger_that_drops_rows_loses_none_of_them(engine):
    keep_reject(engine, keep_load(engine, rejected=1), {"id": "7", "name": "a"})
    engine.sql(
        "CREATE FUNCTION raw.drop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
        " CREATE TRIGGER dropping BEFORE INSERT ON raw.t FOR EACH ROW EXECUTE FUNCTION raw.drop()"
    )
    with pytest.raises(DataError, match="rows were lost"):
        replay_all(engine)
    assert (states(engine), counts(engine)) == (["open"], [(0, 1)])


def test_of_a_ledger_that_somebody_changed_nothing_is_replayed(engine):
    keep_reject(engine, keep_load(engine, rejected=0), {"id": "1", "name": "a"})
    with pytest.raises(DataError, match="as many rejected rows"):
        replay_all(engine)
    assert (states(engine), replayed_rows(engine)) == (["open"], [])


@pytest.mark.parametrize("hides", [{"rejects": {"keep": "hashed"}}, {"columns": {
    "id": "integer", "name": {"type": "text", "secret": True}}}])  # fmt: skip
def test_what_the_feed_does_not_keep_is_not_kept_of_an_edited_row_either(engine, hides):
    engine.be(**hides)
    reject_id = keep_reject(engine, keep_load(engine, rejected=1), None, raw="0f3a")
    (replayed,) = replay_all(engine)
    assert (replayed.rows, replayed.left_out) == (0, 1)
    (replayed,) = replay_all(engine, edited={reject_id: ["1", "of nobody's business"]})
    assert replayed.rows == 1
    reject_id = keep_reject(engine, keep_load(engine, rejected=1, key="b.csv"), None, raw="0f3a")
    replay_all(engine, edited={reject_id: ["1of nobody's", "business"]})
    kept = engine.sql("SELECT r::text FROM landfall.rejects AS r")
    assert not [text for text in kept if "business" in text]


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
        outcomes = list(pool.map(lambda _: replay_all(engine), range(4)))
    assert sorted(each.rows for done in outcomes for each in done)[-1] == 200
    assert sum(each.rows for done in outcomes for each in done) == 200
    assert engine.sql("SELECT count(*), count(DISTINCT id) FROM raw.t WHERE id < 1000") == [
        (200, 200)
    ]
    assert counts(engine) == [(205, 0)]


def test_of_two_rejects_with_one_key_the_first_goes_in(engine):
    load_id = keep_load(engine, rejected=2)
    engine.sql("ALTER TABLE raw.t ADD UNIQUE (id)")
    for row in (1, 2):
        keep_reject(engine, load_id, {"id": "1", "name": f"row {row}"}, row=row)
    (replayed,) = replay_all(engine)
    assert (replayed.rows, replayed.refused) == (1, {"unique": 1})
    assert replayed_rows(engine) == [(1, "row 1", load_id)]


def test_a_replay_has_no_error_budget_and_judges_every_row(engine, mocker):
    mocker.patch("include.landfall.write.rejected.ENOUGH", 1)  # where a load stops judging
    load_id = keep_load(engine, rejected=6)
    engine.sql("ALTER TABLE raw.t ADD CHECK (id <> 5)")
    for row, cell in enumerate(["a", "b", "c", "d", "5", "6"], 1):
        keep_reject(engine, load_id, {"id": cell, "name": "a"}, row=row)
    (replayed,) = replay_all(engine)
    assert (replayed.rows, replayed.refused) == (1, {"cell": 4, "check": 1})


# ---- rejects of real loads -----------------------------------------------------------------------

DIRTY = 'id,name\n1,a\nx,b\n3,c,d\n4,"e\n5,f\n6,\n'


@pytest.fixture
def dirty(engine):
    """An engine whose file has four bad rows of four kinds, and two good ones."""
    engine.be(
        columns={"id": "integer", "name": {"type": "text", "nullable": False}},
        rejects={"at_most": 10},
    )
    engine.load(DIRTY)
    return engine


def test_rejects_of_a_load_are_replayed_after_a_fix_of_feed_and_table(dirty):
    assert counts(dirty) == [(2, 4)]
    dirty.sql("ALTER TABLE raw.t ALTER id TYPE text, ALTER name DROP NOT NULL")
    dirty.be(columns={"id": "text", "name": "text"})
    (replayed,) = replay_all(dirty)
    assert (replayed.rows, replayed.refused, replayed.left_out) == (2, {}, 2)
    assert dirty.sql("SELECT id, name FROM raw.t ORDER BY id COLLATE \"C\"") == [
        ("1", "a"), ("5", "f"), ("6", None), ("x", "b"),
    ]  # fmt: skip
    assert counts(dirty) == [(4, 2)]


def test_the_next_run_of_the_feed_publishes_what_was_replayed(dirty):
    def fingerprint():
        with connect(dirty.warehouse) as connection:
            return loads_fingerprint(connection, "t")

    before = fingerprint()
    (reject_id,) = dirty.sql("SELECT reject_id FROM landfall.rejects WHERE reason = 'cell'")
    replay_all(dirty, edited={reject_id: ["2", "b"]})
    assert fingerprint() != before


def test_a_forced_load_replaces_the_replayed_rows_too(dirty):
    (reject_id,) = dirty.sql("SELECT reject_id FROM landfall.rejects WHERE reason = 'cell'")
    replay_all(dirty, edited={reject_id: ["2", "b"]})
    assert counts(dirty) == [(3, 3)]
    arrival = dirty.put(DIRTY)
    dirty.load(arrival, force=True)
    assert (counts(dirty), len(dirty.rows())) == ([(2, 4)], 2)
    assert sorted(states(dirty)) == ["open"] * 4 + ["replayed"] + ["superseded"] * 3


def test_a_changed_object_closes_the_open_rejects_of_its_older_version(dirty):
    dirty.load("id,name\n1,corrected\n")
    assert set(states(dirty)) == {"superseded"}
    assert replay_all(dirty) == []
    assert dirty.rows() == [(1, "corrected")]


def test_forget_and_load_again_gives_the_same_rows(dirty):
    before = dirty.rows()
    forgotten = forget(dirty.feed, "a.csv", warehouse=dirty.warehouse)
    assert (forgotten.rows, forgotten.rejects, forgotten.entries) == (2, 4, 1)
    assert (dirty.rows(), dirty.entries()) == ([], [])
    dirty.load(DIRTY)
    assert (dirty.rows(), counts(dirty)) == (before, [(2, 4)])


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
    (replayed,) = replay_all(engine)
    assert (replayed.rows, counts(engine), len(replayed_rows(engine))) == (50, [(50, 0)], 50)
