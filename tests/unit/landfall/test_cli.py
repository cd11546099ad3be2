"""The command line's messages, exit codes and progress, without a server."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from include.landfall.arrival import Arrival
from include.landfall.cli import load as load_command
from include.landfall.cli import main as cli
from include.landfall.cli import output
from include.landfall.errors import DataError, ServerUnavailable
from include.landfall.load import Receipt

ROOT = Path(__file__).parents[3]
ARRIVALS = [
    Arrival("landing", f"x/{n}.csv", f"e{n}", 10, datetime(2013, 1, n, tzinfo=UTC))
    for n in (1, 2, 3)
]


def receipt(arrival, outcome="loaded"):
    return Receipt("x", "landing", arrival.key, "e", 7, outcome, 1234, 0.5, "somebody")


@pytest.fixture
def load(mocker):
    mocker.patch.object(load_command, "_wanted", return_value=ARRIVALS)
    return mocked_load(mocker)


def mocked_load(mocker):
    for name in ("store_from_environ", "warehouse_from_environ"):
        mocker.patch.object(load_command, name)
    mocker.patch("include.landfall.s3.client.make_client")
    return mocker.patch("include.landfall.load.load", side_effect=lambda feed, a, **_: receipt(a))


def test_each_arrival_is_a_line(load, feed_file, capsys):
    assert cli.main(["load", "--feed", feed_file]) == 0
    printed = capsys.readouterr()
    assert [line.split()[:2] for line in printed.out.splitlines()] == [
        ["loaded", "x/1.csv"], ["loaded", "x/2.csv"], ["loaded", "x/3.csv"],
    ]  # fmt: skip
    assert "1,234 rows in 0.5 s (load 7)" in printed.out
    assert printed.err == ""


def test_no_text_of_a_file_forges_a_line_or_reaches_the_terminal_as_a_command(
    load, feed_file, capsys
):
    forged = "a\nloaded  x\x1b[2J\u202e.csv"
    load.side_effect = lambda feed, arrival, **_: replace(
        receipt(replace(arrival, key=forged)), changes=[f"new column {forged}"]
    )
    assert cli.main(["load", "--feed", feed_file]) == 0
    lines = capsys.readouterr().out.removesuffix("\n").split("\n")
    assert (len(lines), all(line.isprintable() for line in lines)) == (6, True)
    assert r"a\nloaded  x\x1b[2J\u202e.csv" in lines[0]


@pytest.mark.parametrize("outcome", ["already_loaded", "superseded"])
def test_what_somebody_else_did_is_no_failure(load, feed_file, capsys, outcome):
    load.side_effect = lambda feed, arrival, **_: receipt(arrival, outcome)
    assert cli.main(["load", "--feed", feed_file]) == 0
    assert capsys.readouterr().out.count(outcome.replace("_", " ")) == 3


def test_a_bad_file_lets_the_others_load_and_a_server_that_is_away_stops_all(
    load, feed_file, capsys
):
    load.side_effect = [DataError("bad"), receipt(ARRIVALS[1]), ServerUnavailable("away")]
    assert cli.main(["load", "--feed", feed_file]) == ServerUnavailable.exit_code
    printed = capsys.readouterr()
    assert (printed.err, printed.out.count("loaded")) == ("bad\naway\n", 1)
    load.side_effect = [ServerUnavailable("away")]
    assert cli.main(["load", "--feed", feed_file]) == 75


def test_json_is_one_object_a_line_and_has_every_fact_of_an_error(load, feed_file, capsys):
    load.side_effect = [
        receipt(ARRIVALS[0]),
        DataError("bad", found="x").at(line=3),
        receipt(ARRIVALS[2]),
    ]
    assert cli.main(["load", "--feed", feed_file, "--json"]) == 5
    good, bad, _ = map(json.loads, capsys.readouterr().out.splitlines())
    assert (good["outcome"], good["rows"]) == ("loaded", 1234)
    assert bad["error"]["kind"] == "DataError"
    assert (bad["error"]["line"], bad["error"]["found"], bad["error"]["retryable"]) == (
        3,
        "x",
        False,
    )


def test_progress_is_shown_to_a_person_and_to_no_program(load, feed_file, mocker, capsys):
    mocker.patch.object(output, "TICK", 0)
    mocker.patch("sys.stderr.isatty", return_value=True)

    def ticking(feed, arrival, *, progress, **_):
        progress(5000)
        return receipt(arrival)

    load.side_effect = ticking
    cli.main(["load", "--feed", feed_file])
    assert "reading x/1.csv: 5,000 rows" in capsys.readouterr().err
    cli.main(["load", "--feed", feed_file, "--json"])
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("arguments", [["load"], ["lode"], ["load", "--feed"]])
def test_wrong_arguments_end_with_the_documented_code(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_check_without_feeds_is_not_silent(capsys, mocker, tmp_path):
    mocker.patch("include.landfall.cli.check.FEEDS", tmp_path)
    assert cli.main(["check"]) == 0
    assert capsys.readouterr().err == f"no feed in {tmp_path}: nothing to check\n"


def test_the_schema_is_json(capsys):
    assert cli.main(["schema"]) == 0
    assert "columns" in json.loads(capsys.readouterr().out)["properties"]


def test_an_error_that_nobody_foresaw_is_one_message_and_no_traceback(
    load, feed_file, capsys, monkeypatch
):
    load.side_effect = ZeroDivisionError("by zero")
    assert cli.main(["load", "--feed", feed_file]) == 1
    printed = capsys.readouterr().err
    assert "ZeroDivisionError: by zero" in printed
    assert "Traceback" not in printed
    monkeypatch.setenv("LANDFALL_TRACE", "1")
    cli.main(["load", "--feed", feed_file])
    assert "Traceback" in capsys.readouterr().err


SNAPSHOT = "merge, key: [a], strategy: scd2, absent: close"


@pytest.mark.parametrize(
    ("disposition", "keys"), [("append", [1, 2, 3]), ("replace", [3]), (SNAPSHOT, [3])]
)
def test_fault_1_2_force_loads_in_the_order_of_time_and_of_a_whole_table_the_newest_alone(
    mocker, tmp_path, disposition, keys
):
    path = tmp_path / "x.yaml"
    path.write_text(
        "feed: x\nsource: {bucket: landing, pattern: x/*}\n"
        f"target: {{table: raw.x, disposition: {disposition}}}\ncolumns: {{a: text}}\n"
    )
    mocker.patch.object(load_command.listing, "all_to_force", return_value=ARRIVALS[::-1])
    mocker.patch.object(load_command.listing, "check_own")
    load = mocked_load(mocker)
    assert cli.main(["load", "--feed", str(path), "--force"]) == 0
    assert [call.args[1].key for call in load.call_args_list] == [f"x/{n}.csv" for n in keys]


def test_the_command_line_does_not_import_arrow():
    """The process that copies stays small, and a command starts at once."""
    program = "import sys, include.landfall.cli.main; sys.exit('pyarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT).returncode == 0


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_a_full_disk_is_told_in_one_line_and_what_is_loaded_stays_loaded(
    as_json, load, feed_file, mocker
):
    err = io.StringIO()
    with Path("/dev/full").open("w") as full:
        mocker.patch("sys.stdout", full)
        mocker.patch("sys.stderr", err)
        assert cli.main(["load", "--feed", feed_file, *as_json]) == 1
    assert err.getvalue() == (
        "the output could not be written: No space left on device; what was loaded stays loaded,"
        " and landfall status shows it\n"
    )


def test_an_error_on_a_full_disk_ends_without_a_traceback(tmp_path):
    command = [sys.executable, "-m", "include.landfall", "load", "--json", "--feed", str(tmp_path)]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, cwd=ROOT
        )
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "No space left on device" in done.stderr


def test_output_is_utf_8_in_every_locale():
    """A load of several files ended behind one whose name the locale cannot spell."""
    command = [sys.executable, "-m", "include.landfall", "check", "--feed", "日本.yaml"]
    environ = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False, cwd=ROOT, env=environ)
    assert (done.returncode, "日本.yaml" in done.stdout.decode()) == (2, True)


def test_ctrl_c_is_one_line(load, feed_file, capsys):
    stop = KeyboardInterrupt()
    stop.add_note("nothing of the file is loaded")
    load.side_effect = stop
    assert cli.main(["load", "--feed", feed_file]) == 130
    assert capsys.readouterr().err == "stopped: nothing of the file is loaded\n"


def test_ctrl_c_is_one_line_while_modules_are_imported(tmp_path):
    """An import of the command line meets the signal, as a person's early Ctrl-C does."""
    code = (
        "import sys, signal, os\n"
        "class Early:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'include.landfall.cli.main':\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Early())\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a job may ignore it
        "from include.landfall.__main__ import run\n"
        "sys.exit(run())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert (done.returncode, done.stderr) == (130, "stopped\n")


def test_the_name_alone_shows_all_commands(capsys):
    assert cli.main([]) == 2
    assert "  sniff " in capsys.readouterr().err


@pytest.mark.parametrize("command", [[], ["load"], ["rejects"], ["forget"], ["sniff"], ["replay"]])
def test_a_help_fits_a_terminal_of_80_columns(command, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        cli.main([*command, "--help"])
    assert [line for line in capsys.readouterr().out.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize(("number", "text"), [(0, "0 rows"), (1, "1 row"), (1234, "1,234 rows")])
def test_a_number_has_the_noun_that_fits_it(number, text):
    assert output.counted(number, "row") == text
