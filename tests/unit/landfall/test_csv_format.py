"""What a feed may say of CSV, and what it is told when it says something else."""

from __future__ import annotations

import pytest

from include.landfall.errors import FeedError
from include.landfall.feed.dialect import CsvDialect, ExactCsvDialect
from include.landfall.feed.formats import read_format
from include.landfall.feed.lenient import fields_of

FEED = """\
feed: t
source: {bucket: landing, pattern: "t/*.csv"}
target: {table: raw.t}
columns: {a: text, b: text}
format:
  type: csv
"""
WRONG = [
    ('delimiter: ""', "format.delimiter", "at least 1 character"),
    ('delimiter: "\\n"', "format.delimiter", "no line end"),
    ('delimiter: a"b', "format", "two different characters"),
    ('quote: "ab"', "format.quote", "null where quotes are text"),
    ("escape: slash", "format.escape", "'backslash'"),
    ("escape: backslash\n  delimiter: \\", "format", "escape: backslash"),
    ("newline: NL", "format.newline", "'mixed'"),
    ("encoding: klingon", "format.encoding", "utf-8, latin-1"),
    ("encoding: base64", "format.encoding", "utf-8, latin-1"),
    ("header: 11", "format.header", "up to 10"),
    ("header: maybe", "format.header", "true, false, or a number of rows"),
    ("columns: by place", "format.columns", "'by position'"),
    ("columns: by name\n  header: false", "format", "by position"),
    ("skip_rows: -1", "format.skip_rows", "at least 0"),
    ("skip_row: 1", "format.skip_row", "did you mean 'skip_rows'?"),
    ("footer: {pattern: '('}", "format.footer.pattern", "regular expression"),
    ("footer: {pattern: T, count_column: 0}", "format.footer.count_column", "1"),
    ("footer: {pattern: T, sum_columns: {a: 0}}", "format.footer.sum_columns.a", "1"),
    ("footer: {pattern: T, sum_columns: {c: 2}}", "format.footer.sum_columns.c", "that is loaded"),
    ("footer: {patern: T}", "format.footer.patern", "'pattern'"),
    ("footer: {pattern: T}\n  skip_footer: 1", "format", "not both"),
    ('comment: ""', "format.comment", "at least 1 character"),
    ("comment: '\"'", "format.comment", "that of the quote"),
    ("comment: '\"x'", "format.comment", "that of the quote"),
    ("quote: \"'\"\n  comment: \"'\"", "format.comment", "that of the quote"),
    ("comment: ','", "format.comment", "that of the delimiter"),
    ("comment: '|'\n  delimiter: '||'", "format.comment", "that of the delimiter"),
    ('comment: "#\\n"', "format.comment", "without its end"),
    ("ragged: fill", "format.ragged", "'pad'"),
    ("quotes: lazy", "format.quotes", "'repair'"),
    ("quotes: repair\n  quote: null", "format", "needs a quote"),
    ("quoted_nulls: maybe", "format.quoted_nulls", "'no_text'"),
    ("quoted_nulls: always\n  quote: null", "format.quoted_nulls", "no cell is quoted"),
    ("quoted_nulls: no_text\n  quotes: literal", "format.quoted_nulls", "no cell is quoted"),
    ('nulls: [""]', "format.nulls", "quoted_nulls"),
    ("decimal: ;", "format.decimal", "','"),
    ("thousands: '1'", "format.thousands", "no letter, digit or sign"),
    ("units: [e]", "format.units", "texts such as $, EUR or %"),
    ("thousands: .", "format", "two different marks"),
    ("dates: YDM", "format.dates", "DMY, MDY, YMD"),
    ("dates: '%d.%m'", "format.dates", "one year, a month and a day"),
    ("dates: '%d.%m.%Y %Q'", "format.dates", "%H"),
    ("dates: '%d.%m.%Y %d'", "format.dates", "once"),
    ("dates: '%d.%m.%Y %H %I'", "format.dates", "the hour once"),
    ("dates: '%d.%m.%Y %H:%M.%f'", "format.dates", "%f together with %S"),
    ("dates: '%d.%m.%Y %H %S'", "format.dates", "%S together with %M"),
    ("dates: '%d.%m.%Y %M'", "format.dates", "%M together with %H or %I"),
    ("dates: '%d.%m.%Y %p'", "format.dates", "%p together with %H or %I"),
    ("dates: [DMY, MDY]", "format", "one order"),
    ("time_zone: Europe/Berlin", "format.time_zone", "no column that is read from the file is"),
    ("time_zone: Mars/Base", "format.time_zone", "Europe/Berlin"),
    ("true_words: [x]\n  false_words: [X]", "format", "must differ"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "name", "words"), WRONG)
def test_a_wrong_option_is_named_by_line_and_field_with_what_is_meant(read_yaml, text, name, words):
    with pytest.raises(FeedError) as caught:
        read_yaml(f"{FEED}  {text}\n")
    assert 5 <= caught.value.place.line <= 8
    assert f"{name!r}" in caught.value.what
    assert words in str(caught.value)


def test_a_quote_that_is_text_begins_no_row_as_a_quote_does():
    for quotes in {"quote": None}, {"quotes": "literal"}:
        assert read_format({"type": "csv", "comment": '"', **quotes}).dialect().comment == '"'


def test_the_default_is_the_dialect_that_it_always_was():
    assert read_format("csv").dialect() == CsvDialect()
    assert CsvDialect() == CsvDialect(",", '"', ())


FAST = [{"delimiter": "\x01"}, {"quote": None}, {"header": 3}, {"skip_rows": 2}, {"skip_footer": 1},
        {"encoding": "utf-16"}, {"ragged": "pad"}, {"quotes": "literal"}, {"dates": "DMY"},
        {"decimal": ",", "delimiter": ";"}, {"footer": {"pattern": "x"}}]  # fmt: skip
EXACT = [{"delimiter": "||"}, {"delimiter": "\u00a6"}, {"escape": "backslash"}, {"escape": "none"},
         {"newline": "CR"}, {"comment": "#"}, {"quotes": "repair"}]  # fmt: skip


@pytest.mark.parametrize("options", FAST)
def test_what_arrow_can_read_stays_on_the_fast_reader(options):
    assert type(read_format(options).dialect()) is CsvDialect


@pytest.mark.parametrize("options", EXACT)
def test_the_rest_goes_to_the_exact_reader(options):
    assert type(read_format(options).dialect()) is ExactCsvDialect


@pytest.mark.parametrize(
    ("options", "text", "fields"),
    [
        ({"delimiter": "||"}, '1||"2||x||', ["1", "2||x||"]),
        ({"quote": None}, '"1,2"', ['"1', '2"']),
        ({"escape": "backslash"}, r'"a\"b",c', ['a"b', "c"]),
    ],
)
def test_a_bad_row_is_shown_as_its_dialect_cuts_it(options, text, fields):
    assert fields_of(text, read_format(options).dialect()) == fields
