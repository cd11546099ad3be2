"""Columns that are aligned by any number of blanks and tabs."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from include.landfall.feed.formats import CsvFormat
from include.landfall.feed.lenient import fields_of
from include.landfall.feed.model import Feed
from tests.unit.landfall.test_formats_page import SOURCE, rows
from tests.unit.landfall.test_sniff_drift import drift

BLANKS = {"delimiter": "blanks"}
HEAD = "  a  b\tc\n"
READ = [
    ({}, f"{HEAD}  1  foo   3.5 \n1\tx\t \t9\n", [["1", "foo", "3.5"], ["1", "x", "9"]]),
    ({}, f"{HEAD}\n \t \n1 2 3\n   \n", [["1", "2", "3"]]),
    ({}, f'{HEAD}10 "x  y"  ""  \n', [["10", "x  y", ""]]),
    ({"quote": "'"}, f"{HEAD} 1 'it''s  5\"' 3  \n", [["1", "it's  5\"", "3"]]),
    ({"quote": None}, f'{HEAD}1 5" 3\n', [["1", '5"', "3"]]),
    ({}, f'{HEAD} 1 "a \n  b "\t3\n', [["1", "a \n  b ", "3"]]),
    ({"nulls": ["NA", "-"]}, f"{HEAD}NA - 5\n", [[None, None, "5"]]),
    ({"comment": "#"}, f"  # made by\n{HEAD}  # x\n1 2 #\n", [["1", "2", "#"]]),
    ({"escape": "backslash"}, f"{HEAD}1 foo\\ bar 3\\ \n", [["1", "foo bar", "3 "]]),
    ({"ragged": "pad"}, f"{HEAD} 4\n 5 6 7 8\n", [["4", None, None]]),
    ({"header": False}, "\ufeff  1 2 3", [["1", "2", "3"]]),
    ({"newline": "CR"}, HEAD.replace("\n", "\r") + " 1 2 3 \r", [["1", "2", "3"]]),
    ({"skip_rows": 1, "skip_footer": 1}, f"x  y\n{HEAD} 1  2 3\n end\n", [["1", "2", "3"]]),
    ({"footer": {"pattern": " *T.*", "count_column": 2, "sum_columns": {"a": 3}}},
     f"{HEAD} 1 x y\n 2 x y\n  T    2    3\n", [["1", "x", "y"], ["2", "x", "y"]]),
]  # fmt: skip
REFUSED = [
    ({"delimiter": r"\s+"}, "blanks in place of this word"),
    ({"delimiter": "whitespace"}, "blanks in place of this word"),
    ({"delimiter": "tab"}, r'"\t" in place of this word'),
    ({**BLANKS, "quotes": "repair"}, "strict or literal, beside delimiter: blanks"),
    ({**BLANKS, "comment": " #"}, "another beginning than that of the delimiter"),
]


@pytest.mark.parametrize(("options", "text", "expected"), READ)
def test_runs_of_blanks_are_between_the_cells(options, text, expected):
    keys = {"format": {**BLANKS, **options}, "columns": dict.fromkeys("abc", "text")}
    assert rows(Feed.model_validate({"feed": "t", **SOURCE, **keys}), text.encode()) == expected


def test_a_blank_line_is_no_row_of_one_column():
    feed = Feed.model_validate({"feed": "t", **SOURCE, "format": BLANKS, "columns": {"a": "text"}})
    assert rows(feed, b"a\n\n b \n   \n") == [["b"]]


def test_a_row_of_another_width_is_told_with_its_line():
    departures = drift({"a": "text", "b": "text"}, BLANKS, " a b\n 1  2\n\n 1 2 3\n").departures
    assert departures == [
        "1 of 2 rows would be rejects, the first in line 4: the row has 3 fields, not 2"
    ]


@pytest.mark.parametrize(("options", "words"), REFUSED)
def test_what_cannot_be_meant_is_refused(options, words):
    with pytest.raises(ValidationError, match=words.replace("\\", "\\\\")):
        CsvFormat.model_validate(options)


def test_a_rejected_row_is_cut_for_a_person_to_edit():
    dialect = CsvFormat.model_validate(BLANKS).dialect()
    assert fields_of('  1  "a  b"\tc ', dialect) == ["1", "a  b", "c"]
