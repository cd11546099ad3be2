"""What `sniff --check` says of files that are no longer as their feed has them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from include.landfall.arrival import Arrival
from include.landfall.feed.model import Feed
from include.landfall.sniff.drift import drift_of
from include.landfall.sniff.sample import Sample

TEXTS = {"id": "text", "name": "text"}
TYPED = {"id": {"type": "integer", "nullable": False}, "name": "text", "price": "numeric"}
NUMBERED = {"id": "integer", "name": "text"}
YEARS = {"land": "text", "a": "integer", "b": "integer"}
PLAIN = "id,name\n1,Köln\n2,Zürich\n"
MONEY = {"delimiter": ";", "decimal": ",", "thousands": "."}
BY_PLACE = {"columns": "by position"}
NULLED = {"id": {"type": "integer", "on_bad_cell": "null"}, "name": "text"}

DRIFTS = [
    # NULLs, and cells
    (
        TYPED,
        {},
        "id,name,price\n1,a,2\n,b,3\n",
        ["1 cell of id would be NULL, the first in line 3"],
    ),
    (
        {"name": "text", "id": TYPED["id"]},
        {"ragged": "pad"},
        "name,id\na,1\nb\n",
        ["1 cell of id would be NULL, the first in line 3"],
    ),
    (NULLED, {}, 'id,name\nx,a\n"",b\n', ["2 cells of id may not fit"]),
    (
        {"d": "date"},
        {"dates": "DMY"},
        "d\n12/31/2026\n",
        ["1 cell of d may not fit", "dates looks like 'MDY'"],
    ),
    (TYPED, MONEY, "id;name;price\n1;a;2.50\n", ["1 cell of price may not fit"]),
    (
        TYPED,
        {"delimiter": ";"},
        "id;name;price\n1;a;2,5\n2;b;3,5\n",
        ["2 cells of price may not fit", "decimal looks like ','"],
    ),
    # the header
    (TEXTS, {}, PLAIN.replace("name", "title"), ["the file's columns are not the feed's"]),
    (TEXTS, {"header": False}, PLAIN, ["the first row has the names of the columns"]),
    (TEXTS, BY_PLACE, "Report,\n" + PLAIN, ["the first row has the names of the columns"]),
    (
        TEXTS,
        BY_PLACE,
        "name,ID\na,b\n",
        [
            "the header has 'name' in field 1, where the feed has 'id'",
            "the header has 'id' in field 2, where",
        ],
    ),
    (TYPED, BY_PLACE, "1,y,2\n2,b,3\n", ["a row stands in its place"]),
    # the encoding
    (
        TEXTS,
        {"encoding": "latin-1"},
        PLAIN,
        ["encoding looks like 'utf-8', the feed has 'iso8859-1'"],
    ),
    (TEXTS, {"encoding": "cp1252"}, PLAIN, ["encoding looks like 'utf-8', the feed has 'cp1252'"]),
    (
        TEXTS,
        {},
        PLAIN.encode("cp1252"),
        ["2 of 2 rows would be rejects", "encoding looks like 'cp1252'"],
    ),
    (
        TEXTS,
        {},
        PLAIN.encode("utf-16"),
        ["the header holds a zero byte", "encoding looks like 'utf-16'"],
    ),
    # the dialect
    (
        TEXTS,
        {"header": False, "quote": None},
        '"1","a"\n"2","b"\n',
        ["quote looks like '\"', the feed has None"],
    ),
    (NUMBERED, {"header": False}, "1,'a'\n2,'b'\n", ['quote looks like "\'"']),
    (
        TEXTS,
        {"header": False},
        "1;a\n2;b\n",
        ["2 of 2 rows would be rejects", "delimiter looks like ';'"],
    ),
    (
        TEXTS,
        {},
        PLAIN.replace("\n", "\r"),
        ["a carriage return stands outside quotes", "newline looks like 'CR'"],
    ),
    (TEXTS, {}, b"PAR1", ["the file is no CSV: it is Parquet"]),
]
FITS = [
    (TEXTS, {"header": False}, "a,'b'\nc,'d'\n"),
    (YEARS, BY_PLACE, "land,2019,2020\nx,1,2\n"),
    (TEXTS, {}, PLAIN),
    (TEXTS, {"header": False}, "name,id\n1,2\n"),
    (TEXTS, BY_PLACE, "Key,Title\na,b\n"),
    (TYPED, BY_PLACE, "id,7,2026\n1,b,2\n"),
    (TEXTS, {"encoding": "cp1252"}, PLAIN.encode("cp1252")),
    (TEXTS, {"encoding": "latin-1"}, "id,name\n1,a\n"),
    (TEXTS, {"quote": None}, 'id,name\n1,"a"\n2,b\n'),
    (TEXTS, {"quotes": "literal"}, 'id,name\n1,"a"\n2,"b"\n'),
    (TYPED, MONEY, "id;name;price\n1;a;2.500,50\n2;;\n"),
    (TEXTS, {}, "id,name\n"),
]


def drift(columns, options, text):
    data = text if isinstance(text, bytes) else text.encode()
    feed = Feed.model_validate({
        "feed": "t", "source": {"bucket": "landing", "pattern": "*"}, "format": options,
        "target": {"table": "raw.t"}, "columns": columns,
    })  # fmt: skip
    arrival = Arrival("landing", "x.csv", "e", len(data), datetime(2026, 1, 1, tzinfo=UTC))
    return drift_of(feed, arrival, Sample("x.csv", data, True))


@pytest.mark.parametrize(("columns", "options", "text", "expected"), DRIFTS)
def test_a_drift_is_told(columns, options, text, expected):
    departures = drift(columns, options, text).departures
    assert len(departures) == len(expected), departures
    assert all(words in each for words, each in zip(expected, departures, strict=True)), departures


@pytest.mark.parametrize(("columns", "options", "text"), FITS)
def test_a_file_that_fits_has_no_drift(columns, options, text):
    assert drift(columns, options, text).departures == []


def test_what_becomes_null_and_what_only_the_database_can_judge_are_notes():
    own = {**NULLED, "m": "mood"}
    noted = drift(own, {}, "id,name,m\nx,a,b\n2,c,d\n")
    assert noted.departures == []
    assert noted.notes == [
        "1 cell of id would become NULL by on_bad_cell",
        "only the database can judge the cells of m (mood): landfall validate asks it",
    ]
