"""landfall forget: takes away what was loaded from an object; the next run loads it again."""

from __future__ import annotations

import argparse
import shlex
from typing import Any

from include.landfall.cli.absent import check_in_bucket
from include.landfall.cli.command import add_command, add_feed
from include.landfall.cli.output import counted, show, show_json
from include.landfall.connections import warehouse_from_environ
from include.landfall.errors import FeedError
from include.landfall.feed.yaml_file import read_feed
from include.landfall.forget import Forgotten, forget_together

EXAMPLES = """\
--feed include/feeds/orders.yaml --object orders/2026-02.csv
--feed include/feeds/orders.yaml --object 1.csv --object 2.csv"""

ABOUT = """\
Deletes the object's rows from the table, its rejects, and its rows of the
ledger, all or nothing. Where a merge replaced rows, they come back. The object
stays in the bucket, and the next load takes it as new."""


def add_to(commands: Any) -> None:
    """Adds the command to the parser."""
    summary = "take away what was loaded from an object"
    command = add_command(commands, "forget", summary, EXAMPLES, ABOUT)
    add_feed(command)
    command.add_argument(
        "--object",
        "--key",
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
    command.add_argument(
        "--for-good",
        action="store_true",
        help="also an object that loaded_files has moved or deleted: then no run loads it again",
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Forgets the objects together, and says what was taken away."""
    feed = read_feed(options.feed)
    warehouse = warehouse_from_environ(feed.target.connection)
    if not options.for_good and feed.source.loaded_files:
        check_in_bucket(feed, options.object)
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
    show(
        f"{'forgotten':<15}{forgotten.key}  {counted(forgotten.rows, 'row')},"
        f" {counted(forgotten.rejects, 'reject')}, {counted(forgotten.replays, 'replay')},"
        f" {counted(forgotten.entries, 'ledger row')}"
    )
