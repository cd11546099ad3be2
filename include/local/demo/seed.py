"""The real data as eighteen files in the bucket `landing`, as different senders would send them.

The bytes depend on the data alone (gzip carries no time), so a second seed makes the same ETags
and writes nothing, and the feeds see nothing new.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard
from botocore.exceptions import ClientError

from include.local.demo.corrections import correction_files
from include.local.demo.source import table_bytes, table_text

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

BUCKET = "landing"
NULL = "NA"
MONTHS = range(1, 13)
Outcome = Literal["written", "unchanged", "kept"]

TEXT: pa.DataType = pa.string()
WHOLE: pa.DataType = pa.int16()
REAL: pa.DataType = pa.float64()
WEATHER: dict[str, pa.DataType] = {
    "origin": TEXT, "year": WHOLE, "month": WHOLE, "day": WHOLE, "hour": WHOLE,
    "temp": REAL, "dewp": REAL, "humid": REAL, "wind_dir": WHOLE, "wind_speed": REAL,
    "wind_gust": REAL, "precip": REAL, "pressure": REAL, "visib": REAL,
    "time_hour": pa.timestamp("us", tz="UTC"),
}  # fmt: skip


@dataclass(frozen=True)
class Seeded:
    """One file, and what seeding did: it wrote the file, or left it, changed or not."""

    key: str
    size: int
    outcome: Outcome


def seed(client: S3Client, bucket: str = BUCKET, *, restore: bool = True) -> list[Seeded]:
    """Puts the eighteen files into the bucket, and creates the bucket where it is missing.

    A file whose content somebody has changed is restored, or kept when `restore` is False.
    """
    ensure_bucket(client, bucket)
    etags = _etags(client, bucket)
    return [_put(client, bucket, key, body, etags.get(key), restore) for key, body in files()]


def files() -> Iterator[tuple[str, bytes]]:
    """Yields each file's key and bytes."""
    packers: list[tuple[str, Callable[[bytes], bytes]]] = [
        ("", bytes),
        (".gz", lambda data: gzip.compress(data, compresslevel=6, mtime=0)),
        (".zst", lambda data: zstandard.ZstdCompressor(level=3).compress(data)),
    ]
    for month, data in flights_by_month().items():
        ending, pack = packers[(month - 1) % len(packers)]
        yield f"flights/2013-{month:02}.csv{ending}", pack(data)
    yield "weather/weather.parquet", weather_parquet()
    for table in ("planes", "airports", "airlines"):
        yield f"{table}/{table}.csv", table_bytes(table)
    yield from correction_files()


def flights_by_month() -> dict[int, bytes]:
    """Returns the flights as twelve CSV files, each with the header and unchanged lines."""
    header, *lines = table_bytes("flights").splitlines(keepends=True)
    months: dict[int, list[bytes]] = {month: [header] for month in MONTHS}
    for line in lines:
        months[int(line.split(b",", 2)[1])].append(line)
    return {month: b"".join(of_month) for month, of_month in months.items()}


def weather_parquet() -> bytes:
    """Returns the weather as a Parquet file with typed columns and small row groups."""
    rows = list(csv.DictReader(table_text("weather")))
    columns = {
        name: pa.array([_value(row[name], data_type) for row in rows], data_type)
        for name, data_type in WEATHER.items()
    }
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink, row_group_size=8192, compression="zstd")
    return sink.getvalue()


def _value(text: str, data_type: pa.DataType) -> Any:
    if text == NULL:
        return None
    if pa.types.is_integer(data_type):
        return int(text)
    if pa.types.is_floating(data_type):
        return float(text)
    return datetime.fromisoformat(text) if pa.types.is_timestamp(data_type) else text


def ensure_bucket(client: S3Client, bucket: str = BUCKET) -> None:
    """Creates the bucket where it is missing."""
    try:
        client.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            raise
        client.create_bucket(Bucket=bucket)


def _etags(client: S3Client, bucket: str) -> dict[str, str]:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {
        entry["Key"]: entry["ETag"].strip('"')
        for page in pages
        for entry in page.get("Contents", [])
    }


def _put(
    client: S3Client, bucket: str, key: str, body: bytes, etag: str | None, restore: bool
) -> Seeded:
    # The ETag of an object that was put in one piece is the MD5 of its bytes.
    if etag == hashlib.md5(body, usedforsecurity=False).hexdigest():
        return Seeded(key, len(body), "unchanged")
    if etag is not None and not restore:
        return Seeded(key, len(body), "kept")
    client.put_object(Bucket=bucket, Key=key, Body=body)
    return Seeded(key, len(body), "written")
