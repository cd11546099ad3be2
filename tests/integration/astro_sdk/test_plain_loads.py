"""Loads of files without a feed: what a failure, or another load, must leave as it is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from include.astro_sdk import Metadata, Table
from include.astro_sdk.loading import PlainLoad
from include.astro_sdk.sources import S3Files
from include.landfall.errors import DataError
from include.landfall.feed.formats import CsvFormat
from tests.support.engine import Engine


@pytest.fixture
def engine(warehouse: Any, object_store: Any, client: Any, bucket: str) -> Engine:
    """The servers of one test."""
    return Engine(warehouse, object_store, client, bucket)


def plain_load(engine: Engine, if_exists: str, **files: str) -> PlainLoad:
    """A `load_file` of these files into raw.t, without Airflow around it."""
    from include.astro_sdk.database import PostgresDatabase

    table = Table("t", conn_id="warehouse", metadata=Metadata(schema="raw"))
    database = PostgresDatabase("warehouse", table)
    database.__dict__["warehouse"] = engine.warehouse
    arrivals = tuple(engine.put(text, f"{name}.csv") for name, text in files.items())
    return PlainLoad(database, table, S3Files(engine.store, arrivals, CsvFormat()), if_exists)


GOOD, BAD = "id,name\n1,a\n", "id,name\n2,b,c\n"


def test_2_9_a_bad_file_leaves_the_table_into_which_another_task_has_loaded(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.sql("CREATE SCHEMA raw")
    bad, good = plain_load(engine, "append", bad=BAD), plain_load(engine, "append", good=GOOD)
    load = PlainLoad._append

    def meanwhile(self: PlainLoad, columns: Any) -> Any:
        if self is bad:
            good.run()
        return load(self, columns)

    monkeypatch.setattr(PlainLoad, "_append", meanwhile)
    with pytest.raises(DataError):
        bad.run()
    assert engine.rows() == [(1, "a")]


def test_2_9_a_bad_file_alone_leaves_no_table(engine: Engine) -> None:
    """Its inferred types must not bind the file that comes in its place."""
    engine.sql("CREATE SCHEMA raw")
    with pytest.raises(DataError):
        plain_load(engine, "append", bad=BAD).run()
    assert engine.sql("SELECT to_regclass('raw.t') IS NULL") == [True]


def test_2_9_tasks_that_append_to_a_missing_table_at_once_all_load(engine: Engine) -> None:
    engine.sql("CREATE SCHEMA raw")
    loads = [plain_load(engine, "append", **{f"f{n}": f"id,name\n{n},a\n"}) for n in range(6)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda each: each.run(), loads))
    assert engine.rows() == [(n, "a") for n in range(6)]


def test_2_10_a_replacement_by_several_files_keeps_what_hangs_on_the_table(engine: Engine) -> None:
    engine.sql(
        "CREATE SCHEMA raw; CREATE ROLE {0};"
        " CREATE TABLE raw.t (id bigint PRIMARY KEY, name text DEFAULT 'x');"
        " GRANT SELECT ON raw.t TO {0}; CREATE VIEW raw.v AS SELECT id FROM raw.t;"
        " INSERT INTO raw.t VALUES (9, 'old')".format(role := f"reader_{engine.bucket[5:]}")
    )
    try:
        plain_load(engine, "replace", f1="id,name\n1,a\n", f2="id,name\n2,b\n").run()
        assert engine.rows() == [(1, "a"), (2, "b")]
        assert engine.sql(f"SELECT has_table_privilege('{role}', 'raw.t', 'SELECT')") == [True]
        assert engine.sql("SELECT id FROM raw.v ORDER BY id") == [1, 2]
        assert engine.sql("INSERT INTO raw.t VALUES (3) RETURNING name") == ["x"]
        with pytest.raises(Exception, match="duplicate key"):
            engine.sql("INSERT INTO raw.t VALUES (3)")
    finally:
        engine.sql(f"DROP OWNED BY {role}; DROP ROLE {role}")
