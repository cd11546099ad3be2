"""Jobs that read JSON, for tests of its parsers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from include.landfall.arrival import Arrival
from include.landfall.connections import Store
from include.landfall.feed.column_types import parse_type
from include.landfall.feed.formats import read_format
from include.landfall.job import Job, PlannedColumn

WHEN = datetime(2013, 1, 1, tzinfo=UTC)
COLUMNS = {"a": "integer", "b": "text", "c": "jsonb"}


def job(types: dict[str, str] = COLUMNS, encoding: str | None = None, **options: Any) -> Job:
    """Makes the job of a file with these columns; `options` are those of the format."""
    planned = tuple(PlannedColumn(name, parse_type(kind)) for name, kind in types.items())
    dialect = read_format({"type": "json", **options}).dialect()
    arrival = Arrival("b", "k", "e", 1, WHEN)
    return Job("f", arrival, Store(), planned, 1, dialect, encoding)
