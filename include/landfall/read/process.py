"""The reading side of a load in a process of its own, so that copying never waits for encoding.

pgpq holds Python's lock while it encodes; in the copying process that would starve the server.
The job comes pickled on standard input, frames go out on standard output. Both ends are this
module's, so pickle carries nothing from outside.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from include.landfall.errors import LandfallError, ServerUnavailable, TerminalError
from include.landfall.frames import Frame, Kind
from include.landfall.job import Job

HEAD = struct.Struct("!cIQ")  # kind, rows, bytes of the payload


QUEUED = 16  # heads and payloads of about a megabyte: the server never has to wait


ROOM = 2 << 20  # a payload is rarely larger


PIPE_BYTES = 1 << 20  # what Linux lets anyone ask for, instead of 64 KiB: fewer switches


INLINE_BYTES = 8 << 20  # below this a second process costs more than it brings


Block = bytes | memoryview | None  # None: no more


PROJECT = Path(__file__).resolve().parents[3]


def read_frames(job: Job) -> Iterator[Frame]:
    """The job's frames, read in a child process.

    Raises what the child raised, or ServerUnavailable when it ended without a word.
    """
    path = os.pathsep.join([str(PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])])
    # Airflow's settings hold connections, and the job has the one that is needed.
    kept = {k: v for k, v in os.environ.items() if not k.startswith("AIRFLOW")}
    environ = {**kept, "PYTHONPATH": path, "ARROW_DEFAULT_MEMORY_POOL": "system"}
    child = subprocess.Popen(  # noqa: S603  our own interpreter and module
        [sys.executable, "-m", __name__],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, pipesize=PIPE_BYTES,
        env=environ, cwd=PROJECT,
    )  # fmt: skip
    assert child.stdin is not None and child.stdout is not None
    try:
        with contextlib.suppress(BrokenPipeError):  # told below, by what it did not send
            child.stdin.write(pickle.dumps(job))
            child.stdin.flush()  # and left open: its end tells the child that we are gone
        yield from _received(cast(BinaryIO, child.stdout))
    finally:
        child.stdout.close()
        with contextlib.suppress(BrokenPipeError):
            child.stdin.close()
        child.terminate()
        child.wait()


def _received(pipe: BinaryIO) -> Iterator[Frame]:
    """The frames as they come. A payload is good until the next frame is asked for."""
    room = bytearray(ROOM)  # one for all: a new megabyte for each frame is 256 page faults
    while head := pipe.read(HEAD.size):
        if len(head) < HEAD.size:
            break
        kind, count, size = HEAD.unpack(head)
        if size > len(room):
            room = bytearray(size)
        payload = memoryview(room)[:size]
        if pipe.readinto(payload) < size:  # type: ignore[attr-defined]
            break
        frame = Frame(Kind(kind), count, payload)
        if frame.kind is Kind.ERROR:
            raise pickle.loads(payload)  # noqa: S301  written by main(), below
        yield frame
        if frame.kind is Kind.END:
            return
    raise ServerUnavailable("the reading process ended in the middle of the file", do="retry")


def main() -> None:
    """The child: reads the job, writes its frames, and an error as the last of them."""
    # pyarrow would load numpy where it finds it: 25 MB that this process has no use for.
    sys.modules["numpy"] = None  # type: ignore[assignment]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    job: Job = pickle.load(sys.stdin.buffer)  # noqa: S301  written by read_frames(), above
    threading.Thread(target=_end_with_parent, daemon=True).start()
    waiting: queue.Queue[Block] = queue.Queue(QUEUED)
    writer = threading.Thread(target=_write, args=(waiting,), daemon=True)
    writer.start()
    try:
        _produce(job, waiting)
    except LandfallError as error:
        _tell(error, waiting)
    except Exception as error:  # noqa: BLE001  not foreseen, so not worded; told all the same
        _tell(TerminalError("the file cannot be read", found=repr(error)), waiting)
    waiting.put(None)
    writer.join()


def _tell(error: LandfallError, waiting: queue.Queue[Block]) -> None:
    payload = pickle.dumps(error)
    waiting.put(HEAD.pack(Kind.ERROR.value, 0, len(payload)) + payload)


def _end_with_parent() -> None:
    """Killed, the copying side can tell nobody; but the pipe from it ends."""
    os.read(0, 1)
    os._exit(1)


def _produce(job: Job, waiting: queue.Queue[Block]) -> None:
    from include.landfall.read.pipeline import frames
    from include.landfall.s3.client import make_client

    for frame in frames(make_client(job.store), job):
        waiting.put(HEAD.pack(frame.kind.value, frame.count, len(frame.payload)))
        waiting.put(frame.payload)  # apart from its head: a megabyte need not be copied


def _write(waiting: queue.Queue[Block]) -> None:
    while (block := waiting.get()) is not None:
        view = memoryview(block)
        while view:
            try:
                view = view[os.write(1, view) :]
            except BrokenPipeError:
                os._exit(0)  # the copying side is gone, and nobody is left to tell


if __name__ == "__main__":
    main()
