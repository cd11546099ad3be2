"""The rows of a sheet of Excel become texts, and a cell without a value refuses its row."""
# ruff: noqa: E501, DTZ001  the tables of cases

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, date, datetime, time, timedelta

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from include.landfall.arrival import Arrival
from include.landfall.connections import Store
from include.landfall.errors import DataError, HeaderMismatch, MisshapenRow, TruncatedFile
from include.landfall.feed.column_types import parse_type
from include.landfall.feed.formats import read_format
from include.landfall.job import Job, PlannedColumn
from include.landfall.read.formats import excel, excel_workbook
from tests.support.readings import gather

NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"

SHARED = f'<sst xmlns="{NAMESPACE}"><si><t>other</t></si><si><r><t>sha</t></r><r><t>red</t></r></si></sst>'


def job(names="ab", size=1 << 20, **options):
    planned = tuple(PlannedColumn(name, parse_type("text")) for name in names)
    dialect = read_format({"type": "excel", **options}).dialect()
    arrival = Arrival("b", "k", "e", size, datetime(2013, 1, 1, tzinfo=UTC))
    return Job("f", arrival, Store(), planned, 1, dialect)


def read(data, names="ab", **options):
    """The rows by their numbers, and the rejects."""
    return gather(excel.rows(io.BytesIO(data), job(names, **options)))


def book(*rows, sheets=("Sheet",), **options):
    workbook = openpyxl.Workbook()
    if options.get("calendar_1904"):
        workbook.epoch = CALENDAR_MAC_1904
    workbook.remove(workbook.active)
    for name in sheets:
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(row)
    workbook.save(sink := io.BytesIO())
    return sink.getvalue()


def with_sheet(xml, data=None, part="xl/worksheets/sheet1.xml"):
    """A workbook whose sheet has this XML."""
    source, sink = zipfile.ZipFile(io.BytesIO(data or book(["a", "b"]))), io.BytesIO()
    parts = {name: source.read(name) for name in source.namelist()}
    override = b'<Override PartName="/xl/sharedStrings.xml" ContentType="%b"/></Types>'
    types = parts["[Content_Types].xml"]
    parts["[Content_Types].xml"] = types.replace(
        b"</Types>", override % excel_workbook.STRINGS.encode()
    )
    parts |= {"xl/sharedStrings.xml": SHARED.encode(), part: xml.encode()}
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in parts.items():
            target.writestr(name, content)
    return sink.getvalue()


def cells(*xml):
    """A sheet with the header a, b and rows of these cells."""
    header = '<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c><c r="B1" t="str"><v>b</v></c></row>'
    rows = "".join(f'<row r="{n}">{row}</row>' for n, row in enumerate(xml, 2))
    return with_sheet(
        f'<worksheet xmlns="{NAMESPACE}"><sheetData>{header}{rows}</sheetData></worksheet>'
    )


@pytest.mark.parametrize("calendar_1904", [False, True])
@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"), (-2.5, "-2.5"), (4.4, "4.4"), (1e15, "1000000000000000"),
        (1e-7, "0.0000001"), (1.5e300, "1.5E+300"),
        (True, "true"), (False, "false"), ("x", "x"), ("ü\n<&>", "ü\n<&>"), ("007", "007"),
        (date(2013, 1, 1), "2013-01-01"), (datetime(2013, 1, 1, 1, 2, 3), "2013-01-01 01:02:03"),
        (datetime(2013, 1, 1, 1, 2, 3, 500_000), "2013-01-01 01:02:03.500000"), (time(1, 2, 3), "01:02:03"),
        (timedelta(hours=26), "1 days 7200.0 seconds"),
    ],
)  # fmt: skip
def test_a_value_is_read_as_it_is_stored(value, text, calendar_1904):
    rows, rejects = read(book(["a", "b"], [value, "end"], calendar_1904=calendar_1904))
    assert (rows, rejects) == ({1: (text, "end")}, [])


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ('<c r="A2"><v>4.4000000000000004</v></c>', "4.4"), ('<c r="A2" t="n"><v>1.0</v></c>', "1"),
        ('<c r="A2"><f>1+1</f><v>2</v></c>', "2"), ('<c r="A2" t="str"><f>B1</f><v></v></c>', ""),
        ('<c r="A2" t="str"><f>[1]Sheet1!A1</f><v>linked</v></c>', "linked"),
        ('<c r="A2" t="inlineStr"><is><r><t>a</t></r><r><t xml:space="preserve"> b</t></r><rPh><t>x</t></rPh></is></c>', "a b"),
        ('<c r="A2" t="inlineStr"><is><t>a_x000D_b</t></is></c>', "a\rb"), ('<c r="A2" t="d"><v>2013-01-01T01:02:03</v></c>', "2013-01-01T01:02:03"),
        ('<c r="A2"/>', None), ('<c><v>7</v></c>', "7"), ('<c r="A2" t="s"><v>1</v></c>', "shared"),
        ('<c r="A2"><v>12345678901234567</v></c>', "12345678901234567"), ('<c r="A2"><v>0.30000000000000004</v></c>', "0.30000000000000004"),
    ],
)  # fmt: skip
def test_each_form_of_a_cell_is_read(cell, expected):
    rows, rejects = read(cells(cell + '<c r="B2"><v>1</v></c>'))
    assert (rows, rejects) == ({1: (expected, "1")}, [])


@pytest.mark.parametrize(
    ("cell", "reason", "message"),
    [
        ('<c r="A3" t="e"><v>#DIV/0!</v></c>', "no_value", "the cell holds the error #DIV/0!"),
        ('<c r="A3"><f>1+1</f></c>', "no_value", "a formula without a stored value"),
        ('<c r="A3" t="s"><v>99</v></c>', "no_value", "a value that cannot be read"),
        ('<c r="A3"><v>x</v></c>', "no_value", "a value that cannot be read"),
        ('<c r="D3"><v>1</v></c>', "fields", "a value in column 4 of row 3"),
        ('<c r="A3" t="inlineStr"><is><t>_x0000_</t></is></c>', "zero_byte", "zero byte"),
    ],
)
def test_a_cell_without_a_value_refuses_its_row(cell, reason, message):
    good = '<c r="A{0}"><v>{0}</v></c>'
    rows, (reject,) = read(cells(good.format(2), cell, good.format(4)))
    assert rows == {1: ("2", None), 3: ("4", None)}
    assert (reject.number, reject.line, reject.reason) == (2, 3, reason)
    assert message in reject.message
    assert reject.column == ("a" if reason == "no_value" else None)
    assert json.loads(reject.raw)


def test_an_empty_row_is_none_and_columns_are_found_by_name():
    data = book([], ["b", None, "a"], [None], [1, None, 2], [None, None, None], [3, None, 4])
    assert read(data)[0] == {1: ("2", "1"), 2: ("4", "3")}
    with pytest.raises(HeaderMismatch, match="not in the feed: 'c'"):
        read(book([], ["b", "c", "a"], [1, None, 2]))


def test_the_range_and_the_header_are_those_of_the_feed():
    data = book(
        ["Title"], [None, "a", "b", "note"], [None, 1, 2, "x"], ["t", 3, 4, "y"], ["end", 5, 6]
    )
    assert read(data, range="B2:C4")[0] == {1: ("1", "2"), 2: ("3", "4")}
    assert read(data, range="B:C", header=2)[0] == {1: ("1", "2"), 2: ("3", "4"), 3: ("5", "6")}
    assert read(data, range="B3:C4", header=False)[0] == {1: ("1", "2"), 2: ("3", "4")}
    with pytest.raises(MisshapenRow, match="no header"):
        read(data, header=9)


def test_the_sheet_is_that_of_the_feed():
    data = book(["a", "b"], [1, 2], sheets=["One", "Two"])
    assert read(data, sheet="Two")[0] == read(data, sheet=1)[0] == {1: ("1", "2")}
    with pytest.raises(DataError, match="several sheets") as several:
        read(data)
    assert "'One', 'Two'" in str(several.value)
    with pytest.raises(DataError, match="no sheet 'Three'"):
        read(data, sheet="Three")


def test_a_hidden_sheet_is_read_where_the_feed_names_it():
    workbook = openpyxl.load_workbook(io.BytesIO(book(["a", "b"], [1, 2], sheets=["One", "Two"])))
    workbook["Two"].sheet_state = "hidden"
    workbook["Two"]["A2"] = 3
    workbook.save(sink := io.BytesIO())
    assert read(sink.getvalue())[0] == {1: ("1", "2")}
    assert read(sink.getvalue(), sheet="Two")[0] == {1: ("3", "2")}


def test_a_column_without_a_name_may_stand_between_others_while_it_is_empty():
    rows, rejects = read(book(["a", None, "b"], [1, None, 2], [3, "note", 4], [5, None, 6]))
    assert rows == {1: ("1", "2"), 3: ("5", "6")}
    assert [(r.number, r.line, r.reason) for r in rejects] == [(2, 3, "fields")]


# What a workbook has that is saved as "Strict Open XML Spreadsheet", in place of the usual names.
STRICT = {
    NAMESPACE: "http://purl.oclc.org/ooxml/spreadsheetml/main",
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships":
        "http://purl.oclc.org/ooxml/officeDocument/relationships",
}  # fmt: skip


def as_strict(data):
    source, sink = zipfile.ZipFile(io.BytesIO(data)), io.BytesIO()
    with zipfile.ZipFile(sink, "w") as target:
        for name in source.namelist():
            content = source.read(name).decode()
            for usual, strict in STRICT.items():
                content = content.replace(usual, strict)
            target.writestr(name, content)
    return sink.getvalue()


@pytest.mark.parametrize("options", [{}, {"sheet": "Sheet"}, {"header": False}])
def test_a_strict_workbook_is_read_as_any_other(options):
    data = book(["a", "b"], ["x", date(2026, 3, 1)], [1.5, True])
    usual = read(data, **options)
    assert len(usual[0]) >= 2
    assert read(as_strict(data), **options) == usual
    shared = cells('<c r="A2" t="s"><v>1</v></c><c r="B2"><v>2</v></c>')
    assert read(as_strict(shared), **options) == read(shared, **options)


def test_the_origins_of_rows_are_their_json_and_their_number_in_the_sheet():
    data = io.BytesIO(book(["a", "b"], [1, "x"], [], [2, None]))
    ((number, origin, texts),) = excel.origins_of(data, job(), [2])
    assert (number, origin.line, json.loads(origin.raw), texts) == (2, 4, {"a": "2"}, ["2", None])


HOSTILE = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (b"\xd0\xcf\x11\xe0" + bytes(100), DataError, "an old workbook"),
        (b"a,b\n1,2\n", TruncatedFile, "not a whole Excel workbook"),
        (book(["a"])[:-100], TruncatedFile, "not a whole Excel workbook"),
        (with_sheet("<worksheet><sheetData>"), TruncatedFile, "not a whole Excel workbook"),
        (with_sheet(f'{HOSTILE}<worksheet xmlns="{NAMESPACE}">&b;</worksheet>'), TruncatedFile, "Entit"),
        (with_sheet("<x/>"), MisshapenRow, "no header"),
        (with_sheet("x", part="[Content_Types].xml"), TruncatedFile, "not a whole Excel workbook"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_workbook_is_a_clear_error(data, error, message):
    with pytest.raises(error, match=message):
        read(data)


def test_a_workbook_that_unpacks_to_much_is_refused(monkeypatch):
    monkeypatch.setattr(excel_workbook, "MOST_ROW_BYTES", 1 << 20)
    with pytest.raises(DataError, match="a row of the workbook"):
        read(cells('<c r="A2" t="inlineStr"><is><t>' + "x" * (3 << 20) + "</t></is></c>"))
    monkeypatch.setattr(excel_workbook, "UNPACKED_FREELY", 1 << 20)
    with pytest.raises(DataError, match="a sheet of the workbook"):
        read(cells(*["<c><v>1</v></c>" + " " * 100_000] * 30), size=10)
    monkeypatch.setattr(excel_workbook, "MOST_TEXT_BYTES", 100)
    with pytest.raises(DataError, match=r"the part xl/sharedStrings\.xml"):
        read(cells("<c><v>1</v></c>"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"range": "B3"}, "a range of cells"), ({"range": "C3:B9"}, "from the upper left"), ({"range": "A1:ZZZ9"}, "from the upper left"),
        ({"sheet": 0}, "greater than or equal to 1"), ({"header": 0}, "the number of a row"), ({"header": True}, "the number of a row"),
    ],
)  # fmt: skip
def test_a_bad_option_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        read_format({"type": "excel", **options})
