"""The command check, run for tests."""

from __future__ import annotations

import json
import uuid

import psycopg
import pytest
import yaml
from psycopg import sql

from include.landfall.cli import main as cli

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


def write(path, bucket, **more):
    """Writes a feed's file; `more` are keys of its parts, or a name the part's connection."""
    text = {
        "feed": path.stem,
        "source": {"bucket": bucket, "pattern": f"{path.stem}/*"},
        "target": {"table": f"raw.{path.stem}"},
        "columns": {"id": "integer"},
    }
    for part, keys in more.items():
        text[part] |= keys if isinstance(keys, dict) else {"connection": keys}
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
