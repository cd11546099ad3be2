"""Rows as a format gives them, and what a format says when its fast path is not enough."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa


class FastPathFailed(Exception):
    """The fast reader refused the file: an exact reading must find what is wrong with it."""


class FastPathUnsure(FastPathFailed):
    """Every row was read, but perhaps not as it was meant: an odd quote, a last row of many lines.

    Most such files are fine. An exact reading decides.
    """


@dataclass(frozen=True)
class Rows:
    """A batch, its columns in the feed's order. `first` is the number of its first row, from 1."""

    first: int
    batch: pa.RecordBatch
