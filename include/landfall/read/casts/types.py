"""How each type that a feed can declare goes through the fast path, as far as it can."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from include.landfall.feed.column_types import ColumnType
from include.landfall.job import PlannedColumn
from include.landfall.read.casts.guards import (
    Guard,
    Mask,
    beyond_decimal,
    beyond_integer,
    bytes_beside,
    bytes_in,
    bytes_of,
    hour_alone,
    lost_range,
    not_matching,
    not_plain_bytes,
    odd_zone,
    other_scale,
    year_zero,
)

MOST_DIGITS = 38  # of Arrow's decimals of 128 bits
DECIMAL_LETTERS = b"0123456789+-."
MOMENT_LETTERS = b"0123456789-+:. TZ"


@dataclass(frozen=True)
class FastCast:
    """How the fast path casts a type.

    Where the strict cast fails, suspect cells are looked for in three steps: those with bytes that
    are not in `letters`, then those that do not match `plain`, then those of `beyond`, whose form
    is right and whose value the type cannot hold.
    `before` looks at the texts, `after` at texts and result; each gives a mask of suspect cells,
    or None when there are none. `convert` takes the place of Arrow's own cast.
    """

    arrow: pa.DataType
    plain: str = ""
    before: Guard | None = None
    after: Callable[[pa.Array, pa.Array], Mask | None] | None = None
    convert: Callable[[pa.Array], pa.Array] | None = None
    beyond: Guard | None = None
    letters: bytes = b""

    @cached_property
    def doubts(self) -> list[Guard]:
        """The guards that find the cells which the strict cast refuses, the quickest first."""
        guards = [bytes_beside(self.letters)] if self.letters else []
        if self.plain:
            guards.append(lambda texts: not_matching(texts, self.plain))
        return [*guards, self.beyond] if self.beyond else guards


def fast_cast_of(column: PlannedColumn, scale: int | None = None) -> FastCast | None:
    """Returns the fast cast of a column, or None when its cells go as text for Postgres to read.

    `scale` is how many digits after the point its cells have as a rule, where the type says none.
    """
    declared = column.type
    if column.typtype == "e" and not declared.array:
        return FastCast(pa.string())
    if declared.array or column.typtype != "b":
        return None
    if declared.name == "numeric":
        return _numeric(declared) if declared.modifiers else _of_scale(scale)
    return FAST_CASTS.get(declared.name)


def _numeric(declared: ColumnType) -> FastCast | None:
    precision, scale = declared.modifiers
    if not 0 <= scale <= precision <= MOST_DIGITS:
        return None
    most = precision - scale
    number = rf"^[+-]?(0*\d{{0,{most}}}(\.\d{{0,{scale}}})?)$"
    arrow, guard = pa.decimal128(precision, scale), beyond_decimal(scale)
    return FastCast(arrow, number, before=guard, letters=DECIMAL_LETTERS)


def _of_scale(scale: int | None) -> FastCast | None:
    # Postgres keeps each cell's own scale, and Arrow has one for the column: others are suspect.
    if scale is None or not 0 <= scale < MOST_DIGITS:
        return None
    point = rf"\.\d{{{scale}}}" if scale else ""
    number = rf"^[+-]?\d{{1,{MOST_DIGITS - scale}}}{point}$"
    return FastCast(pa.decimal128(MOST_DIGITS, scale), number, before=other_scale(scale))


INTEGER = r"^-?\d+$"
FLOAT = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
UUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
_LEAP = r"(\d\d(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)"  # years
_DAY = (
    r"(\d{4}-((0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|(0[469]|11)-(0[1-9]|[12]\d|30)"
    rf"|02-(0[1-9]|1\d|2[0-8]))|{_LEAP}-02-29)"
)
_CLOCK = r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?"
DATE = rf"^{_DAY}$"
TIME = rf"^{_CLOCK}$"
TIMESTAMP = rf"^{_DAY}([ T]{_CLOCK})?$"
TIMESTAMPTZ = rf"^{_DAY}[ T]{_CLOCK}(Z|[+-]\d\d(:?\d\d)?)$"


def _to_uuid(texts: pa.Array) -> pa.Array:
    """Turns canonical texts into 16 bytes each, and keeps NULLs. Arrow has no such cast."""
    filled = pc.fill_null(texts, "0" * 32)
    digits = bytes.fromhex(bytes_of(pc.replace_substring(filled, "-", "")).decode())
    data = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(16), len(texts), [None, pa.py_buffer(digits)]
    )
    return pc.if_else(pc.is_valid(texts), data, pa.scalar(None, pa.binary(16)))


def _to_time(texts: pa.Array) -> pa.Array:
    """Reads a time of day as part of a timestamp. Arrow has no cast to a time alone."""
    timestamps = pc.binary_join_element_wise("1970-01-01", texts, " ")
    return timestamps.cast(pa.timestamp("us")).cast(pa.time64("us"))


def _integer(arrow: pa.DataType) -> FastCast:
    # Arrow reads hexadecimal digits, and 0xFFFF as -1.
    beyond = beyond_integer(arrow.bit_width)
    return FastCast(arrow, INTEGER, before=bytes_in(b"xX"), beyond=beyond, letters=b"0123456789-")


def _float(arrow: pa.DataType) -> FastCast:
    return FastCast(arrow, FLOAT, after=lost_range, letters=DECIMAL_LETTERS + b"eE")


FAST_CASTS = {
    "smallint": _integer(pa.int16()),
    "integer": _integer(pa.int32()),
    "bigint": _integer(pa.int64()),
    "real": _float(pa.float32()),
    "double precision": _float(pa.float64()),
    "boolean": FastCast(pa.bool_(), r"(?i)^(true|false|1|0)$"),
    "text": FastCast(pa.string()),
    "varchar": FastCast(pa.string()),
    "char": FastCast(pa.string()),
    "json": FastCast(pa.string()),
    "jsonb": FastCast(pa.string()),
    # Postgres reads \x… and escapes, and other letters in the database's encoding. Without these
    # the text's bytes are the value.
    "bytea": FastCast(pa.binary(), before=not_plain_bytes),
    "date": FastCast(pa.date32(), DATE, after=year_zero, letters=b"0123456789-"),
    "time": FastCast(
        pa.time64("us"), TIME, before=lambda texts: not_matching(texts, TIME), convert=_to_time
    ),
    "timestamp": FastCast(pa.timestamp("us"), TIMESTAMP, before=hour_alone, letters=MOMENT_LETTERS),
    "timestamptz": FastCast(
        pa.timestamp("us", "UTC"), TIMESTAMPTZ, before=odd_zone, letters=MOMENT_LETTERS
    ),
    "uuid": FastCast(
        pa.binary(16), UUID, before=lambda texts: not_matching(texts, UUID), convert=_to_uuid
    ),
}
