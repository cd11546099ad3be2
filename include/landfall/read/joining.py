"""Joins the parts of a snapshot: their frames become those of one file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from include.landfall.errors import DataError
from include.landfall.frames import Ending, Frame, FrameType, PartBegins, RowSet, Shape
from include.landfall.job import PartStart


class Joined:
    """The parts so far: their shape, and how many rows they have."""

    def __init__(self) -> None:
        self.count = 0
        self._padded = RowSet()
        self._shape: Shape | None = None
        self._hashes: list[bytes] = []

    def frames(self, frame: Frame, key: str) -> Iterator[Frame]:
        """Yields what follows from a frame of the part with this key.

        Raises: DataError when the part has other columns than the first one.
        """
        if frame.type is FrameType.SHAPE:
            shape = Shape.of(frame)
            if self._shape is None:
                self._shape = shape
                yield frame
            self._check(shape)
            yield PartBegins(key, shape.changes).frame(self.count + 1)
        elif frame.type is FrameType.END:
            self.count += frame.count
            ending = Ending.of(frame)
            self._padded.update(ending.padded)
            self._hashes += [ending.content_hash] if frame.count else []
        else:
            yield frame

    def end(self) -> Frame:
        """Returns the frame that ends all parts. Their content is that of each, in order."""
        content_hash = b""
        if self._hashes and all(self._hashes):
            content_hash = hashlib.sha256(b"".join(self._hashes), usedforsecurity=False).digest()
        return Ending(content_hash, self._padded.bits).frame(self.count)

    def _check(self, shape: Shape) -> None:
        assert self._shape is not None
        if shape.columns != self._shape.columns:
            raise DataError(
                "the part has other columns than the first part of its folder",
                found=", ".join(shape.columns),
                expected=", ".join(self._shape.columns),
                do="ask the sender to write the folder again, with one shape",
            )


def numbers_by_part(
    parts: Sequence[PartStart], numbers: Sequence[int]
) -> Iterator[tuple[PartStart, list[int]]]:
    """Yields the parts that have some of these rows, with the numbers of the rows in the part."""
    ends = [*(part.first for part in parts[1:]), None]
    for part, end in zip(parts, ends):
        own = [n - part.first + 1 for n in numbers if n >= part.first and (end is None or n < end)]
        if own:
            yield part, own
