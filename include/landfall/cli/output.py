"""What commands print: text for people, one JSON object a line for programs."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from include.landfall.arrival import Arrival
from include.landfall.errors import DuplicateContent, LandfallError, escaped

TICK = 0.2  # seconds between two lines of progress
CLEAR_LINE = "\r\x1b[K"


def show(*lines: str, error: bool = False) -> None:
    """Prints lines for people: no key, cell or name in them begins another one, or sets a color."""
    file = sys.stderr if error else sys.stdout
    print(*map(escaped, lines), sep="\n", file=file, flush=True)


def show_json(value: dict[str, Any]) -> None:
    """Prints one JSON object on a line."""
    print(json.dumps(value, default=str), flush=True)


def counted(number: int, thing: str) -> str:
    """Returns a number with its noun: 1 row, 1,000 rows."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def show_error(error: LandfallError, *, as_json: bool, key: str | None = None) -> None:
    """Prints an error for people to standard error, and for programs to standard output too."""
    if as_json:
        outcome = "duplicate" if isinstance(error, DuplicateContent) else "failed"
        show_json({"outcome": outcome, "key": key, "error": facts_of(error)})
    print(error, file=sys.stderr)


def facts_of(error: LandfallError) -> dict[str, Any]:
    """Returns what an error says, by name."""
    return {
        "kind": type(error).__name__,
        "retryable": error.retryable,
        "message": error.what,
        **{name: value for name, value in error.place.__dict__.items() if value is not None},
        "found": error.found,
        "expected": error.expected,
        "do": error.do,
    }


def ticker(arrival: Arrival) -> Callable[[int], None]:
    """Makes a function that shows the rows read so far on one line of the terminal."""
    last = 0.0

    def tick(rows: int) -> None:
        nonlocal last
        if time.monotonic() - last > TICK:
            last = time.monotonic()
            sys.stderr.write(f"{CLEAR_LINE}  reading {escaped(arrival.key)}: {rows:,} rows")
            sys.stderr.flush()

    return tick


def clear_tick() -> None:
    """Clears the line that a ticker wrote."""
    sys.stderr.write(CLEAR_LINE)
