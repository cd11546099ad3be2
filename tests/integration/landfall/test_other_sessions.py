"""Others alter the target, refer to its rows, or set the clock back, while a file is loaded."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import psycopg
import pytest

from include.landfall import forget as forgetting
from include.landfall import transfer as transfers
from include.landfall.errors import FeedError, ServerUnavailable
from include.landfall.feed.limits import Limits
from include.landfall.feed.model import Feed
from include.landfall.forget import forget
from include.landfall.postgres import connection as connections
from include.landfall.postgres.statements import value
from include.landfall.write import replaced, undo_part
from include.landfall.write import undo as undoing
from include.landfall.write.merge_parts import Merge
from tests.chaos.cases import wait_until
from tests.support.undo import keeping, undo

AT_ONCE = "SET lock_timeout = 200;"
CHILD = (
    "CREATE TABLE raw.child (id integer REFERENCES raw.t ON DELETE CASCADE);"
    "CREATE FUNCTION raw.children() RETURNS bigint LANGUAGE sql AS"
    " 'SELECT count(*) FROM raw.child'"
)
KEYED = "CREATE SCHEMA raw; CREATE TABLE raw.t (id integer PRIMARY KEY, name text, _load_id bigint)"


def give_target(engine, **target):
    feed = {**engine.feed.model_dump(exclude_unset=True), "target": {"table": "raw.t", **target}}
    engine.feed = Feed.model_validate(feed)


def meanwhile(mocker, act):
    """Acts as another session when the target has been compared, and no row has come."""
    mocker.patch("include.landfall.transfer.Transfer._check_size", side_effect=act)


def try_to(engine, statement):
    """Returns a function that runs a statement, and gives up where that has to wait."""

    def act(*_):
        with suppress(psycopg.errors.LockNotAvailable):
            engine.sql(f"{AT_ONCE} {statement}")

    return act


@pytest.mark.parametrize("target", [
    {"disposition": "append"},
    {"disposition": "append", "load_id": False},
    {"disposition": "replace"},
    {"disposition": "merge", "key": ["name"], "strategy": "delete-insert"},
])  # fmt: skip
@pytest.mark.parametrize("statement", [
    "ALTER TABLE raw.t ALTER id TYPE text",
    "ALTER TABLE raw.t RENAME id TO other; ALTER TABLE raw.t ADD id text",
    "ALTER TABLE raw.t RENAME TO old; CREATE TABLE raw.t (LIKE raw.old);"
    " ALTER TABLE raw.t ALTER id TYPE text",
    "ALTER SCHEMA raw RENAME TO older; CREATE SCHEMA raw;"
    " CREATE TABLE raw.t (id text, name text, _load_id bigint)",
])  # fmt: skip
def test_a_value_never_becomes_another_because_others_alter_the_table(
    engine, mocker, target, statement
):
    """The four bytes of this integer are those of the text ABCD."""
    engine.feed = engine.make_feed().model_validate(
        {
            **engine.make_feed().model_dump(exclude_unset=True),
            "target": {"table": "raw.t", **target},
        }
    )
    engine.load("id,name\n1,a\n", "1.csv")
    meanwhile(mocker, try_to(engine, statement))
    # `replace` has a lock before the first row, so the others wait. None is on the schema's name.
    if target["disposition"] == "replace" and "SCHEMA" not in statement:
        engine.load("id,name\n1094861636,b\n", "2.csv")
        assert engine.sql("SELECT id::text, name FROM raw.t") == [("1094861636", "b")]
        return
    with pytest.raises(ServerUnavailable, match=r"another session altered or replaced raw\.t"):
        engine.load("id,name\n1094861636,b\n", "2.csv")
    tables = ["raw.t", "raw.old", "older.t"]
    names = [name for name in tables if engine.sql(f"SELECT to_regclass('{name}')") != [None]]
    assert [engine.sql(f"SELECT 1 FROM {name} WHERE name = 'b'") for name in names] == [[]] * len(
        names
    )


def test_a_column_that_others_add_is_no_reason_to_load_again(engine, mocker):
    engine.load("id,name\n1,a\n", "1.csv")
    meanwhile(mocker, try_to(engine, "ALTER TABLE raw.t ADD extra text DEFAULT 'x'"))
    assert engine.load("id,name\n2,b\n", "2.csv").outcome == "loaded"


def test_a_role_that_may_only_insert_can_append(engine, mocker):
    engine.load("id,name\n1,a\n", "1.csv")
    role = f"inserting_{engine.warehouse.dbname}"
    engine.sql(
        f"CREATE ROLE {role}; GRANT USAGE ON SCHEMA raw, landfall TO {role};"
        f" GRANT INSERT ON raw.t TO {role};"
        f" GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA landfall TO {role}"
    )
    try:
        mocker.patch.object(connections, "SETTINGS", f"{connections.SETTINGS}; SET ROLE {role}")
        assert engine.load("id,name\n2,b\n", "2.csv").outcome == "loaded"
    finally:
        engine.sql(f"DROP OWNED BY {role}; DROP ROLE {role}")


@pytest.mark.parametrize("statement", [
    "REINDEX TABLE raw.t", "REINDEX TABLE CONCURRENTLY raw.t",
    "CREATE INDEX CONCURRENTLY ON raw.t (name)", "VACUUM FULL raw.t",
])  # fmt: skip
def test_a_merge_and_the_maintenance_of_its_table_never_wait_for_each_other(
    engine, mocker, statement
):
    """One of two that do is canceled, and a REINDEX leaves an index that nobody can use."""
    give_target(engine, disposition="merge", key=["id"])
    engine.load("id,name\n1,a\n", "1.csv")
    with ThreadPoolExecutor() as pool:
        others = []
        waiting = f"SELECT 1 FROM pg_stat_activity WHERE query = '{statement}' AND state = 'active'"

        def act(*_):
            others.append(pool.submit(engine.sql, statement))
            wait_until(lambda: others[0].done() or engine.sql(f"{waiting} AND wait_event <> ''"))

        meanwhile(mocker, act)
        assert engine.load("id,name\n2,b\n", "2.csv").outcome == "loaded"
        others[0].result()


# ---- rows that refer to those that a load deletes ------------------------------------------------


@pytest.fixture
def inserted(engine, mocker):
    """The children that another session adds between the check of such rows and the DELETE."""
    children = []

    def check(*_, **__):
        with suppress(psycopg.errors.LockNotAvailable, psycopg.errors.ForeignKeyViolation):
            engine.sql(f"{AT_ONCE} INSERT INTO raw.child VALUES (1)")
            children.append(1)

    for module in (replaced, forgetting):
        mocker.patch.object(module, "check_dependents", side_effect=check)
    mocker.patch.object(undo_part, "check_dependents_where", side_effect=check)
    mocker.patch.object(Merge, "check_dependents", side_effect=check)
    return children


@pytest.mark.parametrize("target", [
    {"disposition": "append"}, {"disposition": "replace"},
    {"disposition": "replace", "replace_where": ["id"]},
    {"disposition": "merge", "key": ["id"], "strategy": "delete-insert"},
])  # fmt: skip
def test_no_row_of_another_table_is_lost_that_comes_before_the_delete(engine, inserted, target):
    engine.sql(f"{KEYED}; {CHILD}")
    give_target(engine, **target)
    engine.load("id,name\n1,a\n")
    engine.load("id,name\n1,b\n")
    assert (inserted, engine.rows()) == ([], [(1, "b")])


@pytest.mark.parametrize("target", [
    {"disposition": "append"}, {"disposition": "merge", "key": ["id"], "keep_replaced": 7},
])  # fmt: skip
def test_no_row_of_another_table_is_lost_that_comes_before_a_forget(engine, inserted, target):
    engine.sql(f"{KEYED}; {CHILD}")
    give_target(engine, **target)
    engine.load("id,name\n1,a\n")
    forget(engine.feed, "a.csv", warehouse=engine.warehouse)
    assert (inserted, engine.rows()) == ([], [])


def test_no_row_of_another_table_is_lost_that_comes_while_a_merge_reads_its_file(engine, mocker):
    engine.sql(KEYED)
    give_target(engine, disposition="merge", key=["id"], strategy="delete-insert")
    engine.load("id,name\n1,a\n")
    engine.sql(CHILD)
    meanwhile(mocker, try_to(engine, "INSERT INTO raw.child VALUES (1)"))
    with pytest.raises(FeedError, match=r"raw\.child would lose rows"):
        engine.load("id,name\n1,b\n", "b.csv")
    assert engine.sql("SELECT raw.children()") == [1]
    assert engine.rows() == [(1, "a")]


def test_no_change_is_lost_that_another_session_makes_while_a_file_is_forgotten(engine, mocker):
    keeping(engine).load("id,name\n1,a\n", "1.csv")
    engine.load("id,name\n1,b\n", "2.csv")
    changed = []

    def change(*_):
        with suppress(psycopg.errors.LockNotAvailable):
            engine.sql(f"{AT_ONCE} UPDATE raw.t SET name = 'corrected'")
            changed.append(1)

    # It is called after the look at what others have changed.
    mocker.patch.object(undoing, "keep_dependents_away", side_effect=change)
    undo(engine, "2.csv")
    assert (changed, engine.rows()) == ([], [(1, "a")])


# ---- the clock -----------------------------------------------------------------------------------


@pytest.mark.parametrize("absent", ["keep", "close"])
def test_a_version_is_never_before_the_one_that_it_changes_when_the_clock_goes_back(engine, absent):
    """As when another server takes over: the rows that came last were not the current ones."""
    give_target(engine, disposition="merge", key=["id"], strategy="scd2", absent=absent)
    engine.load("id,name\n1,old\n2,gone\n", "1.csv")
    engine.sql("UPDATE raw.t SET _valid_from = _valid_from + interval '1 hour'")
    engine.load("id,name\n1,new\n", "2.csv")
    engine.load("id,name\n1,newest\n2,back\n", "3.csv")
    current = engine.sql("SELECT id, name FROM raw.t WHERE _is_current ORDER BY id")
    assert current == [(1, "newest"), (2, "back")]
    assert engine.sql("SELECT count(*) FROM raw.t") == [5]
    assert engine.sql("SELECT 1 FROM raw.t WHERE _valid_to <= _valid_from") == []


# ---- the settings of a load ----------------------------------------------------------------------


@pytest.fixture
def shown(engine, mocker):
    """The settings in a load's transaction, as a function of their names."""

    def show(*names):
        values = []

        def look(transfer, staging, load_id):
            values[:] = [staging.connection.execute(f"SHOW {n}").fetchone()[0] for n in names]
            return real(transfer, staging, load_id)

        real = transfers.Transfer.run
        mocker.patch.object(transfers.Transfer, "run", look)
        engine.load("id,name\n1,a\n")
        return values

    return show


CHECK, COMMIT = "client_connection_check_interval", "synchronous_commit"
ALIVE = ["tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count"]


def of_the_role(engine, **settings):
    """Gives every session of the database other settings, as a DBA may have."""
    for name, text in settings.items():
        engine.sql(f"ALTER DATABASE {engine.warehouse.dbname} SET {name} = '{text}'")


@pytest.mark.parametrize(("settings", "in_a_load"), [
    ({}, ["2s", "on"]), ({CHECK: "10s", COMMIT: "off"}, ["10s", "local"]),
    ({COMMIT: "remote_apply"}, ["2s", "remote_apply"]),
])  # fmt: skip
def test_a_load_is_on_the_disk_and_ends_with_its_client(engine, shown, settings, in_a_load):
    of_the_role(engine, **{COMMIT: "on", **settings})
    assert shown(CHECK, COMMIT, *ALIVE) == [*in_a_load, "60", "10", "6"]


def test_a_load_that_has_altered_its_table_waits_for_locks_as_long_as_the_feed_says(engine, shown):
    engine.sql("CREATE SCHEMA raw; CREATE TABLE raw.t (id smallint, name text)")
    engine.be(contract={"types": "widen"}, limits={"lock_timeout": 60})
    assert shown("lock_timeout") == ["1min"]


@pytest.mark.parametrize(("of_the_feed", "shortened"), [(None, "5s"), (60, "5s"), (0.3, "300ms")])
def test_nobody_waits_for_an_alteration_longer_than_5_seconds(engine, of_the_feed, shortened):
    with (
        connections.connect(engine.warehouse, limits=Limits(lock_timeout=of_the_feed)) as other,
        other.transaction(),
    ):
        connections.shorten_lock_timeout(other)
        assert value(other, "SHOW lock_timeout") == shortened


def test_no_setting_of_a_role_changes_a_value_that_is_read_or_brought_back(engine):
    reading = {"array_nulls": "off", "timezone_abbreviations": "India", "extra_float_digits": "-3"}
    of_the_role(engine, **reading)
    columns = {"id": "integer", "at": "timestamptz", "texts": "text[]", "share": "float8"}
    columns |= {"bytes": "bytea", "during": "interval"}
    keeping(engine, more={"columns": columns})
    engine.load(
        "id,at,texts,share,bytes,during\n"
        r'1,2013-01-01 10:00 IST,"{a,NULL}",0.30000000000000004,\x00ff5c,-1 day +02:03'
    )
    engine.load("id,at,texts,share,bytes,during\n1,,,,\\x01ff,1 day 02:03\n", "b.csv")
    of_the_role(engine, bytea_output="escape", IntervalStyle="sql_standard")
    undo(engine, "b.csv")  # nobody has changed the row since
    assert engine.sql(
        "SELECT at = '2013-01-01 10:00+02' AND texts = ARRAY['a', NULL]"
        " AND share = 0.30000000000000004::float8 AND bytes = '\\x00ff5c'"
        " AND during = '-1 day'::interval + '2 h 3 min' FROM raw.t"
    ) == [True]


@pytest.mark.parametrize("server", ["before 14", "on Windows"])
def test_a_server_that_refuses_to_look_for_its_client_takes_the_load(engine, mocker, server):
    settings = connections.SETTINGS
    if server == "before 14":
        settings = settings.replace(CHECK, "landfall_no_such_setting")
    else:  # the value is as wrong there as this one is here
        settings = settings.replace(f"{connections.CHECK_SECONDS}s", "-1")
    assert settings != connections.SETTINGS
    mocker.patch.object(connections, "SETTINGS", settings)
    assert engine.load("id,name\n1,a\n").rows == 1
