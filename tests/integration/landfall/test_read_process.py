"""The process that reads for a large load ends when it should, and shows no secret."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from array import array
from dataclasses import replace

import psutil
import pytest

from include.landfall.errors import (
    HeaderMismatch,
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


def test_a_process_that_gets_no_job_ends_without_a_word(engine):
    """Where the file turns out to be loaded, and where the loader is killed before it says what."""
    arrival, before = engine.put(many(LARGE)), set(children())
    engine.load(arrival)
    assert engine.load(arrival).outcome == "already_loaded"
    assert set(children()) == before
    command = [sys.executable, "-m", "include.landfall.read.process"]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=30)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")


def test_payloads_that_are_kept_keep_their_bytes(reading):
    frames, _ = reading
    payloads = [frame.payload for frame in frames if frame.type is FrameType.ROWS]
    ids = [bytes(payload).count(b"%070d" % LARGE) for payload in payloads]
    assert len(payloads) > 5
    assert sum(ids) == ids[-1] == 1


def test_5_8_a_process_that_was_killed_for_memory_is_told_as_that(reading):
    frames, child = reading
    os.kill(child.pid, signal.SIGKILL)
    with pytest.raises(ServerUnavailable, match="SIGKILL killed it") as caught:
        list(frames)
    assert "memory" in caught.value.do


def test_5_8_a_process_that_crashed_is_no_reason_to_retry(reading):
    frames, child = reading
    os.kill(child.pid, signal.SIGSEGV)
    with pytest.raises(TerminalError, match="SIGSEGV killed it"):
        list(frames)


def test_5_8_a_process_that_fails_to_import_says_what_is_missing(engine, monkeypatch):
    monkeypatch.setattr(reader, "__name__", "include.landfall.read.gone")
    frames = reader.read_frames(job(engine, engine.put(many(1))))
    with pytest.raises(TerminalError, match="exit code 1") as caught:
        list(frames)
    assert "include.landfall.read.gone" in caught.value.found


def test_5_8_a_process_that_cannot_be_started_is_told(engine, monkeypatch):
    def refuse(*options, **more):
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(reader.subprocess, "Popen", refuse)
    with pytest.raises(ServerUnavailable, match="could not be started") as caught:
        list(reader.read_frames(job(engine, engine.put(many(1)))))
    assert "Cannot allocate memory" in caught.value.found


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
        (many(LARGE).replace("name", "nom"), HeaderMismatch, 1),
        (b"\x1f\x8b" + bytes(9 << 20), TruncatedFile, None),
    ],
)
def test_what_the_process_finds_wrong_crosses_whole(engine, text, error, line):
    arrival = engine.put(text)
    with pytest.raises(error) as caught:
        list(reader.read_frames(job(engine, arrival)))
    assert caught.value.place.line == line
    assert caught.value.place.object == arrival.uri


def test_misshapen_rows_and_numbers_cross_whole(engine):
    text = many(LARGE).replace(f"\n{LARGE // 2},", "\nx", 1)
    frames = list(reader.read_frames(job(engine, engine.put(text))))
    (reject,) = [frame for frame in frames if frame.type is FrameType.REJECTS]
    assert b"the row has 1 field, not 2" in bytes(reject.payload)
    numbers = [n for frame in frames if frame.type is FrameType.ROWS for n in numbers_of(frame)]
    assert numbers == [n for n in range(1, LARGE + 1) if n != LARGE // 2]


def numbers_of(frame):
    return array("q", frame.numbers) or range(frame.first, frame.first + frame.count)


def test_an_object_that_is_gone_is_said_across_the_pipe(engine):
    arrival = replace(engine.put(many(LARGE)), key="gone.csv")
    with pytest.raises(ObjectMissing):
        list(reader.read_frames(job(engine, arrival)))


def test_an_error_that_nobody_foresaw_is_said_and_not_taken_for_a_broken_pipe(engine):
    """A retry would only fail again."""
    broken = replace(job(engine, engine.put(many(LARGE))), columns=())
    with pytest.raises(TerminalError):
        list(reader.read_frames(replace(broken, dialect=None)))


# Columns of a batch are many small blocks. What is freed between two that stay is not given back.
GIVES_BACK = """
import pyarrow
from include.landfall.read import process
blocks = [bytearray(b"x" * 100_000) for _ in range(1_500)]
del blocks[::2]
before = process._resident_bytes()
process._give_back_memory(process.LARGE_BYTES)
print(before, process._resident_bytes())
"""


def test_3_4_the_process_gives_freed_memory_back():
    """600 columns of double precision took a load to 272 MB."""
    environ = {**os.environ, "ARROW_DEFAULT_MEMORY_POOL": "system", **reader.MALLOC}
    printed = subprocess.run(
        [sys.executable, "-c", GIVES_BACK], env=environ, capture_output=True, text=True, check=True
    ).stdout
    before, after = map(int, printed.split())
    assert before > reader.LARGE_BYTES
    assert after < before - 40_000_000


def test_the_process_begins_without_what_only_the_feed_and_the_database_need():
    """Each of these takes a tenth of a second or more, and 10 MB."""
    needed = "include.landfall.read.pipeline, include.landfall.s3.client"
    run = subprocess.run(
        [sys.executable, "-c", f"import sys, {reader.__name__}, {needed}; print(*sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert not {"pydantic", "psycopg", "yaml"} & set(run.stdout.split())
