"""Rejects that a load left are replayed, replaced and forgotten with their file."""

from __future__ import annotations

import pytest

from include.landfall.forget import forget
from include.landfall.ledger.queries import loads_fingerprint
from include.landfall.postgres.connection import connect
from tests.support.kept_rejects import counts, states

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
    (replayed,) = dirty.replay()
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
    dirty.replay(edited={reject_id: ["2", "b"]})
    assert fingerprint() != before


def test_a_forced_load_replaces_the_replayed_rows_too(dirty):
    (reject_id,) = dirty.sql("SELECT reject_id FROM landfall.rejects WHERE reason = 'cell'")
    dirty.replay(edited={reject_id: ["2", "b"]})
    assert counts(dirty) == [(3, 3)]
    arrival = dirty.put(DIRTY)
    dirty.load(arrival, force=True)
    assert (counts(dirty), len(dirty.rows())) == ([(2, 4)], 2)
    assert sorted(states(dirty)) == ["open"] * 4 + ["replayed"] + ["superseded"] * 3


def test_a_changed_object_closes_the_open_rejects_of_its_older_version(dirty):
    dirty.load("id,name\n1,corrected\n")
    assert set(states(dirty)) == {"superseded"}
    assert dirty.replay() == []
    assert dirty.rows() == [(1, "corrected")]


def test_forget_and_load_again_gives_the_same_rows(dirty):
    before = dirty.rows()
    forgotten = forget(dirty.feed, "a.csv", warehouse=dirty.warehouse)
    assert (forgotten.rows, forgotten.rejects, forgotten.entries) == (2, 4, 1)
    assert (dirty.rows(), dirty.entries()) == ([], [])
    dirty.load(DIRTY)
    assert (dirty.rows(), counts(dirty)) == (before, [(2, 4)])
