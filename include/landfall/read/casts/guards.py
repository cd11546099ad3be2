"""Cast: a batch to the contract's types, and the suspects as text. The only house of the law.

The law: a loaded cell is what Postgres itself reads from the file's text. The fast way takes
only forms on which Arrow's strict casts and Postgres's input functions agree; a cell of any
other form makes its row a suspect, which Postgres judges. Where Arrow takes what Postgres
refuses or reads otherwise, a guard stands here, with its reason.
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


# ---- guards ----------------------------------------------------------------------------------


def bytes_in(unwanted: bytes) -> Guard:
    """Suspects cells with any of these bytes; a search of the column's bytes comes first."""
    pattern = "[" + re.escape(unwanted.decode()) + "]"

    def guard(texts: pa.Array) -> Mask | None:
        held = bytes_of(texts)
        if not any(bytes([byte]) in held for byte in unwanted):
            return None
        return matching(texts, pattern)

    return guard


def beyond_decimal(scale: int) -> Guard:
    """Suspects what overflows the 38 figures that Arrow reads with, for it does so in silence.

    Seen: 6e35 and 38849808387931722299260261396 as some other numeric(38,10), and 8.000…4616
    with 44 figures after the point as 0.00000.
    """
    most = 38 - scale  # figures before the point
    exponents = bytes_in(b"eE")

    def guard(texts: pa.Array) -> Mask | None:
        sizes = pc.binary_length(texts)
        if (pc.max(sizes).as_py() or 0) <= most:
            return exponents(texts)
        long = pc.fill_null(pc.greater(sizes, 38), False)
        large = matching(texts, rf"^[+-]?\d{{{most + 1}}}")
        return either(pc.or_(long, large), exponents(texts))

    return guard


def bytes_of(texts: pa.Array) -> bytes:
    """The bytes of all cells, one after another."""
    if len(texts) == 0 or texts.buffers()[2] is None:
        return b""
    offsets = pa.Array.from_buffers(
        pa.int32(), len(texts) + 1, [None, texts.buffers()[1]], offset=texts.offset
    )
    start, stop = offsets[0].as_py(), offsets[-1].as_py()
    return bytes(texts.buffers()[2][start:stop])


def matching(texts: pa.Array, pattern: str) -> Mask:
    return pc.fill_null(pc.match_substring_regex(texts, pattern), False)


def not_matching(texts: pa.Array, pattern: str) -> Mask:
    return pc.fill_null(pc.invert(pc.match_substring_regex(texts, pattern)), False)


def lost_range(texts: pa.Array, numbers: pa.Array) -> Mask | None:
    """Arrow turns overflow into infinity and underflow into 0; Postgres refuses both."""
    doubtful = pc.or_(pc.is_inf(numbers), pc.equal(numbers, pa.scalar(0, numbers.type)))
    doubtful = pc.fill_null(doubtful, False)
    if not pc.any(doubtful).as_py():
        return None
    plain = pc.match_substring_regex(texts, r"(?i)^[+-]?(0+(\.0*)?|\.0+|inf|infinity)$")
    return pc.and_(doubtful, pc.invert(pc.fill_null(plain, True)))


def year_zero(texts: pa.Array, days: pa.Array) -> Mask | None:
    """Arrow reads four figures as a year, 0000 too; in Postgres the first year is 1."""
    first = (dt.date(1, 1, 1) - dt.date(1970, 1, 1)).days
    counted = days.view(pa.int32())
    earliest = pc.min(counted).as_py()
    if earliest is None or earliest >= first:
        return None
    return pc.fill_null(pc.less(counted, first), False)


def hour_alone(texts: pa.Array) -> Mask | None:
    """`2013-01-01 12` is noon to Arrow and an error to Postgres; so is year 0."""
    pattern = r"^0000|^\d{4}-\d\d-\d\d[ T]\d\d([+-]|Z|$)"
    return matching(texts, pattern)


def odd_zone(texts: pa.Array) -> Mask | None:
    """Postgres takes offsets below 16 hours; Arrow any."""
    pattern = r"^0000|^\d{4}-\d\d-\d\d[ T]\d\d([+-]|Z|$)|[+-](1[6-9]|[2-9]\d)(:?\d\d)?$"
    return matching(texts, pattern)


def either(one: Mask | None, other: Mask | None) -> Mask | None:
    if one is None or other is None:
        return other if one is None else one
    return pc.or_(one, other)
