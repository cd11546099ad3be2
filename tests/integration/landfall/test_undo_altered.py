"""Somebody alters the table after a load: `forget` brings all values back, or says why not."""

from __future__ import annotations

import pytest

from include.landfall.errors import FeedError
from tests.support.memory_store import MemoryStore
from tests.support.undo import keeping, objects_of, undo

EACH = pytest.mark.parametrize("strategy", ["upsert", "delete-insert", "scd2"])
COLUMNS = {"id": "integer", "name": "text", "n": "integer"}
TABLE = """
CREATE TABLE raw.{name} (id integer, name text, n integer, own integer, _load_id bigint, {more},
i integer GENERATED ALWAYS AS IDENTITY, g bigint GENERATED ALWAYS AS (_load_id) STORED)
"""
OF_SCD2 = ", _valid_from, _valid_to, _is_current"
KEPT = "id, name, n, own, _load_id, i"
MORE = {
    "upsert": "PRIMARY KEY (id)",
    "delete-insert": "CHECK (true)",
    "scd2": "_valid_from timestamptz, _valid_to timestamptz, _is_current boolean",
}
COMES_BACK = None
GONE = "was altered after the load: rows had values of own, which it has no more"
CHANGED = "were changed after they were loaded"
# What a person does after the load, and how `forget` is then refused, if it is. Most strategies do
# the same; a load by delete-insert leaves NULL in a column that the feed does not fill.
ALTERATIONS = {
    "": COMES_BACK,
    "RENAME own TO mine": {"delete-insert": GONE, "upsert": CHANGED, "scd2": CHANGED},
    "DROP own": {"delete-insert": GONE, "upsert": CHANGED, "scd2": CHANGED},
    "DROP own, ADD own integer GENERATED ALWAYS AS (n) STORED": {
        "delete-insert": GONE, "upsert": CHANGED, "scd2": CHANGED,
    },
    "RENAME name TO other": CHANGED,
    "RENAME id TO other": "has no column 'id'",
    "ADD z text NOT NULL DEFAULT 'it''s'": COMES_BACK,
    "ADD z integer": COMES_BACK,
    "ADD z integer GENERATED ALWAYS AS IDENTITY": CHANGED,
    "ADD z integer GENERATED ALWAYS AS (id) STORED": COMES_BACK,
    "DROP g": COMES_BACK,
    "ALTER n TYPE numeric(9,2), ALTER id TYPE bigint": COMES_BACK,
    "ALTER n TYPE text, ALTER id TYPE text, ALTER own TYPE raw.positive": COMES_BACK,
    "ALTER n TYPE numeric USING n / 2.0": CHANGED,
    "ALTER n TYPE text USING 'n' || n": "do not fit the types",
    "ALTER own TYPE char(3)": COMES_BACK,
}  # fmt: skip


def show(engine, name):
    """Returns the rows of a table as they are written."""
    return engine.sql(f"SELECT (to_jsonb(t))::text FROM raw.{name} AS t ORDER BY 1")


@pytest.fixture
def altered(engine, mocker):
    """Returns a function that plays a history in a table of its own."""
    engine.client = MemoryStore()
    mocker.patch("include.landfall.s3.client.make_client", return_value=engine.client)
    engine.sql("CREATE SCHEMA raw; CREATE DOMAIN raw.positive AS integer CHECK (VALUE > 0)")

    def play(strategy, number, alteration):
        """Loads two files and alters the table, and another one as it was before the second."""
        name, was = f"t{number}", f"was{number}"
        engine.sql(TABLE.format(name=name, more=MORE[strategy]))
        keeping(engine, strategy, more={"columns": COLUMNS}, table=f"raw.{name}")
        engine.feed = engine.feed.model_copy(update={"name": name})
        engine.load("id,name,n\n1,a,10\n2,b,20\n", "1.csv")
        engine.sql(f"UPDATE raw.{name} SET own = id")
        engine.sql(f"CREATE TABLE raw.{was} (LIKE raw.{name} INCLUDING ALL)")
        kept = KEPT + OF_SCD2 * (strategy == "scd2")
        engine.sql(
            f"INSERT INTO raw.{was} ({kept}) OVERRIDING SYSTEM VALUE SELECT {kept} FROM raw.{name}"
        )
        engine.load("id,name,n\n1,A,11\n3,c,30\n", "2.csv")
        for each in (name, was) if alteration else ():
            engine.sql(f"ALTER TABLE raw.{each} {alteration}")
        return name, was

    return play


@EACH
def test_all_values_come_back_or_it_is_refused_with_the_reason(engine, altered, strategy):
    for number, (alteration, refusal) in enumerate(ALTERATIONS.items()):
        if isinstance(refusal, dict):
            refusal = refusal.get(strategy)
        name, was = altered(strategy, number, alteration)
        if refusal is COMES_BACK:
            undo(engine, "2.csv")
            assert show(engine, name) == show(engine, was), alteration
        else:
            loaded = show(engine, name)
            with pytest.raises(FeedError, match=refusal) as refused:
                undo(engine, "2.csv")
            assert "trigger" not in str(refused.value), alteration
            assert "give the column" in refused.value.do or "altered since" in str(refused.value)
            assert show(engine, name) == loaded, alteration


@EACH
def test_loads_before_and_after_an_alteration_are_undone_together(engine, altered, strategy):
    name, was = altered(strategy, 0, "ALTER own TYPE numeric(9,2)")
    engine.load("id,name,n\n1,x,12\n3,x,12\n", "3.csv")
    with pytest.raises(FeedError, match=CHANGED) as refused:
        undo(engine, "2.csv")
    assert objects_of(refused.value) == ["3.csv", "2.csv"]
    undo(engine, "2.csv", "3.csv")
    assert show(engine, name) == show(engine, was)
