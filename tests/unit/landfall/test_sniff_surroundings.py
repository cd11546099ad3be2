"""`landfall sniff` on files of people: titles, totals, office documents, and files of a few bytes."""
# ruff: noqa: E501  the tables of cases

from __future__ import annotations

import contextlib
import gzip
import random
from datetime import UTC, datetime

import pytest
import yaml

from include.landfall.arrival import Arrival
from include.landfall.cli import main as cli
from include.landfall.cli import sniff as cli_sniff
from include.landfall.errors import DataError
from include.landfall.sniff.drift import drift_of
from include.landfall.sniff.keys import name_of
from include.landfall.sniff.members import read_samples
from include.landfall.sniff.sample import Sample
from include.landfall.sniff.sniffing import sniff
from tests.support.file_bytes import workbook_bytes, zip_bytes
from tests.support.memory_store import stored

WHEN = datetime(2026, 1, 1, tzinfo=UTC)


def arrival_of(data):
    return Arrival("landing", "in/x.csv", "e", len(data), WHEN)


def proposal(data, *, is_whole=True):
    """Returns the text of the proposed feed, and its YAML."""
    text = sniff([(arrival_of(data), Sample("x.csv", data, is_whole))], "orders", "raw.t").text
    return text, yaml.safe_load(text)


def lines(*rows):
    return "".join(row + "\n" for row in rows).encode()


ROWS = [f"{n},n{n},{n},1.50" for n in range(1, 30)]
TITLES = ["Umsatzbericht,,,", "01.03.2026,,,", ",,,"]
SALES = ["Region;Product;Qty;Price", "North;a;1;2.50", "South;b;4;3.50", "West;c;7;1.50"]
TOTAL = "the last row looks like a total"
DECIMAL = "numeric(18,2)"
TABLES = [
    ("titles with delimiters", lines(*TITLES, "id,name,menge,preis", *ROWS), {"skip_rows": 3}, ["integer", "text", "integer", DECIMAL], ""),
    ("titles and a total", lines("Sales;;;", "Generated: 2026-01-02;;;", ";;;", *SALES, ";;;", "Total;;12;7.50"), {"skip_rows": 3, "skip_footer": 2}, ["text", "text", "integer", DECIMAL], TOTAL),
    ("a title above the names", lines("Sales,,,", "id,name,menge,preis", *ROWS), {"skip_rows": 1}, ["integer", "text", "integer", DECIMAL], "line 1 has one cell: a title, or a part of the header?"),
    ("first rows with one cell", lines("7,,,", *ROWS), {"header": False}, ["integer", "text", "integer", DECIMAL], ""),
    ("the line of Excel", b"sep=;\r\nid;price\r\n1;1,5\r\n2;2,5\r\n", {"skip_rows": 1, "delimiter": ";", "decimal": ","}, ["integer", "numeric(18,1)"], ""),
    ("the line of Excel and a title", lines("sep=;", "Sales;;;", ";;;", *SALES), {"skip_rows": 3, "delimiter": ";"}, ["text", "text", "integer", DECIMAL], ""),
    ("a sum without a word", lines("id;name;amount", "1;a;10,00", "2;b;20,50", ";;30,50"), {"skip_footer": 1}, ["integer", "text", DECIMAL], TOTAL),
    ("a total with a word", lines("id,n,amount", *(f"{n},n{n},{n}.50" for n in range(1, 50)), "Total:,49,1249.50"), {"skip_footer": 1}, ["integer", "text", DECIMAL], TOTAL),
    ("rows that begin with a total", lines("id,n", *(f"Total,{n}" for n in range(9))), {"delimiter": ","}, ["text", "integer"], ""),
    ("a row of another width in a short file", lines("a,b,c", "1,x,2", "3,y,4,5", "6,z,7"), {"delimiter": ","}, ["integer", "text", "integer"], "1 of 3 rows would be rejects, the first in line 3"),
    ("points of thousands", b"id;price\n1;1.234\n2;5.678\n", {"delimiter": ";"}, ["integer", "numeric(18,3)"], "numbers such as 1.234 may have a decimal mark or thousands"),
    ("telephones", b"id,tel\n1,+49301234567\n2,+49307654321\n", {"delimiter": ","}, ["integer", "text"], ""),
    ("exponents without a point", b"n,code\n1,1E5\n2,2E3\n3,3E1\n", {"delimiter": ","}, ["integer", "double precision"], "codes such as 1E5 may be meant"),
    ("fixed width", lines("00001Anna      12.5020260131", "00002Bernd   1000.0020260201", "00003Cem        7.2520260202"), {"type": "fixed", "fields": {"column_1": {"start": 1, "width": 10}, "column_2": {"start": 11, "width": 18}}}, ["text", "numeric(18,10)"], "where all lines that were read have blanks"),
    ("a short row", b"a,b\nc\n", {"ragged": "pad"}, ["text", "text"], "rows have fewer or more fields"),
    ("a short last row", b"Report,\nhello\n", {"ragged": "pad"}, ["text"], "rows have fewer or more fields"),
    ("one cell", b",\n-", {"ragged": "pad"}, ["text"], "rows have fewer or more fields"),
    ("words of Postgres", lines("id,ok,d,t", "1,Y,31-Jan-2026,8:30 PM", "2,N,1-Feb-2026,9:15 AM"), {"delimiter": ","}, ["integer", "boolean", "date", "time"], ""),
    ("no quotes", b"id,v\n1,NA\n2,3\n3,4\n", {"delimiter": ",", "nulls": ["NA"]}, ["integer", "integer"], ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "options", "types", "doubt"), [c[1:] for c in TABLES], ids=[c[0] for c in TABLES]
)
def test_a_table_with_something_around_it(data, options, types, doubt):
    text, feed = proposal(data)
    proposed = feed["format"]
    assert {name: proposed.get(name) for name in options} == options
    assert [str(each) for each in feed["columns"].values()] == types
    assert doubt in text
    assert "quoted_nulls" not in proposed
    if not doubt:
        rounded = "behind the mark would be rounded"
        assert [
            line for line in text.splitlines() if "DOUBT:" in line and rounded not in line
        ] == []


def test_what_is_in_every_feed_is_no_doubt():
    data = b"id,name\n1,a\n2,b\n"
    assert sniff([(arrival_of(data), Sample("x.csv", data, True))], "orders", "raw.t").doubts == 0


def test_300_small_texts_give_a_feed_or_a_clear_error():
    """Of 12,000 such texts some gave an IndexError: a header with a short row below it."""
    rng = random.Random(20261129)
    parts = ["a", "1", ",", ";", "\n", "\r", '"', " ", "\\", "x y", "-", ",,", "\n", "'", "é", "\t",
             "|", "#", "sep=", "NA", "{", "[", "\0", "1.5", "2026-01-02", "Total"]  # fmt: skip
    for _ in range(300):
        data = "".join(rng.choice(parts) for _ in range(rng.randrange(1, 18))).encode()
        with contextlib.suppress(DataError):
            proposal(data)


def test_an_empty_key_of_json_is_read_by_the_feed(read_yaml):
    data = b'{"id": 1, "": 2}\n{"id": 2, "": 3}\n'
    text, feed = proposal(data)
    assert feed["columns"]["column_2"] == {"type": "integer", "from": [""]}
    assert "would be rejects" not in text


# ---- zip files of offices ------------------------------------------------------------------------


def sniffed(data):
    return sniff(read_samples(*stored(data, "in/x")), "orders", "raw.t").text


def test_a_workbook_is_no_zip_file_of_members():
    text = sniffed(workbook_bytes(["id", "name"], [1, "a"], [2, "b"]))
    assert yaml.safe_load(text)["format"]["type"] == "excel"
    assert ("member" in text, "DOUBT:" in text) == (False, False)


OFFICE = [
    ["mimetype", "content.xml", "META-INF/manifest.xml"],  # .ods
    ["[Content_Types].xml", "_rels/.rels", "word/document.xml"],  # .docx
    ["[Content_Types].xml", "xl/workbook.bin"],  # .xlsb
]


@pytest.mark.parametrize("names", OFFICE)
def test_another_office_document_is_named(names):
    document = zip_bytes(*((name, "<x/>") for name in names))
    with pytest.raises(DataError, match="office document"):
        sniffed(document)


# ---- drift ---------------------------------------------------------------------------------------

FEED = """\
feed: t
source: {bucket: landing, pattern: in/*}
format: {type: csv, time_zone: Europe/Berlin}
target: {table: raw.t}
columns: {at: timestamptz, ok: boolean, day: date, n: integer}
"""
CELLS = [
    ("2026-07-01 12:00,yes,1-Mar-2026,1", []),
    ("2026-07-01 8:30 PM,Y,20260301, +5 ", []),
    ('"Jul 1, 2026 12:00",off,"March 1, 2026",1', []),
    ("2026-07-01 12:00,maybe,2026-03-01,1", ["ok"]),
    ("2026-13-01 12:00,yes,31-Feb-2026,1", ["at", "day"]),
    ("2026-07-01 25:00,yes,2026-03-01,99999999999", ["at", "n"]),
]


@pytest.mark.parametrize(("row", "bad"), CELLS)
def test_check_asks_what_postgres_reads(read_yaml, row, bad):
    data = f"at,ok,day,n\n{row}\n".encode()
    drift = drift_of(read_yaml(FEED), arrival_of(data), Sample("k", data, True))
    assert [each.split()[3] for each in drift.departures if "may not fit" in each] == bad
    assert bool(drift.departures) == bool(bad)


def test_check_blames_a_row_and_not_the_lines_before_it(read_yaml):
    row = "2026-07-01 12:00,yes,2026-03-01,1"
    data = lines("at,ok,day,n", row, row, row + ",5", row, row)
    drift = drift_of(read_yaml(FEED), arrival_of(data), Sample("k", data, True))
    assert [each.split(":")[0] for each in drift.departures] == [
        "1 of 5 rows would be rejects, the first in line 4"
    ]


def test_a_broken_file_has_drifted_and_does_not_end_the_check(read_yaml):
    store, arrival = stored(gzip.compress(lines("at,ok,day,n") * 99)[:-9], "in/x.csv")
    drift = cli_sniff._drift(store, read_yaml(FEED), arrival, 1)
    assert drift.key == "in/x.csv"
    assert drift.departures[0].startswith("the file is cut off or corrupt: ")


# ---- names ---------------------------------------------------------------------------------------

WRONG_NAMES = [
    ["--name", "Weird Name!"], ["--name", "1st"], ["--name", "a" * 56],
    ["--table", "a.b.c"], ["--table", "orders"], ["--table", "raw."], ["--table", "raw." + "t" * 64],
]  # fmt: skip


@pytest.mark.parametrize("options", WRONG_NAMES)
def test_a_name_that_no_feed_can_have_is_refused_before_the_reading(capsys, monkeypatch, options):
    monkeypatch.delenv("AIRFLOW_CONN_LANDING", raising=False)
    assert cli.main(["sniff", "s3://landing/x.csv", *options]) == 2
    assert "this is no name for a " in capsys.readouterr().err


NAMES = [
    ("orders/2026-01.csv", "orders"), ("shop/orders_2026-01.csv.gz", "orders"),
    ("shop/day=2026-01-01/0.parquet", "shop"), ("2026/01.csv", "new_feed"),
    ("Big Sales/2026/01.csv", "big_sales"), ("x.csv", "x"), ("\u6771\u4eac/1.csv", "new_feed"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "name"), NAMES)
def test_a_feed_is_named_after_its_file_or_folder(key, name):
    assert name_of(key) == name


# ---- runs of blanks ------------------------------------------------------------------------------

ALIGNED = [
    ("  id  name   price\n", "{0:4}  n{0:<5} {1:7.2f}\n", {}, ["integer", "text", "numeric(18,2)"]),
    ("", "{0:4} 'a  {0}'  {1:7.2f}\n", {"quote": "'", "header": False}, None),
    ("# made\n# 2026\n", "{0:<4} {1:7.2f}\n", {"comment": "#", "header": False}, None),
    ("total 9\n", "-rw-  1 root {0:8} Jan 10:{0:02}\n", {"skip_rows": 1, "header": False}, None),
]


@pytest.mark.parametrize(("head", "form", "options", "types"), ALIGNED)
def test_columns_that_are_aligned_by_blanks_are_found(head, form, options, types):
    text = head + "".join(form.format(n, n * 1.5) for n in range(1, 30))
    feed = proposal(text.encode())[1]
    wanted = {"type": "csv", "delimiter": "blanks", **options}
    assert {name: feed["format"].get(name) for name in wanted} == wanted
    assert types in (None, list(feed["columns"].values()))


NOT_ALIGNED = [
    "".join(f"{'Ann B' if n % 2 else 'Bob':<10}{n:4}  Rome\n" for n in range(30)),
    "".join(f"A letter  of {'many ' * (n % 5)} words\n" for n in range(30)),
    "".join(f"{n}, a  b,  c d\n" for n in range(30)),
]


@pytest.mark.parametrize("text", NOT_ALIGNED)
def test_blanks_within_cells_are_no_delimiter(text):
    assert proposal(text.encode())[1]["format"].get("delimiter") != "blanks"


# ---- files of science, and logs ------------------------------------------------------------------

NUMBERS = "".join(f"{n}.5 {n * 7} {n / 8}\n" for n in range(1, 12))


def test_a_file_of_comments_alone_has_no_row():
    with pytest.raises(DataError, match="the file has no row"):
        proposal(b"# made by x\n#  a   b    c\n#N id  \\\n# end\n")


def test_comments_before_the_names_do_not_hide_the_table():
    head = "# %ECSV 1.0\n# ---\n" + "# - {name: a, unit: m, datatype: float64}\n" * 30
    feed = proposal(f"{head}a b c\n{NUMBERS}".encode())[1]
    assert (feed["format"]["comment"], list(feed["columns"])) == ("#", ["a", "b", "c"])
    feed = proposal(f"{head}a\tb\n1\tx\n2\ty\n".encode())[1]
    assert (feed["format"]["delimiter"], list(feed["columns"])) == ("\t", ["a", "b"])


def test_the_colons_of_a_clock_are_no_delimiter():
    lines = "".join(f"job 2026-01-01 10:{n:02}:00: run {n}\n" for n in range(30))
    assert proposal(lines.encode())[1]["format"]["delimiter"] != ":"
    assert proposal(b"root:x:0:0\nbin:x:1:1\nsys:x:2:2\n")[1]["format"]["delimiter"] == ":"


def test_rows_of_another_width_before_the_table_are_told_as_rows():
    short = " 1 2.5  3\n" * 3
    text, feed = proposal((short + "".join(f" {n} 2.5  3 4\n" for n in range(30))).encode())
    assert feed["format"]["skip_rows"] == 3
    assert "DOUBT: line 3 has 3 cells, most of them numbers: a row would be skipped" in text


@pytest.mark.parametrize(("delimiter", "marks"), [(",", (None, ",")), (";", (",", None))])
def test_a_comma_between_cells_is_no_decimal_mark_within_them(delimiter, marks):
    rows = "".join(f'{n}{delimiter}"{n},{n * 7:03}"\n' for n in range(1, 90))
    text, feed = proposal(f"id{delimiter}amount\n{rows}".encode())
    assert (feed["format"].get("decimal"), feed["format"].get("thousands")) == marks
    assert "numbers such as 1,234 may have a decimal mark or thousands" in text


def test_a_comment_behind_the_rows_is_told():
    rows = "".join(f"{n:04X}; {n} # a letter\n" for n in range(9, 40))
    assert "a comment behind a row is a part of its last cell" in proposal(rows.encode())[0]


CODES = "AD Andorra,AE Emirates,AF Afghanistan,AG Antigua,AI Anguilla,AL Albania,AM Armenia"


@pytest.mark.parametrize(
    ("head", "header"), [("", False), ("ID Land,", True), ("code Land,", True)]
)
def test_a_code_above_codes_is_no_name(head, header):
    text, feed = proposal((head + CODES).replace(" ", "\t").replace(",", "\n").encode())
    assert feed["format"].get("header", True) == header
    assert "DOUBT: all columns are text" in text
