"""landfall audit: counts the rows of each file in the table, and compares them with the ledger."""

from __future__ import annotations

import argparse
import shlex
from typing import Any

from include.landfall.audit import Audit, Difference, audit
from include.landfall.cli.command import PROGRAM, add_command, add_feed
from include.landfall.cli.output import counted, show, show_json
from include.landfall.connections import warehouse_from_environ
from include.landfall.errors import LandfallError
from include.landfall.feed.model import Feed
from include.landfall.feed.yaml_file import read_feed
from include.landfall.job import LOAD_ID
from include.landfall.postgres.statements import table
from include.landfall.write.dispositions import disposition_of

EXAMPLES = "--feed include/feeds/orders.yaml"
ABOUT = """\
Counts the rows of each file in the feed's table, and compares them with the
ledger: after a restore, a failover, a crash with an UNLOGGED table, a TRUNCATE
or a DELETE by hand. Reads the whole table, and changes nothing."""


def add_to(commands: Any) -> None:
    """Adds the command to the parser."""
    summary = "compare the rows in the table with the ledger"
    add_feed(command := add_command(commands, "audit", summary, EXAMPLES, ABOUT))
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Shows the differences, and returns 1 where there is one."""
    feed = read_feed(options.feed)
    compared = audit(feed, warehouse=warehouse_from_environ(feed.target.connection))
    if options.json:
        for difference in compared.differences:
            show_json(difference.as_dict())
    else:
        _show(feed, compared, options.feed)
    return LandfallError.exit_code if compared.differences else 0


def _show(feed: Feed, compared: Audit, path: str) -> None:
    files = f"{counted(compared.files, 'file')} with {counted(compared.rows, 'row')}"
    if not compared.differences:
        later = "no difference (later files may have replaced some of the rows)"
        same = "as in the ledger" if disposition_of(feed).rows_stay else later
        show(f"{feed.target.table}: {files}, {same}")
        return
    show(f"{feed.target.table} differs from the ledger, which has {files} in it")
    width = max(len(each.key or "") for each in compared.differences)
    for each in compared.differences:
        show(_line(each, width))
    for what in dict.fromkeys(each.what for each in compared.differences):
        show(f"{what}: {_what_to_do(feed, what, path)}", error=True)


def _line(difference: Difference, width: int) -> str:
    of_ledger = f" of {difference.loaded:,}" if difference.loaded else ""
    rows = f"{difference.counted:,}{of_ledger} rows in the table"
    key = difference.key or ""
    return f"  {difference.what:<10}{key:<{width}}  load {difference.load_id}  {rows}"


def _what_to_do(feed: Feed, what: str, path: str) -> str:
    name = table(feed.target.table).as_string()
    rows = f"DELETE FROM {name} WHERE {LOAD_ID} = …"  # noqa: S608  a text for a person
    load = f"{PROGRAM} load --feed {shlex.quote(path)} --key … --force"
    if what == "missing" and not disposition_of(feed).rows_stay:
        return (
            "the table is older than its ledger. Bring back the ledger of the same moment, or load"
            f" the files since then again, the oldest first: {load}"
        )
    return {
        "missing": f"to load a file's rows again: {load}. Nothing is to do where somebody deleted"
        " them on purpose, or another feed has taken them over",
        "too many": f"rows were copied or changed by hand. To have the file's rows alone: {load}",
        "replaced": "rows that a later load has replaced, or of one that failed, are in the table"
        f" again, as of a partition that came back. To take them away: {rows}",
        "unknown": "the ledger has no such load in this table: it was lost or is older than the"
        f" table, or the rows are a copy. Set their {LOAD_ID} to NULL to keep them, or {rows}",
    }[what]
