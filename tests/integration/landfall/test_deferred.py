"""Deferred constraints: they are checked at the end, and refuse rows, not files that are right."""

from __future__ import annotations

import pytest

from include.landfall.errors import RefusedCell
from include.landfall.validate import validate

LATE = "DEFERRABLE INITIALLY DEFERRED"


@pytest.fixture
def parent(engine):
    """The engine, with a table `raw.t` to which a row of `raw.child` refers."""
    engine.sql(
        "CREATE SCHEMA raw; CREATE TABLE raw.t (id integer PRIMARY KEY, name text);"
        f" CREATE TABLE raw.child (t integer REFERENCES raw.t {LATE})"
    )
    engine.load("id,name\n1,a\n")
    engine.sql("INSERT INTO raw.child VALUES (1)")
    return engine


DISPOSITIONS = {
    "replace": {"disposition": "replace"},
    "append": {"disposition": "append"},
    "delete-insert": {"disposition": "merge", "key": ["id"], "strategy": "delete-insert"},
    "upsert": {"disposition": "merge", "key": ["id"]},
}


@pytest.mark.parametrize("row", ["1,b", " 1 ,b"], ids=["typed", "suspect"])
@pytest.mark.parametrize("target", DISPOSITIONS.values(), ids=DISPOSITIONS.keys())
def test_rows_of_another_table_that_wait_for_replaced_rows_refuse_no_file(parent, target, row):
    parent.be(target={"table": "raw.t", **target})
    parent.load(f"id,name\n{row}\n")
    assert parent.rows() == [(1, "b")]


def test_a_bad_row_is_a_reject_though_another_table_waits_for_the_others(parent):
    parent.be(disposition="replace", rejects={"at_most": 1})
    parent.sql(f"ALTER TABLE raw.t ADD CONSTRAINT one UNIQUE (name) {LATE}")
    receipt = parent.load("id,name\n1,b\n2,b\n3,c\n")
    assert (receipt.rows, receipt.reasons) == (2, {"unique": 1})
    assert parent.rows() == [(1, "b"), (3, "c")]


@pytest.mark.parametrize("row", ["2,b", " 2 ,b"], ids=["typed", "suspect"])
def test_a_file_that_leaves_a_row_of_another_table_alone_is_refused_with_the_reason(parent, row):
    parent.be(disposition="replace")
    with pytest.raises(RefusedCell, match='constraint "child_t_fkey" on table "child"'):
        parent.load(f"id,name\n{row}\n")
    assert parent.rows() == [(1, "a")]


@pytest.mark.parametrize("when", ["DEFERRED", "IMMEDIATE"])
def test_a_secret_key_to_which_another_table_refers_is_in_no_message(parent, when):
    parent.sql(f"ALTER TABLE raw.child ALTER CONSTRAINT child_t_fkey {LATE[:10]} INITIALLY {when}")
    secret = {"type": "integer", "secret": True}
    parent.be(disposition="replace", columns={"id": secret, "name": "text"})
    with pytest.raises(RefusedCell, match="SQLSTATE 23503") as refused:
        parent.load("id,name\n2,b\n")
    errors = [
        str(refused.value),
        *parent.sql("SELECT error FROM landfall.ledger WHERE error <> ''"),
    ]
    assert [len(errors), *("=(1)" in error for error in errors)] == [2, False, False]


def test_a_row_whose_twin_is_typed_is_the_reject_and_not_the_file(engine):
    engine.sql(f"CREATE SCHEMA raw; CREATE TABLE raw.t (id integer UNIQUE {LATE}, name text)")
    engine.be(rejects={"at_most": 1})
    receipt = engine.load("id,name\n1,a\n1,b\n 3 ,c\n")
    assert (receipt.rows, receipt.reasons) == (2, {"unique": 1})
    assert engine.rows() == [(1, "a"), (3, "c")]


def test_a_row_that_refers_to_no_row_of_its_own_table_is_a_reject(engine):
    engine.sql(
        "CREATE SCHEMA raw;"
        f" CREATE TABLE raw.t (id integer PRIMARY KEY, name integer REFERENCES raw.t {LATE})"
    )
    engine.be(columns={"id": "integer", "name": "integer"}, rejects={"at_most": 1})
    assert engine.load("id,name\n2,\n1,2\n3,9\n").reasons == {"foreign_key": 1}
    assert engine.load("id,name\n1,2\n 2 ,\n3,\n").rows == 3
    engine.load("id,name\n4, 1\n", "b.csv")
    assert engine.load("id,name\n 1 ,\n2,\n").rows == 2  # row 4 waits for row 1
    assert engine.rows() == [(1, None), (2, None), (4, 1)]


def test_a_row_that_a_trigger_cannot_follow_into_another_table_is_a_reject(engine):
    engine.sql(
        "CREATE SCHEMA raw; CREATE TABLE raw.t (id integer, name text);"
        " CREATE TABLE raw.known (id integer PRIMARY KEY); INSERT INTO raw.known VALUES (1);"
        f" CREATE TABLE raw.log (id integer REFERENCES raw.known {LATE});"
        " CREATE FUNCTION raw.log() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN INSERT INTO raw.log VALUES (NEW.id); RETURN NEW; END';"
        " CREATE TRIGGER log AFTER INSERT ON raw.t FOR EACH ROW EXECUTE FUNCTION raw.log()"
    )
    engine.be(rejects={"at_most": 1})
    assert engine.load("id,name\n1,a\n 2 ,b\n").reasons == {"foreign_key": 1}
    (replayed,) = engine.replay()
    assert replayed.refused == {"foreign_key": 1}


def test_validate_judges_deferred_constraints_as_a_load_does(engine):
    engine.sql(f"CREATE SCHEMA raw; CREATE TABLE raw.t (id integer UNIQUE {LATE}, name text)")
    engine.be(rejects={"at_most": 1})
    arrival = engine.put("id,name\n1,a\n1,b\n2,c\n")
    judged = validate(engine.feed, arrival, store=engine.store, warehouse=engine.warehouse)
    receipt = engine.load(arrival)
    assert (
        (judged.accepted, judged.reasons) == (receipt.rows, receipt.reasons) == (2, {"unique": 1})
    )
