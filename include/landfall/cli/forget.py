"""landfall forget: takes away what was loaded from an object; the next run loads it again."""

from __future__ import annotations

import argparse
import shlex
from typing import Any

from include.landfall.cli.command import add_command, add_feed
from include.landfall.cli.output import show_json
from include.landfall.connections import warehouse_from_environ
from include.landfall.errors import FeedError
from include.landfall.feed.yaml_file import read_feed
from include.landfall.forget import Forgotten, forget_together

EXAMPLES = """\
--feed include/feeds/orders.yaml --object orders/2026-02.csv
--feed include/feeds/orders.yaml --object orders/2026-03.csv --object orders/2026-02.csv"""

ABOUT = """\
Deletes the object's rows from the table, its rejects, and its rows of the ledger, all or nothing;
where a merge replaced rows, they come back. The object stays in the bucket, and is new to the
next load."""


def add_to(commands: Any) -> None:
    """Adds the command to the parser."""
    summary = "take away what was loaded from an object"
    command = add_command(commands, "forget", summary, EXAMPLES, ABOUT)
    add_feed(command)
    command.add_argument(
        "--object",
        required=True,
        action="append",
        metavar="KEY",
        help="the object's key; more than one, in one transaction: --object KEY --object KEY",
    )
    command.add_argument(
        "--gone",
        action="store_true",
        help="the feed's table is gone for good: take the object out of the ledger all the same",
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Forgets the objects together, and says what was taken away."""
    feed = read_feed(options.feed)
    warehouse = warehouse_from_environ(feed.target.connection)
    try:
        forgotten = forget_together(feed, options.object, warehouse=warehouse, gone=options.gone)
    except FeedError as error:
        if error.do:
            error.do = error.do.replace("--feed ...", f"--feed {shlex.quote(options.feed)}")
        raise
    for each in forgotten:
        if options.json:
            show_json(each.as_dict())
        else:
            _show(each)
    return 0


def _show(forgotten: Forgotten) -> None:
    print(
        f"{'forgotten':<15}{forgotten.key}  {forgotten.rows:,} rows,"
        f" {forgotten.rejects:,} rejects, {forgotten.replays:,} replays,"
        f" {forgotten.entries:,} rows of the ledger"
    )
