"""landfall tidy: moves or deletes the objects of loaded files, as the feed says."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import Any

from include.landfall.cli.command import add_command, add_feed
from include.landfall.cli.output import counted, show_json
from include.landfall.connections import store_from_environ, warehouse_from_environ
from include.landfall.errors import printable
from include.landfall.feed.yaml_file import Feeds, read_feed, read_folder
from include.landfall.tidy import Tidied, tidy

EXAMPLES = """\
--feed include/feeds/orders.yaml --dry-run
--feed include/feeds/orders.yaml"""
ABOUT = """\
The feed says so in source.loaded_files. Files that are not loaded, that have
changed since, or that have open rejects stay, and so do those that another feed
of the same folder takes. Airflow does this every night."""


def add_to(commands: Any) -> None:
    """Adds the command to the parser."""
    summary = "move or delete the objects of loaded files, as the feed says"
    add_feed(command := add_command(commands, "tidy", summary, EXAMPLES, ABOUT))
    command.add_argument(
        "--dry-run", action="store_true", help="show what would be done, and change nothing"
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Tidies, and says what became of each object. Returns 0."""
    feed = read_feed(options.feed)
    counts: Counter[str] = Counter()
    would = "would be " if options.dry_run else ""
    for each in tidy(
        feed,
        store=store_from_environ(feed.source.connection),
        warehouse=warehouse_from_environ(feed.target.connection),
        others=_beside(options.feed),
        only_look=options.dry_run,
    ):
        counts[each.action] += 1
        if options.json:
            show_json({**each.as_dict(), "dry_run": options.dry_run})
        else:
            _show(each, would)
    if not options.json:
        done = ", ".join(f"{counted(n, 'file')} {would}{action}" for action, n in counts.items())
        print(f"{feed.name}: {done or 'no loaded file is old enough'}")
    return 0


def _beside(path: str) -> Feeds:
    return read_folder(Path(path).resolve().parent)


def _show(tidied: Tidied, would: str) -> None:
    more = tidied.reason or (f"to {tidied.moved_to}" if tidied.moved_to else "")
    line = f"{would}{tidied.action:<8} {printable(tidied.key)}  {printable(more)}"
    print(line.rstrip(), flush=True)
