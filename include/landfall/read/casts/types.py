"""Cast: a batch to the contract's types, and the suspects as text. The only house of the law.

The law: a loaded cell is what Postgres itself reads from the file's text. The fast way takes
only forms on which Arrow's strict casts and Postgres's input functions agree; a cell of any
other form makes its row a suspect, which Postgres judges. Where Arrow takes what Postgres
refuses or reads otherwise, a guard stands here, with its reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from include.landfall.feed.column_types import ColumnType
from include.landfall.job import PlannedColumn
from include.landfall.read.casts.guards import (
    Guard,
    Mask,
    beyond_decimal,
    bytes_in,
    bytes_of,
    hour_alone,
    lost_range,
    not_matching,
    odd_zone,
    year_zero,
)


@dataclass(frozen=True)
class FastCast:
    """How a type goes fast. `plain`: the forms that the strict cast may take, to find the rest.

    `before` looks at the texts, `after` at texts and result; each gives a mask, or None when
    nothing is suspect.
    """

    arrow: pa.DataType
    plain: str = ""
    before: Guard | None = None
    after: Callable[[pa.Array, pa.Array], Mask | None] | None = None
    convert: Callable[[pa.Array], pa.Array] | None = None


def fast_cast_of(column: PlannedColumn) -> FastCast | None:
    """The fast way of a column; None when its cells go as text for Postgres to read."""
    kind = column.type
    if column.kind == "e" and not kind.array:
        return FastCast(pa.string())
    if kind.array or column.kind != "b":
        return None
    if kind.name == "numeric":
        return _numeric(kind)
    return FAST_CASTS.get(kind.name)


def _numeric(kind: ColumnType) -> FastCast | None:
    # Without a scale Postgres keeps each cell's own; Arrow has one for the column.
    if len(kind.figures) != 2:
        return None
    precision, scale = kind.figures
    if not 0 <= scale <= precision <= 38:
        return None
    number = r"^[+-]?(\d+\.?\d*|\.\d+)$"
    return FastCast(pa.decimal128(precision, scale), number, before=beyond_decimal(scale))


# ---- conversions that Arrow does not have ------------------------------------------------------

UUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"


TIME = r"^\d\d:\d\d(:\d\d(\.\d{1,6})?)?$"


def _to_uuid(texts: pa.Array) -> pa.Array:
    """Canonical texts to 16 bytes each, NULLs kept."""
    filled = pc.fill_null(texts, "0" * 32)
    figures = bytes.fromhex(bytes_of(pc.replace_substring(filled, "-", "")).decode())
    data = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(16), len(texts), [None, pa.py_buffer(figures)]
    )
    return pc.if_else(pc.is_valid(texts), data, pa.scalar(None, pa.binary(16)))


def _to_time(texts: pa.Array) -> pa.Array:
    """Arrow reads no time of day, but it reads a day with a time."""
    day = pc.binary_join_element_wise("1970-01-01", texts, " ")
    return day.cast(pa.timestamp("us")).cast(pa.time64("us"))


FAST_CASTS = {
    # Arrow reads hex, and 0xFFFF as -1.
    **{
        name: FastCast(arrow, r"^-?\d+$", before=bytes_in(b"xX"))
        for name, arrow in (
            ("smallint", pa.int16()), ("integer", pa.int32()), ("bigint", pa.int64()),
        )
    },
    **{
        name: FastCast(arrow, r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$", after=lost_range)
        for name, arrow in (("real", pa.float32()), ("double precision", pa.float64()))
    },
    "boolean": FastCast(pa.bool_(), r"(?i)^(true|false|1|0)$"),
    **{name: FastCast(pa.string()) for name in ("text", "varchar", "char", "json", "jsonb")},
    # Postgres reads \x… and escapes; without a backslash the text's bytes are the value.
    "bytea": FastCast(pa.binary(), before=bytes_in(b"\\")),
    "date": FastCast(pa.date32(), r"^\d{4}-\d\d-\d\d$", after=year_zero),
    "time": FastCast(pa.time64("us"), TIME, before=lambda t: not_matching(t, TIME), convert=_to_time),
    "timestamp": FastCast(pa.timestamp("us"), r"^\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?$",
                     before=hour_alone),
    "timestamptz": FastCast(pa.timestamp("us", "UTC"),
                       r"^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d(:?\d\d)?)$",
                       before=odd_zone),
    "uuid": FastCast(pa.binary(16), UUID, before=lambda t: not_matching(t, UUID), convert=_to_uuid),
}  # fmt: skip
