"""landfall replay: loads rejects once more, after a fix of the feed, the table or the rows."""

from __future__ import annotations

import argparse
from typing import Any

from include.landfall.cli import reject_csv
from include.landfall.cli.command import add_command, add_feed, refuse_beside
from include.landfall.cli.output import counted, show, show_error, show_json
from include.landfall.cli.reject_csv import Edited
from include.landfall.cli.rejects import add_choice
from include.landfall.cli.who import who
from include.landfall.connections import warehouse_from_environ
from include.landfall.errors import DataError
from include.landfall.feed.model import Feed
from include.landfall.feed.yaml_file import read_feed
from include.landfall.replay import Replayed, ToReplay, rejects_to_replay, replay

FEED = "--feed include/feeds/orders.yaml"
EXAMPLES = f"""\
{FEED}
{FEED} --object 2026/ --reason cell
{FEED} --file edited.csv"""

ABOUT = """\
Fix the feed or the table, then replay; or correct the rows in a CSV file, and
give it with --file. What is refused again stays a reject; the code is then 5."""


def add_to(commands: Any) -> None:
    """Adds the command to the parser."""
    summary = "load open rejects once more, after a fix"
    command = add_command(commands, "replay", summary, EXAMPLES, ABOUT)
    add_feed(command)
    add_choice(command)
    command.add_argument(
        "--file", metavar="CSV",
        help="load the corrected rows of this file, and no other: what landfall rejects --csv has"
        " written, edited. Not with --object or --reason",
    )  # fmt: skip
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Replays load by load, and returns the exit code: not 0 when a row is still a reject."""
    _check_options(options)
    feed = read_feed(options.feed)
    warehouse = warehouse_from_environ(feed.target.connection)
    edited = reject_csv.read(options.file, feed) if options.file else None
    chosen = rejects_to_replay(
        feed,
        warehouse=warehouse,
        key=options.object,
        reason=options.reason,
        edited=edited.cells if edited else None,
    )
    code = DataError.exit_code if edited and edited.uncut else 0
    for batch in chosen.batches:
        try:
            replayed = replay(feed, batch, warehouse=warehouse, by=who())
        except DataError as error:
            show_error(error, as_json=options.json)
            code = code or error.exit_code
            continue
        _show(replayed, feed, options)
        if replayed.refused or replayed.left_out:
            code = code or DataError.exit_code
    _show_others(feed, chosen, edited, options)
    return code


def _check_options(options: argparse.Namespace) -> None:
    if options.file:
        do = "take the other rows out of the file: each row names its reject by its first column"
        refuse_beside(options, "--file", ["--object", "--reason"], do)


def _show(replayed: Replayed, feed: Feed, options: argparse.Namespace) -> None:
    if options.json:
        show_json(replayed.as_dict())
        return
    rows = counted(replayed.rows, "row")
    show(f"{'replayed':<15}{replayed.key}  {rows} (load {replayed.load_id})")
    if replayed.deduplicated:
        lost = f"{counted(replayed.deduplicated, 'row')}: the table has newer ones"
        show(f"{'superseded':<15}{replayed.key}  {lost}")
    if replayed.refused:
        reasons = ", ".join(f"{number:,} {reason}" for reason, number in replayed.refused.items())
        show(f"{'refused again':<15}{replayed.key}  {reasons}")
    if replayed.left_out:
        left_out = counted(replayed.left_out, "row")
        show(f"{'left out':<15}{replayed.key}  {left_out}: {_why(feed)}")
        show(f"{'':<15}correct the CSV of landfall rejects --csv, and give it with --file")


def _why(feed: Feed) -> str:
    """Returns why rejects have no cells."""
    if feed.rejects.keep != "raw":
        return f"the feed does not keep their cells (rejects.keep: {feed.rejects.keep})"
    if any(column.secret for column in feed.columns.values()):
        return "the feed does not keep their cells (a column is secret)"
    return "not cut into cells"


def _show_others(
    feed: Feed, chosen: ToReplay, edited: Edited | None, options: argparse.Namespace
) -> None:
    """Shows what was not replayed: to standard error where standard output is for a program."""
    for reject_id, reason in (edited.uncut if edited else {}).items():
        show(f"{'left out':<15}reject {reject_id}, {reason}", error=options.json)
    if chosen.settled:
        settled = counted(len(chosen.settled), "row")
        show(f"{'left out':<15}{settled} already replayed or closed", error=options.json)
    if chosen.batches or options.json:
        return
    keeps_none = feed.rejects.keep == "count"
    show(
        f"{feed.name}: no open rejects"
        + (" (the feed keeps only their number: rejects.keep: count)" if keeps_none else "")
    )
