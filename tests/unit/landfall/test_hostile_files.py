"""Files that are made to fill a machine's memory: each is a clear error, or rejects, within bounds.

All of them are read in one process, whose largest memory counts.
"""
# ruff: noqa: E501  the table of files

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import zstandard

from include.landfall.arrival import Arrival
from include.landfall.connections import Store
from include.landfall.errors import LandfallError
from include.landfall.feed.column_types import parse_type
from include.landfall.feed.formats import read_format
from include.landfall.job import Job, PlannedColumn, Unpacking
from include.landfall.read import pipeline
from tests.support.breaking_store import Breaking
from tests.support.file_bytes import parquet_bytes, zip_bytes

ROOT = Path(__file__).parents[3]
MOST_MEMORY = 512 << 10  # KiB, Python and its libraries included
ZEROS = bytes(80 << 20)
ROWS = {"type": "json", "rows": "data"}
FIXED = {"type": "fixed", "fields": {"a": {"start": 1, "width": 5}}}


def zip_bomb():
    return zip_bytes(("a.json", ZEROS))


def parquet_whose_footer_lies():
    return parquet_bytes({"a": ["x"] * 10})[:-8] + (2**31 - 1).to_bytes(4, "little") + b"PAR1"


def avro_with_a_large_schema():
    text = json.dumps(
        {"type": "record", "name": "r", "fields": [], "doc": "x" * 1_000_000}
    ).encode()
    size, length = len(text) << 1, b""
    while size > 0x7F:
        length, size = length + bytes([size & 0x7F | 0x80]), size >> 7
    return b"Obj\x01\x02\x16avro.schema" + length + bytes([size]) + text + b"\0" + b"s" * 16


def many_keys():
    return ("{" + ",".join(f'"k{n}": 1' for n in range(100_000)) + "}\n").encode()


# What each is: its format, its bytes, and how the reading ends.
HOSTILE = {
    "gzip bomb": ("json", lambda: gzip.compress(ZEROS), "times its size"),
    "zstd bomb": ("json", lambda: zstandard.compress(ZEROS), "times its size"),
    "bzip2 bomb": (FIXED, lambda: bz2.compress(ZEROS), "times its size"),
    "xz bomb": (FIXED, lambda: lzma.compress(ZEROS, preset=0), "times its size"),
    "zip bomb": ("json", zip_bomb, "times its size"),
    "100 MB in one field": ("json", lambda: b'{"a": "' + b"x" * 100_000_000 + b'"}\n{"a": "y"}', "too_long"),
    "100 MB in one element": ("json", lambda: b'[{"a": "' + b"x" * 100_000_000 + b'"}]', "too_long"),
    "100 MB in one line": (FIXED, lambda: b"x" * 100_000_000, "too_long"),
    "100 MB before the rows": (ROWS, lambda: b'{"m": "' + b"x" * 100_000_000 + b'", "data": [{}]} 5', "text follows"),
    "8 MB of objects before the rows": (ROWS, lambda: b'{"m": [' + b'{"x": [1, {}]}, ' * 500_000 + b'1], "data": [{"b": 1}]}', "other_key"),
    "a key of 50 MB": (ROWS, lambda: b'{"' + b"k" * 50_000_000 + b'": 1}', "no key 'data'"),
    "100,000 keys before": (ROWS, lambda: b"{" + b'"k": 1,' * 100_000 + b'"z": 1}', "and 99,981 more"),
    "10,000 deep before the rows": (ROWS, lambda: b'{"m": ' + b"[" * 10_000 + b"]" * 10_000 + b', "data": [1]}', "json"),
    "200,000 deep before the rows": (ROWS, lambda: b'{"m": ' + b'{"a":' * 200_000, "nested too deep"),
    "10,000 deep": ("json", lambda: b'{"a": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", "json"),
    "1,000,000 deep": ("json", lambda: b"[" * 1_000_000, "nested too deep"),
    "100,000 keys": ("json", many_keys, "other_key"),
    "100,000 columns of CSV": ("csv", lambda: ",".join(f"c{n}" for n in range(100_000)).encode(), "not the feed's"),
    "footer that lies": ("parquet", parquet_whose_footer_lies, "not whole Parquet"),
    "schema of 1 MB": ("avro", avro_with_a_large_schema, "a schema that is larger"),
}  # fmt: skip


def outcome(declared, data):
    """How the reading of a file ends: in an error, or in rejects for these reasons."""
    columns = (PlannedColumn("a", parse_type("text")),)
    arrival = Arrival("b", "k", "e", len(data), datetime(2013, 1, 1, tzinfo=UTC))
    dialect = read_format(declared).dialect()
    job = Job("f", arrival, Store(), columns, 1, dialect, unpacking=Unpacking(ratio=100))
    reasons = set()
    opened = pipeline._opened(Breaking(data), job)
    try:
        with opened as stream:
            for part in pipeline.format_of(job).rows(stream, job):
                reasons |= {record.reason for record in part.misshapen}
    except LandfallError as error:
        return str(error)
    return " ".join(sorted(reasons))


def main():
    for name, (declared, make, _) in HOSTILE.items():
        print(json.dumps([name, outcome(declared, make())]), flush=True)  # noqa: T201
    # Not ru_maxrss: at first that is what the process had which started this one.
    status = Path("/proc/self/status").read_text()
    print(re.search(r"VmHWM:\s*(\d+) kB", status)[1])  # noqa: T201


def test_each_hostile_file_ends_in_a_clear_error_within_bounded_memory():
    done = subprocess.run(
        [sys.executable, "-m", "tests.unit.landfall.test_hostile_files"],
        cwd=ROOT, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    *lines, memory = done.stdout.splitlines()
    outcomes = dict(map(json.loads, lines))
    wrong = {n: outcomes[n][:300] for n, (_, _, end) in HOSTILE.items() if end not in outcomes[n]}
    assert wrong == {}
    # The making of the files is part of it: the largest takes 100 MB.
    assert int(memory) < MOST_MEMORY + (100 << 10)


if __name__ == "__main__":
    main()
