"""Reads files that have types of their own, for tests of their formats."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from include.landfall.arrival import Arrival
from include.landfall.connections import Store
from include.landfall.feed.column_types import parse_type
from include.landfall.feed.formats import read_format
from include.landfall.job import Job, PlannedColumn
from include.landfall.read.casts.own_types import as_text
from include.landfall.read.formats import format_of
from tests.support.readings import gather

WHEN = datetime(2013, 1, 1, tzinfo=UTC)


def job(kind: str, columns: dict[str, str], encoding: str | None = None, **options: Any) -> Job:
    """Makes the job of a file of this format; `options` are those of the format."""
    planned = tuple(PlannedColumn(name, parse_type(own)) for name, own in columns.items())
    dialect = read_format({"type": kind, **options}).dialect()
    return Job("f", Arrival("b", "k", "e", 1, WHEN), Store(), planned, 1, dialect, encoding)


def read(data: bytes, kind: str, columns: dict[str, str], **options: Any) -> Any:
    """Returns the rows as texts, by their numbers, and the rejects."""
    planned = job(kind, columns, **options)
    types = [column.type for column in planned.columns]

    def texts(batch: pa.RecordBatch) -> Iterator[tuple[str | None, ...]]:
        return zip(*(as_text(c, t).to_pylist() for c, t in zip(batch.columns, types, strict=True)))

    return gather(format_of(planned).rows(io.BytesIO(data), planned), texts)
