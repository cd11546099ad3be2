"""A loading process: reads jobs from standard input, one line of JSON each, and answers them."""

from __future__ import annotations

import json
import sys
from typing import Any

from include.landfall.arrival import Arrival
from include.landfall.connections import Store, Warehouse
from include.landfall.errors import LandfallError
from include.landfall.feed.model import Feed
from include.landfall.load import load
from include.landfall.replay import rejects_to_replay, replay


def main() -> None:
    """Reports that it is ready, then answers each job."""
    report({"ready": True})
    for line in sys.stdin:
        report(run_job(json.loads(line)))


def run_job(job: dict[str, Any]) -> dict[str, Any]:
    """Loads or replays, and returns the receipt or the error."""
    try:
        if "edited" in job:
            return run_replay(job)
        if "plain" in job:
            return run_plain_load(job)
        return load(
            Feed.model_validate(job["feed"]),
            Arrival.from_dict(job["arrival"]),
            store=Store(**job["store"]),
            warehouse=Warehouse(**job["warehouse"]),
            by=job["by"],
            progress=lambda rows: report({"read": rows}),
        ).as_dict()
    except LandfallError as error:
        return {"outcome": "failed", "retryable": error.retryable, "error": str(error)}


def run_replay(job: dict[str, Any]) -> dict[str, Any]:
    """Replays the rejects with the job's cells."""
    feed, warehouse = Feed.model_validate(job["feed"]), Warehouse(**job["warehouse"])
    edited = {int(reject_id): cells for reject_id, cells in job["edited"].items()}
    batches = rejects_to_replay(feed, warehouse=warehouse, edited=edited).batches
    rows = sum(replay(feed, batch, warehouse=warehouse).rows for batch in batches)
    return {"outcome": "replayed", "rows": rows}


def run_plain_load(job: dict[str, Any]) -> dict[str, Any]:
    """Loads a file without a feed, and says when it starts: the imports take some seconds."""
    from tests.chaos.plain import load_plainly

    report({"started": True})
    servers = Store(**job["store"]), Warehouse(**job["warehouse"])
    return load_plainly(*servers, Arrival.from_dict(job["arrival"]), **job["plain"]).as_dict()


def report(message: dict[str, Any]) -> None:
    """Prints a message as one line of JSON."""
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    main()
