"""The reading side of a load in a process of its own, so that copying never waits for encoding.

pgpq holds Python's lock while it encodes; in the copying process that would starve the server.
The job comes pickled on standard input, frames go out on standard output. Both ends are in this
module, so pickle carries nothing from outside.
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
from contextlib import closing
from pathlib import Path
from typing import BinaryIO, cast

from include.landfall.errors import LandfallError, ServerUnavailable, TerminalError
from include.landfall.frames import Frame, FrameType
from include.landfall.job import Job

HEAD = struct.Struct("!cIQ")  # type, rows, bytes of the payload
QUEUED_BYTES = 8 << 20  # heads and payloads that wait: the server never has to
PAYLOAD_BYTES = 2 << 20  # a larger payload is sent in parts
PIPE_BYTES = 1 << 20  # what Linux lets anyone ask for, instead of 64 KiB: fewer switches
Block = bytes | memoryview | None  # None: no more
PROJECT = Path(__file__).resolve().parents[3]


class Blocks(queue.Queue[Block]):
    """A queue that is full when so many bytes are in it, however many blocks these are."""

    def _init(self, maxsize: int) -> None:
        super()._init(maxsize)
        self._bytes = 0

    def _qsize(self) -> int:
        return self._bytes

    def _put(self, item: Block) -> None:
        super()._put(item)
        self._bytes += _size(item)

    def _get(self) -> Block:
        item: Block = super()._get()
        self._bytes -= _size(item)
        return item


def _size(block: Block) -> int:
    return 1 if block is None else len(block) + 1  # at least 1, for a queue of 0 is empty


def read_frames(job: Job) -> Iterator[Frame]:
    """Yields the job's frames, read in a child process.

    Raises: what the child raised, or ServerUnavailable when it ended without an error.
    """
    child = _start()
    assert child.stdin is not None and child.stdout is not None
    try:
        # A child that ended early is noticed below, by what it did not send.
        with contextlib.suppress(BrokenPipeError):
            child.stdin.write(pickle.dumps(job))
            child.stdin.flush()  # and left open: when it ends, the child knows that we are gone
        yield from _received(cast(BinaryIO, child.stdout))
    finally:
        child.stdout.close()
        with contextlib.suppress(BrokenPipeError):
            child.stdin.close()
        child.terminate()
        child.wait()


def _start() -> subprocess.Popen[bytes]:
    path = os.pathsep.join([str(PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])])
    # Airflow's settings hold connections, and the job has the one that is needed.
    kept = {k: v for k, v in os.environ.items() if not k.startswith("AIRFLOW")}
    environ = {**kept, "PYTHONPATH": path, "ARROW_DEFAULT_MEMORY_POOL": "system"}
    return subprocess.Popen(  # noqa: S603  our own interpreter and module
        [sys.executable, "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pipesize=PIPE_BYTES,
        env=environ,
        cwd=PROJECT,
    )


def _received(pipe: BinaryIO) -> Iterator[Frame]:
    """Yields the frames as they come. A payload is good until the next frame is asked for."""
    buffer = bytearray(PAYLOAD_BYTES)  # one for all: a new megabyte each time is 256 page faults
    while head := pipe.read(HEAD.size):
        if len(head) < HEAD.size:
            break
        frame_type, count, size = HEAD.unpack(head)
        if size > len(buffer):
            buffer = bytearray(size)
        payload = memoryview(buffer)[:size]
        if pipe.readinto(payload) < size:  # type: ignore[attr-defined]
            break
        frame = Frame(FrameType(frame_type), count, payload)
        if frame.type is FrameType.ERROR:
            raise pickle.loads(payload)  # noqa: S301  written by main(), below
        yield frame
        if frame.type is FrameType.END:
            return
    raise ServerUnavailable("the reading process ended in the middle of the file", do="retry")


def main() -> None:
    """Runs the child: reads the job, writes its frames, and an error as the last of them."""
    # pyarrow would load numpy where it finds it: 25 MB that this process has no use for.
    sys.modules["numpy"] = None  # type: ignore[assignment]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    job: Job = pickle.load(sys.stdin.buffer)  # noqa: S301  written by read_frames(), above
    threading.Thread(target=_end_with_parent, daemon=True).start()
    blocks = Blocks(QUEUED_BYTES)
    writer = threading.Thread(target=_write, args=(blocks,), daemon=True)
    writer.start()
    try:
        _produce(job, blocks)
    except LandfallError as error:
        _send_error(error, blocks)
    except Exception as error:  # noqa: BLE001  not foreseen, and yet the parent must know it
        _send_error(TerminalError("the file cannot be read", found=repr(error)), blocks)
    blocks.put(None)
    writer.join()


def _end_with_parent() -> None:
    """Ends this process when the pipe from the parent ends: a killed parent cannot end it."""
    os.read(0, 1)
    os._exit(1)


def _produce(job: Job, blocks: Blocks) -> None:
    from include.landfall.read.pipeline import frames
    from include.landfall.s3.client import make_client

    with closing(make_client(job.store)) as client:
        for frame in frames(client, job):
            for count, part in _parts(frame):
                blocks.put(HEAD.pack(frame.type.value, count, len(part)))
                blocks.put(part)  # apart from its head, so that a megabyte is not copied


def _parts(frame: Frame) -> Iterator[tuple[int, memoryview]]:
    """Yields the payload in parts that fit the other side's buffer; the last has the count."""
    payload = memoryview(frame.payload)
    while len(payload) > PAYLOAD_BYTES:
        yield 0, payload[:PAYLOAD_BYTES]
        payload = payload[PAYLOAD_BYTES:]
    yield frame.count, payload


def _send_error(error: LandfallError, blocks: Blocks) -> None:
    payload = pickle.dumps(error)
    blocks.put(HEAD.pack(FrameType.ERROR.value, 0, len(payload)) + payload)


def _write(blocks: Blocks) -> None:
    """Writes blocks to standard output until there are no more."""
    while (block := blocks.get()) is not None:
        view = memoryview(block)
        while view:
            try:
                view = view[os.write(1, view) :]
            except BrokenPipeError:
                os._exit(0)  # the copying side is gone, and there is nobody left to tell


if __name__ == "__main__":
    main()
