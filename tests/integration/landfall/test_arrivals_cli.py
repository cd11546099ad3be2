"""What the commands say of files that are sent twice, and of folders that are one snapshot."""

from __future__ import annotations

import json

import psycopg
import pytest
import yaml

from include.landfall.cli import main as cli

GOOD = b"id,day\n1,2013-01-01\n2,\n"


class Shell:
    """The command line with one feed, `things`."""

    def __init__(self, folder, bucket, client, warehouse, capsys):
        self.path = folder / "things.yaml"
        self.bucket, self.client, self.warehouse, self.capsys = bucket, client, warehouse, capsys

    def write_feed(self, disposition="append", **source):
        feed = {
            "feed": "things",
            "source": {"bucket": self.bucket, "pattern": "things/*", **source},
            "target": {"table": "raw.things", "disposition": disposition},
            "columns": {"id": "integer", "day": "date"},
        }
        self.path.write_text(yaml.safe_dump(feed))

    def put(self, body, key="things/1.csv"):
        self.client.put_object(Bucket=self.bucket, Key=key, Body=body)

    def run(self, *more, command="load"):
        """Runs the command: exit code, standard output and standard error."""
        code = cli.main([command, "--feed", str(self.path), *more])
        printed = self.capsys.readouterr()
        return code, printed.out, printed.err

    def query(self, query):
        with psycopg.connect(self.warehouse.conninfo()) as connection:
            return connection.execute(query).fetchall()


@pytest.fixture
def shell(tmp_path, bucket, client, warehouse, connections, capsys):
    return Shell(tmp_path, bucket, client, warehouse, capsys)


def test_a_folder_is_planned_and_loaded_by_its_key(shell):
    shell.write_feed("replace", pattern="things/*/part-*", snapshot="dir")
    for key in ("1/part-0", "1/part-1", "1/_SUCCESS", "2/part-0", "3/data-0", "3/_SUCCESS"):
        shell.put(GOOD, f"things/{key}")
    _, out, _ = shell.run(command="plan")
    assert "load  things/1/" in out
    assert "not complete: its folder has neither _SUCCESS nor a manifest yet: things/2/" in out
    assert "not complete: its folder has no object that source.pattern matches: things/3/" in out
    assert shell.run("--key", "things/1/", command="validate")[0] == 0
    code, _, err = shell.run()
    assert (code, "things/2/ is not complete yet" in err) == (0, True)
    assert shell.query("SELECT key, rows FROM landfall.ledger") == [("things/1/", 4)]
    code, _, err = shell.run("--key", "things/2/")
    assert code == 4
    assert "there is no complete snapshot of that key" in err


def test_the_parts_of_a_folder_are_sniffed(shell):
    shell.write_feed("replace", pattern="things/*/part-*", snapshot="dir")
    shell.put(GOOD, "things/1/part-0")
    shell.put(b"id,when\n1,2013-01-01\n", "things/1/part-1")
    code = cli.main(["sniff", "--check", str(shell.path), "--json"])
    lines = map(json.loads, shell.capsys.readouterr().out.splitlines())
    drifts = {each["key"]: bool(each["departures"]) for each in lines}
    assert (code, drifts) == (5, {"things/1/part-0": False, "things/1/part-1": True})


def test_a_duplicate_is_told_by_load_plan_and_status_and_can_be_forced(shell):
    shell.write_feed(duplicates="refuse")
    shell.put(GOOD)
    shell.put(GOOD, "things/2.csv")
    code, out, err = shell.run()
    assert (code, "things/1.csv" in out) == (5, True)
    assert "the file has the content of another file that is loaded" in err
    assert "--key things/2.csv --force" in err
    assert shell.run() == (0, f"things: nothing new under s3://{shell.bucket}/things/\n", "")
    assert "a loaded file has the same content" in shell.run(command="plan")[1]
    assert "duplicate  things/2.csv" in shell.run(command="status")[1]
    _, out, _ = shell.run("--force")
    assert ("things/1.csv" in out, "things/2.csv" in out) == (True, False)
    code, out, _ = shell.run("--key", "things/2.csv", "--force")
    assert (code, "it has the same content as things/1.csv (load 1" in out) == (0, True)
    assert "its content is that of load 1" in shell.run(command="status")[1]
    assert shell.run("--force")[1].count("loaded") == 2
    _, out, _ = shell.run("--json", "--key", "things/2.csv", "--force")
    assert json.loads(out)["duplicate_of"].startswith("things/1.csv (load 1")
