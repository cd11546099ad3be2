"""Casts a column to its declared type, and says which cells are suspect."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from include.landfall.feed.column_types import ColumnType
from include.landfall.read.casts.guards import Guard, Mask, either
from include.landfall.read.casts.moments import beyond_calendar, is_moment
from include.landfall.read.casts.own_types import as_text, is_text, reads_texts
from include.landfall.read.casts.types import FastCast

HALVINGS = 5  # how often a batch is halved at the most, to find the cells that Arrow refuses
REFUSED_TEXTS, REFUSED_BYTES = 16, 40  # that are kept of a column, and the length of each


class RefusedTexts:
    """Texts of a column that guards suspected in its last batches, where a cast failed.

    A bad text comes again in most files: to look for it takes a tenth of a pattern's time.
    """

    def __init__(self) -> None:
        self._texts = pa.array([], pa.string())

    def guard(self, texts: pa.Array) -> Mask | None:
        """Suspects the texts that were suspected before."""
        return pc.is_in(texts, self._texts) if len(self._texts) else None

    def add(self, texts: pa.Array) -> None:
        """Adds texts. Of all texts only some are kept, and no long ones."""
        short = texts.filter(pc.less_equal(pc.binary_length(texts), REFUSED_BYTES))
        latest = pa.concat_arrays([short, self._texts]).unique()[:REFUSED_TEXTS]
        self._texts = pa.array(latest.to_pylist(), pa.string())  # a copy, without what is left out


def cast_column(
    values: pa.Array,
    fast_cast: FastCast | None,
    declared: ColumnType | None = None,
    refused: RefusedTexts | None = None,
) -> tuple[pa.Array, Mask | None]:
    """Returns the column in its cast's type (as text without one), and which cells are suspect.

    `refused` is what the batches of a column share.
    """
    if fast_cast is None:
        return as_text(values, declared), None
    if is_text(values.type) or reads_texts(values.type, declared):
        return cast_texts(as_text(values, declared), fast_cast, refused)
    return cast_values(values, fast_cast)


def cast_texts(
    texts: pa.Array, fast_cast: FastCast, refused: RefusedTexts | None = None
) -> tuple[pa.Array, Mask | None]:
    """Casts texts. A suspect cell is NULL in the result, and True in the mask."""
    arrow = fast_cast.arrow
    suspects = fast_cast.before(texts) if fast_cast.before else None
    texts = _without(texts, suspects)
    convert = fast_cast.convert or (lambda t: t if t.type == arrow else t.cast(arrow))
    try:
        typed = convert(texts)
    except pa.ArrowInvalid:
        refused = refused or RefusedTexts()
        typed, doubtful = _convert_doubtful(texts, convert, fast_cast.doubts, refused)
        suspects = either(suspects, doubtful)
    if fast_cast.after:
        lost = fast_cast.after(texts, typed)
        typed, suspects = _without(typed, lost), either(suspects, lost)
    return typed, suspects


def _convert_doubtful(
    texts: pa.Array,
    convert: Callable[[pa.Array], pa.Array],
    doubts: Sequence[Guard],
    refused: RefusedTexts,
) -> tuple[pa.Array, Mask | None]:
    """Converts texts without those that the guards suspect, which it asks until none is refused."""
    suspects: Mask | None = None
    for guard in (refused.guard, *doubts):
        mask = guard(texts)
        if mask is None or not pc.any(mask).as_py():
            continue
        if guard in doubts:
            refused.add(texts.filter(mask))
        suspects, texts = either(suspects, mask), _without(texts, mask)
        with contextlib.suppress(pa.ArrowInvalid):
            return convert(texts), suspects
    typed, doubtful = _convert_by_halves(texts, convert)
    return typed, either(suspects, doubtful)


def cast_values(values: pa.Array, fast_cast: FastCast) -> tuple[pa.Array, Mask | None]:
    """Casts the values of a file that has types of its own. What does not fit is suspect."""
    typed, suspects = _cast_own(values, fast_cast)
    if is_moment(typed.type):
        beyond = beyond_calendar(typed)
        typed, suspects = _without(typed, beyond), either(suspects, beyond)
    return typed, suspects


def _cast_own(values: pa.Array, fast_cast: FastCast) -> tuple[pa.Array, Mask | None]:
    if values.type == fast_cast.arrow:
        return values, None
    if pa.types.is_decimal(fast_cast.arrow) and not _fits(values.type, fast_cast.arrow):
        return cast_texts(as_text(values), fast_cast)
    return _convert_by_halves(values, lambda v: v.cast(fast_cast.arrow))


def _fits(own: pa.DataType, wanted: pa.DataType) -> bool:
    # To another scale Arrow multiplies, and overflows silently; some integers it does not take.
    if not pa.types.is_decimal(own):
        return False
    return bool(own.scale == wanted.scale and own.precision <= wanted.precision)


def _convert_by_halves(
    values: pa.Array, convert: Callable[[pa.Array], pa.Array], left: int = HALVINGS
) -> tuple[pa.Array, Mask | None]:
    """Converts what it can, half by half: Arrow does not say which cell it refused.

    What remains is suspect together with the refused cell: that is cheaper than more halves.
    """
    try:
        return convert(values), None
    except pa.ArrowInvalid:
        count = len(values)
        if count == 1 or left == 0:
            return convert(pa.nulls(count, values.type)), pa.repeat(pa.scalar(True), count)
    middle = len(values) // 2
    parts = (values[:middle], values[middle:])
    halves = [_convert_by_halves(part, convert, left - 1) for part in parts]
    masks = [
        mask if mask is not None else pa.repeat(pa.scalar(False), len(typed))
        for typed, mask in halves
    ]
    return pa.concat_arrays([typed for typed, _ in halves]), pa.concat_arrays(masks)


def _without(values: pa.Array, suspects: Mask | None) -> pa.Array:
    """Returns the values with NULL in place of the suspect ones."""
    if suspects is None or not pc.any(suspects).as_py():
        return values
    valid = pc.and_not(values.is_valid(), suspects)
    if values.offset or valid.offset:
        return pc.if_else(suspects, pa.scalar(None, values.type), values)
    # The bytes of the NULLs stay: nobody reads them, and the others need not be copied.
    buffers = [valid.buffers()[1], *values.buffers()[1:]]
    return pa.Array.from_buffers(values.type, len(values), buffers)
