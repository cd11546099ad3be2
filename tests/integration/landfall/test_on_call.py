"""What the person on call meets: lost tables, wrong keys, locks, and messages that lead on."""

from __future__ import annotations

import re

import psycopg
import pytest
import yaml

from include.landfall.cli import main as cli
from include.landfall.errors import FeedError
from include.landfall.forget import forget
from include.landfall.ledger import arrivals as ledger_arrivals


class Shell:
    """The command line with one feed, `t`, into raw.t."""

    def __init__(self, engine, folder, capsys):
        self.engine, self.capsys, self.path = engine, capsys, folder / "t.yaml"
        self.write()

    def write(self, columns=None, source=None, target=None, **more):
        feed = {
            "feed": "t",
            "source": {"bucket": self.engine.bucket, "pattern": "t/*", **(source or {})},
            "target": {"table": "raw.t", **(target or {})},
            "columns": columns or {"id": "integer", "name": "text"},
            **more,
        }
        self.path.write_text(yaml.safe_dump(feed, sort_keys=False))

    def put(self, number, body=None):
        text = body or f"id,name\n{number},x\n"
        self.engine.client.put_object(
            Bucket=self.engine.bucket, Key=f"t/{number}.csv", Body=text.encode()
        )

    def run(self, command, *more):
        """Runs the command: exit code, standard output and standard error."""
        code = cli.main([command, "--feed", str(self.path), *more])
        return code, *self.capsys.readouterr()


@pytest.fixture
def shell(engine, connections, tmp_path, capsys):
    return Shell(engine, tmp_path, capsys)


@pytest.mark.parametrize("options", [[], ["--key", "t/1.csv"], ["--force"]])
def test_a_renamed_feed_loads_no_row_twice_whatever_is_typed(shell, options):
    shell.put(1)
    assert shell.run("load")[0] == 0
    shell.write(feed="renamed")
    code, _, err = shell.run("load", *options)
    assert code == 2
    assert "the feed 't' loaded this file into raw.t already" in err
    assert "Rename a feed" in err
    assert shell.engine.sql("SELECT count(*) FROM raw.t") == [1]


LOSSES = ["DROP TABLE raw.t", "ALTER TABLE raw.t RENAME TO other"]


@pytest.mark.parametrize("loss", LOSSES)
def test_a_named_file_makes_no_new_table_that_hides_the_lost_one(shell, loss):
    shell.put(1)
    assert shell.run("load")[0] == 0
    shell.engine.sql(loss)
    shell.put(2)
    for command, *more in (
        ("load", "--key", "t/2.csv"),
        ("load", "--key", "t/1.csv"),
        ("validate", "--key", "t/2.csv"),
        ("load", "--key", "t/2.csv", "--force"),
    ):
        code, _, err = shell.run(command, *more)
        assert (code, "the table raw.t is gone, and the ledger has 1 files in it" in err) == (
            2,
            True,
        )
    assert shell.engine.sql("SELECT to_regclass('raw.t')") == [None]
    assert shell.engine.sql("SELECT status FROM landfall.ledger WHERE key = 't/1.csv'") == [
        "loaded"
    ]
    if "RENAME" in loss:
        shell.write(target={"table": "raw.other"})
        assert shell.run("load")[0] == 0
        assert shell.engine.sql("SELECT id FROM raw.other ORDER BY id") == [1, 2]
        return
    assert shell.run("load", "--force")[0] == 0
    assert shell.engine.sql("SELECT id FROM raw.t ORDER BY id") == [1, 2]


def test_one_arrival_of_a_task_makes_no_new_table_that_hides_the_lost_one(engine):
    engine.load("id,name\n1,a\n", "1.csv")
    engine.sql("DROP TABLE raw.t")
    with pytest.raises(FeedError, match=r"the table raw\.t is gone"):
        engine.load("id,name\n2,b\n", "2.csv")
    assert engine.sql("SELECT to_regclass('raw.t')") == [None]


@pytest.mark.parametrize("loss", LOSSES)
def test_forget_refuses_a_lost_table_unless_it_is_gone_for_good(shell, loss):
    shell.put(1)
    assert shell.run("load")[0] == 0
    shell.engine.sql(loss)
    code, _, err = shell.run("forget", "--object", "t/1.csv")
    assert (code, "--gone" in err, "the table raw.t is gone" in err) == (2, True, True)
    assert shell.engine.sql("SELECT count(*) FROM landfall.ledger") == [1]
    assert shell.run("forget", "--object", "t/1.csv", "--gone")[0] == 0
    assert shell.run("load")[0] == 0
    assert shell.engine.sql("SELECT id FROM raw.t") == [1]


def test_forget_takes_a_file_that_never_loaded_also_without_a_table(engine):
    engine.be(columns={"id": "integer"})
    with pytest.raises(Exception, match="integer"):
        engine.load("id\nx\n")
    assert forget(engine.feed, "a.csv", warehouse=engine.warehouse).entries == 1


@pytest.mark.parametrize("command", ["load", "validate"])
def test_a_key_outside_the_pattern_is_refused_by_name(shell, command):
    shell.engine.put("id,name\n7,x\n", "u/7.csv")
    code, _, err = shell.run(command, "--key", "u/7.csv")
    assert (code, "the key is no arrival of the feed" in err) == (2, True)
    assert "a key that source.pattern matches: t/*" in err
    assert shell.engine.sql("SELECT to_regclass('raw.t')") == [None]


def test_forget_names_the_pattern_to_a_key_outside_of_it(shell):
    shell.put(1)
    assert shell.run("load")[0] == 0
    code, _, err = shell.run("forget", "--object", "u/7.csv")
    assert (code, "a key that source.pattern matches: t/*" in err) == (4, True)


@pytest.mark.parametrize("command", ["plan", "status", "load"])
def test_no_look_waits_for_a_locked_table(shell, command, monkeypatch):
    monkeypatch.setattr(ledger_arrivals, "LOOK", "SET LOCAL lock_timeout = 50")
    shell.put(1)
    assert shell.run("load")[0] == 0
    with psycopg.connect(shell.engine.warehouse.conninfo()) as other:
        other.execute("LOCK TABLE raw.t IN ACCESS EXCLUSIVE MODE")
        code, _, err = shell.run(command)
        pid = other.info.backend_pid
    assert (code, "raw.t is locked by another session" in err) == (0, True)
    assert re.search(rf"  locked by: a session of \w+ \(pid {pid}\) idle in transaction", err)


def test_ctrl_c_while_a_file_is_read_says_that_nothing_of_it_is_loaded(shell, mocker):
    shell.put(1)
    mocker.patch("include.landfall.transfer.Transfer.run", side_effect=KeyboardInterrupt)
    assert shell.run("load") == (130, "", "stopped: nothing of the file is loaded\n")
    assert shell.engine.sql("SELECT to_regclass('raw.t')") == [None]


def test_plan_and_load_have_one_rule_for_a_file_that_changed_a_moment_ago(shell):
    shell.write(source={"settle_seconds": 3600})
    shell.put(1)
    assert "skip  1  changed a moment ago" in shell.run("plan")[1]
    for command in ("load", "validate", "status"):
        code, _, err = shell.run(command)
        assert (code, "t/1.csv changed a moment ago" in err) == (0, True)
    assert shell.engine.sql("SELECT to_regclass('raw.t')") == [None]
    assert shell.run("load", "--key", "t/1.csv")[0] == 0
    assert shell.engine.sql("SELECT id FROM raw.t") == [1]


def test_a_lock_timeout_names_the_feed_s_own_limit_and_who_holds_the_lock(shell):
    shell.put(1)
    assert shell.run("load")[0] == 0
    shell.write(limits={"lock_timeout": 0.1})
    shell.put(2)
    conninfo = shell.engine.warehouse.conninfo()
    with psycopg.connect(conninfo) as reader, psycopg.connect(conninfo) as other:
        reader.execute("SELECT FROM raw.t")  # older, and in nobody's way
        other.execute("SET application_name = 'psql'; LOCK TABLE raw.t IN SHARE MODE")
        code, _, err = shell.run("load")
        assert (code, "raise limits: lock_timeout of the feed" in err) == (75, True)
        pid = other.info.backend_pid
        assert re.search(rf"locked by: psql as \w+ \(pid {pid}\) idle in transaction since 2", err)
        assert shell.engine.sql("SELECT error ~ 'locked by: psql' FROM landfall.ledger") == [
            None, True,
        ]  # fmt: skip
        shell.engine.sql(re.search(r"to end it: (.+)", err)[1])
        assert shell.run("load")[0] == 0
        with pytest.raises(psycopg.OperationalError):
            other.execute("SELECT 1")


@pytest.mark.parametrize("command", ["load", "check"])
def test_a_wrong_type_names_feed_column_and_the_nearest_type(shell, command):
    shell.write(columns={"id": "intger", "name": "text"})
    shell.put(1)
    code, out, err = shell.run(command)
    text = out + err
    assert (code, "no such type" in text, "found: intger" in text) == (2, True, True)
    assert "did you mean 'integer'?" in text
    assert ("column: id" in text) or ("feed t, column id" in text)
    assert command == "check" or re.search(r"declared in: \S+\.yaml, line 8\b", text)


def test_check_finds_a_target_that_is_a_view(shell):
    shell.engine.sql("CREATE SCHEMA raw; CREATE VIEW raw.t AS SELECT 1 AS id, '' AS name")
    code, out, _ = shell.run("check")
    assert (code, "feed t: raw.t is a view" in out) == (2, True)


def test_a_role_without_rights_to_the_target_gets_the_grants(shell, monkeypatch):
    shell.put(1)
    assert shell.run("load")[0] == 0
    engine, role = shell.engine, f"loader_{shell.engine.bucket.replace('-', '_')}"
    engine.sql(f"CREATE ROLE {role} LOGIN PASSWORD 'p'")
    engine.sql(
        f"GRANT USAGE, CREATE ON SCHEMA landfall TO {role}; GRANT SELECT, INSERT, UPDATE, DELETE ON"
        f" ALL TABLES IN SCHEMA landfall TO {role}"
    )
    where = engine.warehouse
    uri = f"postgres://{role}:p@{where.host}:{where.port}/{where.dbname}"
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", uri)
    try:
        code, out, _ = shell.run("check")
        assert (code, f'GRANT USAGE ON SCHEMA "raw" TO {role}' in out) == (3, True)
        engine.sql(f"GRANT USAGE ON SCHEMA raw TO {role}; GRANT INSERT ON raw.t TO {role}")
        code, _, err = shell.run("load")
        assert (code, f'GRANT SELECT ON "raw"."t" TO {role}' in err) == (3, True)
        assert "feed: t" in err
        engine.sql(f"GRANT SELECT ON raw.t TO {role}")
        assert shell.run("check")[0] == 0
    finally:
        engine.sql(f"DROP OWNED BY {role}; DROP ROLE {role}")


FROZEN = "BEGIN RAISE EXCEPTION 'frozen' USING HINT = 'ask Kim'; END"
NO_HISTORY = "BEGIN INSERT INTO raw.history VALUES (1); RETURN NEW; END"


@pytest.mark.parametrize(
    ("each", "body", "exit_code", "told"),
    [
        ("STATEMENT", FROZEN, 5, "what to do: ask Kim; then correct the rows"),
        ("ROW", FROZEN, 5, "what to do: ask Kim; then correct the rows"),
        ("ROW", NO_HISTORY, 2, 'found: relation "raw.history" does not exist'),
    ],
)
def test_the_function_of_a_trigger_is_named_with_its_own_hint(shell, each, body, exit_code, told):
    shell.put(1)
    assert shell.run("load")[0] == 0
    shell.engine.sql(
        f"CREATE FUNCTION raw.keep() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$;"
        f" CREATE TRIGGER t BEFORE INSERT ON raw.t FOR EACH {each} EXECUTE FUNCTION raw.keep()"
    )
    shell.put(2)
    code, _, err = shell.run("load")
    assert (code, told in err) == (exit_code, True), err
    assert "  raised in: PL/pgSQL function raw.keep() line 1 at" in err
