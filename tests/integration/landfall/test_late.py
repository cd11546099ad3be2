"""Somebody hears of a sender that stops sending, and of no feed that is in time (`late_after`)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
import yaml

from include.landfall.cli import main as cli
from include.landfall.connections import store_from_environ, warehouse_from_environ
from include.landfall.feed.source import DAYS
from include.landfall.feed.yaml_file import read_feed
from include.landfall.late import look

GOOD, BAD = b"id\n1\n", b"id\nx\n"
LATER = timedelta(hours=27)


class Sender:
    """A feed of a file a day, and the time that a look is made at."""

    def __init__(self, folder, bucket, client, warehouse, capsys):
        self.path = folder / "t.yaml"
        self.bucket, self.client, self.warehouse, self.capsys = bucket, client, warehouse, capsys
        self.write(late_after="26 hours")

    def write(self, disposition="append", **source):
        feed = {
            "feed": "t",
            "owner": "night-team",
            "source": {"bucket": self.bucket, "pattern": "t/*", **source},
            "target": {"table": "raw.t", "disposition": disposition},
            "columns": {"id": "integer"},
        }
        self.path.write_text(yaml.safe_dump(feed))

    def put(self, key, body=GOOD):
        self.client.put_object(Bucket=self.bucket, Key=key, Body=body)

    def delete(self, key):
        self.client.delete_object(Bucket=self.bucket, Key=key)

    def run(self, command, *more):
        """Runs the command: exit code, standard output and standard error."""
        code = cli.main([command, "--feed", str(self.path), *more])
        return code, *self.capsys.readouterr()

    def sql(self, query):
        with psycopg.connect(self.warehouse.conninfo()) as connection:
            connection.execute(query)

    def days_pass(self, length="2 days 3 hours"):
        """Makes every file of the ledger so much older."""
        self.sql(
            f"UPDATE landfall.ledger SET last_modified = last_modified - interval '{length}',"
            f" started = started - interval '{length}'"
        )

    def late(self, after=timedelta(), since=None):
        """What a look so long after now says."""
        feed = read_feed(self.path)
        store, warehouse = store_from_environ("landing"), warehouse_from_environ("warehouse")
        return look(feed, store, warehouse, datetime.now(UTC) + after, since).late


@pytest.fixture
def sender(tmp_path, bucket, client, warehouse, connections, capsys):
    return Sender(tmp_path, bucket, client, warehouse, capsys)


def test_a_silent_feed_is_late_until_a_file_comes(sender):
    sender.put("t/1.csv")
    assert sender.run("load")[0] == 0
    code, out, _ = sender.run("status", "--late")
    assert (code, out.startswith("t is in time until ")) == (0, True)
    sender.delete("t/1.csv")  # senders and lifecycle rules do so
    sender.days_pass()
    code, _, err = sender.run("status", "--late")
    assert code == 6
    first, *facts = err.splitlines()
    assert first == "no new file has come for 2 days 3 hours"
    assert f"  object: s3://{sender.bucket}/t/*" in facts
    assert "  feed: t" in facts
    assert "  owner: night-team" in facts
    assert any(fact.startswith("  found: the last one, t/1.csv, came at 20") for fact in facts)
    assert facts[-1].startswith("  what to do: ask the sender")
    assert "late       no new file has come for 2 days 3 hours" in sender.run("status")[1]
    sender.put("t/2.csv")
    assert sender.run("status", "--late")[0] == 0
    assert "late" not in sender.run("status")[1]


@pytest.mark.parametrize("body", [GOOD, BAD])
def test_a_file_that_came_is_not_missed_whether_it_was_loaded_or_refused(sender, body):
    """Who hears of a refused file by its own alert must not look for a file that is there."""
    sender.put("t/1.csv", body)
    sender.run("load")
    assert sender.late() is None
    assert sender.late(after=LATER).what.startswith("no new file has come for 1 day 3 hours")


@pytest.mark.parametrize("body", [GOOD, BAD])
def test_on_a_quiet_day_nobody_is_told(sender, body):
    """As the files of a sender that does not work on weekends."""
    sender.put("t/1.csv", body)
    sender.run("load")
    working = DAYS[(datetime.now(UTC) + timedelta(days=3)).weekday()]
    quiet = [day for day in DAYS if day != working]
    sender.write(late_after="23 hours", quiet_days=quiet)
    assert sender.late(after=timedelta(days=2)) is None
    late = sender.late(after=timedelta(days=10))
    assert f"within 23 hours, {quiet[0]}s and " in late.expected


def test_an_old_file_that_is_loaded_again_does_not_end_the_silence(sender):
    sender.put("t/1.csv")
    sender.run("load")
    sender.sql("UPDATE landfall.ledger SET last_modified = last_modified - interval '3 days'")
    sender.delete("t/1.csv")
    assert sender.late().what == "no new file has come for 3 days"


def test_files_that_nothing_takes_are_told_and_not_the_sender_blamed(sender):
    """The DAG is paused, or its schedule was taken away."""
    sender.put("t/1.csv")
    sender.run("load")
    sender.put("t/2.csv")
    sender.put("t/3.csv")
    assert sender.late() is None
    late = sender.late(after=LATER)
    assert late.what == "2 files have come, and nothing has taken them for 1 day 3 hours"
    assert "t/2.csv" in late.found
    assert "feed_t" in late.do


def test_a_backlog_that_is_being_loaded_is_not_forgotten(sender):
    """The DAG was unpaused after a month: its runs take thousands of old files, oldest first."""
    sender.put("t/1.csv")
    sender.run("load")
    sender.put("t/2.csv")
    sender.sql("UPDATE landfall.ledger SET started = started + interval '20 hours'")
    assert sender.late(after=LATER).what.startswith("no new file has come for 1 day 3 hours")


def test_a_new_feed_has_as_long_for_its_first_file(sender):
    assert sender.late(since=datetime.now(UTC)) is None
    late = sender.late(after=LATER, since=datetime.now(UTC))
    assert (late.what, late.found) == ("no file has come", "no file yet")
    assert sender.run("status", "--late")[0] == 6  # the command line has no memory


def test_a_folder_that_is_never_complete_is_late_and_named(sender):
    sender.write("replace", pattern="t/*/part-*", snapshot="dir", late_after="26 hours")
    sender.put("t/1/part-0")
    sender.put("t/1/_SUCCESS")
    assert sender.run("load")[0] == 0
    sender.put("t/2/part-0")
    late = sender.late(after=LATER)
    assert late.what == "no new file has come for 1 day 3 hours"
    assert ("not complete", "t/2/") in late.more


def test_status_for_programs_says_it_too(sender):
    sender.put("t/1.csv")
    sender.run("load")
    (now,) = map(json.loads, sender.run("status", "--late", "--json")[1].splitlines())
    assert (now["status"], now["key"]) == ("in time", "t/1.csv")
    sender.delete("t/1.csv")
    sender.days_pass()
    code, out, _ = sender.run("status", "--late", "--json")
    assert (code, json.loads(out)["error"]["kind"]) == (6, "FilesLate")
    *_, last = map(json.loads, sender.run("status", "--json")[1].splitlines())
    assert (last["status"], last["kind"]) == ("late", "FilesLate")


def test_a_feed_that_does_not_say_when_it_is_late_cannot_be_asked(sender):
    sender.write()
    code, _, err = sender.run("status", "--late")
    assert code == 2
    assert "source.late_after, such as 26 hours" in err
