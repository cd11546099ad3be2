"""Wrong input gives one clear message and an exit code, and leaves nothing behind."""
# ruff: noqa: E501  the tables of cases

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from include.landfall import load as load_module
from include.landfall.s3 import stream as open_module
from tests.support.file_bytes import parquet_bytes

GOOD = b"id,day\n1,2013-01-01\n2,\n"


@pytest.fixture
def quick(mocker, client):
    """Shares one client: making one takes a tenth of a second, and a load makes several."""
    mocker.patch.object(client, "close")  # each user would close it
    mocker.patch("include.landfall.cli.listing.make_client", return_value=client)
    mocker.patch("include.landfall.s3.client.make_client", return_value=client)


def compressed(text=GOOD * 2000):
    return gzip.compress(text)


def test_a_pattern_that_no_object_matches_is_told(shell):
    shell.put(GOOD, "thing/1.csv")
    none = f"no object matches s3://{shell.bucket}/things/*\n"
    assert shell.run()[::2] == (0, none)
    assert shell.run(command="status")[2] == none
    assert f"  {none}" in shell.run(command="plan")[1]


def test_a_good_file_is_loaded_once_and_the_second_time_there_is_nothing_new(shell):
    shell.put(GOOD)
    code, out, err = shell.run()
    assert (code, err) == (0, "")
    assert out.startswith("loaded")
    assert shell.query("SELECT id, day::text FROM raw.things") == [(1, "2013-01-01"), (2, None)]
    assert shell.run() == (0, f"things: nothing new under s3://{shell.bucket}/things/\n", "")
    code, out, _ = shell.run("--key", "things/1.csv")
    assert code == 0
    assert out.startswith("already loaded")


@pytest.mark.parametrize("body", [b"", b"\n", b"id", b"id\n", b"id\r\n", b"\xef\xbb\xbfid\n"])
def test_an_empty_file_and_a_header_alone_load_as_no_rows(shell, body):
    shell.feed["columns"] = {"id": "integer"}
    shell.write_feed()
    shell.put(body)
    code, _, err = shell.run()
    assert (code, err) == (0, "")
    assert shell.query("SELECT status, rows FROM landfall.ledger") == [("loaded", 0)]


def test_programs_get_one_json_object_a_line(shell):
    shell.put(GOOD)
    shell.put(b"id,day\nx,\n", "things/2.csv")
    code, out, _ = shell.run("--json")
    good, bad = map(json.loads, out.splitlines())
    assert (code, good["outcome"], good["rows"]) == (5, "loaded", 2)
    assert (bad["outcome"], bad["key"]) == ("failed", "things/2.csv")
    assert (bad["error"]["line"], bad["error"]["column"], bad["error"]["found"]) == (2, "id", "x")
    _, out, _ = shell.run("--json", command="status")
    # A failed arrival is in the ledger, and it is also new, because it still has to be loaded.
    assert [json.loads(line)["status"] for line in out.splitlines()] == ["loaded", "failed", "new"]


def test_status_shows_what_is_loaded_what_failed_and_why_and_what_is_new(shell):
    shell.put(GOOD)
    shell.run()
    shell.put(b"id,day\n1,2013-02-30\n", "things/2.csv")
    shell.run()
    shell.put(GOOD, "things/3.csv")
    code, out, err = shell.run(command="status")
    assert (code, err) == (0, "")
    for word in ("loaded", "2 rows", "failed", "date/time field value out of range", "new"):
        assert word in out
    assert "things/3.csv" in out
    assert out.count("things/2.csv\n") == 1  # in its error; it is not shown as new too
    assert "the sensor tries it again after 20" in out


def test_status_does_not_promise_another_attempt_at_a_version_that_is_gone(shell):
    shell.put(b"id,day\n1,2013-02-30\n")
    shell.run()
    shell.put(GOOD)
    assert shell.run()[0] == 0
    _, out, _ = shell.run(command="status")
    assert ("failed " in out, "the sensor tries it again" in out) == (True, False)


def test_force_loads_a_file_again_in_the_place_of_its_own_rows(shell):
    shell.put(GOOD)
    shell.run()
    code, out, _ = shell.run("--force")
    assert (code, out.startswith("loaded")) == (0, True)
    assert shell.query("SELECT count(*) FROM raw.things") == [(2,)]


# A fault of the content: the body, and words of the message.
CONTENT = {
    "a truncated gzip": (compressed()[:-20], ["cut off or corrupt", "whole archive"]),
    "a gzip cut in its head": (compressed()[:7], ["cut off or corrupt"]),
    "garbage after a gzip": (compressed() + b"garbage", ["cut off or corrupt"]),
    "a row with too many fields": (
        b"id,day\n1,2013-01-01\n2,2013-01-02,3\n", ["line: 3", "3 fields, not 2", "2,2013-01-02,3"]),
    "a row with too few fields": (b"id,day\n1\n", ["line: 2", "1 field, not 2"]),
    "Latin-1 bytes": (b"id,day\n1,2013-01-01\n\xfc,\n", ["line: 3", "not UTF-8", "\\xfc", "iconv"]),
    "Latin-1 in the header": (b"id,t\xe4g\n", ["line: 1", "not UTF-8"]),
    "a zero byte": (b"id,day\n1,2013\0-01-01\n", ["line: 2", "zero byte"]),
    "UTF-16": ("id,day\n1,2013-01-01\n".encode("utf-16"), ["UTF-8"]),
    "a date that does not exist": (
        b"id,day\n1,2013-01-01\n2,2013-02-29\n",
        ["line: 3", "column: day", "found: 2013-02-29", "expected: a value of type date"]),
    "a number that is a word": (b"id,day\n\nseven,\n", ["line: 3", "column: id", "found: seven"]),
    "a number too large": (b"id,day\n2147483648,\n", ["line: 2", "out of range for type integer"]),
    "a header that lacks a column": (b"id\n1\n", ["line: 1", "missing: 'day'", "expected: id, day"]),
    "a header with a column too many": (b"id,day,x\n", ["not in the feed: 'x'"]),
    "a header that names a column twice": (b"id,day,id\n", ["twice: 'id'"]),
    "a header in capitals": (b"ID,DAY\n", ["missing: 'id', 'day'", "not in the feed: 'ID', 'DAY'"]),
    "a quote that is never closed": (b'id,day\n1,"2013-01-01\n2,\n', ["line: 2", "never closed"]),
    "another delimiter": (b"id;day\n1;2013-01-01\n", ["'id;day'"]),
}  # fmt: skip


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("what", CONTENT)
def test_wrong_content_is_named_and_nothing_of_the_file_is_left(shell, what):
    body, words = CONTENT[what]
    shell.put(body)
    shell.fails(5, f"s3://{shell.bucket}/things/1.csv", "feed: things", *words)
    shell.nothing_but_a_failure(*words)


PARQUET = {
    "a column of another type": (
        parquet_bytes({"id": [b"1"], "day": ["2013-01-01"]}),
        ["column: id", "found: binary", "expected: integer"],
    ),
    "a column missing": (parquet_bytes({"id": [1]}), ["missing: 'day'"]),
    "no Parquet at all": (GOOD, ["not whole Parquet"]),
    "a Parquet cut off": (parquet_bytes({"id": [1], "day": ["2013-01-01"]})[:-20], ["not whole Parquet"]),
    "an empty file": (b"", ["not whole Parquet"]),
}  # fmt: skip


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("what", PARQUET)
def test_wrong_parquet_is_named_and_nothing_is_left(shell, what):
    body, words = PARQUET[what]
    shell.feed["format"] = "parquet"
    shell.write_feed()
    shell.put(body)
    shell.fails(5, f"s3://{shell.bucket}/things/1.csv", *words)
    shell.nothing_but_a_failure(*words)


def test_a_bad_file_stops_no_other(shell):
    shell.put(b"id,day\nx,\n")
    shell.put(GOOD, "things/2.csv")
    code, out, err = shell.run()
    assert (code, "loaded" in out, err.count("what to do")) == (5, True, 1)
    assert shell.query("SELECT count(*) FROM raw.things") == [(2,)]


def test_2_5_one_bad_key_among_many_stops_no_other(shell):
    shell.put(GOOD)
    shell.put(GOOD, "things/2.csv")
    keys = ["things/none.csv", "things/1.csv", "", "x" * 1100, "things/2.csv"]
    code, out, err = shell.run(*(part for key in keys for part in ("--key", key)))
    assert (code, out.count("loaded")) == (4, 2)
    assert f"s3://{shell.bucket}/things/none.csv" in err
    assert err.count("what to do:") == 3
    assert shell.query("SELECT count(*) FROM raw.things") == [(4,)]


@pytest.mark.usefixtures("quick")
def test_2_5_an_archived_object_is_told_and_stops_no_other(shell, mocker):
    for number in range(3):
        shell.put(GOOD, f"things/{number}.csv")
    answer = BaseClient._make_api_call

    def archived(self, operation, request):
        if operation == "GetObject" and request["Key"] == "things/0.csv":
            raise ClientError(ARCHIVED, operation)
        return answer(self, operation, request)

    mocker.patch.object(BaseClient, "_make_api_call", archived)
    code, out, err = shell.run()
    assert (code, out.count("loaded")) == (4, 2)
    assert "the object is archived" in err
    assert "restore the object" in err
    entries = "SELECT key, status FROM landfall.ledger ORDER BY key"
    statuses = [status for _, status in shell.query(entries)]
    assert statuses == ["failed", "loaded", "loaded"]


ARCHIVED = {
    "Error": {
        "Code": "InvalidObjectState",
        "Message": "The operation is not valid for the object's storage class",
    },
    "ResponseMetadata": {"HTTPStatusCode": 403},
}


def test_a_failure_leaves_the_rows_of_earlier_files_alone(shell):
    shell.put(GOOD)
    shell.run()
    shell.put(GOOD.replace(b"2,", b"2,2013-02-30"), "things/1.csv")
    shell.fails(5, "line: 3", "found: 2013-02-30")
    assert shell.query("SELECT id, day::text FROM raw.things") == [(1, "2013-01-01"), (2, None)]


@pytest.mark.parametrize("command", ["load", "status", "plan"])
def test_1_9_a_table_that_others_emptied_is_told(shell, command):
    shell.put(GOOD)
    assert shell.run()[0] == 0
    shell.query("DELETE FROM raw.things RETURNING 1")
    code, _, err = shell.run(command=command)
    assert code == 0
    assert "raw.things is empty, and the ledger has" in err
    assert "--force" in err


def test_an_object_replaced_between_listing_and_reading_is_not_loaded(shell, mocker):
    shell.put(GOOD)

    real = load_module.load

    def replaced(*arguments, **values):
        shell.put(b"id,day\n9,2013-09-09\n")
        return real(*arguments, **values)

    mocker.patch.object(load_module, "load", replaced)
    shell.fails(75, "no longer the version that was listed", "new arrival")
    shell.nothing_but_a_failure("no longer the version")


def test_5_6_an_object_replaced_between_listing_and_reading_stops_no_other(shell, mocker):
    shell.put(GOOD)
    shell.put(GOOD, "things/2.csv")

    real = load_module.load

    def replaced(feed, arrival, **values):
        if arrival.key == "things/1.csv":
            shell.put(b"id,day\n9,2013-09-09\n")
        return real(feed, arrival, **values)

    mocker.patch.object(load_module, "load", replaced)
    code, out, _ = shell.run()
    assert (code, "things/2.csv" in out) == (75, True)
    mocker.stopall()
    assert shell.run()[0] == 0
    assert shell.query("SELECT id FROM raw.things ORDER BY id") == [(1,), (2,), (9,)]


def test_an_object_replaced_while_it_is_read_is_never_a_mix_of_two(shell, mocker):
    """The connection breaks, and the reading would go on with another object."""
    rows = b"".join(b"%d,2013-01-01\n" % n for n in range(200_000))
    shell.put(b"id,day\n" + rows)
    real = open_module.get_range

    def breaking(client, arrival, start, stop=None):
        body = real(client, arrival, start, stop)
        if start == 0:
            mocker.patch.object(body, "read", side_effect=cut(body.read))
        return body

    def cut(read):
        yield read(1 << 18)
        shell.put(b"id,day\n" + rows[::-1])
        yield OSError("the connection broke")

    mocker.patch.object(open_module, "get_range", breaking)
    shell.fails(75, "no longer the version that was listed")
    shell.nothing_but_a_failure("no longer the version")


def test_the_program_itself_exits_with_the_code_and_shows_no_traceback(shell, object_store):
    """The program runs as a separate process, as a person or a scheduler starts it."""
    shell.put(b"id,day\n1,2013-02-30\n")
    command = [sys.executable, "-m", "include.landfall", "load", "--feed", str(shell.path)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ, check=False)
    assert (done.returncode, done.stdout) == (5, "")
    assert "found: 2013-02-30" in done.stderr
    assert "Traceback" not in done.stderr
    assert object_store.secret_key not in done.stderr


def test_a_load_imports_no_package_that_it_has_no_use_for(shell):
    """Numpy and pandas, which pyarrow would import, take a third of the time that a person waits."""
    shell.put(GOOD)
    command = ["-X", "importtime", "-m", "include.landfall", "load", "--feed", str(shell.path)]
    done = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, env=os.environ, check=False
    )
    assert done.returncode == 0
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "pyarrow" in imported
    assert not [name for name in imported if name.startswith(("numpy.", "pandas."))]


def test_a_large_file_is_read_by_another_process_whose_errors_are_as_clear(shell, mocker):
    """A child process reads a file beyond eight megabytes, and its errors cross a pipe."""
    mocker.patch("include.landfall.transfer.INLINE_BYTES", 10)
    shell.put(b"id,day\n1,2013-01-01\n2,2013-01-02,3\n")
    shell.fails(5, "line: 3", "3 fields, not 2")
    shell.put(b"id,day\n1,2013-01-01\nx,\n")
    shell.fails(5, "line: 3", "found: x")
    shell.put(GOOD)
    assert shell.run()[0] == 0
