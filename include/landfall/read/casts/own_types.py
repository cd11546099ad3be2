"""Cast: a batch to the contract's types, and the suspects as text. The only house of the law.

The law: a loaded cell is what Postgres itself reads from the file's text. The fast way takes
only forms on which Arrow's strict casts and Postgres's input functions agree; a cell of any
other form makes its row a suspect, which Postgres judges. Where Arrow takes what Postgres
refuses or reads otherwise, a guard stands here, with its reason.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from include.landfall.errors import HeaderMismatch
from include.landfall.feed.column_types import ColumnType
from include.landfall.job import PlannedColumn

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
    if is_binary(found):
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
    if is_binary(values.type):
        # Postgres takes a uuid's figures without hyphens too.
        prefix = "" if kind and kind.name == "uuid" else "\\x"
        texts = [None if v is None else prefix + v.hex() for v in values.to_pylist()]
        return pa.array(texts, pa.string())
    return values.cast(pa.string())


def is_binary(found: pa.DataType) -> bool:
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
