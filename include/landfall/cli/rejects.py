"""landfall rejects: shows the rows that were refused, dismisses some, lets old ones go."""

from __future__ import annotations

import argparse
import shlex
import sys
from dataclasses import replace
from itertools import groupby, islice
from typing import Any

from psycopg import Connection

from include.landfall.cli import reject_csv
from include.landfall.cli.command import add_command, add_feed, refuse_beside
from include.landfall.cli.output import counted, show, show_json
from include.landfall.cli.who import who
from include.landfall.connections import warehouse_from_environ
from include.landfall.errors import shorten
from include.landfall.feed.model import Feed
from include.landfall.feed.yaml_file import read_feed
from include.landfall.ledger import kept_rejects
from include.landfall.ledger.kept_rejects import OPEN, SAMPLE, STATES, Reject, Selection
from include.landfall.postgres.connection import connect
from include.landfall.postgres.errors import postgres_errors

FEED = "--feed include/feeds/orders.yaml"
EXAMPLES = f"""\
{FEED}
{FEED} --object 2026/ --reason cell
{FEED} --csv > edited.csv
{FEED} --dismiss 17 18
{FEED} --expire"""
ABOUT = """\
Without --dismiss and --expire it changes nothing. The states of a reject:
  open        waits for a replay, or to be dismissed
  sample      is a row of a file that was refused whole
  replayed    is in the table now
  nulled      is in the table, with NULL in place of a cell
  dismissed   was closed by a person
  superseded  gave way to a newer version of its file, or a newer row of its key"""
ALL = "all"
CHOOSE = ("--object", "--reason", "--state")  # options that choose the rejects to show
SHOWN = 100  # rejects that a person reads
MESSAGE, ROW = 140, 54  # characters of a message and of a row: a row fits a line of 80


def add_to(commands: Any) -> None:
    """Adds the command to the parser."""
    summary = "show the rows that were refused, and why; dismiss or delete some"
    command = add_command(commands, "rejects", summary, EXAMPLES, ABOUT)
    add_feed(command)
    add_choice(command)
    command.add_argument(
        "--state", choices=(*STATES, ALL), metavar="STATE",
        help=f"only rejects in this state, or {ALL}; without it: {OPEN}",
    )  # fmt: skip
    command.add_argument(
        "--csv", action="store_true", help="write CSV to edit, which landfall replay --file takes"
    )
    command.add_argument(
        "--dismiss", action="extend", nargs="+", type=int, metavar="ID",
        help="close these open rejects, so that no replay takes them; they stay counted",
    )  # fmt: skip
    command.add_argument(
        "--expire", action="store_true",
        help="delete all rejects of the feed that are older than its rejects.days, open ones too",
    )  # fmt: skip
    command.set_defaults(run=run)


def add_choice(command: argparse.ArgumentParser) -> None:
    """Adds --object and --reason, which choose among the rejects."""
    command.add_argument(
        "--object", "--key", metavar="KEY",
        help="only rejects of this object; a key that ends with / stands for all objects below it",
    )  # fmt: skip
    command.add_argument(
        "--reason", metavar="CODE",
        help="only rejects with this reason, such as cell: the list of rejects shows the reasons",
    )  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Shows the rejects, or dismisses or deletes them, and returns the exit code."""
    _check(options)
    feed = read_feed(options.feed)
    warehouse = warehouse_from_environ(feed.target.connection)
    with connect(warehouse) as connection, postgres_errors(), connection.transaction():
        if options.dismiss:
            _dismiss(connection, feed, options)
        elif options.expire:
            _expire(connection, feed, options)
        else:
            _show(connection, feed, options)
    return 0


def _check(options: argparse.Namespace) -> None:
    """Checks that the command is asked for one thing, with options that belong to it."""
    command = f"landfall rejects --feed {shlex.quote(options.feed)}"
    if options.expire:
        do = f"{command} --expire deletes old rejects of all objects; --dismiss ID ... settles some"
        refuse_beside(options, "--expire", [*CHOOSE, "--csv", "--dismiss"], do)
    if options.dismiss:
        do = f"look up the ids with {command}, then {command} --dismiss ID ..."
        refuse_beside(options, "--dismiss", [*CHOOSE, "--csv"], do)
    if options.csv:
        refuse_beside(options, "--csv", ["--json"], "write --csv or --json, and not both")


def _dismiss(connection: Connection, feed: Feed, options: argparse.Namespace) -> None:
    kept_rejects.dismiss(connection, feed.name, options.dismiss, who())
    number = len(set(options.dismiss))
    if options.json:
        show_json({"feed": feed.name, "dismissed": number})
    else:
        show(f"{feed.name}: {number:,} dismissed")


def _expire(connection: Connection, feed: Feed, options: argparse.Namespace) -> None:
    days = feed.rejects.days
    expired = kept_rejects.expire(connection, feed.name, days)
    if options.json:
        show_json({"feed": feed.name, "days": days, "expired": expired})
        return
    counts = ", ".join(f"{number:,} {state}" for state, number in expired.items())
    show(f"{feed.name}: {counts or 'nothing'} deleted (older than {days} days)")


def _show(connection: Connection, feed: Feed, options: argparse.Namespace) -> None:
    state = options.state or OPEN
    states = STATES if state == ALL else (state,)
    selection = Selection(feed.name, options.object, options.reason, states)
    kept_rejects.check_selection(connection, selection)
    rejects = kept_rejects.rejects_of(connection, selection)
    if options.csv:
        sys.stdout.writelines(reject_csv.lines_of(feed, rejects))
    elif options.json:
        for reject in rejects:
            show_json(reject.__dict__)
    else:
        counts = kept_rejects.counts(connection, selection)
        _show_all(feed, state, counts, list(islice(rejects, SHOWN)))
        samples = replace(selection, states=(SAMPLE,))
        if state == OPEN and (number := sum(kept_rejects.counts(connection, samples).values())):
            show(f"{counted(number, 'row')} of files that were refused whole: --state {SAMPLE}")


def _show_all(feed: Feed, state: str, counts: dict[str, int], shown: list[Reject]) -> None:
    """Prints the counts, then each reject below the name of its file."""
    total = sum(counts.values())
    of_state = "" if state == ALL else f"{state} "
    if not total:
        show(f"{feed.name}: no {of_state}rejects")
        return
    reasons = ", ".join(f"{number:,} {reason}" for reason, number in counts.items())
    number = counted(total, f"{of_state}reject")
    show(f"{feed.name} -> {feed.target.table}: {number} ({reasons})")
    for file, rejects in groupby(shown, key=lambda reject: reject.file):
        show(file)
        for reject in rejects:
            _show_one(reject, with_state=state == ALL)
    if total > len(shown):
        show(f"and {total - len(shown):,} more: --csv and --json show all")


def _show_one(reject: Reject, *, with_state: bool) -> None:
    """Prints where a row is and why it was refused, and the row itself on a second line."""
    where = f"row {reject.row_number}" if reject.line is None else f"line {reject.line}"
    column = f", column {reject.column_name}" if reject.column_name else ""
    state = f" ({reject.state})" if with_state else ""
    message = shorten("; ".join([reject.message, *reject.messages[1:]]), MESSAGE)
    show(f"  id {reject.reject_id}{state}  {where}{column}: {reject.reason}: {message}")
    if reject.raw:
        show(f"      {shorten(reject.raw, ROW)}")
