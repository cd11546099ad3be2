"""landfall validate: reads and judges files as a load would, and changes nothing."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import Any

from include.landfall.arrival import Arrival
from include.landfall.cli import listing
from include.landfall.cli.command import add_command, add_feed
from include.landfall.cli.output import counted, show, show_error, show_json
from include.landfall.connections import store_from_environ, warehouse_from_environ
from include.landfall.errors import DataError, ObjectChanged, ObjectMissing, TerminalError
from include.landfall.feed.model import Feed
from include.landfall.feed.yaml_file import read_feed
from include.landfall.ledger.rejects import RejectedRow
from include.landfall.validate import Validated, validate
from include.landfall.write.budget import advice_on

EXAMPLES = """\
--feed include/feeds/orders.yaml
--feed include/feeds/orders.yaml --key orders/2026-02.csv"""
ABOUT = """\
Without --key it judges the files that are new. It shows for each how many rows
Postgres would take and which it would reject, and ends with code 5 when one of
the files would be refused."""
SHOWN = 20  # rejected rows of a file


def add_to(commands: Any) -> None:
    """Adds the command to the parser."""
    summary = "read and judge files as load would; change nothing"
    add_feed(command := add_command(commands, "validate", summary, EXAMPLES, ABOUT))
    command.add_argument(
        "--key", "--object", action="append", default=[], metavar="KEY",
        help="judge this object only; more than one: --key KEY --key KEY",
    )  # fmt: skip
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Judges the named objects, or else all new ones; returns 5 when one would be refused."""
    feed = read_feed(options.feed)
    wanted = list(_wanted(feed, options.key))
    codes = [_run_one(feed, key, each, as_json=options.json) for key, each in wanted]
    if not wanted and not options.json:
        show(listing.nothing_new(feed))
    return max(codes, default=0)


def _wanted(feed: Feed, keys: list[str]) -> Iterable[tuple[str, Arrival | TerminalError]]:
    if keys:
        return listing.named(feed, keys)
    return [(arrival.key, arrival) for arrival in listing.new_of(feed)]


def _run_one(feed: Feed, key: str, arrival: Arrival | TerminalError, *, as_json: bool) -> int:
    try:
        if isinstance(arrival, TerminalError):
            raise arrival
        validated = validate(
            feed,
            arrival,
            store=store_from_environ(feed.source.connection),
            warehouse=warehouse_from_environ(feed.target.connection),
        )
    except (DataError, ObjectMissing, ObjectChanged) as error:
        show_error(error, as_json=as_json, key=key)
        return error.exit_code
    if as_json:
        rows = [row.__dict__ for row in validated.samples]
        show_json({**validated.__dict__, "rejected": validated.rejected, "samples": rows})
    else:
        _show(feed, validated)
    return 0 if validated.fits_budget else DataError.exit_code


def _show(feed: Feed, validated: Validated) -> None:
    verdict = "would load" if validated.fits_budget else "refused"
    show(
        f"{verdict:<12}{validated.key}  {counted(validated.read, 'row')} read,"
        f" {validated.accepted:,} good, {validated.rejected:,} rejected"
        f" (error budget: {feed.rejects.budget})"
    )
    if validated.duplicate_of:
        show(f"    it has the same content as {validated.duplicate_of}")
    if validated.deduplicated:
        lost = counted(validated.deduplicated, "row")
        show(f"    {lost} would lose to another row of the same key")
    for change in validated.changes:
        show(f"    {change}")
    _show_rejected(validated)
    for name in validated.not_judged:
        show(f"    not judged: {name}")


def _show_rejected(validated: Validated) -> None:
    """Shows the first row of each message, and what to do where the file would be refused."""
    firsts: dict[tuple[str, str | None, str], RejectedRow] = {}
    for row in validated.samples:
        firsts.setdefault((row.reason, row.column_name, row.message), row)
    shown = list(firsts.values())[:SHOWN]
    for row in shown:
        where = f"row {row.number}" if row.line is None else f"line {row.line}"
        where = f"{row.part}, {where}" if row.part else where
        column = f", column {row.column_name}" if row.column_name else ""
        show(f"    {where}{column}: {row.reason}: {row.message}")
    if validated.rejected > len(shown):
        counts = ", ".join(f"{count:,} {reason}" for reason, count in validated.reasons.items())
        show(f"    and {validated.rejected - len(shown):,} more; in all {counts}")
    if shown and not validated.fits_budget:
        show(f"    what to do: {advice_on(shown[0])}")
