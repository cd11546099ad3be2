"""Lines of fixed width become cells of text, and a line of another form is a reject."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest

from include.landfall.arrival import Arrival
from include.landfall.connections import Store
from include.landfall.feed.column_types import parse_type
from include.landfall.feed.formats import read_format
from include.landfall.feed.maxima import LONGEST_ROW
from include.landfall.feed.model import Feed
from include.landfall.job import Job, PlannedColumn
from include.landfall.read.formats import fixed_width
from include.landfall.read.spelling import Speller
from tests.support.readings import gather

FIELDS = {"a": {"start": 1, "width": 3}, "b": {"start": 5, "width": 4}}


def job(**options):
    planned = tuple(PlannedColumn(name, parse_type("text")) for name in "ab")
    dialect = read_format({"type": "fixed", "fields": FIELDS, **options}).dialect()
    arrival = Arrival("b", "k", "e", 1, datetime(2013, 1, 1, tzinfo=UTC))
    return Job("f", arrival, Store(), planned, 1, dialect)


def read(data, **options):
    """The rows by their numbers, and the rejects."""
    data = data.encode() if isinstance(data, str) else data
    return gather(fixed_width.rows(io.BytesIO(data), job(**options)))


# The second part of each pair makes the block one that is cut line by line.
@pytest.mark.parametrize("other", ["", "x\n"], ids=["as a block", "line by line"])
@pytest.mark.parametrize(
    ("line", "options", "expected"),
    [
        ("  1 abcd", {}, ("1", "abcd")),
        ("123xab  ", {}, ("123", "ab")),
        ("        ", {"trim": False}, ("   ", "    ")),
        ("  1 ab  ", {"trim": False}, ("  1", "ab  ")),
        ("-   NULL", {"nulls": ["NULL", "-"]}, (None, None)),
        ("ü€ü 😀bc ", {}, ("ü€ü", "😀bc")),
        ("1   ab     \r", {}, ("1", "ab")),
        ("1   abcdXYZ", {"rest": "ignore"}, ("1", "abcd")),
        ("1   ab", {"ragged": "pad"}, ("1", "ab")),
        ("1", {"ragged": "pad"}, ("1", None)),
        ("\t       ", {}, ("\t", None)),
    ],
)
def test_a_line_is_cut_at_its_characters(line, options, expected, other):
    if other and options.get("ragged") == "pad":
        other = "1234567890\n"
    rows, rejects = read(f"{line}\n{other}", **options)
    assert rows[1] == expected
    assert [r.number for r in rejects if r.number == 1] == []


def test_a_line_of_another_form_is_a_reject_with_its_line_and_text():
    rows, rejects = read("1   abcd\n\n2\n3   abcdX\n4   abcd")
    assert rows == {1: ("1", "abcd"), 4: ("4", "abcd")}
    assert [(r.number, r.line, r.reason, r.message, r.raw) for r in rejects] == [
        (2, 3, "short", "the row has 1 characters, not 8", "2"),
        (3, 4, "rest", "the row has text behind its 8 characters", "3   abcdX"),
    ]


@pytest.mark.parametrize("codec", ["latin-1", "cp1252", "shift-jis", "gb18030", "utf-16"])
def test_each_encoding_is_counted_in_characters(codec):
    text = "日本  語学xx" if codec in {"shift-jis", "gb18030", "utf-16"} else "éü  Müll"
    (part,) = fixed_width.rows(io.BytesIO(text.encode(codec)), job(encoding=codec))
    assert list(part.batch.to_pylist()[0].values()) == [text[:3].strip(), text[4:8].strip()]
    assert part.origins([0])[0].raw == text


def test_bytes_that_are_no_text_are_a_reject():
    rows, rejects = read(b"1   abcd\n\xff   abcd\n1\0  abcd\n")
    assert list(rows) == [1]
    assert [(r.reason, r.raw) for r in rejects] == [
        ("encoding", "\\xff   abcd"), ("zero_byte", "1\\x00  abcd"),
    ]  # fmt: skip


def test_a_byte_that_is_none_of_the_encoding_is_a_reject_with_that_byte():
    rows, rejects = read(b"1   abcd\n2   ab\x81d\n", encoding="cp1252")
    assert (list(rows), [r.raw for r in rejects]) == ([1], ["2   ab\\x81d"])


def test_lines_at_the_beginning_are_skipped_and_counted():
    rows, rejects = read("\ufeffTITLE\n\n1   abcd\n2", skip_rows=2)
    assert rows == {1: ("1", "abcd")}
    assert [(r.number, r.line) for r in rejects] == [(2, 4)]
    assert read("TITLE", skip_rows=2) == ({}, [])


def test_rows_behind_skipped_lines_are_read_where_a_read_ends_with_a_line():
    lines = io.BytesIO(b"TITLE\n\n1   abcd\n")
    lines.read = lambda _: lines.readline()
    assert gather(fixed_width.rows(lines, job(skip_rows=2)))[0] == {1: ("1", "abcd")}


@pytest.mark.parametrize("tail", ["T0002", "T0002\n", "T0002\r\n\r\n"])
def test_lines_at_the_end_are_skipped(tail):
    rows, rejects = read(f"1   abcd\n2   ab\n{tail}", skip_footer=1)
    assert (rows, [r.line for r in rejects]) == ({1: ("1", "abcd")}, [2])


@pytest.mark.parametrize("blank", ["\f", "\t", "\u00a0"])
def test_only_spaces_are_trimmed(blank):
    """A line that a form feed moved by one place must not be read as one with an empty field."""
    task = job()
    (part,) = fixed_width.rows(io.BytesIO(f"{blank}  1abcd\n".encode()), task)
    assert Speller(task).rows(part).batch.to_pylist()[0]["a"] == blank


def test_a_line_that_is_too_long_is_a_reject():
    rows, rejects = read(b"1   abcd\n" + b"x" * (2 * LONGEST_ROW) + b"\n3   abcd\n")
    assert list(rows) == [1, 3]
    assert [(r.number, r.line, r.reason) for r in rejects] == [(2, 2, "too_long")]


def test_the_origins_of_rows_are_found_in_one_more_pass():
    data = io.BytesIO(b"1   abcd\n2\n")
    origins = list(fixed_width.origins_of(data, job(), [1, 2]))
    assert [(n, o.line, o.raw, cells) for n, o, cells in origins] == [
        (1, 1, "1   abcd", ["1", "abcd"]), (2, 2, "2", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fields": {}}, "at least 1 item"),
        ({"fields": {"a": {"start": 0, "width": 1}}}, "greater than or equal to 1"),
        ({"fields": FIELDS | {"c": {"start": 8, "width": 1}}}, "'b' and 'c' overlap"),
        ({"encoding": "klingon"}, "an encoding as Python names it"),
        ({"trim": "all"}, "valid boolean"),
        ({"quoted_nulls": "always"}, "Extra inputs"),
    ],
)  # fmt: skip
def test_a_bad_option_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        read_format({"type": "fixed", "fields": FIELDS, **options})


@pytest.mark.parametrize(
    ("columns", "message"),
    [(["a"], "which b is not"), (["a", "b", "c"], "a field for the column c")],
)
def test_fields_and_columns_must_fit(columns, message):
    with pytest.raises(ValueError, match=message):
        Feed.model_validate(
            {
                "feed": "t",
                "source": {"bucket": "landing", "pattern": "*"},
                "target": {"table": "raw.t"},
                "format": {"type": "fixed", "fields": FIELDS},
                "columns": dict.fromkeys(columns, "text"),
            }
        )
