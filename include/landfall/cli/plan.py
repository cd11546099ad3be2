"""landfall plan: shows what would be loaded, in which order and why, and what is skipped."""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from typing import Any

from include.landfall.arrival import Arrival
from include.landfall.cli import listing
from include.landfall.cli.command import add_command, add_feed
from include.landfall.cli.output import show, show_json
from include.landfall.feed.model import Feed
from include.landfall.feed.yaml_file import read_feed

EXAMPLES = "--feed include/feeds/orders.yaml"
ABOUT = """\
Lists the files that would be loaded, in their order, and the objects that would
be skipped, each with the reason."""
SHOWN = 10  # keys that are skipped for one reason
REASONS = {
    "new": "new",
    "changed": "changed: it replaces its own rows",
    "failed": "failed before",
    "loaded": "loaded already",
    "duplicate": "refused, a loaded file has the same content (load --key … --force loads it)",
    "superseded": "a newer file is loaded already",
    "settling": "changed a moment ago: load and Airflow wait for source.settle_seconds",
    "no_marker": "not complete: its folder has neither _SUCCESS nor a manifest yet",
    "no_parts": "not complete: its manifest names objects that are not there, or not whole, yet",
    "no_files": "not complete: its folder has no object that source.pattern matches",
    "no_others": "its manifest names objects of other folders, or that source.pattern leaves out",
    "no_manifest": "its manifest cannot be read: JSON with entries, each with a url, is expected",
    "no_manifests": "its folder has several manifests: which one counts is not known",
    "other_name": "its name does not match source.pattern",
    "marker": "a folder, or a marker beside data",
}
OF_OTHERS = ("other_name", "marker")  # why an object is none of the feed's


def add_to(commands: Any) -> None:
    """Adds the command to the parser."""
    summary = "show what load would do, and why; change nothing"
    add_feed(command := add_command(commands, "plan", summary, EXAMPLES, ABOUT))
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Shows the arrivals that would be loaded, then the objects that would be skipped."""
    feed = read_feed(options.feed)
    plan = listing.plan_of(feed, time.time())
    if options.json:
        for action, objects in (("load", plan.to_load), ("skip", plan.skipped)):
            for arrival, reason in objects:
                show_json({"action": action, "reason": reason, **arrival.as_dict()})
    else:
        _show(feed, plan)
    return 0


def _show(feed: Feed, plan: listing.Plan) -> None:
    show(f"{feed.name} -> {feed.target.table}")
    width = max((len(arrival.key) for arrival, _ in plan.to_load), default=0)
    for arrival, reason in plan.to_load:
        size = f"{arrival.size:,} bytes"
        show(f"  load  {arrival.key:<{width}}  {size:>16}  {REASONS[reason]}")
    if not plan.to_load:
        show("  nothing to load")
        if all(reason in OF_OTHERS for _, reason in plan.skipped):
            show(f"  {listing.no_match(feed)}")
    skipped: dict[str, list[Arrival]] = defaultdict(list)
    for arrival, reason in plan.skipped:
        skipped[reason].append(arrival)
    for reason, arrivals in skipped.items():
        keys = ", ".join(arrival.key for arrival in arrivals[:SHOWN])
        more = f" and {len(arrivals) - SHOWN:,} more" if len(arrivals) > SHOWN else ""
        show(f"  skip  {len(arrivals):,}  {REASONS[reason]}: {keys}{more}")
