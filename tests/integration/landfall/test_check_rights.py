"""`check` tells every right that a load of the feed would miss, and its GRANT is what helps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.landfall.check import Database, check
from include.landfall.errors import ConnectionUnusable

KEYED = {"table": "raw.t", "disposition": "merge", "key": ["id"]}
DELETED = {"column": "name", "values": ["gone"]}
# Each way to write, and the rights that it needs beside SELECT and INSERT.
WRITES = {
    "append": ({"table": "raw.t"}, []),
    "replace": ({"table": "raw.t", "disposition": "replace"}, ["DELETE"]),
    "replace_where": ({"table": "raw.t", "disposition": "replace", "replace_where": ["name"]},
                      ["DELETE"]),
    "upsert": (KEYED, ["UPDATE"]),
    "upsert that deletes": (KEYED | {"deleted": DELETED}, ["UPDATE", "DELETE"]),
    "delete-insert": (KEYED | {"strategy": "delete-insert"}, ["DELETE"]),
    "scd2": (KEYED | {"strategy": "scd2"}, ["UPDATE", "DELETE"]),
}  # fmt: skip
RIGHTS = [(name, right) for name, (_, more) in WRITES.items()
          for right in ["SELECT", "INSERT", *more]]  # fmt: skip
TABLE = (
    "CREATE SCHEMA raw; CREATE TABLE raw.t (id integer, name text, _load_id bigint,"
    " _valid_from timestamptz, _valid_to timestamptz, _is_current boolean)"
)
# Only an upsert asks for a unique index on the key.
INDEX = "CREATE UNIQUE INDEX ON raw.t (id)"


@pytest.fixture
def role(engine):
    """A role that may write a ledger, and nothing else. The engine loads as this role."""
    name = f"loader_{engine.warehouse.dbname}"
    engine.sql(f"CREATE ROLE {name} LOGIN PASSWORD 'x'")
    engine.sql(f"CREATE SCHEMA landfall AUTHORIZATION {name}")
    yield name
    engine.sql(f"DROP OWNED BY {name} CASCADE; DROP ROLE {name}")


def as_role(engine, role):
    """The same engine, as this role."""
    other = type(engine)(
        replace(engine.warehouse, user=role, password="x"),
        engine.store, engine.client, engine.bucket,
    )  # fmt: skip
    other.feed = engine.feed
    return other


def finding_of(engine):
    (finding,) = check(
        [Database("warehouse", (engine.feed,))], warehouse_of=lambda _: engine.warehouse
    )
    return finding


def load_twice(engine):
    engine.load("id,name\n1,a\n2,b\n", "1.csv")
    engine.load("id,name\n1,c\n3,a\n", "2.csv")


@pytest.mark.parametrize(("name", "right"), RIGHTS)
def test_the_one_right_that_is_missing_is_told_and_its_grant_is_enough(engine, role, name, right):
    target, more = WRITES[name]
    engine.sql(TABLE + (f"; {INDEX}" if name.startswith("upsert") else ""))
    engine.sql(f"GRANT USAGE ON SCHEMA raw TO {role}")
    for granted in {"SELECT", "INSERT", *more} - {right}:
        engine.sql(f"GRANT {granted} ON raw.t TO {role}")
    loader = as_role(engine.be(target=target), role)
    if (name, right) != ("append", "SELECT"):  # a load of one object by its key gets by without
        with pytest.raises(ConnectionUnusable):
            load_twice(loader)
    error = finding_of(loader).error
    assert error is not None
    assert (error.what, error.do) == (
        "feed t: the role may not fill raw.t", f'GRANT {right} ON "raw"."t" TO {role}'
    )  # fmt: skip
    engine.sql(error.do)
    assert finding_of(loader).error is None
    load_twice(loader)


def test_a_schema_that_the_role_may_not_make_is_told_and_what_to_do_helps(engine, role):
    loader = as_role(engine, role)
    with pytest.raises(ConnectionUnusable):
        loader.load("id,name\n1,a\n")
    error = finding_of(loader).error
    assert error is not None
    assert error.what == "feed t: there is no schema raw, and the role may not make it"
    engine.sql(error.do)
    assert finding_of(loader).error is None
    assert loader.load("id,name\n1,a\n").rows == 1


@pytest.mark.parametrize("contract", [{"new_columns": "evolve"}, {"types": "widen"}])
def test_a_table_that_the_contract_alters_must_be_the_roles_own(engine, role, contract):
    kind = "smallint" if "types" in contract else "integer"
    engine.sql(f"CREATE SCHEMA raw; CREATE TABLE raw.t (id {kind}, name text, _load_id bigint)")
    engine.sql(f"GRANT USAGE ON SCHEMA raw TO {role}; GRANT SELECT, INSERT ON raw.t TO {role}")
    loader = as_role(engine.be(contract=contract), role)
    text = "id,name,size\n1,a,3\n" if "new_columns" in contract else "id,name\n1,a\n"
    with pytest.raises(ConnectionUnusable):
        loader.load(text)
    error = finding_of(loader).error
    assert error is not None
    assert error.what == "feed t: the role may not alter raw.t, as the feed's contract asks"
    engine.sql(error.do)
    assert finding_of(loader).error is None
    assert loader.load(text).rows == 1
