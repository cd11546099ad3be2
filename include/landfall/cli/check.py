"""landfall check: says of every connection that the feeds name whether it can be used."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from shutil import get_terminal_size
from typing import Any

from include.landfall.check import Finding, asked_by, check, in_one_line
from include.landfall.cli.command import add_command, add_json
from include.landfall.cli.output import facts_of, show, show_json
from include.landfall.errors import FeedError
from include.landfall.feed.yaml_file import Feeds, read_feed, read_folder

FEEDS = Path(__file__).parents[2] / "feeds"

EXAMPLES = """
--feed include/feeds/orders.yaml"""
ABOUT = """\
Connects to each object store and database, and looks whether the bucket is
there and whether the rights are enough for a load. Writes nothing."""


def add_to(commands: Any) -> None:
    """Adds the command to the parser."""
    summary = "check that the feeds' connections can be used"
    command = add_command(commands, "check", summary, EXAMPLES, ABOUT)
    command.add_argument(
        "--feed", action="append", default=[], metavar="PATH",
        help="check the connections of this feed's YAML file, not those of all feeds in"
        " include/feeds; more than one: --feed PATH --feed PATH",
    )  # fmt: skip
    add_json(command)
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Asks all connections, and returns the lowest exit code of what it met."""
    feeds = _read_feeds(options.feed) if options.feed else read_folder(FEEDS)
    findings = [
        Finding(path.name, str(path), in_one_line(error), error)
        for path, error in feeds.broken.items()
    ]
    findings += check(asked_by(feeds.feeds))
    if not findings:
        show(f"no feed in {FEEDS}: nothing to check", error=True)
    if options.json:
        for finding in findings:
            error = facts_of(finding.error) if finding.error else None
            show_json({**finding.as_dict(), "error": error})
    else:
        _show(findings)
    return min((finding.error.exit_code for finding in findings if finding.error), default=0)


def _read_feeds(paths: Sequence[str]) -> Feeds:
    feeds = Feeds()
    for path in paths:
        try:
            feeds.feeds.append(read_feed(path))
        except FeedError as error:
            feeds.broken[Path(path)] = error
    return feeds


def _show(findings: list[Finding]) -> None:
    names = max((len(finding.connection) for finding in findings), default=0)
    addresses = max((len(finding.address) for finding in findings), default=0)
    for finding in findings:
        verdict = "ok" if finding.reachable else "FAILED"
        name, address = f"{finding.connection:<{names}}", f"{finding.address:<{addresses}}"
        show(*_wrapped(f"{verdict:<8}{name}  {address}  {finding.answer}"))


def _wrapped(line: str) -> list[str]:
    """Returns the line, broken for a terminal; what is no terminal gets one line each."""
    if not sys.stdout.isatty():
        return [line]
    columns = get_terminal_size().columns
    return textwrap.wrap(line, columns, subsequent_indent=" " * 8, break_long_words=False)
