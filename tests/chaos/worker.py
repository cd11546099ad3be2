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


def main() -> None:
    """Reports that it is ready, then answers each job."""
    report({"ready": True})
    for line in sys.stdin:
        report(run_job(json.loads(line)))


def run_job(job: dict[str, Any]) -> dict[str, Any]:
    """Loads, and returns the receipt or the error."""
    try:
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


def report(message: dict[str, Any]) -> None:
    """Prints a message as one line of JSON."""
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    main()
