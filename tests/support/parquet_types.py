"""Every type that Parquet can have, as files with a few values each, and what the engine takes.

`.venv/bin/python -m tests.support.parquet_types` writes docs/parquet-types.md.
"""
# ruff: noqa: E501  the table of cases

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import UUID

import pyarrow as pa

from include.landfall.arrival import Arrival
from include.landfall.connections import Store
from include.landfall.errors import HeaderMismatch
from include.landfall.feed.column_types import BUILT_IN, parse_type
from include.landfall.feed.dialect import ParquetDialect
from include.landfall.job import Job, PlannedColumn
from include.landfall.read.formats import parquet
from include.local.state import PROJECT
from tests.support.file_bytes import parquet_bytes

PAGE = PROJECT / "docs" / "parquet-types.md"
COMMAND = ".venv/bin/python -m tests.support.parquet_types"
INTEGERS = ("smallint", "integer", "bigint")  # whole decimals are taken for them
EXACT = 1 << 53  # the first whole number that may be another one in a double
ENUM, DOMAIN = "raw.mood", "raw.small"
DEFINITIONS = f"""
CREATE SCHEMA raw; CREATE TYPE {ENUM} AS ENUM ('sad', 'good');
CREATE DOMAIN {DOMAIN} AS integer CHECK (VALUE < 100);
"""
TARGETS = [*sorted(BUILT_IN), "numeric(15,2)", "numeric(38,10)", "varchar(3)", "char(3)", "time(0)",
           "timestamp(3)", "timestamptz(0)", "interval(0)", ENUM, DOMAIN]  # fmt: skip
# A string's annotations in the footer of a file, and others of the same length in their place:
# pyarrow writes neither of them.
STRING_MARK = bytes.fromhex("25004c1c0000")
ENUM_MARK, BSON_MARK = bytes.fromhex("25084c4c0000"), bytes.fromhex("25284cdc0000")


@dataclass(frozen=True)
class Source:
    """A column of a file: its type as Parquet names it, its values, and what a person writes.

    Postgres reads the texts: that is what must be in the table.
    """

    name: str
    values: pa.Array
    texts: Sequence[str | None]
    options: dict[str, Any] = field(default_factory=dict)
    mark: bytes = STRING_MARK
    as_bytea: Sequence[str | None] = ()  # the texts for a bytea, where they are others

    def texts_for(self, declared: str) -> Sequence[str | None]:
        """Returns the texts from which Postgres reads the values as the declared type."""
        if self.as_bytea and declared.startswith("bytea"):
            return self.as_bytea
        if rule := self._rule_for(declared.removesuffix("[]")):
            pattern, text_of = rule
            return [text and re.sub(pattern, text_of, text) for text in self.texts]
        return self.texts

    def _rule_for(self, bare: str) -> tuple[str, Any] | None:
        """Returns the texts to replace, and with what, where the type is of another family."""
        if bare == "date" and ("TIMESTAMP" in self.name or "INT96" in self.name):
            return r"(\d+-\d\d-\d\d)( \d\d:[\d:.]+)( BC)?", _date
        is_whole = bare in (*INTEGERS, DOMAIN)
        if is_whole and "DECIMAL" in self.name:
            return r'\.0+(?=$|")', ""
        if "DOUBLE" in self.name and (is_whole or bare.startswith("numeric")):
            exact = EXACT if is_whole else float("inf")
            return r'(\d+)\.0(?=$|")', lambda found: found[1] if int(found[1]) < exact else found[0]
        return None

    @property
    def ids(self) -> pa.Array:
        """A number for each value."""
        return pa.array(range(len(self.values)), pa.int32())

    @property
    def listed(self) -> Source:
        """A column of lists of these values: all of them, none of them, no list."""
        size = len(self.values)
        lists = pa.ListArray.from_arrays(
            pa.array([0, size, size, size], pa.int32()), self.values,
            mask=pa.array([False, True, False]),
        )  # fmt: skip
        return replace(
            self, name=f"LIST of {self.name}", values=lists, texts=_array_texts(self.texts),
            as_bytea=_array_texts(self.as_bytea) if self.as_bytea else (),
        )  # fmt: skip

    def file(self, columns: dict[str, pa.Array]) -> bytes:
        """Makes a file of columns of this type."""
        data = parquet_bytes(columns, **self.options)
        at = -int.from_bytes(data[-8:-4], "little") - 8
        footer = data[at:]
        if "id" in columns and columns["id"].type == pa.string():  # the first column, and no mark
            first, mark, rest = footer.partition(STRING_MARK)
            return data[:at] + first + mark + rest.replace(STRING_MARK, self.mark)
        return data[:at] + footer.replace(STRING_MARK, self.mark)

    @cached_property
    def accepted(self) -> list[str]:
        """The types, of arrays for lists, that a feed can declare for it."""
        body = self.file({"x": self.values})
        suffix = "[]" if self.name.startswith("LIST") else ""
        return [f"{name}{suffix}" for name in TARGETS if is_taken(body, f"{name}{suffix}")]


def _date(moment: re.Match[str]) -> str:
    """Returns the date of a timestamp at midnight, and for others a text that is no date."""
    return f"{moment[1]}{moment[3] or ''}" if moment[2] == " 00:00:00" else "not midnight"


def is_taken(body: bytes, declared: str) -> bool:
    """Returns whether the engine reads the column `x` as the declared type, whatever its cells."""
    typtype = "e" if declared.startswith(ENUM) else "d" if declared.startswith(DOMAIN) else "b"
    arrival = Arrival("b", "k", "v", len(body), None)  # type: ignore[arg-type]
    base = parse_type("integer") if typtype == "d" and not declared.endswith("[]") else None
    columns = (PlannedColumn("x", parse_type(declared), typtype, base=base),)
    job = Job("f", arrival, Store("", "", ""), columns, 1, ParquetDialect())
    try:
        next(iter(parquet.rows(io.BytesIO(body), job)))
    except HeaderMismatch:
        return False
    return True


def _array_texts(texts: Sequence[str | None]) -> list[str | None]:
    return ["{" + ",".join(map(_element, texts)) + "}", None, "{}"]


def _element(text: str | None) -> str:
    if text is None:
        return "NULL"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _ints(name: str, own: pa.DataType, bits: int, signed: bool = True) -> Source:
    low = -(1 << (bits - 1)) if signed else 0
    numbers = [low, low + (1 << bits) - 1, 7, None]
    return Source(name, pa.array(numbers, own), [None if n is None else str(n) for n in numbers])


def _decimals(name: str, own: pa.DataType, *texts: str, **options: Any) -> Source:
    values = pa.array([*map(Decimal, texts), None], own)
    return Source(name, values, [*texts, None], options)


def _floats(name: str, own: pa.DataType, *numbers: float) -> Source:
    values = pa.array([*numbers, float("nan"), float("-inf"), None], pa.float64()).cast(own)
    exact = [repr(number) for number in values.cast(pa.float64()).to_pylist()[:-1]]
    return Source(name, values, [*exact, None])


def _numbers(
    name: str,
    own: pa.DataType,
    numbers: Sequence[int | None],
    texts: Sequence[str | None],
    **options: Any,
) -> Source:
    storage = pa.int32() if own.bit_width == 32 else pa.int64()
    return Source(name, pa.array(numbers, storage).view(own), texts, options)


def _texts(name: str, own: pa.DataType, **more: Any) -> Source:
    texts = ["7", "good", "2013-01-01", 'a "b"\\, ü', "", None]
    return Source(name, pa.array(texts, pa.string()).cast(own), texts, **more)


def _bytes(name: str, own: pa.DataType, values: Sequence[bytes], **more: Any) -> Source:
    return Source(
        name, pa.array([*values, None], own), [*("\\x" + v.hex() for v in values), None], **more
    )


# Days since 1970, the date, and its era: before Christ, the first year, today's, and after 9999.
DAYS = [
    (-735_599, "0045-01-01", " BC"), (-719_528, "0001-01-01", " BC"), (-719_163, "0001-12-31", " BC"),
    (-719_162, "0001-01-01", ""), (0, "1970-01-01", ""), (15_706, "2013-01-01", ""),
    (2_932_897, "10000-01-01", ""), (10_957_000, "31969-04-01", ""), (60_000_000, "166244-06-03", ""),
]  # fmt: skip
MODERN = DAYS[4:6]


def _dates(name: str, own: pa.DataType, per_day: int) -> Source:
    numbers = [day * per_day for day, _, _ in DAYS]
    return _numbers(name, own, [*numbers, None], [*(date + era for _, date, era in DAYS), None])


def _moments(
    name: str, unit: str, zone: str | None = None, days: Any = DAYS, **options: Any
) -> Source:
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    numbers = [(day * 86_400 + 3_723) * per_second for day, _, _ in days]
    texts = [f"{date} 01:02:03{'+00' if zone else ''}{era}" for _, date, era in days]
    return _numbers(name, pa.timestamp(unit, zone), [*numbers, None], [*texts, None], **options)


ID = UUID("6b94a9a4-ae00-4d90-9dd1-6e1e4fd63c8a")
PLAIN: dict[str, Any] = {"store_schema": False}  # as writers other than pyarrow
SOURCES = [
    Source("BOOLEAN", pa.array([True, False, None]), ["true", "false", None]),
    *(_ints(f"INT32, INTEGER({bits}, signed)", getattr(pa, f"int{bits}")(), bits) for bits in (8, 16)),
    _ints("INT32", pa.int32(), 32),
    _ints("INT64", pa.int64(), 64),
    *(_ints(f"INT{64 if bits == 64 else 32}, INTEGER({bits}, unsigned)", getattr(pa, f"uint{bits}")(), bits, signed=False)
      for bits in (8, 16, 32, 64)),
    _floats("FIXED_LEN_BYTE_ARRAY(2), FLOAT16", pa.float16(), 0.5, 65504.0),
    _floats("FLOAT", pa.float32(), 0.1, 3.4028234663852886e38, -0.0),
    _floats("DOUBLE", pa.float64(), 0.1, 5e-324, -0.0, 7.0, EXACT - 1.0, EXACT * 1.0),
    _decimals("INT32, DECIMAL(9, 2)", pa.decimal128(9, 2), "-9999999.99", "7.00", store_decimal_as_integer=True, **PLAIN),
    _decimals("INT64, DECIMAL(18, 4)", pa.decimal128(18, 4), "-12345678901234.5678", "7.0000", store_decimal_as_integer=True, **PLAIN),
    _decimals("FIXED_LEN_BYTE_ARRAY, DECIMAL(38, 0)", pa.decimal128(38, 0), "9" * 38, "7", **PLAIN),
    _decimals("FIXED_LEN_BYTE_ARRAY, DECIMAL(38, 10)", pa.decimal128(38, 10), "-" + "9" * 28 + "." + "9" * 10, "7.0000000000"),
    _decimals("FIXED_LEN_BYTE_ARRAY, DECIMAL(76, 5)", pa.decimal256(76, 5), "9" * 71 + ".99999", "7.00000"),
    _decimals("FIXED_LEN_BYTE_ARRAY, DECIMAL(5, 2) of pyarrow's decimal32", pa.decimal32(5, 2), "999.99"),
    _decimals("FIXED_LEN_BYTE_ARRAY, DECIMAL(15, 2) of pyarrow's decimal64", pa.decimal64(15, 2), "9999999999999.99"),
    _texts("BYTE_ARRAY, STRING", pa.string(), options=PLAIN),
    _texts("BYTE_ARRAY, STRING, without a dictionary", pa.string(), options={"use_dictionary": False}),
    _texts("BYTE_ARRAY, STRING of pyarrow's large_string", pa.large_string()),
    _texts("BYTE_ARRAY, STRING of pyarrow's string_view", pa.string_view()),
    _texts("BYTE_ARRAY, STRING of pyarrow's dictionary", pa.dictionary(pa.int8(), pa.string())),
    _texts("BYTE_ARRAY, ENUM", pa.string(), options=PLAIN, mark=ENUM_MARK),
    Source("BYTE_ARRAY, JSON", pa.array(['{"a": 1.50}', "[]", None], pa.json_()), ['{"a": 1.50}', "[]", None]),
    _bytes("BYTE_ARRAY", pa.binary(), [b"", b"\0\xff\\"]),
    _bytes("BYTE_ARRAY of pyarrow's large_binary", pa.large_binary(), [b"", b"\0\xff\\"]),
    _bytes("BYTE_ARRAY of pyarrow's binary_view", pa.binary_view(), [b"", b"\0\xff\\"]),
    Source("BYTE_ARRAY, BSON", pa.array(["a", None]), ["\\x61", None], PLAIN, BSON_MARK),
    _bytes("FIXED_LEN_BYTE_ARRAY(3)", pa.binary(3), [b"\0\xff\\"]),
    Source("FIXED_LEN_BYTE_ARRAY(16), UUID", pa.array([ID.bytes, None], pa.uuid()), [str(ID), None], as_bytea=[f"\\x{ID.hex}", None]),
    Source("FIXED_LEN_BYTE_ARRAY(16)", pa.array([ID.bytes, None], pa.binary(16)), [str(ID), None], as_bytea=[f"\\x{ID.hex}", None]),
    Source("FIXED_LEN_BYTE_ARRAY(12), INTERVAL", pa.array([bytes([1, 0, 0, 0, 2, 0, 0, 0, 232, 3, 0, 0]), None], pa.binary(12)),
           ["1 month 2 days 1 second", None], as_bytea=["\\x0100000002000000e8030000", None]),
    _dates("INT32, DATE", pa.date32(), 1),
    _dates("INT32, DATE of pyarrow's date64", pa.date64(), 86_400_000),
    _numbers("INT32, TIME(MILLIS)", pa.time32("ms"), [0, 86_399_999, None], ["00:00", "23:59:59.999", None]),
    _numbers("INT64, TIME(MICROS)", pa.time64("us"), [0, 86_399_999_999, None], ["00:00", "23:59:59.999999", None]),
    _numbers("INT64, TIME(NANOS)", pa.time64("ns"), [0, 1_500, None], ["00:00", "00:00:00.0000015", None]),
    _moments("INT64, TIMESTAMP(MILLIS)", "ms"),
    _moments("INT64, TIMESTAMP(MICROS)", "us"),
    _numbers("INT64, TIMESTAMP(MICROS) at midnight", pa.timestamp("us"), [15_706 * 86_400 * 10**6, -735_599 * 86_400 * 10**6, None],
             ["2013-01-01 00:00:00", "0045-01-01 00:00:00 BC", None]),
    _moments("INT64, TIMESTAMP(NANOS)", "ns", days=MODERN, version="2.6"),
    _numbers("INT64, TIMESTAMP(NANOS) with a fraction", pa.timestamp("ns"), [1_500, -1, None],
             ["1970-01-01 00:00:00.0000015", "1969-12-31 23:59:59.999999999", None], version="2.6"),
    _moments("INT64, TIMESTAMP(MILLIS, UTC)", "ms", "UTC"),
    _moments("INT64, TIMESTAMP(MICROS, UTC)", "us", "UTC"),
    _moments("INT64, TIMESTAMP(MICROS, UTC) of pyarrow's New York", "us", "America/New_York"),
    _moments("INT64, TIMESTAMP(NANOS, UTC)", "ns", "UTC", days=MODERN, version="2.6"),
    _moments("INT96", "us", days=DAYS[3:6], use_deprecated_int96_timestamps=True, **PLAIN),
    *(_numbers(f"INT64 of pyarrow's duration({unit})", pa.duration(unit), [90 * factor, -factor, None], ["90 s", "-1 s", None])
      for unit, factor in (("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9))),
    Source("INT32, UNKNOWN (no values)", pa.nulls(2), [None, None]),
    Source("INT32, INTEGER(8, signed) of pyarrow's bool8", pa.array([1, 0, None], pa.int8()).cast(pa.bool8()), ["1", "0", None]),
    Source("MAP", pa.array([[("a", 1)], None], pa.map_(pa.string(), pa.int32())), ['{"a": 1}', None]),
    Source("a group (struct)", pa.array([{"a": 1, "b": "x"}, None]), ['{"a": 1, "b": "x"}', None]),
    Source("a LIST of LISTs of INT32", pa.array([[[1, None], []], None]), ["[[1, null], []]", None]),
]  # fmt: skip
SCALARS = [source for source in SOURCES if source.texts]
# Arrow cannot pick from lists of views, so the test could not make them.
ALL = [*SOURCES, *(source.listed for source in SCALARS if "view" not in source.name)]


def page() -> str:
    """Makes the page from what the engine takes."""
    lines = [
        "# Parquet's types", "",
        "The type of a column in the file, and the types that a feed can declare for it. Every other type is",
        "refused, with both types in the message. A value that the declared type cannot hold is refused with its",
        "row and column. What is loaded is what Postgres reads from the value's text, dates before Christ and",
        "nanoseconds included. [A test](../tests/integration/landfall/test_parquet_types.py) holds this for each",
        "pair, through the fast path and through the text path.", "",
        "What pandas writes for a column with gaps fits, too: a DOUBLE is taken for an integer where it is whole and",
        "below 2^53, and a timestamp for a date where it is midnight. Every other value of them is refused. Into a",
        "`numeric` goes the shortest text of a DOUBLE, such as 0.1. A domain takes what the type below it takes.", "",
        "A list is taken for arrays of the same types, and, as a map and a group, for `json` and `jsonb`.",
        f"`{COMMAND}` makes this page again.", "",
        "| in the file | in the feed |", "| --- | --- |",
    ]  # fmt: skip
    lines += [f"| {source.name} | {_names(source)} |" for source in SOURCES]
    return "\n".join(lines) + "\n"


def _names(source: Source) -> str:
    names = source.accepted
    if len(names) == len(TARGETS):
        return "every type"
    shown = {"raw.mood": "an enum", "raw.small": "a domain"}
    plain = [name for name in names if name in BUILT_IN or name in shown]  # the others are the same
    return ", ".join(shown.get(name, f"`{name}`") for name in plain) or "none: refused"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
