"""validate and plan say what a load would do, and change nothing."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace

import pytest

from include.landfall.cli import listing
from include.landfall.errors import HeaderMismatch
from include.landfall.validate import validate
from tests.support.engine import LARGE, many

GOOD = "id,name\n1,a\n2,b\n"
DIRTY = "id,name\n3,c\nx,d\n5\n6,f\n"


def judge(engine, text, key="b.csv"):
    return validate(
        engine.feed, engine.put(text, key), store=engine.store, warehouse=engine.warehouse
    )


def state(engine):
    """What the database's statistics and the bucket's listing say."""
    tables = engine.sql(
        "SELECT schemaname, relname, n_tup_ins, n_tup_upd, n_tup_del, n_live_tup, n_dead_tup"
        " FROM pg_stat_user_tables ORDER BY 1, 2"
    )
    objects = engine.client.list_objects_v2(Bucket=engine.bucket)["Contents"]
    return tables, [(each["Key"], each["ETag"], each["LastModified"]) for each in objects]


@pytest.mark.parametrize(("at_most", "fits"), [(2, True), (1, False)])
def test_validate_counts_what_a_load_would_do(engine, at_most, fits):
    validated = judge(engine.be(rejects={"at_most": at_most}), DIRTY)
    assert (validated.read, validated.accepted, validated.fits_budget) == (4, 2, fits)
    assert validated.reasons == {"cell": 1, "fields": 1}
    assert [(row.line, row.reason) for row in validated.samples] == [(3, "cell"), (4, "fields")]


def test_validate_judges_the_constraints_of_the_table(engine):
    engine.sql("CREATE SCHEMA raw; CREATE TABLE raw.t (id integer UNIQUE, name text NOT NULL)")
    validated = judge(engine, "id,name\n1,a\n1,b\n2,\n")
    assert validated.reasons == {"unique": 1, "null": 1}
    assert validated.not_judged == ["unique index t_id_key against the rows already there"]


def test_validate_reads_a_large_file_as_a_load_does(engine):
    assert judge(engine, many(LARGE)).accepted == LARGE


def test_validate_of_a_file_that_is_wrong_as_a_whole_says_so(engine):
    with pytest.raises(HeaderMismatch):
        judge(engine, "id,nom\n1,a\n")


def test_validate_and_plan_change_nothing(engine, monkeypatch):
    engine.load(GOOD, "a.csv")
    engine.put(DIRTY, "b.csv")
    before = state(engine)
    validate(
        engine.feed, engine.put(DIRTY, "b.csv"), store=engine.store, warehouse=engine.warehouse
    )
    monkeypatch.setattr(listing, "store_from_environ", lambda name: engine.store)
    monkeypatch.setattr(listing, "warehouse_from_environ", lambda name: engine.warehouse)
    plan = listing.plan_of(engine.feed, time.time() + 60)
    assert [(arrival.key, reason) for arrival, reason in plan.to_load] == [("b.csv", "new")]
    after = state(engine)
    assert after[0] == before[0]
    assert [each[:2] for each in after[1]] == [each[:2] for each in before[1]]


def test_validate_creates_no_table(engine):
    judge(engine, GOOD)
    assert engine.sql("SELECT to_regclass('raw.t') IS NULL") == [True]


@pytest.mark.parametrize("strategy", ["upsert", "scd2"])
def test_validate_of_a_merge_names_no_index_that_a_load_cannot_break(engine, strategy):
    target = {"table": "raw.t", "disposition": "merge", "key": ["id"], "strategy": strategy}
    assert judge(engine.be(target=target), GOOD).not_judged == []


def test_the_counts_of_a_merge_close_in_validate_too(engine):
    target = {"table": "raw.t", "disposition": "merge", "key": ["id"]}
    engine.be(target=target, rejects={"at_most": 1})
    judged = judge(engine, "id,name\n1,a\n1,b\nx,c\n")
    counts = (judged.accepted, judged.rejected, judged.deduplicated)
    assert (judged.read, counts) == (3, (1, 1, 1))


def test_validate_reads_letters_of_a_database_of_latin1_as_a_load_does(engine):
    name = f"latin1_{uuid.uuid4().hex[:12]}"
    engine.sql(f"CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    engine.warehouse = replace(engine.warehouse, dbname=name)
    engine.sql(
        "CREATE SCHEMA raw;"
        " CREATE TABLE raw.t (id integer, name varchar(2), CHECK (id <> 3 OR length(name) = 2))"
    )
    engine.be(columns={"id": "integer", "name": "varchar(2)"}, rejects={"at_most": 9})
    # Typed rows and a suspect one: as LATIN1 each letter would be two.
    body = "id,name\n1,éé\n 2 ,éé\n3,é\n"
    judged = judge(engine, body)
    receipt = engine.load(body)
    assert (judged.accepted, judged.reasons) == (receipt.rows, receipt.reasons) == (2, {"check": 1})
