"""Files of other programs, made in memory: Parquet, workbooks, zip files."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq


def parquet_bytes(table: pa.Table | Mapping[str, Any], **options: Any) -> bytes:
    """Makes a Parquet file of a table or of columns."""
    rows = table if isinstance(table, pa.Table) else pa.table(table)
    pq.write_table(rows, sink := io.BytesIO(), **options)
    return sink.getvalue()


def workbook_bytes(*rows: Iterable[Any]) -> bytes:
    """Makes an Excel file of one sheet."""
    workbook = openpyxl.Workbook()
    for row in rows:
        workbook.active.append(list(row))
    workbook.save(sink := io.BytesIO())
    return sink.getvalue()


def zip_bytes(*members: tuple[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Makes a zip file of members. Its bytes are the same at every time of day."""
    with zipfile.ZipFile(sink := io.BytesIO(), "w", method) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return sink.getvalue()
