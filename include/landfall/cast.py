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
from dataclasses import dataclass
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from .errors import HeaderMismatch
from .plan import PlannedColumn
from .types import ColumnType

Mask: TypeAlias = pa.BooleanArray  # True where Postgres must judge; never NULL
Guard = Callable[[pa.Array], Mask | None]


@dataclass(frozen=True)
class Way:
    """How a type goes fast. `plain`: the forms that the strict cast may take, to find the rest.

    `before` looks at the texts, `after` at texts and result; each gives a mask, or None when
    nothing is suspect.
    """

    arrow: pa.DataType
    plain: str = ""
    before: Guard | None = None
    after: Callable[[pa.Array, pa.Array], Mask | None] | None = None
    convert: Callable[[pa.Array], pa.Array] | None = None


def way_of(column: PlannedColumn) -> Way | None:
    """The fast way of a column; None when its cells go as text for Postgres to read."""
    kind = column.type
    if column.kind == "e" and not kind.array:
        return Way(pa.string())
    if kind.array or column.kind != "b":
        return None
    if kind.name == "numeric":
        return _numeric(kind)
    return WAYS.get(kind.name)


def _numeric(kind: ColumnType) -> Way | None:
    # Without a scale Postgres keeps each cell's own; Arrow has one for the column.
    if len(kind.figures) != 2:
        return None
    precision, scale = kind.figures
    if not 0 <= scale <= precision <= 38:
        return None
    number = r"^[+-]?(\d+\.?\d*|\.\d+)$"
    return Way(pa.decimal128(precision, scale), number, before=_beyond_decimal(scale))


# ---- guards ----------------------------------------------------------------------------------


def _bytes_in(unwanted: bytes) -> Guard:
    """Suspects cells with any of these bytes; a search of the column's bytes comes first."""
    pattern = "[" + re.escape(unwanted.decode()) + "]"

    def guard(texts: pa.Array) -> Mask | None:
        held = _bytes_of(texts)
        if not any(bytes([byte]) in held for byte in unwanted):
            return None
        return _matching(texts, pattern)

    return guard


def _beyond_decimal(scale: int) -> Guard:
    """Suspects what overflows the 38 figures that Arrow reads with, for it does so in silence.

    Seen: 6e35 and 38849808387931722299260261396 as some other numeric(38,10), and 8.000…4616
    with 44 figures after the point as 0.00000.
    """
    most = 38 - scale  # figures before the point
    exponents = _bytes_in(b"eE")

    def guard(texts: pa.Array) -> Mask | None:
        sizes = pc.binary_length(texts)
        if (pc.max(sizes).as_py() or 0) <= most:
            return exponents(texts)
        long = pc.fill_null(pc.greater(sizes, 38), False)
        large = _matching(texts, rf"^[+-]?\d{{{most + 1}}}")
        return _either(pc.or_(long, large), exponents(texts))

    return guard


def _bytes_of(texts: pa.Array) -> bytes:
    """The bytes of all cells, one after another."""
    if len(texts) == 0 or texts.buffers()[2] is None:
        return b""
    offsets = pa.Array.from_buffers(
        pa.int32(), len(texts) + 1, [None, texts.buffers()[1]], offset=texts.offset
    )
    start, stop = offsets[0].as_py(), offsets[-1].as_py()
    return bytes(texts.buffers()[2][start:stop])


def _matching(texts: pa.Array, pattern: str) -> Mask:
    return pc.fill_null(pc.match_substring_regex(texts, pattern), False)


def _not_matching(texts: pa.Array, pattern: str) -> Mask:
    return pc.fill_null(pc.invert(pc.match_substring_regex(texts, pattern)), False)


def _lost_range(texts: pa.Array, numbers: pa.Array) -> Mask | None:
    """Arrow turns overflow into infinity and underflow into 0; Postgres refuses both."""
    doubtful = pc.or_(pc.is_inf(numbers), pc.equal(numbers, pa.scalar(0, numbers.type)))
    doubtful = pc.fill_null(doubtful, False)
    if not pc.any(doubtful).as_py():
        return None
    plain = pc.match_substring_regex(texts, r"(?i)^[+-]?(0+(\.0*)?|\.0+|inf|infinity)$")
    return pc.and_(doubtful, pc.invert(pc.fill_null(plain, True)))


def _year_zero(texts: pa.Array, days: pa.Array) -> Mask | None:
    """Arrow reads four figures as a year, 0000 too; in Postgres the first year is 1."""
    first = (dt.date(1, 1, 1) - dt.date(1970, 1, 1)).days
    counted = days.view(pa.int32())
    earliest = pc.min(counted).as_py()
    if earliest is None or earliest >= first:
        return None
    return pc.fill_null(pc.less(counted, first), False)


def _hour_alone(texts: pa.Array) -> Mask | None:
    """`2013-01-01 12` is noon to Arrow and an error to Postgres; so is year 0."""
    pattern = r"^0000|^\d{4}-\d\d-\d\d[ T]\d\d([+-]|Z|$)"
    return _matching(texts, pattern)


def _odd_zone(texts: pa.Array) -> Mask | None:
    """Postgres takes offsets below 16 hours; Arrow any."""
    pattern = r"^0000|^\d{4}-\d\d-\d\d[ T]\d\d([+-]|Z|$)|[+-](1[6-9]|[2-9]\d)(:?\d\d)?$"
    return _matching(texts, pattern)


# ---- conversions that Arrow does not have ------------------------------------------------------

UUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
TIME = r"^\d\d:\d\d(:\d\d(\.\d{1,6})?)?$"


def _to_uuid(texts: pa.Array) -> pa.Array:
    """Canonical texts to 16 bytes each, NULLs kept."""
    filled = pc.fill_null(texts, "0" * 32)
    figures = bytes.fromhex(_bytes_of(pc.replace_substring(filled, "-", "")).decode())
    data = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(16), len(texts), [None, pa.py_buffer(figures)]
    )
    return pc.if_else(pc.is_valid(texts), data, pa.scalar(None, pa.binary(16)))


def _to_time(texts: pa.Array) -> pa.Array:
    """Arrow reads no time of day, but it reads a day with a time."""
    day = pc.binary_join_element_wise("1970-01-01", texts, " ")
    return day.cast(pa.timestamp("us")).cast(pa.time64("us"))


WAYS = {
    # Arrow reads hex, and 0xFFFF as -1.
    **{
        name: Way(arrow, r"^-?\d+$", before=_bytes_in(b"xX"))
        for name, arrow in (
            ("smallint", pa.int16()), ("integer", pa.int32()), ("bigint", pa.int64()),
        )
    },
    **{
        name: Way(arrow, r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$", after=_lost_range)
        for name, arrow in (("real", pa.float32()), ("double precision", pa.float64()))
    },
    "boolean": Way(pa.bool_(), r"(?i)^(true|false|1|0)$"),
    **{name: Way(pa.string()) for name in ("text", "varchar", "char", "json", "jsonb")},
    # Postgres reads \x… and escapes; without a backslash the text's bytes are the value.
    "bytea": Way(pa.binary(), before=_bytes_in(b"\\")),
    "date": Way(pa.date32(), r"^\d{4}-\d\d-\d\d$", after=_year_zero),
    "time": Way(pa.time64("us"), TIME, before=lambda t: _not_matching(t, TIME), convert=_to_time),
    "timestamp": Way(pa.timestamp("us"), r"^\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?$",
                     before=_hour_alone),
    "timestamptz": Way(pa.timestamp("us", "UTC"),
                       r"^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d(:?\d\d)?)$",
                       before=_odd_zone),
    "uuid": Way(pa.binary(16), UUID, before=lambda t: _not_matching(t, UUID), convert=_to_uuid),
}  # fmt: skip


# ---- casting -----------------------------------------------------------------------------------


def cast_column(
    values: pa.Array, way: Way | None, kind: ColumnType | None = None
) -> tuple[pa.Array, Mask | None]:
    """A column in its way's type (text without one), and which cells are suspect."""
    if way is None:
        return as_text(values, kind), None
    if is_text(values.type):
        return cast_texts(as_text(values), way)
    return cast_values(values, way)


def cast_texts(texts: pa.Array, way: Way) -> tuple[pa.Array, Mask | None]:
    """The texts in the way's type, NULL where a cell is suspect, and which those are."""
    suspects = way.before(texts) if way.before else None
    texts = _without(texts, suspects)
    convert = way.convert or (lambda t: t if t.type == way.arrow else t.cast(way.arrow))
    try:
        typed = convert(texts)
    except pa.ArrowInvalid:
        odd = _not_matching(texts, way.plain)
        texts = _without(texts, odd)
        typed, refused = _halved(texts, convert)
        suspects = _either(_either(suspects, odd), refused)
    if way.after:
        lost = way.after(texts, typed)
        typed, suspects = _without(typed, lost), _either(suspects, lost)
    return typed, suspects


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


def _either(one: Mask | None, other: Mask | None) -> Mask | None:
    if one is None or other is None:
        return other if one is None else one
    return pc.or_(one, other)


# ---- the file's own types (Parquet) --------------------------------------------------------------

_INTEGERS = {"smallint", "integer", "bigint", "numeric", "double precision"}


def accepts(column: PlannedColumn, found: pa.DataType) -> bool:
    """Whether a column of the file's own type can become the declared one without loss."""
    if is_text(found):
        return True
    kind = column.type
    if _is_list(found):
        return kind.array and accepts(PlannedColumn(column.name, kind.element), found.value_type)
    if kind.array or column.kind != "b":
        return False
    return _family(kind.name, found)


def _is_list(found: pa.DataType) -> bool:
    t = pa.types
    return bool(t.is_list(found) or t.is_large_list(found) or t.is_fixed_size_list(found))


def _family(name: str, found: pa.DataType) -> bool:
    t = pa.types
    if t.is_null(found):
        return True
    if t.is_integer(found):
        return name in _INTEGERS
    if t.is_floating(found):
        return name == "double precision" or (name == "real" and found != pa.float64())
    if t.is_timestamp(found):
        return name == ("timestamptz" if found.tz else "timestamp")
    if _is_binary(found):
        return name == "bytea" or (name == "uuid" and found == pa.binary(16))
    families = (
        (t.is_decimal, "numeric"), (t.is_boolean, "boolean"), (t.is_date, "date"),
        (t.is_time, "time"), (t.is_duration, "interval"),
    )  # fmt: skip
    return any(is_a(found) and name == family for is_a, family in families)


def is_text(found: pa.DataType) -> bool:
    """Whether the type is one of Arrow's many texts."""
    if pa.types.is_dictionary(found):
        return is_text(found.value_type)
    t = pa.types
    return bool(t.is_string(found) or t.is_large_string(found) or t.is_string_view(found))


def check_types(columns: tuple[PlannedColumn, ...], schema: pa.Schema) -> None:
    """Raises HeaderMismatch when a column of the file has a type that the feed's cannot take."""
    for column in columns:
        found = schema.field(column.name).type
        plain = found.value_type if pa.types.is_dictionary(found) else found
        if not accepts(column, plain):
            raise HeaderMismatch(
                "a column of the file is of another type than the feed's",
                found=str(found),
                expected=str(column.type),
                do="declare the type that the file has, or ask the sender",
            ).at(column=column.name)


def cast_values(values: pa.Array, way: Way) -> tuple[pa.Array, Mask | None]:
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


def as_text(values: pa.Array, kind: ColumnType | None = None) -> pa.Array:
    """The file's own values as Postgres would read them from text, as values of that type."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if is_text(values.type):
        return values if values.type == pa.string() else values.cast(pa.string())
    if pa.types.is_nested(values.type):
        return _array_texts(values, kind)
    if pa.types.is_duration(values.type):
        return pc.binary_join_element_wise(_microseconds(values), "microseconds", " ")
    if pa.types.is_date64(values.type):
        values = values.cast(pa.date32())
    if _is_binary(values.type):
        # Postgres takes a uuid's figures without hyphens too.
        prefix = "" if kind and kind.name == "uuid" else "\\x"
        texts = [None if v is None else prefix + v.hex() for v in values.to_pylist()]
        return pa.array(texts, pa.string())
    return values.cast(pa.string())


def _is_binary(found: pa.DataType) -> bool:
    t = pa.types
    is_one = (t.is_binary, t.is_large_binary, t.is_fixed_size_binary, t.is_binary_view)
    return any(bool(is_a(found)) for is_a in is_one)


def _microseconds(durations: pa.Array) -> pa.Array:
    """The durations as texts, nanoseconds rounded: Arrow has no text of its own for them."""
    if durations.type.unit != "ns":
        return durations.cast(pa.duration("us")).cast(pa.int64()).cast(pa.string())
    rounded = pc.add(durations.cast(pa.int64()), 500)
    whole = pc.divide(rounded, 1000)
    below = pc.less(rounded, pc.multiply(whole, 1000))  # division goes towards zero
    return pc.subtract(whole, below.cast(pa.int64())).cast(pa.string())


def _array_texts(lists: pa.Array, kind: ColumnType | None) -> pa.Array:
    """Lists as Postgres writes arrays."""
    lists = lists.cast(pa.list_(lists.type.value_type))
    elements = [_element(text) for text in as_text(lists.values, kind).to_pylist()]
    offsets = lists.offsets.to_pylist()
    texts = [
        "{" + ",".join(elements[start:stop]) + "}" if valid else None
        for valid, start, stop in zip(lists.is_valid().to_pylist(), offsets, offsets[1:])
    ]
    return pa.array(texts, pa.string())


def _element(text: str | None) -> str:
    if text is None:
        return "NULL"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
