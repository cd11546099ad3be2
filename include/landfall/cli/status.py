"""landfall status: shows what the ledger knows of a feed, and what is new."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from datetime import UTC, datetime
from shutil import get_terminal_size
from typing import Any

from include.landfall.arrival import Arrival
from include.landfall.cli import listing
from include.landfall.cli.command import add_command, add_feed
from include.landfall.cli.output import counted, facts_of, show, show_json
from include.landfall.connections import store_from_environ, warehouse_from_environ
from include.landfall.errors import FilesLate
from include.landfall.feed.model import Feed
from include.landfall.feed.yaml_file import read_feed
from include.landfall.late import Look, in_time, look
from include.landfall.ledger.changes import KeptChange, changes_of, count_of
from include.landfall.ledger.entries import Entry
from include.landfall.ledger.queries import entries_of, longest_key
from include.landfall.postgres.connection import connect
from include.landfall.postgres.errors import postgres_errors
from include.landfall.write.dispositions import disposition_of

SHOWN = 20  # of the newest changes
WIDE = 200  # characters of a line where the output is no terminal
LEAST = 10  # characters of a name that say anything
EXAMPLES = "--feed include/feeds/orders.yaml\n--feed include/feeds/orders.yaml --late"
ABOUT = """\
Shows the feed's rows of the ledger (one for each version of a file that was
loaded or tried), the files that are new, and how files departed from the feed
or altered the table, and whether new files are overdue (source.late_after).
With --late it shows only that, and ends with 6 when they are."""


def add_to(commands: Any) -> None:
    """Adds the command to the parser."""
    summary = "show which files are loaded, have failed, or are new"
    add_feed(command := add_command(commands, "status", summary, EXAMPLES, ABOUT))
    command.add_argument(
        "--late", action="store_true", help="show only whether new files are overdue"
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Shows the feed's rows of the ledger, then its new arrivals, and whether it is late.

    Raises: FilesLate with `--late`, when it is.
    """
    feed = read_feed(options.feed)
    if options.late:
        return _run_late(feed, as_json=options.json)
    new = listing.new_of(feed)
    with connect(warehouse_from_environ(feed.target.connection)) as connection, postgres_errors():
        entries = entries_of(connection, feed.name)
        if options.json:
            _show_json(entries, new, changes_of(connection, feed.name))
        else:
            longest = longest_key(connection, feed.name)
            width = max([longest, *(len(arrival.key) for arrival in new)])
            _show(feed, entries, new, width)
            changes = changes_of(connection, feed.name, SHOWN)
            _show_changes(changes, count_of(connection, feed.name))
    if feed.source.late_after and (late := _look(feed).late):
        _show_late(late, as_json=options.json)
    return 0


def _look(feed: Feed) -> Look:
    store = store_from_environ(feed.source.connection)
    return look(feed, store, warehouse_from_environ(feed.target.connection), datetime.now(UTC))


def _run_late(feed: Feed, *, as_json: bool) -> int:
    now = _look(feed)
    if now.late:
        raise now.late
    if as_json:
        show_json({"status": "in time", "feed": feed.name, **_newest(now)})
    else:
        show(in_time(feed, now.newest))
    return 0


def _newest(look: Look) -> dict[str, Any]:
    came, key = look.newest or (None, None)
    return {"key": key, "last_modified": came}


def _show_late(late: FilesLate, *, as_json: bool) -> None:
    if as_json:
        show_json({"status": "late", **facts_of(late)})
        return
    first, *lines = str(late).splitlines()
    show(f"  {'late':<11}{first}", *(f"    {line}" for line in lines))


def _show_json(entries: Iterable[Entry], new: list[Arrival], changes: list[KeptChange]) -> None:
    for entry in entries:
        show_json(entry.__dict__)
    for arrival in new:
        show_json({"status": "new", **arrival.as_dict()})
    for change in changes:
        show_json({"status": "change", **change.__dict__})


def _show(feed: Feed, entries: Iterable[Entry], new: list[Arrival], width: int) -> None:
    show(f"{feed.name} -> {feed.target.table}")
    untried = {(arrival.key, arrival.version): arrival for arrival in new}
    for entry in entries:
        _show_entry(feed, entry, width)
        if entry.retry_after and untried.pop((entry.key, entry.version), None):
            after = _time(entry.retry_after)
            show(f"      the sensor tries it again after {after}; load tries it at once")
    for arrival in untried.values():
        show(f"  {'new':<11}{arrival.key:<{width}}  {arrival.size:>8,} bytes")
    if not untried:
        show("  nothing new")


def _show_entry(feed: Feed, entry: Entry, width: int) -> None:
    rows = "" if entry.rows is None else counted(entry.rows, "row")
    line = f"  {entry.status:<11}{entry.key:<{width}}  {rows:>14}  {_time(entry.started)}"
    show(f"{line}{_by(entry.loaded_by, len(line))}")
    if entry.status == "loaded":
        _show_loaded(feed, entry)
    if entry.failed_at and entry.status in ("loaded", "superseded"):
        failed = _time(entry.failed_at)
        show(f"      a try to load it again failed at {failed}, and changed nothing:")
    for error_line in (entry.error or "").splitlines():
        show(f"      {error_line}")


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"


def _by(who: str, used: int) -> str:
    """Returns who has loaded a file, cut to what a line of the terminal still takes."""
    room = get_terminal_size((WIDE, 0)).columns - used - 2
    if room < LEAST:
        return ""
    return f"  {who if len(who) <= room else who[: room - 1] + '…'}"


def _show_loaded(feed: Feed, entry: Entry) -> None:
    if entry.duplicate_of:
        show(f"      its content is that of load {entry.duplicate_of}")
    if entry.deduplicated:
        lost = counted(entry.deduplicated, "row")
        show(f"      {lost} lost to {disposition_of(feed).lost_to}")
    if entry.rejected:
        show(f"      {counted(entry.rejected, 'row')} rejected: landfall rejects shows them")


def _show_changes(changes: list[KeptChange], total: int) -> None:
    for change in changes:
        show(f"  {'change':<11}{change.key}  {_time(change.changed_at)}  {change.text}")
    if total > len(changes):
        show(f"  and {total - len(changes):,} changes before: --json shows all")
