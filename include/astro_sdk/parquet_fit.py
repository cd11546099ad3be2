"""Whether the engine takes the types of Parquet files for the columns of their table."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing, suppress

import pyarrow as pa

from include.landfall.errors import LandfallError
from include.landfall.feed.column_types import parse_type
from include.landfall.feed.formats import ParquetFormat
from include.landfall.job import PlannedColumn
from include.landfall.read.casts.own_types import accepts
from include.landfall.read.unpack import open_file
from include.landfall.s3.client import make_client

from .inference import columns_of_parquet
from .matching import match
from .sources import S3Files


def misfit_of(files: S3Files, columns: Mapping[str, str]) -> str:
    """Says which column of the files has a type that the engine does not take for the table's.

    It is empty where there is none. The SDK wrote every value as a text, which Postgres read as
    whatever type the column has; pandas does it still.
    """
    if not isinstance(files.format, ParquetFormat):
        return ""
    with closing(make_client(files.store)) as client:
        for arrival in files.arrivals:
            with open_file(client, arrival) as stream:
                own = columns_of_parquet(stream)
            for name, arrow in zip(match([n for n, _ in own], list(columns)), own, strict=True):
                if name in columns and not _is_taken(name, columns[name], arrow[1]):
                    return f"the column {name} is {columns[name]}, and {arrow[1]} in the file"
    return ""


def _is_taken(name: str, type_name: str, arrow: pa.DataType) -> bool:
    with suppress(LandfallError, ValueError):
        declared = parse_type(type_name)
        if pa.types.is_boolean(arrow) and declared.name != "boolean":
            return False  # the SDK wrote True, and Postgres writes true
        return accepts(PlannedColumn(name, declared), arrow)
    return True  # a type of the database's own: the load itself sees
