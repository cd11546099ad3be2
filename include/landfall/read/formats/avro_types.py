"""The types of an Avro schema as Arrow has them, and the values of a column in them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TypeAlias

import pyarrow as pa

from include.landfall.errors import DataError
from include.landfall.feed.column_types import ColumnType
from include.landfall.read.casts.own_types import as_text

PLAIN = {
    "null": pa.null(), "boolean": pa.bool_(), "int": pa.int32(), "long": pa.int64(),
    "float": pa.float32(), "double": pa.float64(), "bytes": pa.binary(), "string": pa.string(),
}  # fmt: skip
# https://avro.apache.org/docs/1.12.0/specification/#logical-types
LOGICAL = {
    "date": pa.date32(),
    "time-millis": pa.time32("ms"),
    "time-micros": pa.time64("us"),
    "timestamp-millis": pa.timestamp("ms", "UTC"),
    "timestamp-micros": pa.timestamp("us", "UTC"),
    "timestamp-nanos": pa.timestamp("ns", "UTC"),
    "local-timestamp-millis": pa.timestamp("ms"),
    "local-timestamp-micros": pa.timestamp("us"),
    "local-timestamp-nanos": pa.timestamp("ns"),
}
DECIMAL128_DIGITS, DECIMAL256_DIGITS = 38, 76
AS_TEXT = ColumnType("text")
# The types of a column's values. Where there are several, the values become texts.
ColumnTypes: TypeAlias = tuple[pa.DataType, ...]


class ArrowTypes:
    """Turns the types of one parsed schema, in which names are full, into those of Arrow."""

    def __init__(self) -> None:
        self._named: dict[str, Any] = {}
        self._open: list[str] = []

    def of_field(self, field: dict[str, Any]) -> ColumnTypes:
        """Returns the types of a column's values.

        Raises: DataError when Arrow has no such type.
        """
        schema = field["type"]
        if is_mixed(schema):
            return tuple(self.of(each) for each in schema)
        return (self.of(schema),)

    def of(self, schema: Any) -> pa.DataType:
        """Returns the type of a schema.

        Raises: DataError when Arrow has no such type.
        """
        if isinstance(schema, list):
            return self._of_union(schema)
        if isinstance(schema, str):
            return PLAIN[schema] if schema in PLAIN else self._of_name(schema)
        if "name" in schema:
            self._named[schema["name"]] = schema
        logical = schema.get("logicalType")
        if logical == "decimal":
            return _decimal(schema)
        if logical in LOGICAL:
            return LOGICAL[logical]
        return self._of_kind(schema)

    def _of_union(self, schema: list[Any]) -> pa.DataType:
        others = [each for each in schema if each != "null"]
        if len(others) > 1:
            raise _not_read("values of several types within another value", json.dumps(schema))
        return self.of(others[0]) if others else pa.null()

    def _of_name(self, name: str) -> pa.DataType:
        if name in self._open or name not in self._named:
            raise _not_read("a type that holds itself", name)
        return self.of(self._named[name])

    def _of_kind(self, schema: dict[str, Any]) -> pa.DataType:
        kind = schema["type"]
        if kind in {"record", "error"}:
            self._open.append(schema["name"])
            fields = [(each["name"], self.of(each["type"])) for each in schema["fields"]]
            self._open.pop()
            return pa.struct(fields)
        if kind == "array":
            return pa.list_(self.of(schema["items"]))
        if kind == "map":
            return pa.map_(pa.string(), self.of(schema["values"]))
        if kind == "fixed":
            return pa.binary(schema["size"])
        return pa.string() if kind == "enum" else self.of(kind)


def is_mixed(schema: Any) -> bool:
    """Returns whether values of the schema may be of several types beside null."""
    return isinstance(schema, list) and sum(each != "null" for each in schema) > 1


def as_read(schema: dict[str, Any]) -> dict[str, Any]:
    """Returns the schema of a file's rows as they are read: moments as numbers, unions by branch.

    Each branch of a column of several types is put into a record of one field, whose name is the
    branch's place. Such a record is written as its field alone is, and so tells the branch.
    """
    plain: dict[str, Any] = without_moments(schema)
    fields = [
        {**field, "type": _branches(field["type"], at)} if is_mixed(field["type"]) else field
        for at, field in enumerate(plain["fields"])
    ]
    return {**plain, "fields": fields}


def _branches(schema: list[Any], column: int) -> list[Any]:
    # Without a namespace of their own, since names within them belong to that of the row.
    return [
        each if each == "null" else {
            "type": "record",
            "name": f"landfall_{column}_{place}",
            "fields": [{"name": str(place), "type": each}],
        }
        for place, each in enumerate(schema)
    ]  # fmt: skip


def without_moments(schema: Any) -> Any:
    """Returns the schema with dates and times as numbers: so they are read whatever the year is."""
    if isinstance(schema, list):
        return [without_moments(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: without_moments(value) for key, value in schema.items() if key != "default"}
    if kept.get("logicalType") != "decimal":
        kept.pop("logicalType", None)
    return kept


def column_of(values: Sequence[Any], types: ColumnTypes) -> pa.Array:
    """Returns the values of a column. Bytes that are no UTF-8 stay, for their row to be refused."""
    return _array(values, types[0]) if len(types) == 1 else _texts(values, types)


def _array(values: Sequence[Any], own: pa.DataType) -> pa.Array:
    if own != pa.string():
        return pa.array(values, own)
    data = [None if v is None else v.encode("utf-8", "surrogateescape") for v in values]
    array = pa.array(data, pa.binary())
    return pa.Array.from_buffers(own, len(array), array.buffers())


def _texts(values: Sequence[dict[str, Any] | None], types: ColumnTypes) -> pa.Array:
    """Returns values of several types as texts, each by the type of its branch (see `as_read`)."""
    texts: list[bytes | None] = [None] * len(values)
    for place, own in enumerate(types):
        key = str(place)
        rows = [at for at, value in enumerate(values) if value is not None and key in value]
        branch = [(values[at] or {})[key] for at in rows]
        for at, text in zip(rows, _texts_of_branch(branch, own), strict=True):
            texts[at] = text
    array = pa.array(texts, pa.binary())
    return pa.Array.from_buffers(pa.string(), len(array), array.buffers())


def _texts_of_branch(values: Sequence[Any], own: pa.DataType) -> list[bytes | None]:
    if pa.types.is_floating(own):
        return [json.dumps(value).encode() for value in values]  # NaN, where Arrow writes nan
    texts: list[bytes | None] = as_text(_array(values, own), AS_TEXT).cast(pa.binary()).to_pylist()
    return texts


def _decimal(schema: dict[str, Any]) -> pa.DataType:
    precision, scale = schema["precision"], schema.get("scale", 0)
    if precision > DECIMAL256_DIGITS:
        raise _not_read(f"a decimal of more than {DECIMAL256_DIGITS} digits", json.dumps(schema))
    of = pa.decimal128 if precision <= DECIMAL128_DIGITS else pa.decimal256
    return of(precision, scale)


def _not_read(what: str, found: str) -> DataError:
    return DataError(
        f"the Avro schema has {what}, which is not read",
        found=found,
        do="ask the sender for a file with other types",
    )
