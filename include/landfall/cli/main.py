"""The command line of the engine: load a feed's arrivals, see what the ledger knows of them, check.

Connections come from the environment as Airflow spells them: AIRFLOW_CONN_WAREHOUSE and
AIRFLOW_CONN_LANDING (or what the feed names).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from include.landfall.arrival import Arrival
from include.landfall.check import Finding, asked_by, check, in_one_line
from include.landfall.connections import store_from_environ, warehouse_from_environ
from include.landfall.errors import DataError, FeedError, LandfallError, ObjectMissing
from include.landfall.feed.model import Feed
from include.landfall.feed.schema import schema
from include.landfall.feed.yaml_file import Feeds, read_feed, read_folder
from include.landfall.ledger.arrivals import new_arrivals
from include.landfall.ledger.entries import Entry
from include.landfall.ledger.queries import entries_of
from include.landfall.load import Receipt, load
from include.landfall.postgres.connection import connect
from include.landfall.postgres.errors import postgres_errors
from include.landfall.s3.client import make_client
from include.landfall.s3.listing import find_arrival, list_arrivals

EXIT_CODES = """\
exit codes:
  0   all that was new is loaded (or nothing was new); every connection can be used
  1   an error that has no code of its own
  2   the feed is wrong, or does not fit its table; also wrong arguments
  3   a server refused the connection, the key, the password or a right
  4   no such bucket or object
  5   a file's content is wrong: nothing of that file was loaded
  75  a server is away or a connection broke: a retry can help
check asks on after a failure, and ends with the lowest code of all it found
"""


FEEDS = Path(__file__).parents[2] / "feeds"


TICK = 0.2  # seconds between two lines of progress


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit code. Errors go to standard error, whole."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except LandfallError as error:
        _tell(error, options)
        return error.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m include.landfall",
        description="Files land in S3, rows land in Postgres: exactly once, atomically.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _load_command(commands.add_parser("load", help="load what is new"))
    status = commands.add_parser("status", help="what the ledger knows, and what is new")
    status.add_argument("--feed", required=True, metavar="PATH", help="the feed's YAML file")
    status.add_argument("--json", action="store_true", help="one JSON object a line")
    status.set_defaults(run=_status)
    _check_command(commands.add_parser("check", help="whether the feeds' connections can be used"))
    made = commands.add_parser("schema", help="the JSON schema of feed files, for editors")
    made.set_defaults(run=_schema, json=False)
    return parser


def _load_command(command: argparse.ArgumentParser) -> None:
    command.add_argument("--feed", required=True, metavar="PATH", help="the feed's YAML file")
    command.add_argument(
        "--key", action="append", default=[], metavar="KEY", help="only this object (repeatable)"
    )
    command.add_argument(
        "--force", action="store_true", help="load again, in the place of the file's own rows"
    )
    command.add_argument("--json", action="store_true", help="one JSON object a line")
    command.set_defaults(run=_load)


def _check_command(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--feed", action="append", default=[], metavar="PATH",
        help="only what this feed names (repeatable); else all of include/feeds",
    )  # fmt: skip
    command.add_argument("--json", action="store_true", help="one JSON object a line")
    command.set_defaults(run=_check)


def _load(options: argparse.Namespace) -> int:
    feed = read_feed(options.feed)
    arrivals = _wanted(feed, options)
    worst = 0
    for arrival in arrivals:
        try:
            _receipt(_load_one(feed, arrival, options), options)
        except (DataError, ObjectMissing) as error:
            # One bad file stops no other; a refused connection or feed stops them all.
            _tell(error, options, arrival)
            worst = worst or error.exit_code
    if not arrivals and not options.json:
        print(f"{feed.name}: nothing new under s3://{feed.source.bucket}/{feed.source.prefix}")
    return worst


def _wanted(feed: Feed, options: argparse.Namespace) -> list[Arrival]:
    with closing(make_client(store_from_environ(feed.source.connection))) as client:
        if options.key:
            return [find_arrival(client, feed.source.bucket, key) for key in options.key]
        listed = list(list_arrivals(client, feed.source))
    return listed if options.force else _new(feed, listed)


def _new(feed: Feed, listed: list[Arrival]) -> list[Arrival]:
    warehouse = warehouse_from_environ(feed.target.connection)
    with connect(warehouse) as connection, postgres_errors():
        return new_arrivals(connection, feed, listed)


def _load_one(feed: Feed, arrival: Arrival, options: argparse.Namespace) -> Receipt:
    watching = sys.stderr.isatty() and not options.json
    try:
        return load(
            feed,
            arrival,
            store=store_from_environ(feed.source.connection),
            warehouse=warehouse_from_environ(feed.target.connection),
            force=options.force,
            progress=_ticker(arrival) if watching else lambda rows: None,
        )
    finally:
        if watching:
            sys.stderr.write("\r\x1b[K")


def _ticker(arrival: Arrival) -> Callable[[int], None]:
    """Shows the rows read so far on one line of the terminal."""
    last = 0.0

    def tick(rows: int) -> None:
        nonlocal last
        if time.monotonic() - last > TICK:
            last = time.monotonic()
            sys.stderr.write(f"\r\x1b[K  reading {arrival.key}: {rows:,} rows")
            sys.stderr.flush()

    return tick


def _receipt(receipt: Receipt, options: argparse.Namespace) -> None:
    if options.json:
        print(json.dumps(receipt.as_dict()), flush=True)
        return
    said = {
        "loaded": f"{receipt.rows:,} rows in {receipt.seconds:.1f} s (load {receipt.load_id})",
        "already_loaded": f"{receipt.rows:,} rows, by {receipt.by} (load {receipt.load_id})",
        "superseded": f"a newer version is loaded already (load {receipt.load_id})",
    }[receipt.outcome]
    print(f"{receipt.outcome:<15}{receipt.key}  {said}", flush=True)


def _tell(
    error: LandfallError, options: argparse.Namespace, arrival: Arrival | None = None
) -> None:
    if options.json:
        key = arrival.key if arrival else None
        print(json.dumps({"outcome": "failed", "key": key, "error": _facts(error)}), flush=True)
    print(error, file=sys.stderr)


def _facts(error: LandfallError) -> dict[str, Any]:
    return {
        "kind": type(error).__name__,
        "retryable": error.retryable,
        "message": error.what,
        **{name: value for name, value in error.place.__dict__.items() if value is not None},
        "found": error.found,
        "expected": error.expected,
        "do": error.do,
    }


def _status(options: argparse.Namespace) -> int:
    feed = read_feed(options.feed)
    with connect(warehouse_from_environ(feed.target.connection)) as connection, postgres_errors():
        known = entries_of(connection, feed.name)
    with closing(make_client(store_from_environ(feed.source.connection))) as client:
        new = _new(feed, list(list_arrivals(client, feed.source)))
    if options.json:
        _print_json(known, new)
    else:
        _print_status(feed, known, new)
    return 0


def _print_json(known: list[Entry], new: list[Arrival]) -> None:
    for entry in known:
        print(json.dumps(entry.__dict__, default=str))
    for arrival in new:
        print(json.dumps({"status": "new", **arrival.as_dict()}))


def _print_status(feed: Feed, known: list[Entry], new: list[Arrival]) -> None:
    keys = [entry.key for entry in known] + [arrival.key for arrival in new]
    width = max(map(len, keys), default=0)
    print(f"{feed.name} -> {feed.target.table}")
    for entry in known:
        rows = "" if entry.rows is None else f"{entry.rows:,} rows"
        when = entry.started.isoformat(sep=" ", timespec="seconds")
        print(f"  {entry.status:<11}{entry.key:<{width}}  {rows:>14}  {when}  {entry.loaded_by}")
        for line in (entry.error or "").splitlines():
            print(f"      {line}")
    for arrival in new:
        print(f"  {'new':<11}{arrival.key:<{width}}  {arrival.size:>8,} bytes")
    if not new:
        print("  nothing new")


def _check(options: argparse.Namespace) -> int:
    feeds = _read_feeds(options.feed) if options.feed else read_folder(FEEDS)
    findings = [
        Finding(path.name, str(path), in_one_line(error), error)
        for path, error in feeds.broken.items()
    ]
    findings += check(asked_by(feeds.feeds))
    if options.json:
        for finding in findings:
            error = _facts(finding.error) if finding.error else None
            print(json.dumps({**finding.as_dict(), "error": error}))
    else:
        _print_findings(findings)
    return min((finding.error.exit_code for finding in findings if finding.error), default=0)


def _read_feeds(paths: Sequence[str]) -> Feeds:
    feeds = Feeds()
    for path in paths:
        try:
            feeds.feeds.append(read_feed(path))
        except FeedError as error:
            feeds.broken[Path(path)] = error
    return feeds


def _print_findings(findings: list[Finding]) -> None:
    names = max((len(finding.connection) for finding in findings), default=0)
    addresses = max((len(finding.address) for finding in findings), default=0)
    for finding in findings:
        word = "ok" if finding.reachable else "FAILED"
        name, address = f"{finding.connection:<{names}}", f"{finding.address:<{addresses}}"
        print(f"{word:<8}{name}  {address}  {finding.answer}")


def _schema(options: argparse.Namespace) -> int:
    print(json.dumps(schema(), indent=2))
    return 0
