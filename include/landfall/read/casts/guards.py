"""Guards: which cells Arrow's strict casts would read in another way than Postgres.

Each guard gives a mask of the suspect cells, or None when there are none, and says why.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

Mask: TypeAlias = pa.BooleanArray  # True where Postgres must judge; never NULL
Guard = Callable[[pa.Array], Mask | None]
ARROW_DIGITS = 38  # what a decimal128 holds


def bytes_in(unwanted: bytes) -> Guard:
    """Makes a guard that suspects cells with any of these bytes.

    It searches the bytes of the whole column first, since most columns have none of them.
    """
    pattern = "[" + re.escape(unwanted.decode()) + "]"

    def guard(texts: pa.Array) -> Mask | None:
        column = bytes_of(texts)
        if not any(bytes([byte]) in column for byte in unwanted):
            return None
        return matching(texts, pattern)

    return guard


def bytes_beside(wanted: bytes) -> Guard:
    """Makes a guard that suspects cells with other bytes than these.

    It looks at the bytes of the whole column at once, which takes less time than a pattern.
    """
    is_other = bytes(byte not in wanted for byte in range(256))

    def guard(texts: pa.Array) -> Mask | None:
        column = bytes_of(texts)
        if not column.translate(None, wanted):
            return None
        others = pa.py_buffer(b"\0" + column.translate(is_other))
        marks = pa.Array.from_buffers(pa.uint8(), len(column) + 1, [None, others])
        counts = pc.cumulative_sum(marks.cast(pa.int32()))  # of other bytes before each byte
        offsets = offsets_of(texts)
        at_offsets = counts.take(pc.subtract(offsets, offsets[0]))
        return pc.not_equal(at_offsets[1:], at_offsets[:-1])

    return guard


def beyond_decimal(scale: int) -> Guard:
    """Makes a guard that suspects what overflows the 38 digits of Arrow, which it does silently.

    Seen: 6e35 and 38849808387931722299260261396 as some other numeric(38,10), and 8.000…4616
    with 44 digits after the point as 0.00000.
    """
    most = ARROW_DIGITS - scale  # digits before the point
    exponents = bytes_in(b"eE")

    def guard(texts: pa.Array) -> Mask | None:
        sizes = pc.binary_length(texts)
        if (pc.max(sizes).as_py() or 0) <= most:
            return exponents(texts)
        long = pc.fill_null(pc.greater(sizes, ARROW_DIGITS), False)
        large = matching(texts, rf"^[+-]?\d{{{most + 1}}}")
        return either(pc.or_(long, large), exponents(texts))

    return guard


def other_scale(scale: int) -> Guard:
    """Makes a guard that suspects numbers with more or fewer digits after the point than these.

    It looks at the byte where the point must be: a regular expression takes five times as long.
    """
    beyond = beyond_decimal(scale)
    whole = bytes_in(b".")

    def guard(texts: pa.Array) -> Mask | None:
        if not scale:
            return either(whole(texts), beyond(texts))
        point = pc.binary_slice(texts.view(pa.binary()), -scale - 1, -scale)
        other = pc.fill_null(pc.not_equal(point, pa.scalar(b".")), False)
        return either(other, beyond(texts))

    return guard


def beyond_integer(bits: int) -> Guard:
    """Makes a guard that suspects digits which no integer of so many bits can hold."""
    limit = 1 << (bits - 1)

    def guard(texts: pa.Array) -> Mask | None:
        long = matching(texts, r"^-?0*\d{19,}$")  # an int64 has 18 digits, and some of 19
        if bits == 64:
            return long
        numbers = pc.if_else(long, pa.scalar(None, texts.type), texts).cast(pa.int64())
        beyond = pc.or_(pc.greater_equal(numbers, limit), pc.less(numbers, -limit))
        return pc.or_(long, pc.fill_null(beyond, False))

    return guard


def lost_range(texts: pa.Array, numbers: pa.Array) -> Mask | None:
    """Suspects infinity and 0: Arrow turns overflow and underflow into them, Postgres refuses."""
    doubtful = pc.or_(pc.is_inf(numbers), pc.equal(numbers, pa.scalar(0, numbers.type)))
    doubtful = pc.fill_null(doubtful, False)
    if not pc.any(doubtful).as_py():
        return None
    plain = pc.match_substring_regex(texts, r"(?i)^[+-]?(0+(\.0*)?|\.0+|inf|infinity)$")
    return pc.and_(doubtful, pc.invert(pc.fill_null(plain, True)))


def year_zero(texts: pa.Array, days: pa.Array) -> Mask | None:
    """Suspects year 0: Arrow reads 0000 as a year, in Postgres the first year is 1."""
    first = (dt.date(1, 1, 1) - dt.date(1970, 1, 1)).days
    day_numbers = days.view(pa.int32())
    earliest = pc.min(day_numbers).as_py()
    if earliest is None or earliest >= first:
        return None
    return pc.fill_null(pc.less(day_numbers, first), False)


def not_plain_bytes(texts: pa.Array) -> Mask | None:
    """Suspects texts with a backslash, or with letters that are not ASCII."""
    column = bytes_of(texts)
    if b"\\" not in column and column.isascii():
        return None
    return matching(texts, r"\\|[^\x00-\x7f]")


def hour_alone(texts: pa.Array) -> Mask:
    """Suspects `2013-01-01 12`, noon to Arrow and an error to Postgres, and year 0."""
    return matching(texts, r"^0000|^\d{4}-\d\d-\d\d[ T]\d\d([+-]|Z|$)")


def odd_zone(texts: pa.Array) -> Mask:
    """Suspects zones of 16 hours and more, which Postgres refuses, beside what hour_alone does."""
    pattern = r"^0000|^\d{4}-\d\d-\d\d[ T]\d\d([+-]|Z|$)|[+-](1[6-9]|[2-9]\d)(:?\d\d)?$"
    return matching(texts, pattern)


def matching(texts: pa.Array, pattern: str) -> Mask:
    """Returns the mask of the cells that match. A NULL does not."""
    return pc.fill_null(pc.match_substring_regex(texts, pattern), False)


def not_matching(texts: pa.Array, pattern: str) -> Mask:
    """Returns the mask of the cells that do not match. A NULL is not among them."""
    return pc.fill_null(pc.invert(pc.match_substring_regex(texts, pattern)), False)


def either(one: Mask | None, other: Mask | None) -> Mask | None:
    """Returns the mask of the cells that are in one of the two masks."""
    if one is None or other is None:
        return other if one is None else one
    return pc.or_(one, other)


def bytes_of(texts: pa.Array) -> bytes:
    """Returns the bytes of all cells, one after another."""
    if len(texts) == 0 or texts.buffers()[2] is None:
        return b""
    offsets = offsets_of(texts)
    start, stop = offsets[0].as_py(), offsets[-1].as_py()
    return bytes(texts.buffers()[2][start:stop])


def offsets_of(texts: pa.Array) -> pa.Array:
    """Returns where each cell begins in the bytes of the column's buffer, and where the last ends.

    The column has at least one cell.
    """
    count, buffer = len(texts) + 1, texts.buffers()[1]
    return pa.Array.from_buffers(pa.int32(), count, [None, buffer], offset=texts.offset)
