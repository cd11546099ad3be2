"""A text is suspect when Arrow takes it and Postgres refuses it or reads another value."""
# ruff: noqa: E501  the tables of cases

from __future__ import annotations

import datetime as dt
import itertools
import re
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pyarrow as pa
import pytest

from include.landfall.errors import HeaderMismatch
from include.landfall.feed.column_types import ColumnType, parse_type
from include.landfall.job import PlannedColumn
from include.landfall.read.casts.columns import RefusedTexts, cast_column
from include.landfall.read.casts.own_types import as_text, check_types
from include.landfall.read.casts.types import fast_cast_of

ID = UUID("6b94a9a4-ae00-4d90-9dd1-6e1e4fd63c8a")


def column(kind, typtype="b"):
    return PlannedColumn("x", parse_type(kind), typtype)


def suspects(kind, texts):
    """The texts that the fast path leaves to Postgres."""
    typed, mask = cast_column(pa.array(texts, pa.string()), fast_cast_of(column(kind)))
    doubted = mask.to_pylist() if mask is not None else [False] * len(texts)
    assert [v for v, d in zip(typed.to_pylist(), doubted) if d and v is not None] == []
    return [text for text, doubt in zip(texts, doubted) if doubt]


GUARDED = {
    "integer": ["0xFFFF", "0Xff", "-0x1", "1e3", " 1", "2147483648", "1.0", "", "٣"],
    "numeric(38,10)": ["6e35", "1e-40000", "38849808387931722299260261396", "1" * 39, "NaN", "1.00000000001"],
    "numeric(15,2)": ["1.005", "1e2", "8." + "0" * 40 + "4616", "99999999999999.9", " 1", "infinity"],
    "real": ["1e400", "1e-400", "-1e39", "3.5e38"],
    "double precision": ["1e400", "-1e400", "1e-400", "0x1p3", "1_000"],
    "boolean": ["yes", "t", " true", "tru", "on", "2"],
    "date": ["0000-01-01", "2013-02-29", "2013-1-1", "20130101", "infinity", "2013-01-01 BC"],
    "time": ["24:00:00", "23:59:60", "1:00", "12:00:00.1234567", "25:00", "noon"],
    "timestamp": ["0000-01-01 00:00:00", "2013-01-01 12", "2013-01-01T12Z", "2013-01-01 24:00:00", "2013-01-01 12:00:00.1234567"],
    "timestamptz": ["2013-01-01 12:00:00", "2013-01-01 12:00:00+23", "2013-01-01 12:00:00-16:00", "2013-01-01 12+01"],
    "uuid": [ID.hex, f"{{{ID}}}", str(ID)[:-1], str(ID) + "0"],
    "bytea": ["\\x00", "a\\b", "ü"],
}  # fmt: skip
PLAIN = {
    "integer": ["0", "-2147483648", "007"],
    "numeric(38,10)": ["-" + "9" * 28, "1.0000000001", ".5", "5."],
    "numeric(15,2)": ["0.01", "-9999999999999.99"],
    "real": ["0", "-0", "0.0", ".0", "1e38"],
    "double precision": ["0", "1e308", "5e-324"],
    "boolean": ["true", "FALSE", "1", "0"],
    "date": ["0001-01-01", "9999-12-31", "2012-02-29"],
    "time": ["00:00", "23:59:59.999999"],
    "timestamp": ["2013-01-01", "2013-01-01T12:00:00.123456", "0001-01-01 00:00"],
    "timestamptz": ["2013-01-01 12:00:00Z", "2013-01-01T12:00:00.5-15:59"],
    "uuid": [str(ID), str(ID).upper()],
    "bytea": ["u", ""],
    "text": ["", "anything"],
}


@pytest.mark.parametrize("kind", GUARDED)
@pytest.mark.parametrize("alone", [True, False])
def test_what_arrow_reads_otherwise_is_suspect_alone_and_among_others(kind, alone):
    odd, plain = GUARDED[kind], PLAIN[kind]
    if alone:
        assert [text for text in odd if suspects(kind, [text]) != [text]] == []
    else:
        # A few plain cells may be suspect together with an odd one: Postgres reads them the same.
        left = suspects(kind, [None, *plain, *odd, *plain, None] * 3)
        assert [text for text in left if text in odd] == odd * 3


@pytest.mark.parametrize("kind", PLAIN)
def test_plain_forms_go_fast(kind):
    assert suspects(kind, [None, *PLAIN[kind]]) == []


@pytest.mark.parametrize(
    ("kind", "typtype"),
    [("numeric", "b"), ("numeric(50,2)", "b"), ("numeric(5,-2)", "b"), ("numeric(3,5)", "b"),
     ("timetz", "b"), ("interval", "b"), ("inet", "b"), ("integer[]", "b"), ("a.domain", "d")],
)  # fmt: skip
def test_what_has_no_fast_way_goes_as_text(kind, typtype):
    assert fast_cast_of(column(kind, typtype)) is None
    texts = pa.array(["x", None])
    assert cast_column(texts, None) == (texts, None)


def test_a_slice_is_read_from_its_own_offset():
    """A slice shares its buffers with the whole batch: guards must look at its own bytes only."""
    texts = pa.array(["0xFF", "1", "2", None, "\\x00"])
    fast_cast = fast_cast_of(column("integer"))
    typed, mask = cast_column(texts[1:4], fast_cast)
    assert (typed.to_pylist(), mask) == ([1, 2, None], None)
    ids = pa.array([str(ID), None, str(ID)])[1:]
    typed, _ = cast_column(ids, fast_cast_of(column("uuid")))
    assert typed.to_pylist() == [None, ID.bytes]


@pytest.mark.parametrize("scale", [0, 1, 2, 10, 30])
def test_a_number_without_precision_goes_fast_only_with_the_digits_that_others_have(scale):
    """Postgres keeps each cell's own digits after the point, and Arrow has one number for all."""
    short = ["".join(p) for n in range(5) for p in itertools.product("01.+-eE ", repeat=n)]
    long = [f"-{'9' * n}.{'1' * scale}" for n in range(41)] + ["1" * n for n in range(45)]
    texts = short + long
    fast_cast = fast_cast_of(column("numeric"), scale)
    typed, mask = cast_column(pa.array(texts), fast_cast)
    fast = [(t, v) for t, v, doubt in zip(texts, typed.to_pylist(), mask.to_pylist()) if not doubt]
    assert len(fast) >= 7
    for text, value in fast:
        assert re.fullmatch(r"[+-]?(\d+(\.\d*)?|\.\d+)", text), text
        assert (value, -value.as_tuple().exponent) == (Decimal(text), scale), text
    plain = f"12.{'3' * scale}".rstrip(".")
    assert suspects_of(fast_cast, [plain, None, "+" + plain]) == [False] * 3


def suspects_of(fast_cast, texts):
    _, mask = cast_column(pa.array(texts, pa.string()), fast_cast)
    return mask.to_pylist() if mask is not None else [False] * len(texts)


def test_a_bad_text_that_comes_again_is_found_without_the_pattern_that_takes_long():
    calls = []
    fast_cast = fast_cast_of(column("date"))
    counting = replace(fast_cast)
    counting.__dict__["doubts"] = [
        lambda texts, doubt=doubt: calls.append(doubt) or doubt(texts) for doubt in fast_cast.doubts
    ]
    refused, texts = RefusedTexts(), ["2013-02-30", None, "2013-02-28", "0000-00-00"]
    for batch in (texts, texts[::-1], ["2013-02-28", *texts]):
        calls.append("batch")
        typed, mask = cast_column(pa.array(batch), counting, refused=refused)
        assert mask.to_pylist() == [text in ("2013-02-30", "0000-00-00") for text in batch]
        assert typed.to_pylist() == [dt.date(2013, 2, 28) if t == texts[2] else None for t in batch]
    assert calls == ["batch", *fast_cast.doubts, "batch", "batch"]


def test_of_the_bad_texts_that_may_come_again_only_a_few_short_ones_are_kept():
    refused, bad = RefusedTexts(), [f"x{number}" for number in range(1000)]
    long = "x" * 1_000_000
    for texts in ([*bad, long], [long], bad[::-1]):
        _, mask = cast_column(pa.array(texts), fast_cast_of(column("date")), refused=refused)
        assert all(mask.to_pylist())
    assert refused.guard(pa.array([*bad, long])).true_count == 16
    assert refused.guard(pa.array([bad[-1], long])).to_pylist() == [True, False]


@pytest.mark.parametrize("kind", [*PLAIN, "json", "jsonb", "char(3)"])
@pytest.mark.parametrize("texts", [[], [None], [None, None]])
def test_nothing_and_only_nulls_are_no_suspects(kind, texts):
    assert suspects(kind, texts) == []


TEXTS = [
    (pa.binary(16), [ID.bytes, None], "uuid", [ID.hex, None]),
    (pa.binary(), [b"\0\xff", b"", None], "bytea", ["\\x00ff", "\\x", None]),
    (pa.dictionary(pa.int8(), pa.string()), ["a", None], "text", ["a", None]),
    (pa.date64(), [dt.date(2013, 1, 1), None], "date", ["2013-01-01", None]),
    (pa.duration("ns"), [1500, -1501, None], "interval", [f"0 hours 0 seconds {us} microseconds" for us in (2, -2)] + [None]),
    # No part is longer than the 32 bits that it has before PostgreSQL 15.
    (pa.duration("us"), [-34_560_001_000_007], "interval", ["-9600 hours -1 seconds -7 microseconds"]),
    (pa.duration("ms"), [34_560_001_007], "interval", ["9600 hours 1 seconds 7 milliseconds"]),
    (pa.duration("s"), [2**40], "interval", ["305419896 hours 2176 seconds"]),
    (pa.binary(12), [b"\1\0\0\0\2\0\0\0" + b"\xff" * 4], "interval", ["1 months 2 days 4294967 seconds 295 milliseconds"]),
    (pa.list_(pa.string()), [['a"\\', None, "NULL"], None, []], "text[]", ['{"a\\"\\\\",NULL,"NULL"}', None, "{}"]),
    (pa.list_(pa.binary(16)), [[ID.bytes]], "uuid[]", [f'{{"{ID.hex}"}}']),
]  # fmt: skip


@pytest.mark.parametrize(("own", "values", "kind", "texts"), TEXTS, ids=[str(t[0]) for t in TEXTS])
def test_a_file_s_own_values_as_postgres_reads_them(own, values, kind, texts):
    array = pa.array(values, own)
    assert as_text(array, parse_type(kind)).to_pylist() == texts
    assert as_text(array[1:], parse_type(kind)).to_pylist() == texts[1:]


def test_a_column_of_another_type_is_named_with_both():
    columns = (PlannedColumn("a", ColumnType("text")), column("integer"))
    schema = pa.schema([("a", pa.string()), ("x", pa.float32())])
    with pytest.raises(HeaderMismatch) as caught:
        check_types(columns, schema)
    assert (caught.value.place.column, caught.value.found) == ("x", "float")
