"""landfall sniff: reads the beginning of files, and proposes a feed for them."""

from __future__ import annotations

import argparse
import re
import shlex
from contextlib import closing, suppress
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from include.landfall.arrival import Arrival
from include.landfall.cli import listing
from include.landfall.cli.command import add_command, add_json, refuse_beside
from include.landfall.cli.output import counted, show, show_json
from include.landfall.connections import store_from_environ
from include.landfall.errors import DataError, ObjectMissing, WrongUse
from include.landfall.feed.model import NAME, Feed
from include.landfall.feed.names import is_name
from include.landfall.feed.source import Source
from include.landfall.feed.yaml_file import read_feed
from include.landfall.job import Unpacking
from include.landfall.s3.client import make_client
from include.landfall.s3.listing import find_arrival, list_arrivals
from include.landfall.s3.snapshots import SUCCESS

if TYPE_CHECKING:
    from include.landfall.sniff.drift import Drift

# The modules of sniffing are imported where they are used: they hold Arrow, which takes 60 MB and a
# fifth of a second of every other command.
EXAMPLES = """\
s3://landing/orders/2026-02.csv > include/feeds/orders.yaml
s3://landing/a.csv s3://landing/b.csv --name orders
--check include/feeds/orders.yaml"""
ABOUT = """\
Reads the beginnings of objects, and prints a feed for them as YAML. Look at
each line with DOUBT. With --check it says where the newest files of a feed no
longer fit it; the code is then 5."""
MOST_FILES = 4  # that are read at once, so that 16 MB are read at the most
CONNECTION = "landing"
NAME_HELP = "the feed's name; default: the first file's name without digits, else its folder's"
URL = re.compile(r"s3://([^/]+)/(.*)", re.DOTALL)
NAMED = 3  # objects that an error names


def add_to(commands: Any) -> None:
    """Adds the command to the parser."""
    summary = "propose a feed for files, or compare files with their feed"
    command = add_command(commands, "sniff", summary, EXAMPLES, ABOUT)
    command.add_argument(
        "urls", nargs="*", metavar="s3://BUCKET/KEY",
        help=f"the objects to read, at most {MOST_FILES}",
    )  # fmt: skip
    command.add_argument(
        "--check", metavar="PATH",
        help=f"a feed's YAML file: compare the {MOST_FILES} newest files of the feed with it",
    )  # fmt: skip
    command.add_argument(
        "--connection", metavar="NAME", help=f"the S3 connection; without it: {CONNECTION}"
    )
    command.add_argument("--name", help=NAME_HELP)
    command.add_argument("--table", help="the table of the proposed feed; without it: raw.NAME")
    add_json(command)
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Proposes a feed on standard output; with --check returns 5 when files have drifted."""
    if options.check:
        _refuse_beside_check(options)
        return _check(options)
    if not 1 <= len(options.urls) <= MOST_FILES:
        raise WrongUse(
            "sniff takes objects, or a feed to check",
            found=f"{len(options.urls)} objects",
            expected=f"1 to {MOST_FILES} objects as s3://BUCKET/KEY, or --check FEED",
        )
    _check_names(options)
    return _propose(options)


def _refuse_beside_check(options: argparse.Namespace) -> None:
    do = (
        f"landfall sniff --check {shlex.quote(options.check)} compares the newest files of the feed"
    )
    if options.urls:
        raise WrongUse("--check cannot be used with objects", found=", ".join(options.urls), do=do)
    refuse_beside(
        options,
        "--check",
        ["--connection", "--name", "--table"],
        f"{do}, and takes all three from it",
    )


def _check_names(options: argparse.Namespace) -> None:
    """Raises: WrongUse when the name or the table is none that a feed can have."""
    if options.name is not None and not re.fullmatch(NAME, options.name):
        expected = "a small letter, then small letters, digits or _; at most 55 characters"
        raise WrongUse("this is no name for a feed", found=options.name, expected=expected)
    parts = ["raw", "t"] if options.table is None else options.table.split(".")
    if len(parts) != 2 or not all(map(is_name, parts)):
        expected = "SCHEMA.TABLE, each of at most 63 bytes"
        raise WrongUse("this is no name for a table", found=options.table, expected=expected)


def _propose(options: argparse.Namespace) -> int:
    from include.landfall.sniff.keys import name_of
    from include.landfall.sniff.members import read_samples
    from include.landfall.sniff.sample import SAMPLE_BYTES
    from include.landfall.sniff.sniffing import sniff

    size = SAMPLE_BYTES // len(options.urls)
    connection = options.connection or CONNECTION
    with closing(make_client(store_from_environ(connection))) as client:
        arrivals = [_find(client, url) for url in options.urls]
        is_snapshot = _is_snapshot(client, arrivals[0])
        samples = [pair for each in arrivals for pair in read_samples(client, each, size)]
    name = options.name or name_of(arrivals[0].key)
    table = options.table or f"raw.{name}"
    sniffed = sniff(samples, name, table, connection, is_snapshot=is_snapshot)
    if options.json:
        show_json({"feed": name, "yaml": sniffed.text, "doubts": sniffed.doubts})
    else:
        print(sniffed.text, end="")
        doubts = f"{counted(sniffed.doubts, 'line')} with DOUBT: look at each"
        show(doubts if sniffed.doubts else "no line with DOUBT", error=True)
    return 0


def _is_snapshot(client: Any, arrival: Arrival) -> bool:
    """Returns whether the object is a part of an export that is whole: `_SUCCESS` is beside it."""
    from include.landfall.sniff.keys import is_part

    if not is_part(arrival.key):
        return False
    folder, slash, _ = arrival.key.rpartition("/")
    with suppress(ObjectMissing):
        find_arrival(client, arrival.bucket, f"{folder}{slash}{SUCCESS}")
        return True
    return False


def _find(client: Any, url: str) -> Arrival:
    """Returns the object. Raises: ObjectMissing, which names objects below a folder or pattern."""
    bucket, key = _parts(url)
    try:
        if key and not key.endswith("/"):  # some stores keep an object for a folder
            return find_arrival(client, bucket, key)
        missing = ObjectMissing("this is no object").at(object=url)
    except ObjectMissing as error:
        missing = error
    folder = re.split(r"[*?\[]", key, maxsplit=1)[0].rpartition("/")
    below = Source(bucket=bucket, pattern="".join(folder[:2]) + "**")
    near = [f"s3://{bucket}/{each.key}" for each in islice(list_arrivals(client, below), NAMED)]
    missing.do = f"name one, such as {', '.join(near)}" if near else "check the bucket and the key"
    raise missing


def _parts(url: str) -> tuple[str, str]:
    match = URL.fullmatch(url)
    if match is None:
        do = "put the file into a bucket first: a load reads it there" if Path(url).exists() else ""
        expected = "s3://BUCKET/KEY"
        raise WrongUse("this is no object", found=url, expected=expected, do=do or None)
    return match[1], match[2]


def _check(options: argparse.Namespace) -> int:
    feed = read_feed(options.check)
    files = listing.all_files(feed)
    newest = sorted(files, key=lambda arrival: arrival.last_modified)[-MOST_FILES:]
    with closing(make_client(store_from_environ(feed.source.connection))) as client:
        drifts = [_drift(client, feed, arrival, len(newest)) for arrival in newest]
    for drift in drifts:
        _show(drift, as_json=options.json)
    if not drifts and not options.json:
        show(f"{feed.name}: no file under s3://{feed.source.bucket}/{feed.source.prefix}")
    return DataError.exit_code if any(drift.departures for drift in drifts) else 0


def _drift(client: Any, feed: Feed, arrival: Arrival, files: int) -> Drift:
    from include.landfall.sniff.drift import drift_of, unread
    from include.landfall.sniff.sample import SAMPLE_BYTES, read_sample

    unpacking = Unpacking(feed.source.member, feed.limits.ratio)
    try:
        sample = read_sample(client, arrival, SAMPLE_BYTES // files, unpacking)
    except DataError as error:  # of this file: the others are still compared
        return unread(arrival, error)
    return drift_of(feed, arrival, sample)


def _show(drift: Drift, *, as_json: bool) -> None:
    if as_json:
        show_json(asdict(drift))
        return
    verdict = "drifted" if drift.departures else "fits"
    show(f"{verdict:<12}{drift.key}  {counted(drift.rows, 'row')} read")
    for departure in drift.departures:
        show(f"    {departure}")
    for note in drift.notes:
        show(f"    note: {note}")
