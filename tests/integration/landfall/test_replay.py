"""Rejects are loaded once more, each at most once, and the counts close each time."""

from __future__ import annotations

import pytest

from include.landfall.errors import DataError, FeedError, TerminalError, WrongUse
from include.landfall.ledger.kept_rejects import dismiss
from include.landfall.postgres.connection import connect
from include.landfall.replay import rejects_to_replay
from tests.support.kept_rejects import counts, keep_load, keep_reject, replayed_rows, states


def test_after_a_fix_of_the_feed_rejects_go_in_with_the_load_id_of_their_file(engine):
    load_id = keep_load(engine, rows=2, rejected=3)
    for row, name in enumerate(["one", "two", None], 1):
        keep_reject(engine, load_id, {"id": f"{row}.0", "name": name}, row=row)
    # What the owner does: the id is a numeric now, in the feed and in the table.
    engine.sql("ALTER TABLE raw.t ALTER id TYPE numeric")
    engine.be(columns={"name": "text", "id": "numeric"})
    (replayed,) = engine.replay()
    assert (replayed.rows, replayed.refused, replayed.left_out) == (3, {}, 0)
    assert replayed_rows(engine) == [(1, "one", load_id), (2, "two", load_id), (3, None, load_id)]
    assert counts(engine) == [(5, 0)]
    assert states(engine) == ["replayed"] * 3
    assert engine.sql("SELECT settled_by FROM landfall.rejects WHERE settled_at IS NULL") == []
    assert engine.sql("SELECT load_id, rows, refused, replayed_by FROM landfall.replays") == [
        (load_id, 3, 0, "me")
    ]
    assert engine.replay() == []


def test_what_is_refused_again_stays_open_with_its_new_reasons(engine):
    load_id = keep_load(engine, rejected=3)
    engine.sql("ALTER TABLE raw.t ADD CHECK (id <> 2)")
    for row, cell in enumerate(["1", "2", "x"], 1):
        keep_reject(engine, load_id, {"id": cell, "name": "a"}, row=row, message="old")
    (replayed,) = engine.replay()
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
    engine.replay()
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
    (replayed,) = engine.replay(edited=cells)
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
    (replayed,) = engine.replay()
    assert (replayed.rows, replayed.left_out) == (1, 1)
    (replayed,) = engine.replay(edited={uncut: ["3", None]})  # as a spreadsheet fills it up
    assert (replayed.rows, replayed.left_out) == (0, 1)
    assert states(engine) == ["open", "replayed"]
    (replayed,) = engine.replay(edited={uncut: ["3", ""]})
    assert (replayed.rows, replayed_rows(engine)[-1]) == (1, (3, "", load_id))


def test_only_rejects_of_one_object_or_one_reason(engine):
    for key in ("a.csv", "b.csv"):
        load_id = keep_load(engine, rejected=2, key=key)
        for row, reason in enumerate(("cell", "check"), 1):
            keep_reject(engine, load_id, {"id": "1", "name": key}, row=row, reason=reason, key=key)
    (replayed,) = engine.replay(key="b.csv", reason="check")
    assert (replayed.key, replayed.rows) == ("b.csv", 1)
    assert states(engine) == ["open", "open", "open", "replayed"]
    assert counts(engine) == [(0, 2), (1, 1)]


def test_an_id_that_is_no_reject_of_the_feed_stops_the_replay_and_a_settled_one_does_not(engine):
    load_id = keep_load(engine, rejected=1)
    reject_id = keep_reject(engine, load_id, {"id": "1", "name": "a"})
    with pytest.raises(TerminalError, match="not every id") as refused:
        engine.replay(edited={reject_id: ["1", "a"], 999: ["2", "b"]})
    assert refused.value.found == "999"
    assert states(engine) == ["open"]
    engine.replay(edited={reject_id: ["1", "a"]})
    again = rejects_to_replay(
        engine.feed, warehouse=engine.warehouse, edited={reject_id: ["1", "a"]}
    )
    assert (again.batches, again.settled) == ([], [reject_id])


@pytest.mark.parametrize("choice", [{"key": "b.csv"}, {"reason": "check"}])
def test_corrected_rows_are_never_passed_over_because_of_a_key_or_a_reason(engine, choice):
    load_id = keep_load(engine, rejected=1)
    edited = {keep_reject(engine, load_id, {"id": "x", "name": "a"}): ["1", "a"]}
    with pytest.raises(WrongUse, match="neither key nor reason"):
        engine.replay(edited=edited, **choice)
    assert states(engine) == ["open"]


def test_corrected_rows_of_a_load_that_is_not_in_the_table_are_never_passed_over(engine):
    load_id = keep_load(engine, rejected=1, status="superseded")
    edited = {keep_reject(engine, load_id, {"id": "x", "name": "a"}): ["1", "a"]}
    with pytest.raises(WrongUse, match="not every id"):
        engine.replay(edited=edited)


def test_dismissed_rejects_stay_counted_and_are_never_replayed(engine):
    load_id = keep_load(engine, rejected=2)
    reject_id = keep_reject(engine, load_id, {"id": "1", "name": "a"})
    keep_reject(engine, load_id, {"id": "2", "name": "b"}, row=2)
    with connect(engine.warehouse) as connection:
        dismiss(connection, "t", [reject_id], "me")
    (replayed,) = engine.replay()
    assert (replayed.rows, counts(engine)) == (1, [(1, 1)])


def test_cells_of_a_column_that_the_feed_has_lost_are_not_lost_in_silence(engine):
    keep_reject(engine, keep_load(engine, rejected=1), {"id": "1", "nme": "a"})
    with pytest.raises(FeedError) as refused:
        engine.replay()
    assert (refused.value.found, states(engine)) == ("nme", ["open"])


def test_a_table_that_is_gone_or_has_another_name_is_told(engine):
    keep_reject(engine, keep_load(engine, rejected=1), {"id": "1", "name": "a"})
    engine.sql("ALTER TABLE raw.t RENAME TO u")
    with pytest.raises(FeedError, match=r"the table raw\.t is gone"):
        engine.replay()
    engine.be(table="raw.u")
    with pytest.raises(FeedError, match=r"the file is loaded into raw\.t"):
        engine.replay()


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
        engine.replay()
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
        engine.replay()
    assert (states(engine), counts(engine)) == (["open"], [(0, 1)])


def test_of_a_ledger_that_somebody_changed_nothing_is_replayed(engine):
    keep_reject(engine, keep_load(engine, rejected=0), {"id": "1", "name": "a"})
    with pytest.raises(DataError, match="as many rejected rows"):
        engine.replay()
    assert (states(engine), replayed_rows(engine)) == (["open"], [])


@pytest.mark.parametrize("hides", [{"rejects": {"keep": "hashed"}}, {"columns": {
    "id": "integer", "name": {"type": "text", "secret": True}}}])  # fmt: skip
def test_what_the_feed_does_not_keep_is_not_kept_of_an_edited_row_either(engine, hides):
    engine.be(**hides)
    reject_id = keep_reject(engine, keep_load(engine, rejected=1), None, raw="0f3a")
    (replayed,) = engine.replay()
    assert (replayed.rows, replayed.left_out) == (0, 1)
    (replayed,) = engine.replay(edited={reject_id: ["1", "of nobody's business"]})
    assert replayed.rows == 1
    reject_id = keep_reject(engine, keep_load(engine, rejected=1, key="b.csv"), None, raw="0f3a")
    engine.replay(edited={reject_id: ["1of nobody's", "business"]})
    kept = engine.sql("SELECT r::text FROM landfall.rejects AS r")
    assert not [text for text in kept if "business" in text]


def test_of_two_rejects_with_one_key_the_first_goes_in(engine):
    load_id = keep_load(engine, rejected=2)
    engine.sql("ALTER TABLE raw.t ADD UNIQUE (id)")
    for row in (1, 2):
        keep_reject(engine, load_id, {"id": "1", "name": f"row {row}"}, row=row)
    (replayed,) = engine.replay()
    assert (replayed.rows, replayed.refused) == (1, {"unique": 1})
    assert replayed_rows(engine) == [(1, "row 1", load_id)]


def test_a_replay_has_no_error_budget_and_judges_every_row(engine, mocker):
    mocker.patch("include.landfall.write.rejected.ENOUGH", 1)  # where a load stops judging
    load_id = keep_load(engine, rejected=6)
    engine.sql("ALTER TABLE raw.t ADD CHECK (id <> 5)")
    for row, cell in enumerate(["a", "b", "c", "d", "5", "6"], 1):
        keep_reject(engine, load_id, {"id": cell, "name": "a"}, row=row)
    (replayed,) = engine.replay()
    assert (replayed.rows, replayed.refused) == (1, {"cell": 4, "check": 1})
