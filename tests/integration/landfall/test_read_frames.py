"""What reading hands over is what a binary COPY of the server takes."""

from __future__ import annotations

import io
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from include.landfall.arrival import Arrival
from include.landfall.connections import Store
from include.landfall.feed.column_types import parse_type
from include.landfall.frames import FrameType
from include.landfall.job import Job, PlannedColumn
from include.landfall.postgres.connection import connect
from include.landfall.read import pipeline

DATA = 'id,name,tags\n1,a,{x}\n 2 ,,"{y,""z w""}"\n3\n,"é\n",\n'.encode()
SIGNATURE, TRAILER = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
TABLES = {
    FrameType.SUSPECTS: "number bigint, line bigint, raw text, cells text[]",
    FrameType.REJECTS: "number bigint, line bigint, column_name text, reason text, sqlstate text,"
    " message text, raw text",
}


@pytest.fixture
def frames(monkeypatch):
    @contextmanager
    def opened(client, arrival, unpacking=None, on_read=None):
        yield io.BytesIO(DATA)

    monkeypatch.setattr(pipeline, "open_text", opened)
    kinds = {"id": "integer", "name": "text", "tags": "text[]"}
    columns = tuple(PlannedColumn(name, parse_type(kind)) for name, kind in kinds.items())
    columns = (PlannedColumn("id", parse_type("integer"), nullable=False), *columns[1:])
    arrival = Arrival("b", "k", "e", len(DATA), datetime(2013, 1, 1, tzinfo=UTC))
    return list(pipeline.frames(None, Job("f", arrival, Store(), columns, 1)))


def copied(warehouse, frames, frame_type):
    """The rows of all frames of the type, as a table of the server has them."""
    with connect(warehouse) as connection, connection.transaction(force_rollback=True):
        connection.execute(f"CREATE TEMP TABLE copied ({TABLES[frame_type]})")
        with connection.cursor().copy("COPY copied FROM STDIN (FORMAT binary)") as copy:
            copy.write(SIGNATURE)
            for frame in frames:
                if frame.type is frame_type:
                    copy.write(bytes(frame.payload))
            copy.write(TRAILER)
        return connection.execute("SELECT * FROM copied ORDER BY number").fetchall()


def test_suspects_come_with_line_text_and_cells(warehouse, frames):
    assert copied(warehouse, frames, FrameType.SUSPECTS) == [
        (2, 3, ' 2 ,,"{y,""z w""}"', [" 2 ", None, '{y,"z w"}']),
        (4, 5, ',"é\n",', [None, "é\n", None]),
    ]


def test_rejects_come_with_line_reason_and_text(warehouse, frames):
    message = "the row has 1 field, not 3"
    assert copied(warehouse, frames, FrameType.REJECTS) == [
        (3, 4, None, "fields", "22P04", message, "3")
    ]
