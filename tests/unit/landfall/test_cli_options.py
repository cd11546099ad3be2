"""Every option of every command beside every other one: honoured, or refused by its name."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from itertools import combinations
from types import SimpleNamespace

import pytest

from include.landfall.arrival import Arrival
from include.landfall.audit import Audit
from include.landfall.cli import (
    audit,
    check,
    forget,
    listing,
    rejects,
    replay,
    sniff,
    status,
    tidy,
    validate,
)
from include.landfall.cli import load as load_command
from include.landfall.cli import main as cli
from include.landfall.cli.reject_csv import Edited
from include.landfall.forget import Forgotten
from include.landfall.late import Look
from include.landfall.load import Receipt
from include.landfall.replay import Replayed, ToReplay
from include.landfall.sniff import members, sniffing
from include.landfall.sniff.drift import Drift

ARRIVAL = Arrival("landing", "x/1.csv", "e", 10, datetime(2013, 1, 1, tzinfo=UTC))
URL = "s3://landing/x/1.csv"
OBJECTS = "objects"  # the arguments of sniff that are no option
VALUES = {
    "--object": "x/1.csv", "--key": "x/1.csv", "--reason": "cell", "--state": "open",
    "--dismiss": "17", "--file": "edited.csv", "--connection": "landing", "--name": "x",
    "--table": "raw.x",
}  # fmt: skip
REQUIRED = {"forget": ["--object"], "sniff": [OBJECTS]}
PAIRS_REFUSED = {
    "rejects": [
        ("--csv", "--json"), ("--csv", "--dismiss"), ("--csv", "--expire"),
        ("--dismiss", "--expire"), ("--object", "--dismiss"), ("--object", "--expire"),
        ("--reason", "--dismiss"), ("--reason", "--expire"), ("--state", "--dismiss"),
        ("--state", "--expire"),
    ],
    "replay": [("--object", "--file"), ("--reason", "--file")],
    "sniff": [
        (OBJECTS, "--check"), ("--check", "--connection"), ("--check", "--name"),
        ("--check", "--table"),
    ],
}  # fmt: skip
REFUSED = {(command, *sorted(pair)) for command, pairs in PAIRS_REFUSED.items() for pair in pairs}
LOADED = Receipt("x", "landing", "x/1.csv", "e", 7, "loaded", 1, 0.5, "me")


def _options(command: str) -> dict[str, argparse.Action]:
    """Returns the options of a command, as its parser has them."""
    actions = PARSERS[command]._actions[1:]  # without -h
    return {(*action.option_strings, OBJECTS)[0]: action for action in actions}


PARSERS = cli._parser()._subparsers._group_actions[0].choices
COMMANDS = {command: _options(command) for command in PARSERS}
PAIRS = [
    (command, *pair)
    for command, options in COMMANDS.items()
    for pair in combinations(sorted(options), 2)
]
WITH_VALUE = [
    (command, name)
    for command, options in COMMANDS.items()
    for name, action in options.items()
    if action.nargs != 0 and name != OBJECTS
]
REPEATABLE = {
    ("check", "--feed"), ("load", "--key"), ("validate", "--key"), ("forget", "--object"),
    ("rejects", "--dismiss"),
}  # fmt: skip
ONCE = [each for each in WITH_VALUE if each not in REPEATABLE]


@pytest.fixture
def engine(mocker):
    """Stands in for the servers and the engine below the commands."""
    for module in (load_command, validate, status, rejects, replay, forget, sniff, tidy, audit):
        for name in ("connect", "make_client", "store_from_environ", "warehouse_from_environ"):
            if hasattr(module, name):
                mocker.patch.object(module, name)
    answers = {
        listing: {"named": [("x/1.csv", ARRIVAL)], "check_target_to_force": None, "check_own": None,
                  "new_of": [ARRIVAL], "all_to_force": [ARRIVAL], "all_files": [ARRIVAL],
                  "plan_of": listing.Plan()},
        load_command: {"load_each": [(ARRIVAL, LOADED)]},
        validate: {"_run_one": 0},
        status: {"changes_of": [], "entries_of": [], "longest_key": 0,
                 "look": Look(None, None)},
        rejects.kept_rejects: {"dismiss": None, "expire": {}, "rejects_of": [], "counts": {}},
        replay: {"rejects_to_replay": ToReplay(["a batch"]),
                 "replay": Replayed("x", "landing", "x/1.csv", 7)},
        replay.reject_csv: {"read": Edited()},
        forget: {"forget_together": [Forgotten("x", "landing", "x/1.csv", 1, 0, 0, 1)]},
        audit: {"audit": Audit(1, 1, [])},
        check: {"check": []},
        tidy: {"tidy": []},
        sniff: {"find_arrival": ARRIVAL, "_drift": Drift("x/1.csv")},
        members: {"read_samples": []},
        sniffing: {"sniff": SimpleNamespace(text="feed: x\n", doubts=0)},
    }  # fmt: skip
    for module, values in answers.items():
        for name, value in values.items():
            mocker.patch.object(module, name, return_value=value)


def _arguments(command, names, feed_file):
    """Returns what a person types to give these options, and those without which none is taken."""
    has_feed = "--feed" in COMMANDS[command] and "--feed" not in names
    needs = [name for name in REQUIRED.get(command, []) if name not in names]
    if "--check" in names:
        needs = []
    arguments = [command]
    for name in [*needs, *["--feed"] * has_feed, *names]:
        if name == OBJECTS:
            arguments.append(URL)
            continue
        is_path = name == "--feed" or (command, name) == ("sniff", "--check")
        value = feed_file if is_path else VALUES.get(name)
        takes_value = COMMANDS[command][name].nargs != 0
        arguments += [name, value] if takes_value else [name]
    return arguments


class Noting(argparse.Namespace):
    """Options that note which of them a command looks at."""

    def __getattribute__(self, name):
        read = super().__getattribute__("__dict__").get("_read")
        if read is not None:
            read.add(name)
        return super().__getattribute__(name)


@pytest.mark.parametrize(
    ("command", "one", "other"), [pair for pair in PAIRS if pair not in REFUSED]
)
def test_an_option_counts_beside_every_other_one(engine, feed_file, command, one, other):
    options = cli._parser().parse_args(_arguments(command, [one, other], feed_file))
    noting = Noting(**vars(options))
    noting._read = read = set()
    assert options.run(noting) == 0
    assert {COMMANDS[command][name].dest for name in (one, other)} <= read


@pytest.mark.parametrize(("command", "one", "other"), sorted(REFUSED))
def test_an_option_that_cannot_count_is_refused_by_its_name(
    engine, feed_file, capsys, command, one, other
):
    try:
        code = cli.main(_arguments(command, [one, other], feed_file))
    except SystemExit as ended:
        code = ended.code
    message = capsys.readouterr().err
    assert code == 2
    assert one in message
    assert other in message
    assert "what to do" in message


def test_the_table_has_no_pair_that_no_command_has():
    assert set(PAIRS) >= REFUSED
    assert set(WITH_VALUE) >= REPEATABLE


@pytest.mark.parametrize(("command", "name"), sorted(REPEATABLE))
def test_an_option_that_may_be_there_twice_keeps_both_values(feed_file, command, name):
    twice = [*_arguments(command, [name], feed_file), name, "18"]
    assert len(getattr(cli._parser().parse_args(twice), COMMANDS[command][name].dest)) == 2


@pytest.mark.parametrize(("command", "name"), ONCE)
def test_a_second_value_of_an_option_that_takes_one_is_refused(feed_file, capsys, command, name):
    twice = _arguments(command, [name, name], feed_file)
    with pytest.raises(SystemExit) as ended:
        cli.main(twice)
    assert (ended.value.code, name in capsys.readouterr().err) == (2, True)


@pytest.mark.parametrize(("command", "name"), ONCE)
def test_an_empty_value_such_as_of_an_unset_variable_is_refused(
    engine, feed_file, capsys, command, name
):
    """`replay --file "$UNSET"` must not replay everything."""
    arguments = _arguments(command, [name], feed_file)
    with pytest.raises(SystemExit) as ended:
        cli.main([*arguments[:-1], ""])
    assert (ended.value.code, name in capsys.readouterr().err) == (2, True)
