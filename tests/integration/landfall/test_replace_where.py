"""replace_where: a file replaces the parts of the table that its values name, and no others."""

from __future__ import annotations

import pytest

from include.landfall.replay import rejects_to_replay, replay

COLUMNS = {"id": "integer", "name": "text"}


@pytest.fixture
def monthly(engine):
    target = {"table": "raw.t", "disposition": "replace", "replace_where": ["name"]}
    return engine.be(columns=COLUMNS, target=target, rejects={"at_most": 10})


def test_the_parts_that_the_file_has_are_replaced_and_others_stay(monthly):
    monthly.load("id,name\n1,jan\n2,jan\n3,feb\n", "1.csv")
    monthly.load("id,name\n9,feb\n9,feb\n8,mar\n", "2.csv")
    assert monthly.rows() == [(1, "jan"), (2, "jan"), (8, "mar"), (9, "feb"), (9, "feb")]
    assert monthly.statuses() == ["loaded", "loaded"]


def test_a_changed_object_replaces_its_own_rows_too(monthly):
    monthly.load("id,name\n1,jan\n3,feb\n", "1.csv")
    monthly.load("id,name\n2,jan\n", "1.csv")
    assert monthly.rows() == [(2, "jan")]


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
    (batch,) = rejects_to_replay(monthly.feed, warehouse=monthly.warehouse).batches
    assert replay(monthly.feed, batch, warehouse=monthly.warehouse).rows == 1
    assert monthly.rows() == [(1, "jan"), (1, "jan"), (2, "jan")]
