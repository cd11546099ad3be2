"""`check` has one line for each connection: it is usable, or why not and what to do."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import uuid
from dataclasses import replace

import psycopg
import pytest
import yaml
from psycopg import sql

from include.landfall import check as check_module
from include.landfall.cli import main as cli
from include.landfall.ledger.entries import create_ledger
from include.landfall.postgres.connection import connect
from include.local.services.environ import connections as spelled

SECRET = "hunter2"


class Checked:
    """The output and the exit code of one run of `check`."""

    def __init__(self, code, out, err):
        self.code, self.err, self.all = code, err, out
        self.lines = out.splitlines()

    def of(self, connection):
        """The line of that connection, without the padding of columns."""
        (line,) = [line for line in self.lines if line.split()[1] == connection]
        return " ".join(line.split())


@pytest.fixture
def feed(tmp_path, bucket):
    """A feed's file for the test's bucket."""
    path = tmp_path / "things.yaml"
    write(path, bucket)
    return path


def write(path, bucket, **connections):
    text = {
        "feed": path.stem,
        "source": {"bucket": bucket, "pattern": f"{path.stem}/*"},
        "target": {"table": f"raw.{path.stem}"},
        "columns": {"id": "integer"},
    }
    for part, connection in connections.items():
        text[part]["connection"] = connection
    path.write_text(yaml.safe_dump(text))


@pytest.fixture
def check(feed, connections, capsys):
    """Runs the command for the feed, or for other feeds."""

    def run(*more, feeds=(feed,)):
        arguments = [part for path in feeds for part in ("--feed", str(path))]
        code = cli.main(["check", *arguments, *more])
        printed = capsys.readouterr()
        for secret in (SECRET, json.loads(connections["AIRFLOW_CONN_WAREHOUSE"])["password"]):
            assert secret not in printed.out + printed.err
        assert "Traceback" not in printed.out + printed.err
        return Checked(code, printed.out, printed.err)

    return run


@pytest.fixture
def wrong(monkeypatch, warehouse, object_store):
    """Sets the environment's connections with some values changed."""

    def change(store=None, database=None):
        values = spelled(
            replace(warehouse, **(database or {})), replace(object_store, **(store or {}))
        )
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return change


@pytest.fixture
def role(warehouse, wrong):
    """A role with the privileges of PUBLIC alone; the connection of the environment uses it."""
    name = f"loader_{uuid.uuid4().hex[:8]}"
    execute(warehouse, f"CREATE ROLE {name} LOGIN PASSWORD '{SECRET}'")
    wrong(database={"user": name, "password": SECRET})
    yield name
    execute(warehouse, f"DROP OWNED BY {name}", f"DROP ROLE {name}")


def execute(warehouse, *statements):
    with psycopg.connect(warehouse.conninfo(), autocommit=True) as connection:
        for statement in statements:
            connection.execute(
                sql.SQL(statement.replace("$db", "{}")).format(sql.Identifier(warehouse.dbname))
            )


def test_what_can_be_used_is_said_with_what_the_role_may_do(check, warehouse, bucket):
    done = check()
    assert (done.code, done.err) == (0, "")
    assert done.of("landing").startswith(f"ok landing s3://{bucket} at http://127.0.0.1:")
    assert done.of("landing").endswith("files under 0 of 1 prefixes")
    assert f"ok warehouse {warehouse.name} PostgreSQL" in done.of("warehouse")
    assert "may make temporary tables; ledger: the first load makes it" in done.of("warehouse")


def test_a_load_is_what_check_foretold(check, feed, client, bucket):
    client.put_object(Bucket=bucket, Key="things/1.csv", Body=b"id\n1\n")
    assert cli.main(["load", "--feed", str(feed)]) == 0
    done = check()
    assert done.of("landing").endswith("files under 1 of 1 prefixes")
    assert done.of("warehouse").endswith("ledger: there")


def test_check_writes_nothing(check, warehouse):
    check()
    with psycopg.connect(warehouse.conninfo()) as connection:
        query = "SELECT to_regnamespace('landfall'), to_regnamespace('raw')"
        assert connection.execute(query).fetchone() == (None, None)


def test_a_wrong_password_and_the_other_connection_is_asked_all_the_same(check, wrong):
    wrong(database={"password": SECRET})
    done = check()
    assert done.code == 3
    assert done.of("warehouse").startswith("FAILED")
    assert "password authentication failed" in done.of("warehouse")
    assert "what to do: check the connection's user, password" in done.of("warehouse")
    assert done.of("landing").startswith("ok")


@pytest.mark.parametrize("change", [{"secret_key": SECRET}, {"access_key": SECRET}])
def test_a_wrong_key(check, wrong, change):
    wrong(store=change)
    done = check()
    assert done.code == 3
    assert "the object store refused the key" in done.of("landing")
    assert done.of("warehouse").startswith("ok")


def test_no_key_at_all(check, wrong, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    wrong(store={"access_key": None, "secret_key": None})
    done = check()
    assert done.code == 3
    assert "there is no key for the object store" in done.of("landing")


def test_no_such_bucket(check, feed):
    write(feed, "nowhere-at-all")
    done = check()
    assert done.code == 4
    assert "there is no bucket 'nowhere-at-all'" in done.of("landing")


def test_no_such_host(check, wrong):
    wrong(store={"endpoint_url": "http://nowhere.invalid:9000"}, database={"host": "no.invalid"})
    done = check()
    assert done.code == 75
    assert "cannot be reached; found: Could not connect" in done.of("landing")
    assert "cannot be reached at no.invalid" in done.of("warehouse")
    assert done.all.count("retry") == 2


def test_a_port_where_nobody_listens(check, wrong):
    wrong(store={"endpoint_url": "http://127.0.0.1:1"}, database={"port": 1})
    done = check()
    assert done.code == 75
    assert "Connection refused" in done.of("warehouse")
    assert "cannot be reached" in done.of("landing")


@pytest.fixture
def silent():
    """The port of a server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_host_that_never_answers_is_given_up_in_seconds(check, wrong, silent):
    wrong(store={"endpoint_url": f"http://127.0.0.1:{silent}"}, database={"port": silent})
    started = time.monotonic()
    done = check()
    assert done.code == 75
    assert [line.split()[0] for line in done.lines] == ["FAILED", "FAILED"]
    assert time.monotonic() - started < check_module.ALL_SECONDS


def test_what_no_library_gives_up_is_given_up_all_the_same(check, wrong, silent, mocker):
    mocker.patch.object(check_module, "ALL_SECONDS", 0.5)
    wrong(database={"port": silent})
    done = check()
    assert done.code == 75
    assert "no answer in 0.5 s" in done.of("warehouse")
    assert done.of("landing").startswith("ok")


def test_a_thread_that_waits_does_not_keep_the_program(feed, connections, silent):
    program = (
        "import sys, include.landfall.check as c; from include.landfall.cli.main import main\n"
        "c.ALL_SECONDS, c.ANSWER_SECONDS = 1, 60\n"
        f"sys.exit(main(['check', '--feed', {str(feed)!r}]))"
    )
    wrong = f"postgres://u:{SECRET}@127.0.0.1:{silent}/d"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, check=False, timeout=50,
        env={"PATH": "", "PYTHONPATH": ".", **connections, "AIRFLOW_CONN_WAREHOUSE": wrong},
    )  # fmt: skip
    assert (done.returncode, "no answer in 1 s" in done.stdout) == (75, True)
    assert done.stderr == ""


def test_another_server_at_the_store_s_port(check, wrong, warehouse):
    wrong(store={"endpoint_url": f"http://127.0.0.1:{warehouse.port}"})
    assert "FAILED" in check().of("landing")


@pytest.mark.parametrize("endpoint", ["127.0.0.1:9000", "nonsense", "http://"])
def test_an_endpoint_that_is_no_url(check, wrong, endpoint):
    wrong(store={"endpoint_url": endpoint})
    done = check()
    assert done.code == 3
    assert "the connection's endpoint_url cannot be read" in done.of("landing")


def test_a_password_inside_the_endpoint_is_not_shown(check, wrong):
    wrong(store={"endpoint_url": f"http://user:{SECRET}@127.0.0.1:1"})
    assert "cannot be reached" in check().of("landing")
    assert check("--json").code == 75


def test_no_connection_is_set_at_all(check, monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_LANDING")
    monkeypatch.delenv("AIRFLOW_CONN_WAREHOUSE")
    done = check()
    assert done.code == 3
    for name in ("landing", "warehouse"):
        assert f"'{name}' is not in the environment" in done.of(name)
        assert f"AIRFLOW_CONN_{name.upper()}" in done.of(name)
        assert "make -s env" in done.of(name)


def test_a_connection_whose_name_is_misspelt(check, feed, bucket):
    write(feed, bucket, target="wharehouse")
    done = check()
    assert done.code == 3
    assert "did you mean 'warehouse'?" in done.of("wharehouse")
    assert done.of("landing").startswith("ok")


def test_a_connection_that_cannot_be_read(check, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", f'{{"password": "{SECRET}"')
    assert "AIRFLOW_CONN_WAREHOUSE cannot be read" in check().of("warehouse")


def test_a_role_without_temporary(check, role, warehouse):
    execute(warehouse, "REVOKE TEMPORARY ON DATABASE $db FROM PUBLIC")
    done = check()
    assert done.code == 3
    wanted = f"what to do: GRANT TEMPORARY ON DATABASE {warehouse.dbname} TO {role}"
    assert done.of("warehouse").endswith(wanted)


def do(line):
    """The SQL that a line gives as what to do."""
    return line.split("what to do: ")[1]


def test_a_role_that_cannot_make_the_ledger_and_what_to_do_helps(check, role, warehouse):
    done = check()
    assert done.code == 3
    assert "there is no ledger, and the role may not make its schema" in done.of("warehouse")
    execute(warehouse, *do(done.of("warehouse")).split(";"))
    assert "there is no schema raw, and the role may not make it" in check().of("warehouse")
    execute(warehouse, *do(check().of("warehouse")).split(";"))
    assert check().of("warehouse").endswith("ledger: the first load makes it")


@pytest.mark.parametrize(
    "granted",
    [
        "",
        "GRANT USAGE ON SCHEMA landfall TO",
        "GRANT SELECT, INSERT, UPDATE ON landfall.ledger TO",
        "GRANT USAGE ON SCHEMA landfall TO $role; GRANT SELECT, INSERT ON landfall.ledger TO",
    ],
)
def test_a_role_that_may_not_write_the_ledger_and_what_to_do_helps(
    check, role, warehouse, wrong, feed, client, bucket, granted
):
    wrong()
    client.put_object(Bucket=bucket, Key="things/1.csv", Body=b"id\n1\n")
    assert cli.main(["load", "--feed", str(feed)]) == 0
    if granted:
        execute(warehouse, *f"{granted} {role}".replace("$role", role).split(";"))
    wrong(database={"user": role, "password": SECRET})
    done = check()
    assert done.code == 3
    assert "the role may not use the ledger" in done.of("warehouse")
    execute(warehouse, *do(done.of("warehouse")).split(";"))
    done = check()
    assert "the role may not fill raw.things" in done.of("warehouse")
    execute(warehouse, *do(done.of("warehouse")).split(";"))
    assert check().of("warehouse").endswith("ledger: there")


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("REVOKE DELETE ON landfall.rejects FROM", "may not write rejects, replays, changes and"),
        ("REVOKE INSERT ON landfall.changes FROM", "may not write rejects, replays, changes and"),
        ("REVOKE DELETE ON landfall.replaced FROM", "may not write rejects, replays, changes and"),
        ("REVOKE INSERT ON landfall.replays FROM", "may not write rejects, replays, changes and"),
        ("DROP TABLE landfall.rejects, landfall.replays, landfall.changes, landfall.replaced;"
         " REVOKE ALL ON landfall.ledger FROM",
         "the role may not use the ledger"),
        ("DROP TABLE landfall.rejects, landfall.replays, landfall.changes, landfall.replaced;"
         " REVOKE DELETE ON landfall.ledger FROM",
         "lacks tables or columns of this version, and the role may not add them"),
        ("ALTER TABLE landfall.ledger DROP COLUMN failed_at; REVOKE DELETE ON landfall.ledger FROM",
         "lacks tables or columns of this version, and the role may not add them"),
    ],
)  # fmt: skip
def test_a_role_that_may_not_write_rejects_and_what_to_do_helps(
    check, role, warehouse, missing, message
):
    with connect(warehouse) as connection:
        create_ledger(connection)
    execute(
        warehouse,
        f"GRANT USAGE, CREATE ON SCHEMA landfall TO {role}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA landfall TO {role}",
        *f"{missing} {role}".split(";"),
    )
    done = check()
    assert (done.code, message in done.of("warehouse")) == (3, True)
    for _ in range(3):  # of a ledger of an earlier version, one thing comes after the other
        if (line := check().of("warehouse")).startswith("FAILED"):
            execute(warehouse, *do(line).split(";"))
    assert check().of("warehouse").split("ledger: ")[1] in ("there", UPGRADED)


UPGRADED = "the first load brings it up to date"


def test_the_role_of_the_readme_may_load(check, role, warehouse, feed, client, bucket):
    """A load needs no more than `check` asks for, and docs/operations.md grants it."""
    execute(
        warehouse,
        f"GRANT CONNECT, TEMPORARY ON DATABASE $db TO {role}",
        f"CREATE SCHEMA landfall AUTHORIZATION {role}",
        f"CREATE SCHEMA raw AUTHORIZATION {role}",
    )
    assert check().code == 0
    client.put_object(Bucket=bucket, Key="things/1.csv", Body=b"id\n1\n")
    assert cli.main(["load", "--feed", str(feed)]) == 0


def test_each_connection_is_asked_once_and_a_broken_feed_hides_no_other(check, feed, bucket):
    more, broken = feed.with_name("more.yaml"), feed.with_name("broken.yaml")
    write(more, bucket)
    broken.write_text("feed: broken\nsorce: {}\n")
    done = check(feeds=[feed, broken, more])
    assert done.code == 2
    assert [line.split()[:2] for line in done.lines] == [
        ["FAILED", "broken.yaml"], ["ok", "landing"], ["ok", "warehouse"],
    ]  # fmt: skip
    assert "did you mean 'source'?" in done.of("broken.yaml")
    assert done.of("landing").endswith("0 of 2 prefixes")


def test_the_lowest_code_is_the_one_that_no_retry_helps(check, wrong):
    wrong(store={"endpoint_url": "http://127.0.0.1:1"}, database={"password": SECRET})
    assert check().code == 3


def test_programs_get_one_json_object_a_line(check, wrong, warehouse):
    wrong(store={"secret_key": SECRET})
    done = check("--json")
    landing, database = map(json.loads, done.lines)
    assert (landing["connection"], landing["reachable"]) == ("landing", False)
    assert landing["error"]["kind"] == "ConnectionUnusable"
    assert landing["error"]["retryable"] is False
    assert (database["address"], database["error"]) == (warehouse.name, None)


def test_without_a_feed_all_of_the_project_s_are_asked(check, object_store, client):
    done = check(feeds=[])
    assert {line.split()[1] for line in done.lines} == {"landing", "warehouse"}
    assert "s3://landing at" in done.of("landing")
