"""TODO"""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from include.landfall.feed.column_types import ColumnType
from include.landfall.read.casts.guards import Mask, either, not_matching
from include.landfall.read.casts.own_types import as_text, is_text
from include.landfall.read.casts.types import FastCast

# ---- casting -----------------------------------------------------------------------------------


def cast_column(
    values: pa.Array, way: FastCast | None, kind: ColumnType | None = None
) -> tuple[pa.Array, Mask | None]:
    """A column in its way's type (text without one), and which cells are suspect."""
    if way is None:
        return as_text(values, kind), None
    if is_text(values.type):
        return cast_texts(as_text(values), way)
    return cast_values(values, way)


def cast_texts(texts: pa.Array, way: FastCast) -> tuple[pa.Array, Mask | None]:
    """The texts in the way's type, NULL where a cell is suspect, and which those are."""
    suspects = way.before(texts) if way.before else None
    texts = _without(texts, suspects)
    convert = way.convert or (lambda t: t if t.type == way.arrow else t.cast(way.arrow))
    try:
        typed = convert(texts)
    except pa.ArrowInvalid:
        odd = not_matching(texts, way.plain)
        texts = _without(texts, odd)
        typed, refused = _halved(texts, convert)
        suspects = either(either(suspects, odd), refused)
    if way.after:
        lost = way.after(texts, typed)
        typed, suspects = _without(typed, lost), either(suspects, lost)
    return typed, suspects


def cast_values(values: pa.Array, way: FastCast) -> tuple[pa.Array, Mask | None]:
    """The file's own values in the way's type; suspects where one does not fit."""
    if values.type == way.arrow:
        return values, None
    if pa.types.is_decimal(way.arrow) and not _fits(values.type, way.arrow):
        return cast_texts(as_text(values), way)
    return _halved(values, lambda v: v.cast(way.arrow))


def _fits(found: pa.DataType, wanted: pa.DataType) -> bool:
    # To another scale Arrow multiplies, and overflows without a word; integers it may not take.
    if not pa.types.is_decimal(found):
        return False
    return bool(found.scale == wanted.scale and found.precision <= wanted.precision)


def _halved(
    values: pa.Array, convert: Callable[[pa.Array], pa.Array]
) -> tuple[pa.Array, Mask | None]:
    """Converts what can be, by halves: Arrow does not say which cell it refused."""
    try:
        return convert(values), None
    except pa.ArrowInvalid:
        if len(values) == 1:
            empty = convert(pa.nulls(1, values.type))
            return empty, pa.array([True])
    middle = len(values) // 2
    parts = [_halved(half, convert) for half in (values[:middle], values[middle:])]
    masks = [
        mask if mask is not None else pa.repeat(pa.scalar(False), len(typed))
        for typed, mask in parts
    ]
    return pa.concat_arrays([typed for typed, _ in parts]), pa.concat_arrays(masks)


def _without(values: pa.Array, suspects: Mask | None) -> pa.Array:
    if suspects is None or not pc.any(suspects).as_py():
        return values
    return pc.if_else(suspects, pa.scalar(None, values.type), values)
