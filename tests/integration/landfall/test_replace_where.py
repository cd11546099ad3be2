"""replace_where: a file replaces the parts of the table that its values name, and no others."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError

import pytest

from include.landfall.transfer import Transfer

COLUMNS = {"id": "integer", "name": "text"}


@pytest.fixture
def monthly(engine):
    target = {"table": "raw.t", "disposition": "replace", "replace_where": ["name"]}
    return engine.be(columns=COLUMNS, target=target, rejects={"at_most": 10})


def test_the_parts_that_the_file_has_are_replaced_and_others_stay(monthly):
    monthly.load("id,name\n1,jan\n2,jan\n3,feb\n", "1.csv")
    monthly.sql("INSERT INTO raw.t (id, name) VALUES (4, 'feb')")  # no load brought it
    monthly.load("id,name\n9,feb\n9,feb\n8,mar\n", "2.csv")
    assert monthly.rows() == [(1, "jan"), (2, "jan"), (8, "mar"), (9, "feb"), (9, "feb")]
    assert monthly.statuses() == ["loaded", "loaded"]


def test_a_changed_object_replaces_its_own_rows_too(monthly):
    monthly.load("id,name\n1,jan\n3,feb\n", "1.csv")
    monthly.load("id,name\n2,jan\n", "1.csv")
    assert monthly.rows() == [(2, "jan")]


def test_changed_objects_that_are_loaded_at_once_wait_for_each_other(monthly, mocker):
    """Each had deleted its own rows before it wanted the lock of the merge: one was canceled."""
    monthly.load("id,name\n1,jan\n", "1.csv")
    monthly.load("id,name\n2,feb\n", "2.csv")
    together, real = Barrier(2), Transfer.run

    def run(*arguments):
        with suppress(BrokenBarrierError):
            together.wait(0.2)
        return real(*arguments)

    mocker.patch.object(Transfer, "run", run)
    arrivals = [monthly.put("id,name\n3,jan\n", "1.csv"), monthly.put("id,name\n4,feb\n", "2.csv")]
    with ThreadPoolExecutor() as pool:
        assert [r.outcome for r in pool.map(monthly.load, arrivals)] == ["loaded", "loaded"]
    assert monthly.rows() == [(3, "jan"), (4, "feb")]


def test_a_file_without_rows_replaces_nothing_and_null_names_no_part(monthly):
    monthly.load("id,name\n1,jan\n", "1.csv")
    assert monthly.load("id,name\n", "2.csv").rows == 0
    assert monthly.load("id,name\n5,\n", "3.csv").reasons == {"null": 1}
    assert monthly.rows() == [(1, "jan")]


def test_refused_rows_are_rejects_and_come_in_later_beside_the_others(monthly):
    monthly.sql("CREATE SCHEMA raw; CREATE TABLE raw.t (id integer UNIQUE, name text)")
    receipt = monthly.load("id,name\n1,jan\n1,jan\n2,jan\n", "1.csv")
    assert (receipt.rows, receipt.reasons) == (2, {"unique": 1})
    monthly.sql("ALTER TABLE raw.t DROP CONSTRAINT t_id_key")
    (replayed,) = monthly.replay()
    assert replayed.rows == 1
    assert monthly.rows() == [(1, "jan"), (1, "jan"), (2, "jan")]


def loaded_with_reject(monthly, part="jan"):
    """Loads a file with a good row of January and a reject of a part, and returns its id."""
    monthly.load(f"id,name\n1,jan\nx,{part}\n", "1.csv")
    return next(iter(monthly.sql("SELECT reject_id FROM landfall.rejects WHERE state = 'open'")))


def replay_as(monthly, reject_id, part="jan"):
    edited = {reject_id: ["2", part]}
    (replayed,) = monthly.replay(edited=edited)
    return replayed


@pytest.mark.parametrize("began", ["later", "earlier"])
def test_a_replayed_row_of_a_part_that_a_later_file_replaced_is_superseded(monthly, began):
    """What counts is which load ended later: it deleted the rows of the other one."""
    reject_id = loaded_with_reject(monthly)
    monthly.load("id,name\n9,jan\n", "2.csv")
    if began == "earlier":
        of_second = "SET started = started - interval '1 h', seconds = seconds + 3600"
        monthly.sql(f"UPDATE landfall.ledger {of_second} WHERE key = '2.csv'")
    replayed = replay_as(monthly, reject_id)
    assert (replayed.rows, replayed.deduplicated, replayed.refused) == (0, 1, {})
    assert monthly.rows() == [(9, "jan")]
    assert monthly.sql("SELECT state FROM landfall.rejects") == ["superseded"]
    first = monthly.entries()[0]
    assert (first.rows, first.rejected, first.deduplicated) == (1, 0, 1)


def test_other_parts_of_the_same_replay_get_their_rows(monthly):
    monthly.load("id,name\n1,jan\nx,jan\ny,feb\n", "1.csv")
    monthly.load("id,name\n9,jan\n", "2.csv")
    ids = monthly.sql("SELECT reject_id FROM landfall.rejects ORDER BY reject_id")
    edited = dict(zip(ids, [["2", "jan"], ["3", "feb"]]))
    (replayed,) = monthly.replay(edited=edited)
    assert replayed.rows == 1
    assert monthly.rows() == [(3, "feb"), (9, "jan")]


def test_a_replayed_row_replaces_its_part_as_the_file_would_have(monthly):
    monthly.load("id,name\n7,jan\n7,feb\n", "0.csv")
    reject_id = loaded_with_reject(monthly, "feb")
    monthly.sql("INSERT INTO raw.t (id, name) VALUES (5, 'feb')")
    assert replay_as(monthly, reject_id, "feb").rows == 1
    assert monthly.rows() == [(1, "jan"), (2, "feb"), (5, "feb")]


def test_a_file_that_is_loaded_again_later_has_its_parts_again(monthly):
    loaded_with_reject(monthly)
    monthly.load("id,name\n9,jan\n", "2.csv")
    monthly.load(monthly.put("id,name\n1,jan\nx,jan\n", "1.csv"), force=True)
    (reject_id,) = monthly.sql("SELECT reject_id FROM landfall.rejects WHERE state = 'open'")
    assert replay_as(monthly, reject_id).rows == 1
    assert monthly.rows() == [(1, "jan"), (2, "jan")]
