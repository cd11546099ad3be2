"""Each option of CSV: a file, the feed's format, and the rows and rejects that come of it."""
# ruff: noqa: E501  the tables of cases

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest

from include.landfall.arrival import Arrival
from include.landfall.connections import Store
from include.landfall.errors import HeaderMismatch, LandfallError, MisshapenRow, TruncatedFile
from include.landfall.feed.column_types import parse_type
from include.landfall.feed.formats import read_format
from include.landfall.job import Job, PlannedColumn
from include.landfall.read.formats import format_of
from include.landfall.read.spelling import Speller

WHEN = datetime(2013, 1, 1, tzinfo=UTC)
AB = {"a": "text", "b": "text"}


def job(data, types, options):
    planned = tuple(PlannedColumn(name, parse_type(each)) for name, each in types.items())
    arrival = Arrival("b", "k", "e", len(data), WHEN)
    return Job("f", arrival, Store(), planned, 1, read_format(options).dialect())


def read(data, types=AB, **options):
    """The rows, and the misshapen records as line, reason and raw text."""
    task = job(data, types, {"type": "csv", **options})
    speller, rows, misshapen = Speller(task), {}, {}
    for part in format_of(task).rows(io.BytesIO(data), task):
        spelt = speller.rows(part)
        numbers = part.numbers or range(part.first, part.first + part.batch.num_rows)
        rows |= zip(numbers, (tuple(r.values()) for r in spelt.batch.to_pylist()), strict=True)
        misshapen |= {each.number: each for each in part.misshapen}
    check_origins(data, task, speller, rows, misshapen)
    return list(rows.values()), [(m.line, m.reason, m.raw) for m in misshapen.values()]


def check_origins(data, task, speller, rows, misshapen):
    """Rejects and replays see the same cells as the rows."""
    numbers = sorted([*rows, *misshapen])
    assert numbers == list(range(1, len(numbers) + 1))
    for number, origin, cells in format_of(task).origins_of(io.BytesIO(data), task, numbers):
        if number in rows:
            assert tuple(speller.cells(cells)) == rows[number]
        else:
            assert origin.line == misshapen[number].line


LOADS = [
    # header, names and places
    ({"header": False}, b"1,2\n3,4\n", [("1", "2"), ("3", "4")]),
    ({"header": False}, b"\xef\xbb\xbf1,2\n", [("1", "2")]),
    ({"header": False, "delimiter": "||"}, b"\xef\xbb\xbf1||2\n", [("1", "2")]),
    ({"columns": "by position"}, b"x,x\n1,2\n", [("1", "2")]),
    ({"columns": "by position"}, b",\n1,2\n", [("1", "2")]),
    ({"columns": "by position"}, b"%b,y\n1,2\n" % (b"n" * 99), [("1", "2")]),
    ({"header": 2, "columns": "by position"}, b"x,\ny,z\n1,2\n", [("1", "2")]),
    ({"header": 2}, b"b,\n,a\n1,2\n", [("2", "1")]),
    ({"header": 2, "comment": "#"}, b"b,\n#\n,a\n1,2\n", [("2", "1")]),
    ({"skip_rows": 3}, b'Report "x\n\n2026\na,b\n1,2\n', [("1", "2")]),
    ({"skip_rows": 1, "newline": "CR"}, b"Report\ra,b\r1,2\r", [("1", "2")]),
    ({"skip_rows": 5}, b"Report\n", []),
    # after the rows
    ({"skip_footer": 2}, b"a,b\n1,2\nTotal\n2 rows\n\n", [("1", "2")]),
    ({"skip_footer": 1, "newline": "mixed"}, b"a,b\r1,2\r\n3,4\r", [("1", "2")]),
    ({"skip_footer": 1}, b"a,b\n", []),
    ({"footer": {"pattern": "T,.*", "count_column": 2}}, b"a,b\n1,2\n3,4\nT,0002\n", [("1", "2"), ("3", "4")]),
    ({"footer": {"pattern": "T,.*", "count_column": 2, "sum_columns": {"a": 3, "b": 4}}}, b"a,b\n1,2.50\n3, 4\nT,2,4,\"6.5\"\n", [("1", "2.50"), ("3", " 4")]),
    ({"footer": {"pattern": "T;.*", "sum_columns": {"b": 2}}, "decimal": ",", "thousands": ".", "delimiter": ";"}, b"a;b\n1;1.000,50\n3;0,5\nT;1.001,00\n", [("1", "1.000,50"), ("3", "0,5")]),
    ({"footer": {"pattern": "T,.*", "sum_columns": {"b": 2}}, "comment": "#"}, b"a,b\n1,2\n#\n3,4\nT,6\n", [("1", "2"), ("3", "4")]),
    ({"footer": {"pattern": "rows: .*"}}, b"a,b\n1,2\nrows: 7", [("1", "2")]),
    # delimiters
    ({"delimiter": "\t"}, b"a\tb\n1\t2\n", [("1", "2")]),
    ({"delimiter": r"\t"}, b"a\tb\n1\t2\n", [("1", "2")]),
    ({"delimiter": "\x01"}, b"a\x01b\n1\x012\n", [("1", "2")]),
    ({"delimiter": r"\x01"}, b"a\x01b\n1\x012\n", [("1", "2")]),
    ({"delimiter": "||"}, b'a||b\n1||"2||""\n3"\n||4\n', [("1", '2||"\n3'), (None, "4")]),
    ({"delimiter": "\u00a6"}, "a\u00a6b\n1\u00a62\n".encode(), [("1", "2")]),
    # quotes
    ({"quote": None}, b'a,b\n"1,2"\n', [('"1', '2"')]),
    ({"quote": None, "delimiter": "||"}, b'a||b\n"1"||"2\n', [('"1"', '"2')]),
    ({"quote": "none"}, b'a,b\n5" pipe,""\n', [('5" pipe', '""')]),
    ({"quotes": "literal"}, b'a,b\n"1,2"\n', [('"1', '2"')]),
    ({"quote": "'"}, b"a,b\n'1,''2',3\n", [("1,'2", "3")]),
    ({"escape": "backslash"}, b'a,b\n"say \\"x\\"","a\\\\b"\n', [('say "x"', "a\\b")]),
    ({"escape": "backslash"}, b'a,b\n\\N,"\\N"\nx\\,y,z\\\nz\n', [(None, "N"), ("x,y", "z\nz")]),
    ({"escape": "backslash"}, b'a,b\n"a\\tb\nc\\\nd",\n', [("a\tb\nc\nd", None)]),
    ({"escape": "backslash", "quote": None}, b'a,b\n"1\\,2",3\n', [('"1,2"', "3")]),
    ({"escape": "none"}, b'a,b\n"1,2",3\n', [("1,2", "3")]),
    ({"quotes": "repair"}, b'a,b\n1,5" pipe\n"x "y" z",2\n"open,3\n4,"5\n6"\n', [("1", '5" pipe'), ('x "y" z', "2"), ('"open', "3"), ("4", "5\n6")]),
    ({"quotes": "repair"}, b'a,b\n"a "b", c",2\n1,"x"y\n', [('a "b", c', "2"), ("1", '"x"y')]),
    # line ends
    ({"newline": "CR"}, b'a,b\r1,2\r"3\n",4', [("1", "2"), ("3\n", "4")]),
    ({"newline": "mixed"}, b'a,b\r1,2\r\n3,4\n\r5,"\r"', [("1", "2"), ("3", "4"), ("5", "\r")]),
    ({"newline": "CRLF"}, b"a,b\r\n1,x\ny\r\n3,4\r\n", [("1", "x\ny"), ("3", "4")]),
    ({"newline": "LF"}, b"a,b\n1,x\ry\n3,4\n", [("1", "x\ry"), ("3", "4")]),
    ({"comment": "#"}, b'# "x\na,b\n#1,2\n1,#2\n"#3",4\n', [("1", "#2"), ("#3", "4")]),
    # encodings
    ({"encoding": "latin-1"}, "a,b\nü,é\n".encode("latin-1"), [("ü", "é")]),
    ({"encoding": "cp1252"}, "a,b\n€,œ\n".encode("cp1252"), [("€", "œ")]),
    ({"encoding": "utf-16"}, "a,b\n☃,2\n".encode("utf-16"), [("☃", "2")]),
    ({"encoding": "utf-16-le"}, "\ufeffa,b\n1,2\n".encode("utf-16-le"), [("1", "2")]),
    ({"encoding": "utf-16-be"}, "a,b\r\n1,2\r\n".encode("utf-16-be"), [("1", "2")]),
    ({"encoding": "shift_jis"}, "a,b\n日本,ソ\n".encode("shift_jis"), [("日本", "ソ")]),
    ({"encoding": "gb18030"}, "a,b\n中文,𠮷\n".encode("gb18030"), [("中文", "𠮷")]),
    ({"encoding": "utf-8-sig"}, b"\xef\xbb\xbfa,b\n1,2\n", [("1", "2")]),
    ({"encoding": "cp037"}, "a,b\x851,2\x85".encode("cp037"), [("1", "2")]),
    ({"encoding": "cp500", "delimiter": "||"}, "a||b\n1||2\n".encode("cp500"), [("1", "2")]),
    ({"encoding": "latin-1"}, b"a,b\n1,2\x853\n", [("1", "2\x853")]),
    ({"encoding": "utf-16", "delimiter": "||"}, "a||b\n1||2\n".encode("utf-16"), [("1", "2")]),
    # the end of the file
    ({"skip_footer": 1, "newline": "CRLF"}, b"a,b\r\n1,2\n3\r\nTot\nal\r\n", [("1", "2\n3")]),
    ({"footer": {"pattern": "T;.*", "count_column": 2}, "delimiter": ";", "decimal": ",", "thousands": "."},
     b"a;b\n" + b"1;2\n" * 1000 + b"T;1.000\n", [("1", "2")] * 1000),
    ({"escape": "backslash"}, b"a,b\n1,x\\\\0\n", [("1", "x\\0")]),
    # ragged rows
    ({"ragged": "pad"}, b"a,b\n1\n1,2,\n1,2\n\n3,4,,,\n", [("1", None), ("1", "2"), ("1", "2"), ("3", "4")]),
    ({"ragged": "pad"}, b"a,b,\n1,2,\n3,4,\n5\n", [("1", "2"), ("3", "4"), ("5", None)]),
    ({"ragged": "pad"}, b"a,b\n1,2,\n3,4,\n5\n", [("1", "2"), ("3", "4"), ("5", None)]),
    ({"ragged": "pad", "header": False}, b"1,2,\n3\n", [("1", "2"), ("3", None)]),
    ({"ragged": "pad", "delimiter": "||"}, b"a||b||\n1\n1||2||\n", [("1", None), ("1", "2")]),
    # two options together
    *(({"ragged": "pad", "trim": True, "nulls": ["NA"], **reader}, b'a,b\n1,2, \n3,4," NA ",\n', [("1", "2"), ("3", "4")])
      for reader in ({}, {"comment": "#"})),
    *(({"ragged": "pad", "quoted_nulls": "always", **reader}, b'a,b\n"1","2",""\n"3"\n', [("1", "2"), ("3", None)])
      for reader in ({}, {"comment": "#"})),
    *(({"nulls": ["b"], **reader}, b"a,b\n1,b\n", [("1", None)]) for reader in ({}, {"comment": "#"})),
]  # fmt: skip


@pytest.mark.parametrize(("options", "data", "expected"), LOADS)
def test_an_option_reads_the_file_that_it_is_for(options, data, expected):
    assert read(data, **options) == (expected, [])


REJECTS = [
    ({"header": False}, b"1,2\n3\n", [(2, "fields", "3")]),
    ({"skip_rows": 2}, b"x\ny\na,b\n1\n", [(4, "fields", "1")]),
    ({"skip_footer": 1}, b"a,b\n1\nTotal\n", [(2, "fields", "1")]),
    ({"quote": None}, b'a,b\n"1,2,3"\n', [(2, "fields", '"1,2,3"')]),
    ({"encoding": "cp1252"}, b"a,b\n1,\x81\n1,2\n", [(2, "encoding", r"1,\x81")]),
    ({"encoding": "cp1252", "delimiter": "||"}, b"a||b\n1||\x81\n", [(2, "encoding", r"1||\x81")]),
    ({"encoding": "iso-8859-8"}, b"a,b\n\xc3\xbf,2\n", [(2, "encoding", r"\xc3\xbf,2")]),
    ({"encoding": "shift_jis"}, b"a,b\n\x81 ,2\n", [(2, "encoding", r"\x81 ,2")]),
    ({"ragged": "pad"}, b"a,b\n1,2,3\n1,2,\n1,\xff\n", [(2, "fields", "1,2,3"), (4, "encoding", r"1,\xff")]),
    ({"ragged": "pad"}, b"a,b\n1,2,\n1,2,3\n1,2,,4\n", [(3, "fields", "1,2,3"), (4, "fields", "1,2,,4")]),
    ({"delimiter": "||"}, b"a||b\n1\n1||2||3\r\n", [(2, "fields", "1"), (3, "fields", "1||2||3")]),
    ({"delimiter": "||"}, b'a||b\n1||"2\n3||4\n', [(2, "quote", '1||"2')]),
    ({"delimiter": "||"}, b'a||b\n1||"2"x\n3||4\n', [(2, "quote", '1||"2"x')]),
    ({"delimiter": "||"}, b'a||b\n1||5" x\n3||4\n', [(2, "quote", '1||5" x')]),
    ({"delimiter": "||"}, b"a||b\n1||2\rx\n", [(2, "carriage_return", "1||2\rx")]),
    ({"delimiter": "||"}, b"a||b\n1||\0\n", [(2, "zero_byte", r"1||\x00")]),
    ({"escape": "none"}, b'a,b\n"1""2",3\n', [(2, "quote", '"1""2",3')]),
    ({"escape": "backslash"}, b'a,b\n"1""2",3\n', [(2, "quote", '"1""2",3')]),
    ({"quotes": "repair"}, b'a,b\n1,"x,2\n3,4\n', [(2, "quote", '1,"x,2')]),
    ({"comment": "#"}, b"a,b\n# x\n1\n", [(3, "fields", "1")]),
    ({"escape": "backslash"}, b'a,b\n1,x\\0\n"\\0",2\n', [(2, "zero_byte", "1,x\\0"), (3, "zero_byte", '"\\0",2')]),
    # quotes that are right: it is the number of fields that is wrong
    ({"quotes": "repair"}, b'a,b\n1,"x","y"\n"a","b","c",d\n"x, y"\n', [(2, "fields", '1,"x","y"'), (3, "fields", '"a","b","c",d'), (4, "fields", '"x, y"')]),
    ({"ragged": "pad", "trim": True}, b"a,b\n1,2, x\n", [(2, "fields", "1,2, x")]),
    ({"ragged": "pad", "quoted_nulls": "no_text"}, b'a,b\n1,2,""\n', [(2, "fields", '1,2,""')]),
    ({"newline": "CRLF"}, b"a,b\r\n1\n,2,3\r\n4\r\n", [(2, "fields", "1\n,2,3"), (3, "fields", "4")]),
]  # fmt: skip


@pytest.mark.parametrize(("options", "data", "expected"), REJECTS)
def test_a_row_that_does_not_fit_the_option_is_rejected_with_line_and_text(options, data, expected):
    assert read(data, **options)[1] == expected


ONE = {"a": "integer"}
SPELLINGS = [
    ({}, "text", ['""', ""], ["", None]),
    ({"quoted_nulls": "no_text"}, "text", ['""'], [""]),
    ({"quoted_nulls": "no_text"}, "integer", ['""'], [None]),
    ({"quoted_nulls": "no_text", "nulls": ["NA"]}, "integer", ['"NA"', '"1"'], [None, "1"]),
    ({"quoted_nulls": "always"}, "text", ['""'], [None]),
    ({"trim": True}, "text", ['" x "', "  ", '""', " y"], ["x", None, "", "y"]),
    ({"decimal": ","}, "numeric(9,2)", ['"1,5"', "2", '"-,5"'], ["1.5", "2", "-.5"]),
    ({"decimal": ","}, "text", ['"1,5"'], ["1,5"]),
    ({"decimal": ",", "thousands": "."}, "bigint", ["1.234.567"], ["1234567"]),
    ({"thousands": " "}, "integer", ["12 345"], ["12345"]),
    ({"negatives": "behind", "decimal": ",", "thousands": "."}, "numeric(9,2)", ['"1.045,00-"', '" 45,00 -"', "7+", "-1", "3"], ["-1045.00", "-45.00", "+7", "-1", "3"]),
    ({"negatives": "brackets", "thousands": ",", "units": ["$", "US$"]}, "numeric(9,2)",
     ['"(1,200.50)"', '"$1,200"', '" $ (3.10)"', "($45)", "-$5", "$-5", "US$ 7", ".5"],
     ["-1200.50", "1200", "-3.10", "-45", "-5", "-5", "7", ".5"]),
    ({"units": ["€", "%"], "decimal": ","}, "double precision", ['"12,50\u00a0€"', "7 %", "1e5", '"-,5%"'], ["12.50", "7", "1e5", "-.5"]),
    ({"units": ["€"], "negatives": "behind"}, "integer", ["5 €-", "5- €"], ["-5", "-5"]),
    ({"units": ["€"], "negatives": "behind"}, "text", ["5 €-"], ["5 €-"]),
    ({"dates": "DMY"}, "date", ["03/04/2026", "2026-04-03", "3.4.26"], ["2026-04-03"] * 3),
    ({"dates": "MDY"}, "timestamp", ["03/04/2026 10:00"], ["2026-03-04 10:00"]),
    ({"dates": "YMD"}, "date", ["26-03-04"], ["2026-03-04"]),
    ({"dates": "YMD"}, "date", ["26-Apr-03", "26 APR 03", "26-Apr-2003"], ["2026-04-03", "2026-04-03", "26-Apr-2003"]),
    ({"dates": "DMY"}, "timestamp", ["10:00 03/04/2026", '"Fri, 03/04/2026 10:00"', "10:00 PM 3.4.26"],
     ["2026-04-03 10:00", "2026-04-03 10:00", "2026-04-03 10:00 PM"]),
    ({"dates": "%d%m%Y"}, "date", ["03042026"], ["2026-04-03"]),
    ({"dates": ["%d.%m.%Y", "%d %b %Y %H:%M"]}, "timestamp", ["3.4.2026", "3 Apr 2026 5:06"], ["2026-04-03", "2026-04-03 05:06"]),
    ({"dates": "DMY"}, "text", ["03/04/2026"], ["03/04/2026"]),
    ({"time_zone": "Europe/Berlin"}, "timestamptz", ["2026-03-04 10:00", "2026-03-04 10:00+02"], ["2026-03-04 10:00 Europe/Berlin", "2026-03-04 10:00+02"]),
    ({"true_words": ["ja"], "false_words": ["nein"]}, "boolean", ["JA", "nein", "true"], ["true", "false", "true"]),
]  # fmt: skip


@pytest.mark.parametrize(("options", "column_type", "cells", "expected"), SPELLINGS)
def test_cells_become_what_postgres_reads(options, column_type, cells, expected):
    data = "a\n" + "".join(f"{cell}\n" for cell in cells)
    rows, misshapen = read(data.encode(), {"a": column_type}, **options)
    assert (rows, misshapen) == ([(cell,) for cell in expected], [])


# With a zone in the cell, and without.
ZONED = ["2026-07-01 12:00:00+02", "20260701T120000Z", "20260701T120000+0200", "2026-07-01 120000Z",
         "Wed Jul 01 12:00:00 CEST 2026", "2026-07-01 12:00 CET", "2026-07-01 12:00 Asia/Tokyo"]  # fmt: skip
ZONELESS = ["2026-07-01", "20260701T120000", "12:00 1-Jul-2026", "12:00 July 1 2026", "12:00 Sun 5 May 2026",
            "Wed Jul 01 12:00:00 2026", "Jul 1, 2026 12:00:00 PM"]  # fmt: skip


@pytest.mark.parametrize("cell", [*ZONED, *ZONELESS])
def test_a_cell_without_a_zone_gets_that_of_the_feed(cell):
    rows, _ = read(f'a\n"{cell}"\n'.encode(), {"a": "timestamptz"}, time_zone="Europe/Berlin")
    assert rows == [(cell if cell in ZONED else f"{cell} Europe/Berlin",)]


UNFIT = [
    ({"decimal": ","}, "numeric(9,2)", "1.5"),
    ({"decimal": ",", "thousands": "."}, "integer", "1.5"),
    ({"thousands": " "}, "integer", "1 23"),
    ({"negatives": "behind"}, "integer", "-5-"),
    ({"negatives": "brackets"}, "integer", "(-5)"),
    ({"negatives": "brackets"}, "integer", "(5"),
    ({"negatives": "brackets"}, "integer", "-(5)"),
    ({"units": ["€"]}, "integer", "€ 5 €5"),
    ({"units": ["€"]}, "integer", "€"),
    ({"units": ["%"]}, "integer", "5%%"),
    ({"dates": "YMD"}, "date", "03/04/2026"),
    ({"dates": "DMY"}, "date", "20122010"),
    ({"dates": "%d.%m.%Y"}, "date", "2026-04-03"),
    ({"dates": "YMD"}, "date", "26-Foo-03"),
    ({"dates": "YMD"}, "timestamp", "10:00 03/04/2026"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "column_type", "cell"), UNFIT)
def test_a_cell_that_does_not_fit_gets_a_note_that_postgres_refuses(options, column_type, cell):
    ((rewritten,),) = read(f'a\n"{cell}"\n'.encode(), {"a": column_type}, **options)[0]
    assert rewritten.startswith(f"{cell} (not ")


WRONG_FILES = [
    ({"columns": "by position"}, b"a,b,c\n1,2,3\n", HeaderMismatch, 1, "3: a, b, c"),
    ({"header": 2, "skip_rows": 1}, b"x\na,b\n", MisshapenRow, 3, "ends within its header"),
    ({"skip_rows": 1}, b"x\na,c\n", HeaderMismatch, 2, "missing: 'b'"),
    ({"delimiter": "||", "skip_rows": 1}, b"x\na||c\n", HeaderMismatch, 2, "missing: 'b'"),
    ({"delimiter": "||"}, b'a||"b\n', MisshapenRow, 1, "never closed"),
    ({"encoding": "utf-16"}, "a,b\n1,2\n".encode("utf-16")[:-1], MisshapenRow, None, "from byte 17"),
    ({"encoding": "utf-16"}, b"a,b\n", MisshapenRow, None, "utf-16"),
    ({"footer": {"pattern": "T.*"}}, b"a,b\n1,2\n", TruncatedFile, None, "1,2"),
    ({"footer": {"pattern": "T,.*", "count_column": 2}}, b"a,b\n1,2\nT,2\n", MisshapenRow, None, "1 rows"),
    ({"footer": {"pattern": "T,.*", "sum_columns": {"b": 2}}}, b"a,b\n1,2.5\n3,4\nT,6.6\n", MisshapenRow, None, "a sum of 6.5, and a footer of T,6.6"),
    ({"footer": {"pattern": "T,.*", "sum_columns": {"b": 2}}}, b"a,b\n1,2.5\n3\n3,1e3\nT,3\n", MisshapenRow, None, "2.5 without 2 rows"),
    ({"footer": {"pattern": "T,.*", "sum_columns": {"b": 3}}, "comment": "#"}, b"a,b\n1,2\nT,2\n", MisshapenRow, None, "sum of b in field 3"),
    ({"footer": {"pattern": "T,.*", "count_column": 3}, "comment": "#"}, b"a,b\n1,2\nT,1\n", MisshapenRow, None, "field 3"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "data", "error_class", "line", "words"), WRONG_FILES)
def test_a_file_that_the_option_does_not_fit_is_refused(options, data, error_class, line, words):
    with pytest.raises(LandfallError) as caught:
        read(data, **options)
    assert type(caught.value) is error_class
    assert caught.value.place.line == line
    assert words in str(caught.value)
