"""Feeds whose rows carry no load id: what they can do without it, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from include.landfall.errors import FeedError
from include.landfall.forget import forget
from tests.support.engine import COLUMNS, Engine


@pytest.fixture
def engine(warehouse: Any, object_store: Any, client: Any, bucket: str) -> Engine:
    """The servers of one test, with such a feed."""
    return without_load_id(Engine(warehouse, object_store, client, bucket))


def without_load_id(engine: Engine, disposition: str = "append", **changes: Any) -> Engine:
    """Makes the feed's rows carry no load id."""
    target = {"table": "raw.t", "disposition": disposition, "load_id": False}
    engine.feed = engine.feed.model_validate(
        engine.make_feed(**changes).model_dump(by_alias=True) | {"target": target}
    )
    return engine


@pytest.mark.parametrize(
    ("columns", "cell"),
    [
        (COLUMNS, "1"),  # the fast path
        (COLUMNS, "+1"),  # a suspect, which Postgres reads from text
        ({"id": "integer", "name": "varchar(9)"}, "1"),
        ({"id": "integer", "name": "inet"}, "1"),  # a column without a fast cast
    ],
)
def test_rows_without_a_load_id_are_loaded_by_every_path(
    engine: Engine, columns: dict[str, str], cell: str
) -> None:
    without_load_id(engine, columns=columns).load(f"id,name\n{cell},10.0.0.1\n2,10.0.0.2\n")
    assert engine.sql("SELECT * FROM raw.t ORDER BY id")[0][0] == 1
    names = "SELECT attname FROM pg_attribute WHERE attrelid = 'raw.t'::regclass AND attnum > 0"
    assert engine.sql(names) == ["id", "name"]


def test_a_row_that_the_table_refuses_is_a_reject_without_a_load_id_too(engine: Engine) -> None:
    engine.sql("CREATE SCHEMA raw; CREATE TABLE raw.t (id integer PRIMARY KEY, name text)")
    without_load_id(engine, rejects={"at_most": 1}).load("id,name\n1,a\n1,b\n2,c\n")
    assert engine.rows() == [(1, "a"), (2, "c")]


def test_the_same_file_is_loaded_once(engine: Engine) -> None:
    arrival = engine.put("id,name\n1,a\n")
    assert [engine.load(arrival).outcome for _ in "ab"] == ["loaded", "already_loaded"]
    assert engine.rows() == [(1, "a")]


def test_a_changed_file_is_refused_because_its_old_rows_cannot_be_told(engine: Engine) -> None:
    engine.load("id,name\n1,a\n")
    with pytest.raises(FeedError, match="load_id: false") as refused:
        engine.load("id,name\n1,b\n")
    assert "--force" in str(refused.value)
    assert engine.rows() == [(1, "a")]
    engine.sql("TRUNCATE raw.t")
    engine.load("id,name\n1,b\n", force=True)
    assert engine.rows() == [(1, "b")]


def test_replace_needs_no_load_id(engine: Engine) -> None:
    without_load_id(engine, "replace")
    for name in "ab":
        engine.load(f"id,name\n1,{name}\n", key=f"{name}.csv")
    assert engine.rows() == [(1, "b")]


def test_a_replacement_notices_rows_that_a_trigger_keeps(engine: Engine) -> None:
    without_load_id(engine, "replace").load("id,name\n1,a\n")
    engine.sql(
        "CREATE FUNCTION raw.keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
        " CREATE TRIGGER keep BEFORE DELETE ON raw.t FOR EACH ROW EXECUTE FUNCTION raw.keep()"
    )
    with pytest.raises(FeedError, match=r"stay in raw\.t"):
        engine.load("id,name\n1,b\n", key="b.csv")
    assert engine.rows() == [(1, "a")]


def test_forget_is_refused_without_a_load_id(engine: Engine) -> None:
    engine.load("id,name\n1,a\n")
    with pytest.raises(FeedError, match="cannot be told from others"):
        forget(engine.feed, "a.csv", warehouse=engine.warehouse)
    assert engine.rows() == [(1, "a")]
