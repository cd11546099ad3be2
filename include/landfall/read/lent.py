"""Python objects that Arrow's own threads may still hold when the interpreter ends.

A thread of Arrow that gives up a Python object while the interpreter ends needs its lock, and the
process aborts: "terminate called without an active exception" (apache/arrow, issue 36389).
"""

from __future__ import annotations

import atexit
import threading
import time
import weakref
from typing import Any

LONGEST_WAIT = 2.0  # in seconds; Arrow needs a few milliseconds on a busy machine
_lock = threading.Lock()
_lent: list[weakref.ref[Any]] = []


def lend(*objects: Any) -> None:
    """Notes objects that Arrow gets, and that nobody else keeps: the interpreter waits for them."""
    with _lock:
        _lent[:] = [each for each in _lent if each() is not None]
        _lent.extend(map(weakref.ref, objects))


@atexit.register
def wait_until_returned() -> None:
    """Waits until Arrow holds none of the objects any more, for some time at the most."""
    end = time.monotonic() + LONGEST_WAIT
    while any(each() is not None for each in _lent) and time.monotonic() < end:
        time.sleep(0.001)
