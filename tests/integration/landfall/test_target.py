"""A missing target is made, and one that is there is used as it is, or refused clearly.

What others have built on it (views, grants, constraints) stays, and is respected.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import psycopg
import pytest
from psycopg import sql

from include.landfall.errors import ConnectionUnusable, DataError, FeedError, TerminalError
from include.landfall.load import load
from include.landfall.write import copy as copying
from tests.support.engine import LARGE, many

A = "id,name\n1,a\n2,b\n"


# ---- the table as it is ------------------------------------------------------------------------


def test_a_missing_table_is_made_as_the_feed_declares_it(engine):
    engine.be(
        columns={
            "id": {"type": "bigint", "nullable": False, "description": "The number"},
            "name": "varchar(5)",
        },
        description="What is tested",
    )
    engine.load(A)
    columns = engine.sql(
        "SELECT attname, format_type(atttypid, atttypmod), attnotnull,"
        " col_description(attrelid, attnum) FROM pg_attribute"
        " WHERE attrelid = 'raw.t'::regclass AND attnum > 0 ORDER BY attnum"
    )
    assert columns == [
        ("id", "bigint", True, "The number"),
        ("name", "character varying(5)", False, None),
        ("_load_id", "bigint", False, "The load that brought the row: landfall.ledger.load_id"),
    ]
    assert engine.sql("SELECT obj_description('raw.t'::regclass)") == ["What is tested"]


@pytest.mark.parametrize(
    "table",
    [
        "id int, name text",
        "id int, name text, _load_id bigint",
        "name text, _load_id bigint NOT NULL, id int",
        "id int, more text, name text",
        "id int, name text, at timestamptz DEFAULT now()",
        "id int, name text, twice int GENERATED ALWAYS AS (id * 2) STORED",
        "key bigint GENERATED ALWAYS AS IDENTITY, id int PRIMARY KEY, name text",
    ],
)
def test_a_table_made_by_others_is_filled_as_it_is(engine, table):
    engine.sql(f"CREATE SCHEMA raw; CREATE TABLE raw.t ({table})")
    receipt = engine.load(A)
    assert engine.rows() == [(1, "a"), (2, "b")]
    assert set(engine.sql("SELECT _load_id FROM raw.t")) == {receipt.load_id}


def test_rows_that_were_there_before_stay(engine):
    engine.sql("CREATE SCHEMA raw; CREATE TABLE raw.t (id int, name text)")
    engine.sql("INSERT INTO raw.t VALUES (0, 'old')")
    engine.load(A)
    engine.load("id,name\n1,changed\n")
    assert engine.rows() == [(0, "old"), (1, "changed")]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("id int", "no column 'name'"),
        ("id text, name text", "another type"),
        ("id bigint, name text", "another type"),
        ("id int, name varchar(10)", "another type"),
        ("id int, name text GENERATED ALWAYS AS ('x') STORED", "generated column"),
    ],
)
def test_a_table_that_does_not_fit_is_said_before_a_row_is_read(engine, table, message):
    engine.sql(f"CREATE SCHEMA raw; CREATE TABLE raw.t ({table})")
    with pytest.raises(FeedError, match=message):
        engine.load(A)
    assert engine.sql("SELECT count(*) FROM raw.t") == [0]
    assert "_load_id" not in engine.sql(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'raw.t'::regclass"
    )


def test_a_partitioned_table_is_filled_by_its_rules(engine):
    engine.sql(
        "CREATE SCHEMA raw; CREATE TABLE raw.t (id int, name text) PARTITION BY LIST (id);"
        " CREATE TABLE raw.t1 PARTITION OF raw.t FOR VALUES IN (1);"
        " CREATE TABLE raw.t2 PARTITION OF raw.t DEFAULT"
    )
    engine.load(A)
    assert engine.sql("SELECT id FROM raw.t1") == [1]
    assert len(engine.rows()) == 2


# ---- names are data ----------------------------------------------------------------------------

NAMES = [
    "Capital Letters", 'with "quotes"', "it's; DROP TABLE t --", "straße_東京", "select",
    "100%", "%s", "{}", "back\\slash", "x" * 63, "ü" * 31,
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_a_name_of_schema_table_and_column(engine, name):
    columns = {name: {"type": "integer", "description": "it's %s"}, "b": "interval"}
    engine.be(columns=columns, table=f"{name}.{name}", description=name)
    quoted = '"' + name.replace('"', '""') + '"'
    one, two = f"{quoted},b\n1,1 day\n", f"{quoted},b\n 2 ,2 days\n"
    for text in (one, two):
        engine.load(text)
    engine.load(text := two, force=True)
    table, column = sql.Identifier(name, name), sql.Identifier(name)
    numbers = engine.sql(sql.SQL("SELECT {} FROM {}").format(column, table))
    assert numbers == [2], text
    with pytest.raises(DataError) as refused:
        engine.load(f"{quoted},b\nx,1 day\n")
    assert refused.value.place.column == name


def test_a_name_that_postgres_would_cut_off_is_refused(engine):
    with pytest.raises(ValueError, match="63 bytes"):
        engine.be(table="raw." + "ü" * 32)


# ---- constraints -------------------------------------------------------------------------------

CONSTRAINTS = [
    ("id int, name text NOT NULL", "1,a\n2,b\n3,\n4,d\n", 4, "null value in column"),
    ("id int, name text CHECK (name <> 'c')", "1,a\n2,b\n3,c\n4,d\n", 4, "violates check"),
    ("id int UNIQUE, name text", "1,a\n2,b\n1,c\n4,d\n", 4, "duplicate key"),
    ("id int UNIQUE, name text", "1,a\n100,b\n3,c\n4,d\n", 3, "duplicate key"),
    ("id int, name text REFERENCES raw.known", "1,known\n2,b\n3,known\n", 3, "foreign key"),
    (
        "id int, name text REFERENCES raw.known DEFERRABLE INITIALLY DEFERRED",
        "1,known\n2,known\n3,c\n", 4, "foreign key",
    ),
    (
        "id int UNIQUE DEFERRABLE INITIALLY DEFERRED, name text",
        "1,a\n2,b\n3,c\n2,d\n", 5, "duplicate key",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("table", "rows", "line", "message"), CONSTRAINTS)
def test_a_row_that_breaks_a_constraint_is_named_by_its_line(engine, table, rows, line, message):
    engine.sql(
        "CREATE SCHEMA raw; CREATE TABLE raw.known (name text PRIMARY KEY);"
        f" INSERT INTO raw.known VALUES ('known'); CREATE TABLE raw.t ({table})"
    )
    engine.sql("INSERT INTO raw.t VALUES (100, 'known')")
    with pytest.raises(DataError, match=message) as refused:
        engine.load("id,name\n" + rows)
    assert refused.value.place.line == line
    assert engine.sql("SELECT id FROM raw.t") == [100]
    assert engine.statuses() == ["failed"]


def test_a_row_that_others_depend_on_is_not_taken_away(engine):
    engine.sql("CREATE SCHEMA raw; CREATE TABLE raw.t (id int PRIMARY KEY, name text)")
    engine.load(A)
    engine.sql("CREATE TABLE child (id int REFERENCES raw.t); INSERT INTO child VALUES (2)")
    with pytest.raises(DataError, match="foreign key"):
        engine.load("id,name\n1,a\n")
    assert len(engine.rows()) == 2


def test_a_trigger_that_refuses_a_row_is_answered_with_the_line(engine):
    engine.sql(
        "CREATE SCHEMA raw; CREATE TABLE raw.t (id int, name text);"
        " CREATE FUNCTION raw.look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF new.name = 'b' THEN RAISE EXCEPTION 'no b here'; END IF; RETURN new; END $$;"
        " CREATE TRIGGER t BEFORE INSERT ON raw.t FOR EACH ROW EXECUTE FUNCTION raw.look()"
    )
    with pytest.raises(DataError, match="no b here") as refused:
        engine.load(A)
    assert refused.value.place.line == 3


# ---- what others have built on it --------------------------------------------------------------


@pytest.mark.parametrize("disposition", ["append", "replace"])
def test_views_and_grants_outlive_every_load(engine, disposition):
    engine.be(disposition=disposition).load(A)
    oid = engine.sql("SELECT 'raw.t'::regclass::oid")
    engine.sql("CREATE VIEW raw.v AS SELECT name FROM raw.t; GRANT SELECT ON raw.t TO PUBLIC")
    engine.load("id,name\n9,z\n")
    assert engine.sql("SELECT name FROM raw.v") == ["z"]
    assert engine.sql("SELECT 'raw.t'::regclass::oid") == oid
    assert engine.sql("SELECT has_table_privilege('public', 'raw.t', 'SELECT')") == [True]


# ---- roles -------------------------------------------------------------------------------------

# A role that owns nothing needs these. A DBA can copy them from docs/operations.md.
GRANTS = """
GRANT USAGE ON SCHEMA landfall, raw TO {role};
GRANT SELECT, INSERT, UPDATE ON landfall.ledger TO {role};
GRANT SELECT, INSERT, UPDATE, DELETE ON landfall.rejects TO {role};
GRANT SELECT, INSERT, DELETE ON raw.t TO {role};
"""


@pytest.fixture
def role(engine, warehouse_server):
    """A role without any privilege."""
    name = f"loader_{engine.warehouse.dbname}"
    owner = engine.warehouse
    with psycopg.connect(owner.conninfo(), autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'of the loader'")
        admin.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        yield name
        admin.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


def as_role(engine, role):
    return {"warehouse": replace(engine.warehouse, user=role, password="of the loader")}


@pytest.mark.parametrize("disposition", ["append", "replace"])
def test_a_role_with_these_grants_and_no_other_right_can_load(engine, role, disposition):
    engine.be(disposition=disposition).load(A, "0.csv")
    engine.sql(GRANTS.format(role=role))
    arrival = engine.put(A)
    for _ in range(2):
        engine.load(arrival, force=True, **as_role(engine, role))
    with pytest.raises(DataError):
        engine.load("id,name\nx,b\n", **as_role(engine, role))
    engine.load("id,name\n 7 ,z\n", **as_role(engine, role))
    assert (7, "z") in engine.rows()
    assert sorted(engine.statuses()) == sorted(["failed", "loaded", "superseded", (
        "loaded" if disposition == "append" else "superseded")])  # fmt: skip


@pytest.mark.parametrize("grant", GRANTS.format(role="x").strip().splitlines())
def test_without_one_of_these_grants_the_error_names_what_is_lacking(engine, role, grant):
    engine.load(A)
    for line in GRANTS.format(role=role).strip().splitlines():
        if line.split(" TO ")[0] != grant.split(" TO ")[0]:
            engine.sql(line)
    with pytest.raises(ConnectionUnusable, match="permission denied"):
        engine.load("id,name\n7,z\n", **as_role(engine, role))
    assert len(engine.rows()) == 2


def test_a_role_that_may_create_in_two_schemas_makes_the_rest_itself(engine, role):
    """A DBA has made both schemas, so the role needs no CREATE on the database."""
    engine.sql(
        f"CREATE SCHEMA landfall; CREATE SCHEMA raw;"
        f" GRANT USAGE, CREATE ON SCHEMA landfall, raw TO {role}"
    )
    assert engine.load(A, **as_role(engine, role)).outcome == "loaded"
    assert len(engine.rows()) == 2


def test_a_role_without_any_right_is_told_which(engine, role):
    with pytest.raises(ConnectionUnusable, match="permission denied for database"):
        engine.load(A, **as_role(engine, role))


ODD = {
    "DateStyle": "'German, DMY'", "TimeZone": "'Asia/Kolkata'", "IntervalStyle": "sql_standard",
    "array_nulls": "off", "timezone_abbreviations": "'Australia'", "bytea_output": "escape",
    "client_encoding": "LATIN1", "standard_conforming_strings": "off",
    "default_transaction_isolation": "serializable", "search_path": "''",
    "extra_float_digits": "-10",
}  # fmt: skip
CELLS = {
    "date": "Feb 1 2013", "timestamptz": "2013-01-02 03:04", "interval": "-1 2:03:04",
    "text[]": '"{NULL,a}"', "timetz": "12:00 EST", "bytea": "\\\\x00ff", "text": "ü\\n",
    "double precision": "0.1", "timestamp": "3-Feb-13 04:05",
}  # fmt: skip


def test_what_is_loaded_does_not_depend_on_the_settings_of_the_role(engine):
    columns = {f"c{n}": kind for n, kind in enumerate(CELLS)}
    text = ",".join(columns) + "\n" + ",".join(CELLS.values()) + "\n"
    engine.be(columns=columns, table="raw.usual").load(text, "1.csv")
    name = sql.Identifier(engine.warehouse.dbname)
    for setting, value in ODD.items():
        engine.sql(
            sql.SQL("ALTER DATABASE {} SET {} = {}").format(name, sql.SQL(setting), sql.SQL(value))
        )
    engine.be(columns=columns, table="raw.odd").load(text, "2.csv", force=True)
    fields = ", ".join(columns)
    both = f"SELECT {fields} FROM raw.usual UNION SELECT {fields} FROM raw.odd"
    assert engine.sql(f"SELECT count(*) FROM ({both}) AS rows") == [1]


def test_under_a_stricter_isolation_two_loads_at_once_still_see_each_other(engine):
    """Otherwise the load that waited for the lock would not see the other load's rows."""
    name = sql.Identifier(engine.warehouse.dbname)
    engine.load("id,name\n", "0.csv")
    engine.sql(
        sql.SQL("ALTER DATABASE {} SET default_transaction_isolation = serializable").format(name)
    )
    engine.be(disposition="replace")
    arrivals = [engine.put(many(LARGE), "1.csv"), engine.put(A, "2.csv")]
    with ThreadPoolExecutor() as pool:
        outcomes = [receipt.outcome for receipt in pool.map(engine.load, arrivals)]
    assert outcomes[1] == "loaded"
    assert engine.rows() == [(1, "a"), (2, "b")]


def test_first_loads_into_a_missing_schema_do_not_trip_over_each_other(engine, mocker):
    judged = mocker.spy(copying, "_stage_as_texts")
    feeds = [engine.make_feed(table=f"raw.t{n}", feed=f"t{n}") for n in range(4)]
    arrival = engine.put(A)

    def load_into(feed):
        return load(feed, arrival, store=engine.store, warehouse=engine.warehouse).outcome

    with ThreadPoolExecutor() as pool:
        assert list(pool.map(load_into, feeds)) == ["loaded"] * 4
    assert judged.call_count == 0  # no row was suspect


def test_the_first_files_of_a_feed_loaded_at_once_make_the_table_once(engine):
    """The second waits until the first commits, and must then look for the table again."""
    arrivals = [engine.put(many(30_000, first=30_000 * n), f"{n}.csv") for n in range(4)]
    with ThreadPoolExecutor() as pool:
        receipts = list(pool.map(engine.load, arrivals))
    assert [receipt.outcome for receipt in receipts] == ["loaded"] * 4
    assert engine.sql("SELECT count(*)::int, count(DISTINCT id)::int FROM raw.t") == [
        (120_000, 120_000)
    ]


def test_a_target_that_is_no_table_is_refused(engine):
    engine.sql("CREATE SCHEMA raw; CREATE VIEW raw.t AS SELECT 1 AS id, ''::text AS name")
    with pytest.raises(TerminalError):
        engine.load(A)
    assert engine.statuses() == ["failed"]
