"""landfall load: loads what is new, or the objects that are named."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Iterator
from typing import Any

from include.landfall.arrival import Arrival
from include.landfall.cli import listing
from include.landfall.cli.command import PROGRAM, add_command, add_feed
from include.landfall.cli.output import clear_tick, counted, show, show_error, show_json, ticker
from include.landfall.connections import store_from_environ, warehouse_from_environ
from include.landfall.errors import LandfallError
from include.landfall.feed.model import Feed
from include.landfall.feed.yaml_file import read_feed
from include.landfall.load import Receipt, load_each
from include.landfall.write.budget import rejection_of

_Each = tuple[Arrival, Receipt | LandfallError]

FEED = "--feed include/feeds/orders.yaml"
EXAMPLES = f"""\
{FEED}
{FEED} --key 1.csv --key 2.csv
{FEED} --key 1.csv --force"""
ABOUT = """\
A file is new when the ledger does not have it, or when it has changed since.
Each file is loaded completely or not at all; one that is refused does not stop
the others. landfall plan shows beforehand what would be loaded."""


def add_to(commands: Any) -> None:
    """Adds the command to the parser."""
    summary = "load the files that are new, or the objects that you name"
    add_feed(command := add_command(commands, "load", summary, EXAMPLES, ABOUT))
    command.add_argument(
        "--key", "--object", action="append", default=[], metavar="KEY",
        help="load this object only; more than one: --key KEY --key KEY",
    )  # fmt: skip
    command.add_argument(
        "--force", action="store_true",
        help="load again what is loaded: a file's new rows replace its old ones. Without --key this"
        " is every file of the feed, or the newest one where a file replaces the whole table",
    )  # fmt: skip
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Loads the arrivals one after another, and returns the exit code."""
    feed = read_feed(options.feed)
    arrivals, code = _named(feed, options) if options.key else (_wanted(feed, options), 0)
    for arrival, became in _load_each(feed, arrivals, options):
        if isinstance(became, LandfallError):
            if (rejection := rejection_of(became)) and rejection.rows > 1:
                became.more.append(("to see the rows", f"{_rejects(options)} --state sample"))
            show_error(became, as_json=options.json, key=arrival.key)
            code = code or became.exit_code
        else:
            _show(became, options)
    if not arrivals and not options.key and not options.json:
        show(listing.nothing_new(feed))
    return code


def _named(feed: Feed, options: argparse.Namespace) -> tuple[list[Arrival], int]:
    """Returns the arrivals of the keys that there are, and the exit code for the other keys."""
    if options.force:
        listing.check_target_to_force(feed)
    arrivals, code = [], 0
    for key, arrival in listing.named(feed, options.key):
        if isinstance(arrival, Arrival):
            arrivals.append(arrival)
        else:
            show_error(arrival, as_json=options.json, key=key)
            code = code or arrival.exit_code
    listing.check_own(feed, arrivals)
    return arrivals, code


def _wanted(feed: Feed, options: argparse.Namespace) -> list[Arrival]:
    if not options.force:
        return listing.new_of(feed)
    arrivals = sorted(listing.all_to_force(feed), key=lambda each: each.newness)
    listing.check_own(feed, arrivals)
    return arrivals[-1:] if feed.target.is_whole else arrivals


def _load_each(feed: Feed, arrivals: list[Arrival], options: argparse.Namespace) -> Iterator[_Each]:
    is_watched = sys.stderr.isatty() and not options.json
    loads = load_each(
        feed,
        arrivals,
        store=store_from_environ(feed.source.connection),
        warehouse=warehouse_from_environ(feed.target.connection),
        force=options.force,
        progress_of=ticker if is_watched else lambda arrival: lambda rows: None,
    )
    return _cleared(loads) if is_watched else loads


def _cleared(loads: Iterator[_Each]) -> Iterator[_Each]:
    """Yields the loads, and clears the line that each has ticked on."""
    try:
        for each in loads:
            clear_tick()
            yield each
    finally:
        clear_tick()


def _show(receipt: Receipt, options: argparse.Namespace) -> None:
    if options.json:
        show_json(receipt.as_dict())
        return
    rows = counted(receipt.rows, "row")
    detail = {
        "loaded": f"{rows} in {receipt.seconds:.1f} s (load {receipt.load_id})",
        "already_loaded": f"{rows}, by {receipt.by} (load {receipt.load_id})",
        "superseded": f"a newer version is loaded already (load {receipt.load_id})",
    }[receipt.outcome]
    outcome = receipt.outcome.replace("_", " ")
    show(f"{outcome:<16}{receipt.key}  {detail}")
    if receipt.duplicate_of:
        show(f"{'':<16}it has the same content as {receipt.duplicate_of}")
    for change in receipt.changes:
        show(f"{'':<16}{change}")
    if receipt.deduplicated:
        lost = counted(receipt.deduplicated, "row")
        show(f"{'':<16}{lost} lost to a newer row of the same key")
    if receipt.rejected:
        counts = ", ".join(f"{count:,} {reason}" for reason, count in receipt.reasons.items())
        show(f"{'':<16}{counted(receipt.rejected, 'row')} rejected: {counts}")
        show(f"{'':<16}to see them: {_rejects(options)}")


def _rejects(options: argparse.Namespace) -> str:
    return f"{PROGRAM} rejects --feed {shlex.quote(options.feed)}"
