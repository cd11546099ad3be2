"""The reading side of a load in a process of its own, so that copying never waits for encoding.

pgpq holds Python's lock while it encodes; in the copying process that would starve the server.
The job comes pickled on standard input, frames go out on standard output. Both ends are in this
module, so pickle carries nothing from outside.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import struct
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, BinaryIO, cast

from include.landfall.errors import LandfallError, ServerUnavailable, TerminalError
from include.landfall.frames import Frame, FrameType
from include.landfall.job import Job
from include.landfall.read.local_faults import local_fault
from include.landfall.startup import starting

HEAD = struct.Struct("!cIQQI")  # type, rows, bytes of the payload, first, bytes of the numbers
QUEUED_BYTES = 8 << 20  # of frames of about a megabyte: the server never has to wait
PIPE_BYTES = 1 << 20  # what Linux lets anyone ask for, instead of 64 KiB: fewer switches
Block = bytes | memoryview
# Blocks of a megabyte come and go. As mappings of their own each costs 256 page faults: of 2.4 s of
# CPU for 200 MB of CSV that was 0.15 s. Megabytes that are free at the end go back to the system.
MALLOC = {"MALLOC_MMAP_THRESHOLD_": str(4 << 20), "MALLOC_TRIM_THRESHOLD_": str(8 << 20)}
# Freed memory between blocks in use stays with the process: 70 MB with hundreds of columns. Above
# this size the process gives it back.
LARGE_BYTES = 96 << 20
# It does so again only when it has grown by this much: for every frame it took a fifth more CPU
# with rows of 20 kB.
GROWTH_BYTES = 24 << 20
PROJECT = Path(__file__).resolve().parents[3]


class Reader:
    """A child process that reads one job, and starts before the job is known: that takes a while.

    Raises: ServerUnavailable when it could not be started.
    """

    def __init__(self) -> None:
        self.is_used = False
        self._messages = _messages()
        try:
            self._child = _start(self._messages)
        except LandfallError:
            self._messages.close()
            raise

    def frames(self, job: Job) -> Iterator[Frame]:
        """Yields the job's frames.

        Raises: what the child raised; ServerUnavailable when the child was killed, TerminalError
        when it ended by itself without an error.
        """
        child = self._child
        assert child.stdin is not None and child.stdout is not None
        self.is_used = True
        try:
            # A child that ended early is noticed below, by what it did not send.
            with contextlib.suppress(BrokenPipeError):
                child.stdin.write(pickle.dumps(job))
                child.stdin.flush()  # and left open: when it ends, the child knows that we are gone
            if not (yield from _received(cast(BinaryIO, child.stdout))):
                raise _ended(child.wait(), self._messages)
        finally:
            self.close()

    def close(self) -> None:
        """Ends the child, whatever it does."""
        child = self._child
        if self._messages.closed:
            return
        assert child.stdin is not None and child.stdout is not None
        child.stdout.close()
        with contextlib.suppress(BrokenPipeError):
            child.stdin.close()
        child.terminate()
        child.wait()
        self._messages.close()


def read_frames(job: Job) -> Iterator[Frame]:
    """Yields the job's frames, read in a child process.

    Raises: as `Reader` and its `frames`.
    """
    yield from Reader().frames(job)


def _messages() -> IO[bytes]:
    """Opens a temporary file for what the child writes to standard error."""
    try:
        return tempfile.TemporaryFile()
    except OSError as error:
        raise local_fault(error) or error from error


def _start(messages: IO[bytes]) -> subprocess.Popen[bytes]:
    path = os.pathsep.join([str(PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])])
    # Airflow's settings hold connections, and the job has the one that is needed.
    kept = {k: v for k, v in os.environ.items() if not k.startswith("AIRFLOW")}
    environ = {**kept, "PYTHONPATH": path, "ARROW_DEFAULT_MEMORY_POOL": "system", **MALLOC}
    try:
        return subprocess.Popen(  # noqa: S603  our own interpreter and module
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=messages,
            pipesize=PIPE_BYTES,
            env=environ,
            cwd=PROJECT,
        )
    except OSError as error:
        raise ServerUnavailable(
            "the reading process could not be started",
            found=str(error),
            do="look for a machine that is short of memory or of processes, then retry",
        ) from error


def _received(pipe: BinaryIO) -> Generator[Frame, None, bool]:
    """Yields the frames as they come. Returns whether the last one was the end.

    A payload keeps its bytes as long as anything refers to it.
    """
    buffers = Buffers()
    while len(head := pipe.read(HEAD.size)) == HEAD.size:
        frame_type, count, size, first, numbers_size = HEAD.unpack(head)
        payload = buffers.take(size)
        whole = pipe.readinto(payload) == size  # type: ignore[attr-defined]
        numbers = pipe.read(numbers_size)
        if not whole or len(numbers) < numbers_size:
            break
        frame = Frame(FrameType(frame_type), count, payload, first, numbers)
        del payload
        if frame.type is FrameType.ERROR:
            raise pickle.loads(frame.payload)  # noqa: S301  written by main(), below
        yield frame
        if frame.type is FrameType.END:
            return True
        del frame
    return False


class Buffers:
    """Gives out memory for payloads, and again when nothing refers to it any more.

    Measured with 240 MB of payloads, of which the last 16 MiB are kept: 0.05 s of CPU, and 0.22 s
    with new memory for each, which is mostly page faults.
    """

    def __init__(self) -> None:
        self._buffers: list[bytearray] = []

    def take(self, size: int) -> memoryview:
        """Returns memory of that size."""
        for index in range(len(self._buffers)):
            if len(self._buffers[index]) >= size and self._is_free(index):
                # The next one is likely to be free as well, and this one is not.
                self._buffers.append(self._buffers.pop(index))
                return memoryview(self._buffers[-1])[:size]
        used = [index for index in range(len(self._buffers)) if not self._is_free(index)]
        self._buffers = [self._buffers[index] for index in used]  # the others are too small
        self._buffers.append(bytearray(size + size // 8))
        return memoryview(self._buffers[-1])[:size]

    def _is_free(self, index: int) -> bool:
        return sys.getrefcount(self._buffers[index]) == 2  # of the list and of this call


def _ended(status: int, messages: IO[bytes]) -> LandfallError:
    """Returns why the child ended without an end or an error; `status` is that of Popen.wait()."""
    messages.seek(0)
    lines = messages.read().decode("utf-8", "replace").strip().splitlines()
    last = lines[-1] if lines else None
    if status >= 0:
        return TerminalError(
            f"the reading process ended in the middle of the file with exit code {status}",
            found=last,
            do="check that this installation of Python and its packages is whole",
        )
    name = signal.Signals(-status).name
    what = f"the reading process ended in the middle of the file: {name} killed it"
    if -status == signal.SIGKILL:
        return ServerUnavailable(
            what,
            do="give the machine or container more memory, which is the likely cause, then retry",
        )
    if -status == signal.SIGTERM:
        return ServerUnavailable(what, do="retry")
    return TerminalError(what, found=last, do="report it, with the file if you can")


def main() -> None:
    """Runs the child: reads the job, writes its frames, and an error as the last of them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    with starting():
        _import_ahead()
    try:
        job: Job = pickle.load(sys.stdin.buffer)  # noqa: S301  written by Reader, above
    except EOFError:
        return  # there is nothing to load
    threading.Thread(target=_end_with_parent, daemon=True).start()
    blocks = Outbox(QUEUED_BYTES)
    writer = threading.Thread(target=_write, args=(blocks,), daemon=True)
    writer.start()
    try:
        _produce(job, blocks)
    except LandfallError as error:
        _send_error(error, blocks)
    except Exception as error:  # noqa: BLE001  not foreseen, and yet the parent must know it
        unforeseen = TerminalError("the file cannot be read", found=repr(error))
        _send_error(local_fault(error) or unforeseen, blocks)
    blocks.put(b"")
    writer.join()


def _import_ahead() -> None:
    """Imports what every job needs, while the parent prepares the job."""
    import include.landfall.read.pipeline
    import include.landfall.s3.client  # noqa: F401


def _end_with_parent() -> None:
    """Ends this process when the pipe from the parent ends: a killed parent cannot end it."""
    os.read(0, 1)
    os._exit(1)


class Outbox:
    """A queue between two threads that is full by bytes. An empty block is the last one."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._blocks: deque[Block] = deque()
        self._size = 0
        self._changed = threading.Condition()

    def put(self, block: Block) -> None:
        """Puts a block in, when there is room for it or it is the only one."""
        with self._changed:
            while self._blocks and self._size + len(block) > self._most:
                self._changed.wait()
            self._blocks.append(block)
            self._size += len(block)
            self._changed.notify_all()

    def get(self) -> Block:
        """Takes the oldest block out, when there is one."""
        with self._changed:
            while not self._blocks:
                self._changed.wait()
            block = self._blocks.popleft()
            self._size -= len(block)
            self._changed.notify_all()
            return block


def _produce(job: Job, blocks: Outbox) -> None:
    from include.landfall.read.pipeline import frames
    from include.landfall.s3.client import make_client

    limit = LARGE_BYTES
    with closing(make_client(job.store)) as client:
        for frame in frames(client, job):
            sizes = frame.first, len(frame.numbers)
            blocks.put(HEAD.pack(frame.type.value, frame.count, len(frame.payload), *sizes))
            # Apart from its head, so that a megabyte is not copied.
            if frame.payload:
                blocks.put(frame.payload)
            if frame.numbers:
                blocks.put(frame.numbers)
            del frame  # the next one may need the room
            limit = _give_back_memory(limit)


def _give_back_memory(limit: int) -> int:
    """Gives freed memory back above the limit. Returns the limit for the next time."""
    import pyarrow as pa

    if _resident_bytes() <= limit:
        return limit
    pa.default_memory_pool().release_unused()
    return max(LARGE_BYTES, _resident_bytes() + GROWTH_BYTES)


def _resident_bytes() -> int:
    """Returns the memory of this process, or 0 on a system that does not tell it."""
    try:
        pages = int(Path("/proc/self/statm").read_bytes().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def _send_error(error: LandfallError, blocks: Outbox) -> None:
    payload = pickle.dumps(error)
    blocks.put(HEAD.pack(FrameType.ERROR.value, 0, len(payload), 0, 0) + payload)


def _write(blocks: Outbox) -> None:
    """Writes blocks to standard output until there are no more."""
    while block := blocks.get():
        view = memoryview(block)
        while view:
            try:
                view = view[os.write(1, view) :]
            except BrokenPipeError:
                os._exit(0)  # the copying side is gone, and there is nobody left to tell


if __name__ == "__main__":
    main()
