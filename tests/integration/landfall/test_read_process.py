"""The process that reads for a large load ends when it should, and shows no secret."""

from __future__ import annotations

import os
import signal
from dataclasses import replace

import psutil
import pytest

from include.landfall.errors import (
    HeaderMismatch,
    MisshapenRow,
    ObjectMissing,
    ServerUnavailable,
    TerminalError,
    TruncatedFile,
)
from include.landfall.feed.column_types import parse_type
from include.landfall.frames import FrameType
from include.landfall.job import Job, PlannedColumn
from include.landfall.read import process as reader
from tests.support.engine import LARGE, many


def job(engine, arrival):
    columns = (
        PlannedColumn("id", parse_type("integer")),
        PlannedColumn("name", parse_type("text")),
    )
    return Job("t", arrival, engine.store, columns, 1)


def children():
    return psutil.Process().children()


@pytest.fixture
def reading(engine):
    """The frames of a large file whose reading has begun, and the process that reads it."""
    before = set(children())
    frames = reader.read_frames(job(engine, engine.put(many(LARGE))))
    next(frames)
    yield frames, (set(children()) - before).pop()
    frames.close()


def test_all_rows_come_and_the_process_is_gone(reading):
    frames, child = reading
    *rows, end = frames
    assert sum(frame.count for frame in rows) == end.count == LARGE
    assert end.type is FrameType.END
    assert not child.is_running()


def test_a_reading_that_is_given_up_leaves_no_process(reading):
    frames, child = reading
    next(frames)
    frames.close()
    assert not child.is_running()


def test_a_killed_process_is_an_error_after_which_a_retry_helps(reading):
    frames, child = reading
    os.kill(child.pid, signal.SIGKILL)
    with pytest.raises(ServerUnavailable, match="ended in the middle"):
        list(frames)


def test_the_secret_of_the_store_is_not_for_other_processes_to_see(
    engine, connections, monkeypatch
):
    """It is in neither its command line nor its environment, though this process's has it."""
    secret = engine.store.secret_key
    assert secret in os.environ["AIRFLOW_CONN_LANDING"]
    frames = reader.read_frames(job(engine, engine.put(many(LARGE))))
    before = set(children())
    next(frames)
    child = (set(children()) - before).pop()
    visible = " ".join([*child.cmdline(), *child.environ().values()])
    frames.close()
    assert secret not in visible
    assert engine.warehouse.password not in visible


@pytest.mark.parametrize(
    ("text", "error", "line"),
    [
        (many(LARGE) + "1,2,3\n", MisshapenRow, LARGE + 2),
        (many(LARGE).replace("name", "nom"), HeaderMismatch, 1),
        (many(LARGE).encode() + b"1,\xe9\n", MisshapenRow, LARGE + 2),
        (b"\x1f\x8b" + bytes(9 << 20), TruncatedFile, None),
    ],
)
def test_what_the_process_finds_wrong_crosses_whole(engine, text, error, line):
    with pytest.raises(error) as caught:
        engine.load(text)
    assert caught.value.place.line == line
    assert caught.value.place.object == f"s3://{engine.bucket}/a.csv"
    assert engine.statuses() == ["failed"]


def test_an_object_that_is_gone_is_said_across_the_pipe(engine):
    arrival = replace(engine.put(many(LARGE)), key="gone.csv")
    with pytest.raises(ObjectMissing):
        list(reader.read_frames(job(engine, arrival)))


def test_an_error_that_nobody_foresaw_is_said_and_not_taken_for_a_broken_pipe(engine):
    """A retry would only fail again."""
    broken = replace(job(engine, engine.put(many(LARGE))), columns=())
    with pytest.raises(TerminalError):
        list(reader.read_frames(replace(broken, dialect=None)))
