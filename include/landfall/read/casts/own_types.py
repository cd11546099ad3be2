"""The types of a file that has its own (Parquet): which declared type each fits, and its text."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from include.landfall.errors import HeaderMismatch
from include.landfall.feed.column_types import ColumnType
from include.landfall.job import PlannedColumn

_INTEGERS = {"smallint", "integer", "bigint", "numeric", "double precision"}


def check_types(columns: tuple[PlannedColumn, ...], schema: pa.Schema) -> None:
    """Checks that each declared type can take the type that the file has.

    Raises: HeaderMismatch with the column and both types.
    """
    for column in columns:
        own = schema.field(column.name).type
        if not accepts(column, own.value_type if pa.types.is_dictionary(own) else own):
            raise HeaderMismatch(
                "a column of the file is of another type than the feed's",
                found=str(own),
                expected=str(column.type),
                do="declare the type that the file has, or ask the sender",
            ).at(column=column.name)


def accepts(column: PlannedColumn, own: pa.DataType) -> bool:
    """Returns whether a column of the file's own type can become the declared one without loss."""
    if is_text(own) or pa.types.is_null(own):
        return True
    declared = column.type
    if _is_list(own):
        element = PlannedColumn(column.name, declared.element)
        return declared.array and accepts(element, own.value_type)
    if declared.array or column.typtype != "b":
        return False
    return _fits_family(declared.name, own)


def _is_list(own: pa.DataType) -> bool:
    t = pa.types
    return bool(t.is_list(own) or t.is_large_list(own) or t.is_fixed_size_list(own))


def _fits_family(name: str, own: pa.DataType) -> bool:
    t = pa.types
    if t.is_integer(own):
        return name in _INTEGERS
    if t.is_floating(own):
        return name == "double precision" or (name == "real" and own != pa.float64())
    if t.is_timestamp(own):
        return name == ("timestamptz" if own.tz else "timestamp")
    if _is_binary(own):
        return name == "bytea" or (name == "uuid" and own == pa.binary(16))
    if t.is_decimal(own):
        return name in {"smallint", "integer", "bigint", "numeric"}  # whole ones fit an integer
    families = (
        (t.is_boolean, "boolean"), (t.is_date, "date"),
        (t.is_time, "time"), (t.is_duration, "interval"),
    )  # fmt: skip
    return any(is_one(own) and name == family for is_one, family in families)


def is_text(own: pa.DataType) -> bool:
    """Returns whether the type is one of Arrow's many types of text."""
    if pa.types.is_dictionary(own):
        return is_text(own.value_type)
    t = pa.types
    return bool(t.is_string(own) or t.is_large_string(own) or t.is_string_view(own))


def as_text(values: pa.Array, declared: ColumnType | None = None) -> pa.Array:
    """Returns the file's own values as texts from which Postgres reads the same values."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if is_text(values.type):
        return values if values.type == pa.string() else values.cast(pa.string())
    if pa.types.is_nested(values.type):
        return _array_texts(values, declared)
    if pa.types.is_duration(values.type):
        return pc.binary_join_element_wise(_microseconds(values), "microseconds", " ")
    if pa.types.is_date64(values.type):
        values = values.cast(pa.date32())
    if _is_binary(values.type):
        # Postgres takes a uuid's digits without hyphens too.
        prefix = "" if declared and declared.name == "uuid" else "\\x"
        texts = [None if v is None else prefix + v.hex() for v in values.to_pylist()]
        return pa.array(texts, pa.string())
    return values.cast(pa.string())


def _is_binary(own: pa.DataType) -> bool:
    t = pa.types
    binaries = (t.is_binary, t.is_large_binary, t.is_fixed_size_binary, t.is_binary_view)
    return any(bool(is_one(own)) for is_one in binaries)


def _microseconds(durations: pa.Array) -> pa.Array:
    """Returns the durations as texts, with nanoseconds rounded. Arrow has no text for them."""
    if durations.type.unit != "ns":
        return durations.cast(pa.duration("us")).cast(pa.int64()).cast(pa.string())
    rounded = pc.add(durations.cast(pa.int64()), 500)
    whole = pc.divide(rounded, 1000)
    below = pc.less(rounded, pc.multiply(whole, 1000))  # division goes towards zero
    return pc.subtract(whole, below.cast(pa.int64())).cast(pa.string())


def _array_texts(lists: pa.Array, declared: ColumnType | None) -> pa.Array:
    """Returns lists as Postgres writes arrays."""
    lists = lists.cast(pa.list_(lists.type.value_type))
    elements = [_element(text) for text in as_text(lists.values, declared).to_pylist()]
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
