"""One loading process: takes jobs on standard input, one line of JSON each, and answers them."""

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
    """Says that it is ready, then answers each job."""
    say({"ready": True})
    for line in sys.stdin:
        say(answer(json.loads(line)))


def answer(job: dict[str, Any]) -> dict[str, Any]:
    """The receipt, or the error."""
    try:
        return load(
            Feed.model_validate(job["feed"]),
            Arrival.from_dict(job["arrival"]),
            store=Store(**job["store"]),
            warehouse=Warehouse(**job["warehouse"]),
            by=job["by"],
            progress=lambda rows: say({"read": rows}),
        ).as_dict()
    except LandfallError as error:
        return {"outcome": "failed", "retryable": error.retryable, "error": str(error)}


def say(what: dict[str, Any]) -> None:
    """One line of JSON."""
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main()
