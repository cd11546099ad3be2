"""A corpus of small files, each with one malady: which rows are loaded, and which are rejects.

To add a case, add a line to one of the tables of tests/support/corpus.py.
"""

from __future__ import annotations

import pytest

from include.landfall.errors import LandfallError
from tests.support.corpus import RULES, SHAPE_STATES, SHAPES, TYPES, cells


def rejects_of(engine, columns="line, column_name, reason, sqlstate, raw"):
    return engine.sql(f"SELECT {columns} FROM landfall.rejects ORDER BY row_number")


@pytest.mark.parametrize(
    ("kind", "bad", "good", "state"),
    list(cells()),
    ids=[f"{kind} {bad}" for kind, bad, *_ in cells()],
)
def test_a_bad_cell_is_a_reject_and_the_other_rows_are_loaded(engine, kind, bad, good, state):
    engine.sql(TYPES)
    engine.be(columns={"id": "integer", "v": kind}, rejects={"at_most": 1})
    receipt = engine.load(f"id,v\n1,{good}\n2,{bad}\n3,{good}\n")
    assert rejects_of(engine) == [(3, "v", "cell", state, f"2,{bad}")]
    assert engine.sql("SELECT id FROM raw.t ORDER BY id") == [1, 3]
    assert (receipt.rows, receipt.rejected) == (2, 1)


@pytest.mark.parametrize("name", SHAPES)
def test_a_row_that_cannot_be_cut_into_cells_is_a_reject(engine, name):
    body, ids, rejects = SHAPES[name]
    engine.be(rejects={"at_most": 9})
    receipt = engine.load(b"id,name\n" + body)
    assert rejects_of(engine) == [
        (line, None, reason, SHAPE_STATES[reason], raw) for line, reason, raw in rejects
    ]
    assert engine.sql("SELECT id FROM raw.t ORDER BY id") == ids
    assert (receipt.rows, receipt.rejected) == (len(ids), len(rejects))


@pytest.mark.parametrize("suspect", ["", " "], ids=["fast path", "text path"])
@pytest.mark.parametrize("rule", RULES)
def test_a_row_that_breaks_a_rule_of_the_table_is_a_reject(engine, rule, suspect):
    definition, body, ids, reject = RULES[rule]
    engine.sql(
        "CREATE TABLE public.names (name text PRIMARY KEY);"
        " INSERT INTO public.names VALUES ('a'), ('c');"
        f" CREATE SCHEMA raw; CREATE TABLE raw.t (id integer, _load_id bigint, {definition})"
    )
    if "PARTITION" in definition:
        engine.sql("CREATE TABLE raw.t1 PARTITION OF raw.t FOR VALUES IN ('a', 'c')")
    engine.be(rejects={"at_most": 1})
    receipt = engine.load("id,name\n" + body.replace("\n2,", f"\n{suspect}2,"))
    line, column, reason, state = reject
    raw = suspect + body.splitlines()[line - 2]
    assert rejects_of(engine) == [(line, column, reason, state, raw)]
    assert engine.sql("SELECT id FROM raw.t ORDER BY id") == ids
    assert (receipt.rows, receipt.rejected) == (len(ids), 1)


def test_the_corpus_has_at_least_120_files():
    assert len(list(cells())) + len(SHAPES) + len(RULES) >= 120


def test_all_reasons_of_a_row_are_told(engine):
    engine.be(
        columns={"id": {"type": "integer", "nullable": False}, "day": "date", "n": "smallint"},
        rejects={"at_most": 1},
    )
    engine.load("id,day,n\n1,2013-01-01,1\n,2013-02-30,x\n")
    (more,) = rejects_of(engine, "more")
    assert rejects_of(engine, "line, column_name, reason") == [(3, "id", "null")]
    assert [(m["column"], m["reason"]) for m in more] == [("day", "cell"), ("n", "cell")]


def test_a_key_that_an_earlier_file_has_is_a_reject(engine):
    engine.sql("CREATE SCHEMA raw; CREATE TABLE raw.t (id integer PRIMARY KEY, name text)")
    engine.be(rejects={"at_most": 1})
    engine.load("id,name\n1,a\n2,b\n", "a.csv")
    engine.load("id,name\n2,c\n3,d\n", "b.csv")
    assert rejects_of(engine, "key, line, message") == [
        ("b.csv", 2, 'duplicate key value violates unique constraint "t_pkey"; '
         "Key (id)=(2) already exists.")
    ]  # fmt: skip
    assert engine.rows() == [(1, "a"), (2, "b"), (3, "d")]


MARKER = "jane.doe.4711"
HIDDEN = [
    ({"keep": "hashed"}, "text"),
    ({"keep": "count"}, "text"),
    ({"keep": "cut"}, {"type": "text", "secret": True}),  # raw: test_6_6_a_secret_cell...
]
RULES_OF_TABLE = {
    "a cell": ("", f"x,{MARKER}"),
    "too many fields": ("", f"1,{MARKER},"),
    "a quote": ("", f'1,"{MARKER}"x'),
    "a key": ("CREATE UNIQUE INDEX ON raw.t (name)", f"1,{MARKER}\n2,{MARKER}"),
    "a CHECK": ("ALTER TABLE raw.t ADD CHECK (name !~ 'doe')", f"1,{MARKER}"),
    "a trigger": (
        "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION 'no %', NEW.name USING HINT = NEW.name; END $$;"
        " CREATE TRIGGER no BEFORE INSERT ON raw.t FOR EACH ROW EXECUTE FUNCTION no()",
        f"1,{MARKER}",
    ),
}


@pytest.mark.parametrize("at_most", [9, 0])
@pytest.mark.parametrize(("rejects", "name"), HIDDEN, ids=["hashed", "count", "secret"])
@pytest.mark.parametrize("fault", RULES_OF_TABLE)
def test_a_text_that_is_not_to_be_kept_is_nowhere(engine, caplog, fault, rejects, name, at_most):
    rule, body = RULES_OF_TABLE[fault]
    engine.sql(f"CREATE SCHEMA raw; CREATE TABLE raw.t (id integer, name text); {rule}")
    engine.be(columns={"id": "integer", "name": name}, rejects={**rejects, "at_most": at_most})
    shown = ""
    try:
        shown = str(engine.load("id,name\n" + body).as_dict())
    except LandfallError as error:
        shown = f"{error} {error.__dict__}"
    kept = engine.sql("SELECT to_jsonb(r)::text FROM landfall.rejects r")
    kept += engine.sql("SELECT to_jsonb(l)::text FROM landfall.ledger l")
    assert MARKER not in f"{shown} {kept} {caplog.text}"
    if rejects["keep"] == "count":
        assert engine.sql("SELECT 1 FROM landfall.rejects") == []
