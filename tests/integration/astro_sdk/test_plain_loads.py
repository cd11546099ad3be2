"""Loads of files without a feed: what a failure, or another load, must leave as it is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from include.astro_sdk.plain_load import PlainLoad
from include.astro_sdk.scratch import scratch_of
from include.landfall.errors import DataError
from tests.support.engine import Engine
from tests.support.plain_loads import columns_of_table, plain_load


@pytest.fixture
def engine(warehouse: Any, object_store: Any, client: Any, bucket: str) -> Engine:
    """The servers of one test."""
    return Engine(warehouse, object_store, client, bucket)


GOOD, BAD = "id,name\n1,a\n", "id,name\n2,b,c\n"


def test_2_9_a_bad_file_leaves_the_table_into_which_another_task_has_loaded(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.sql("CREATE SCHEMA raw")
    bad, good = (
        plain_load(engine, "append", {"bad": BAD}),
        plain_load(engine, "append", {"good": GOOD}),
    )
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
        plain_load(engine, "append", {"bad": BAD}).run()
    assert engine.sql("SELECT to_regclass('raw.t') IS NULL") == [True]


def test_2_9_tasks_that_append_to_a_missing_table_at_once_all_load(engine: Engine) -> None:
    engine.sql("CREATE SCHEMA raw")
    loads = [plain_load(engine, "append", {f"f{n}": f"id,name\n{n},a\n"}) for n in range(6)]
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
        plain_load(engine, "replace", {"f1": "id,name\n1,a\n", "f2": "id,name\n2,b\n"}).run()
        assert engine.rows() == [(1, "a"), (2, "b")]
        assert engine.sql(f"SELECT has_table_privilege('{role}', 'raw.t', 'SELECT')") == [True]
        assert engine.sql("SELECT id FROM raw.v ORDER BY id") == [1, 2]
        assert engine.sql("INSERT INTO raw.t VALUES (3) RETURNING name") == ["x"]
        with pytest.raises(Exception, match="duplicate key"):
            engine.sql("INSERT INTO raw.t VALUES (3)")
    finally:
        engine.sql(f"DROP OWNED BY {role}; DROP ROLE {role}")


# ---- the table has the file's columns and no other (section 1) -----------------------------------


@pytest.mark.parametrize("if_exists", ["append", "replace"])
def test_the_table_of_a_plain_load_has_no_load_id(engine: Engine, if_exists: str) -> None:
    engine.sql("CREATE SCHEMA raw")
    for _ in "ab":
        plain_load(engine, if_exists, {"f1": "id,name\n1,a\n", "f2": "id,name\n2,b\n"}).run()
    assert columns_of_table(engine) == {"id": "bigint", "name": "text"}
    assert engine.sql("SELECT DISTINCT * FROM raw.t ORDER BY 1") == [(1, "a"), (2, "b")]


def test_a_replacement_takes_away_the_load_id_of_an_earlier_version(engine: Engine) -> None:
    engine.sql("CREATE SCHEMA raw; CREATE TABLE raw.t (id bigint, name text, _load_id bigint)")
    plain_load(engine, "replace", {"f": "id,name\n1,a\n"}).run()
    assert columns_of_table(engine) == {"id": "bigint", "name": "text"}


# ---- exactly once, by the ledger alone -----------------------------------------------------------


def test_a_retry_of_the_task_appends_only_what_an_earlier_try_has_not(engine: Engine) -> None:
    engine.sql("CREATE SCHEMA raw")
    files = {"f1": "id,name\n1,a\n", "f2": "id,name\n2,b,c\n"}
    with pytest.raises(DataError):
        plain_load(engine, "append", files, task="task").run()
    files["f2"] = "id,name\n2,b\n"
    receipts = plain_load(engine, "append", files, task="task").run()
    assert [receipt.outcome for receipt in receipts] == ["already_loaded", "loaded"]
    assert engine.rows() == [(1, "a"), (2, "b")]


def test_append_of_one_file_by_two_tasks_or_by_two_runs_gives_rows_of_both(engine: Engine) -> None:
    engine.sql("CREATE SCHEMA raw")
    for task in ("one", "two", "", ""):  # without a task each call is a load of its own
        plain_load(engine, "append", {"f": GOOD}, task=task).run()
    assert engine.rows() == [(1, "a")] * 4


def test_a_retry_appends_again_to_a_table_that_was_dropped_or_emptied(engine: Engine) -> None:
    engine.sql("CREATE SCHEMA raw")
    for change in ("DROP TABLE raw.t", "TRUNCATE raw.t", "SELECT 1"):
        plain_load(engine, "append", {"f": GOOD}, task="task").run()
        assert engine.rows() == [(1, "a")]
        engine.sql(change)


def test_two_tries_at_once_append_a_file_once(engine: Engine) -> None:
    engine.sql("CREATE SCHEMA raw; CREATE TABLE raw.t (id bigint, name text)")
    loads = [plain_load(engine, "append", {"f": GOOD}, task="task") for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        receipts = [r for each in pool.map(lambda load: load.run(), loads) for r in each]
    assert sorted(r.outcome for r in receipts) == [*["already_loaded"] * 3, "loaded"]
    assert engine.rows() == [(1, "a")]


def test_replace_loads_whenever_it_runs(engine: Engine) -> None:
    engine.sql("CREATE SCHEMA raw")
    for _ in "ab":
        plain_load(engine, "replace", {"f": GOOD}, task="task").run()
        assert engine.sql("DELETE FROM raw.t RETURNING id, name") == [(1, "a")]


def test_the_ledger_has_one_entry_for_a_file_that_replaces_its_table(engine: Engine) -> None:
    engine.sql("CREATE SCHEMA raw")
    plain_load(engine, "replace", {"f1": GOOD, "f2": "id,name\n2,b\n"}).run()
    plain_load(engine, "replace", {"f1": GOOD, "f3": "id,name\n3,c\n"}).run()
    query = "SELECT key, status, rows FROM landfall.ledger WHERE target = 'raw.t' ORDER BY key"
    assert engine.sql(query) == [
        ("f1.csv", "loaded", 1), ("f2.csv", "superseded", 1), ("f3.csv", "loaded", 1),
    ]  # fmt: skip


@pytest.mark.parametrize("files", [{"f": BAD}, {"f": BAD, "g": GOOD}])
def test_the_ledger_keeps_the_failure_of_a_replacement(
    engine: Engine, files: dict[str, str]
) -> None:
    engine.sql("CREATE SCHEMA raw")
    with pytest.raises(DataError):
        plain_load(engine, "replace", files).run()
    query = "SELECT key, status, target FROM landfall.ledger"
    assert engine.sql(query) == [("f.csv", "failed", "raw.t")]


def test_a_role_without_create_on_the_database_loads_without_a_ledger(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    role = f"loader_{engine.bucket[5:]}"
    engine.sql(f"CREATE ROLE {role} LOGIN PASSWORD 'x'; CREATE SCHEMA raw AUTHORIZATION {role}")
    theirs = replace(engine, warehouse=replace(engine.warehouse, user=role, password="x"))
    try:
        for if_exists in ("append", "append", "replace", "append"):
            plain_load(theirs, if_exists, {"f1": GOOD}).run()
        assert engine.rows() == [(1, "a")] * 2
        assert engine.sql("SELECT to_regnamespace('landfall') IS NULL") == [True]
        assert caplog.text.count("CREATE SCHEMA landfall") == 1
    finally:
        engine.sql(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_a_replacement_drops_what_a_killed_one_has_left_and_nothing_of_a_living_one(
    engine: Engine,
) -> None:
    engine.sql("CREATE SCHEMA raw")
    left, other = f"_landfall_{'a' * 32}", "_landfall_of_somebody"
    engine.sql(f"CREATE TABLE raw.{left} (a int); CREATE TABLE raw.{other} (a int)")
    load = plain_load(engine, "replace", {"f": GOOD})
    with scratch_of(load.database, load.name) as living:
        engine.sql(f"CREATE TABLE {living.quoted} (a int)")
        load.run()
        query = "SELECT relname::text FROM pg_class WHERE relname ~ '^_landfall' ORDER BY 1"
        assert engine.sql(query) == sorted([living.table, other])
    assert engine.rows() == [(1, "a")]
