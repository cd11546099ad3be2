"""Lets a process of Landfall start and end in half of the time, and with less memory."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


class _Unused:
    """Tells an import of pyarrow that numpy and pandas are not installed."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name in ("numpy", "pandas"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


@contextmanager
def starting() -> Iterator[None]:
    """Makes the imports within it cheap. It is for programs that are Landfall's own.

    From now on pyarrow does without numpy and pandas, which it would load where it finds them: they
    take a third of the time of a small load, and 25 MB. Of what is imported nothing is ever freed,
    so the collector need not look for it: that takes a sixth of the time of the imports.
    """
    sys.meta_path.insert(0, _Unused())
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def ending() -> None:
    """Spares the collector a last search in all objects, for what the system frees anyway.

    With its modules imported the command line ends 0.15 s sooner.
    """
    gc.freeze()
