"""A fault of the machine is not told as a fault of the sender's file, and a retry can help."""

from __future__ import annotations

import errno
import io
import os
import tempfile
from contextlib import nullcontext
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.landfall.arrival import Arrival
from include.landfall.connections import Store
from include.landfall.errors import ServerUnavailable, TruncatedFile
from include.landfall.feed.column_types import parse_type
from include.landfall.feed.formats import read_format
from include.landfall.job import Job, PlannedColumn
from include.landfall.read import process, unpack
from include.landfall.read.formats import parquet, parquet_batches
from include.landfall.read.local_faults import local_fault

ARRIVAL = Arrival("b", "k", "e", 1000, datetime(2013, 1, 1, tzinfo=UTC))
NO_SPACE = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def read_parquet():
    columns = {f"c{n}": [f"{n} {row}" for row in range(1000)] for n in range(8)}
    pq.write_table(pa.table(columns), sink := io.BytesIO())
    planned = tuple(PlannedColumn(name, parse_type("text")) for name in columns)
    dialect = read_format({"type": "parquet"}).dialect()
    return list(parquet.rows(sink, Job("f", ARRIVAL, Store(), planned, 1, dialect)))


@pytest.fixture
def striped(mocker):
    mocker.patch.object(parquet_batches, "HELD_BYTES", 1000)
    mocker.patch.object(parquet_batches, "STRIPE_BYTES", 500)


def test_a_full_disk_names_the_folder_of_temporary_files(striped, mocker):
    file = pa.OSFile
    mocker.patch.object(pa, "OSFile", lambda path, mode="rb": file("/dev/full", mode))
    with pytest.raises(ServerUnavailable, match="No space left on device") as raised:
        read_parquet()
    assert f"free disk space in the folder {tempfile.gettempdir()}" in raised.value.do


def test_without_a_folder_for_temporary_files_the_error_is_the_machines(striped, mocker):
    error = FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")
    mocker.patch("tempfile.TemporaryDirectory", side_effect=error)
    with pytest.raises(ServerUnavailable, match="No usable temporary directory"):
        read_parquet()
    mocker.patch("tempfile.TemporaryFile", side_effect=error)
    with pytest.raises(ServerUnavailable, match="No usable temporary directory"):
        next(process.read_frames(None))


@pytest.mark.parametrize("error", [MemoryError(), pa.ArrowMemoryError("malloc of size 9 failed")])
def test_a_machine_without_memory_is_asked_for_more(striped, mocker, error):
    mocker.patch.object(pa, "OSFile", side_effect=error)
    with pytest.raises(ServerUnavailable, match="not enough memory"):
        read_parquet()
    with (
        pytest.raises(ServerUnavailable, match="not enough memory"),
        unpack.open_file(None, ARRIVAL),
    ):
        raise error


def test_a_broken_file_is_still_the_senders():
    for error in (OSError("Corrupt snappy compressed data"), EOFError(), ValueError()):
        assert local_fault(error) is None
    with pytest.raises(TruncatedFile), parquet.whole_file("Parquet", io.BytesIO()):
        raise pa.ArrowInvalid("no Parquet")


def test_any_other_place_of_the_reading_process_tells_them_too(mocker, monkeypatch):
    sent = []
    monkeypatch.setattr(process, "_send_error", lambda error, _: sent.append(error))
    monkeypatch.setattr(process, "_write", lambda _: None)
    monkeypatch.setattr(process, "_end_with_parent", lambda: None)
    monkeypatch.setattr(process.pickle, "load", lambda _: None)
    monkeypatch.setattr(process.signal, "signal", lambda *_: None)
    monkeypatch.setattr(process, "starting", nullcontext)
    for error in (MemoryError(), NO_SPACE):
        mocker.patch.object(process, "_produce", side_effect=error)
        process.main()
    assert [type(error) for error in sent] == [ServerUnavailable] * 2
