"""The types of a file that has its own (Parquet): which declared type each fits, and its text."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from include.landfall.errors import HeaderMismatch
from include.landfall.feed.column_types import ColumnType
from include.landfall.job import PlannedColumn
from include.landfall.read.casts.moments import is_moment, moment_texts
from include.landfall.read.casts.own_json import holds_others, json_texts

_UNITS = {"s": ("seconds", 1), "ms": ("milliseconds", 1_000), "us": ("microseconds", 1_000_000)}
_WHOLE = {"smallint", "integer", "bigint"}
_JSON = {"json", "jsonb", "text"}
_TEXTS = {"text", "varchar", "char"}
_INTEGERS = {*_WHOLE, "numeric", "double precision", "boolean", *_TEXTS}
_EXACT = 1 << 53  # from here on a double may stand for another whole number, too


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
    if column.base is not None:  # a domain: Postgres reads what its base does, and checks it
        return accepts(PlannedColumn(column.name, column.base), own)
    declared = column.type
    if _becomes_json(own, declared):
        return column.typtype == "b"
    if is_list(own):
        element = PlannedColumn(column.name, declared.element)
        return declared.array and accepts(element, own.value_type)
    if declared.array or column.typtype != "b":
        return False
    return _fits_family(declared.name, own)


def _becomes_json(own: pa.DataType, declared: ColumnType | None) -> bool:
    """Returns whether values that hold others become JSON. Their text in rejects is JSON too."""
    if declared is None:
        return holds_others(own) or (is_list(own) and _becomes_json(own.value_type, None))
    is_json = declared.name in _JSON and not declared.array
    return is_json and (holds_others(own) or is_list(own))


def needs_text(own: pa.DataType, declared: ColumnType | None) -> bool:
    """Returns whether values are handed on as texts: those that are texts, and declared JSON."""
    return is_text(own) or (declared is not None and _becomes_json(own, declared))


def is_list(own: pa.DataType) -> bool:
    """Returns whether the type is one of Arrow's many types of lists."""
    t = pa.types
    lists = (t.is_list, t.is_large_list, t.is_fixed_size_list, t.is_list_view, t.is_large_list_view)
    return any(bool(is_one(own)) for is_one in lists)


def _fits_family(name: str, own: pa.DataType) -> bool:
    t = pa.types
    if t.is_floating(own):
        others = {*_WHOLE, "numeric"} if own == pa.float64() else {"real"}
        return name in {"double precision", *others}
    if is_binary(own):
        fixed = {"uuid": pa.binary(16), "interval": pa.binary(12)}
        return name == "bytea" or own == fixed.get(name)
    moments = {"timestamptz"} if t.is_timestamp(own) and own.tz else {"timestamp", "date"}
    families: tuple[tuple[Callable[[pa.DataType], bool], set[str]], ...] = (
        (t.is_integer, _INTEGERS),
        (t.is_decimal, {*_WHOLE, "numeric", "double precision", *_TEXTS}),
        (t.is_boolean, {"boolean", *_TEXTS}),
        (t.is_timestamp, moments),
        (t.is_date, {"date", "timestamp", *_TEXTS}),
        (t.is_time, {"time"}),
        (t.is_duration, {"interval"}),
    )
    return any(is_one(own) and name in names for is_one, names in families)


def reads_texts(own: pa.DataType, declared: ColumnType | None) -> bool:
    """Returns whether the declared type is of another family, so that it reads the values' texts.

    Where it can hold the values without loss, their texts are made so that it takes no others.
    """
    t, name = pa.types, declared.name if declared else ""
    if name in _TEXTS or (name == "boolean" and not t.is_boolean(own)):
        return True
    if t.is_floating(own):
        return name in {*_WHOLE, "numeric"}
    if t.is_decimal(own):
        return name == "double precision"
    return (t.is_timestamp(own) and name == "date") or (t.is_date(own) and name == "timestamp")


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
    if _becomes_json(values.type, declared):
        return _json_texts(values)
    if is_list(values.type):
        return _array_texts(values, declared)
    if pa.types.is_duration(values.type):
        return _duration_texts(values)
    if is_moment(values.type):
        return moment_texts(values, declared.name if declared else "")
    if is_binary(values.type):
        return _binary_texts(values, declared.name if declared else "")
    return _number_texts(values, declared)


def _json_texts(values: pa.Array) -> pa.Array:
    """Returns the JSON of each value. Bytes that are no UTF-8 stay, for their row to be refused."""
    texts = (text.encode("utf-8", "surrogateescape") for text in json_texts(values, as_text))
    data = pa.array([None if text == b"null" else text for text in texts], pa.binary())
    return pa.Array.from_buffers(pa.string(), len(data), data.buffers())


def _number_texts(values: pa.Array, declared: ColumnType | None) -> pa.Array:
    """Returns the texts of numbers, and of all other types for which Arrow's own text is right."""
    is_whole = declared is not None and declared.name in _WHOLE
    if pa.types.is_floating(values.type):
        values = values.cast(pa.float64())  # the shortest text of a real is another double
        return _whole_texts(values) if is_whole else values.cast(pa.string())
    texts = values.cast(pa.string())
    if pa.types.is_decimal(values.type) and is_whole:
        return pc.replace_substring_regex(texts, r"\.0*$", "")  # Postgres refuses 7.00
    return texts


def _whole_texts(numbers: pa.Array) -> pa.Array:
    """Returns the digits of whole numbers that a double holds exactly.

    The others have a mark, an exponent or letters, and Postgres reads no integer from them.
    """
    is_exact = pc.and_(pc.less(pc.abs(numbers), _EXACT), pc.equal(pc.floor(numbers), numbers))
    whole = pc.if_else(is_exact, numbers, pa.scalar(None, pa.float64())).cast(pa.int64())
    return pc.coalesce(whole.cast(pa.string()), numbers.cast(pa.string()))


def _binary_texts(values: pa.Array, name: str) -> pa.Array:
    texts = [None if value is None else _binary_text(value, name) for value in values.to_pylist()]
    return pa.array(texts, pa.string())


def _binary_text(value: bytes, name: str) -> str:
    if name == "uuid":
        return value.hex()  # Postgres takes the digits without hyphens too
    if name == "interval":  # Parquet's logical type: three numbers of 32 bits, without signs
        months, days, rest = struct.unpack("<3I", value)
        seconds, milliseconds = divmod(rest, 1_000)  # before PostgreSQL 15 a part holds 32 bits
        return f"{months} months {days} days {seconds} seconds {milliseconds} milliseconds"
    return "\\x" + value.hex()


def is_binary(own: pa.DataType) -> bool:
    """Returns whether the type is one of Arrow's types of bytes."""
    t = pa.types
    binaries = (t.is_binary, t.is_large_binary, t.is_fixed_size_binary, t.is_binary_view)
    return any(bool(is_one(own)) for is_one in binaries)


def _duration_texts(durations: pa.Array) -> pa.Array:
    """Returns the durations as texts, nanoseconds rounded. Arrow has no text for them."""
    unit, numbers = durations.type.unit, durations.cast(pa.int64())
    if unit == "ns":
        unit, whole = "us", pc.divide(numbers, 1000)  # towards zero
        rest = pc.subtract(numbers, pc.multiply(whole, 1000))
        up, down = pc.greater_equal(rest, 500), pc.less(rest, -500)
        numbers = pc.subtract(pc.add(whole, up.cast(pa.int64())), down.cast(pa.int64()))
    return _in_parts(numbers, unit)


def _in_parts(numbers: pa.Array, unit: str) -> pa.Array:
    """Returns the texts of durations in hours, seconds and the rest.

    Before PostgreSQL 15 a part holds 32 bits: not even an hour in microseconds.
    """
    name, of_a_second = _UNITS[unit]
    parts: list[Any] = []
    for part, size in (("hours", 3600 * of_a_second), ("seconds", of_a_second), (name, 1)):
        whole = pc.divide(numbers, size)  # towards zero, so that all parts have one sign
        numbers = pc.subtract(numbers, pc.multiply(whole, size))
        parts += [whole.cast(pa.string()), part] if parts[-1:] != [part] else []
    return pc.binary_join_element_wise(*parts, " ")


def _array_texts(lists: pa.Array, declared: ColumnType | None) -> pa.Array:
    """Returns lists as Postgres writes arrays."""
    lists = lists.cast(pa.list_(lists.type.value_type))
    element = declared.element if declared else None
    if not len(lists):
        return pa.array([], pa.string())
    offsets = lists.offsets.to_pylist()
    first = offsets[0]
    values = lists.values[first : offsets[-1]]  # a slice of a batch has those of the whole
    elements = [_element(text) for text in as_text(values, element).to_pylist()]
    offsets = [offset - first for offset in offsets]
    texts = [
        "{" + ",".join(elements[start:stop]) + "}" if valid else None
        for valid, start, stop in zip(lists.is_valid().to_pylist(), offsets, offsets[1:])
    ]
    return pa.array(texts, pa.string())


def _element(text: str | None) -> str:
    if text is None:
        return "NULL"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
