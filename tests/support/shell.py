"""The command line with one feed, for tests of its messages and exit codes."""

from __future__ import annotations

import psycopg
import yaml

from include.landfall.cli import main as cli


class Shell:
    """The command line with one feed, `things`, and what a run leaves behind."""

    def __init__(self, folder, bucket, client, warehouse, capsys):
        self.path = folder / "things.yaml"
        self.bucket, self.client, self.warehouse, self.capsys = bucket, client, warehouse, capsys
        self.feed = {
            "feed": "things",
            "source": {"bucket": bucket, "pattern": "things/*"},
            "target": {"table": "raw.things"},
            "columns": {"id": "integer", "day": "date"},
        }

    def put(self, body, key="things/1.csv"):
        self.client.put_object(Bucket=self.bucket, Key=key, Body=body)

    def write_feed(self):
        self.path.write_text(yaml.safe_dump(self.feed, sort_keys=False))
        return self.path

    def run(self, *more, command="load"):
        """Runs the command: exit code, standard output and standard error."""
        code = cli.main([command, "--feed", str(self.path), *more])
        printed = self.capsys.readouterr()
        return code, printed.out, printed.err

    def fails(self, code, *words, lines=12):
        """Runs, and checks that one message has the words, without a traceback."""
        exit_code, out, err = self.run()
        assert exit_code == code, err
        assert [word for word in words if word not in err] == []
        assert "Traceback" not in out + err
        assert len(err.strip().splitlines()) <= lines
        assert err.count("what to do:") <= 1
        return err

    def query(self, query):
        with psycopg.connect(self.warehouse.conninfo()) as connection:
            return connection.execute(query).fetchall()

    def left(self):
        """The table, None when there is none, and the ledger's entry of each arrival."""
        tables = self.query("SELECT to_regclass('raw.things'), to_regclass('landfall.ledger')")
        rows = tables[0][1] and self.query("SELECT status, rows, error FROM landfall.ledger")
        return tables[0][0], rows or []

    def nothing_but_a_failure(self, *words):
        table, rows = self.left()
        assert table is None
        assert [(status, count) for status, count, _ in rows] == [("failed", None)]
        assert [word for word in words if word not in rows[0][2]] == []
