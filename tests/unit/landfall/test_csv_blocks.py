"""CSV is cut into whole records and misshapen ones, wherever the chunks of the stream end."""

from __future__ import annotations

import io
from unittest.mock import patch

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from include.landfall.feed.dialect import CsvDialect
from include.landfall.read.formats import csv_quotes
from include.landfall.read.formats.csv_blocks import ZERO, Cutter
from include.landfall.read.formats.csv_lines import LineRecords
from include.landfall.read.formats.csv_quotes import Layout

TWO = Layout.of(CsvDialect(), 2)
LONGEST = 24


class Dripping(io.BytesIO):
    """A stream that gives at most so many bytes at once."""

    def __init__(self, data, size):
        super().__init__(data)
        self._most = size

    def read(self, size=-1):
        return super().read(min(size, self._most))


def cut(data, *, chunk=1 << 20, layout=TWO, line=2, **options):
    """The records: line and text, and the reason of those that are misshapen."""
    records = []
    for block in Cutter(Dripping(data, chunk), layout, line=line, **options).blocks():
        assert block.lines == block.data.count(b"\n")
        misshapen = iter(block.misshapen)
        for at, raw in block.records:
            if raw.startswith(ZERO):
                bad = next(misshapen)
                assert bad.line == at
                records.append((bad.line, bad.raw, bad.reason))
            else:
                records.append((at, raw.removesuffix(b"\r").decode(), None))
        assert next(misshapen, None) is None
    return records


# ---- a model that reads byte by byte -------------------------------------------------------------


def state_after(record, layout):
    """What a record's bytes are: open (inside quotes), broken, or whole."""
    ends = {layout.delimiter: "start", b"\n": "start"}
    quote = layout.quote
    steps = {
        "start": {quote: "open", None: "plain", **ends},
        "plain": {quote: "broken", None: "plain", **ends},
        "open": {quote: "closed", None: "open"},
        # A carriage return is judged by itself.
        "closed": {quote: "open", b"\r": "plain", None: "broken", **ends},
        "broken": {None: "broken"},
    }
    state = "start"
    for at in range(len(record)):
        state = steps[state].get(record[at : at + 1], steps[state][None])
    return state if state in ("open", "broken") else "whole"


def fields_of(record, layout):
    count, inside = 1, False
    for at in range(len(record)):
        byte = record[at : at + 1]
        inside ^= byte == layout.quote
        count += byte == layout.delimiter and not inside
    return count


def fault_of(record, layout, encoding):
    """The reason of a record whose quotes are strict: of the first byte that is wrong."""
    inside = False
    for at in range(len(record)):
        byte = record[at : at + 1]
        inside ^= byte == layout.quote
        if byte == b"\0":
            return "zero_byte"
        if byte == b"\r" and not inside and record[at + 1 : at + 2] != b"\n":
            return "carriage_return"
        letter = next(
            (record[at : at + n] for n in (1, 2, 3, 4) if is_utf8(record[at : at + n])), b""
        )
        if byte >= b"\x80" and is_utf8(record[:at]) and not is_in(letter, encoding):
            return "encoding"
    return None


def is_in(letter, encoding):
    try:
        return letter != b"" and letter.decode().encode(encoding or "utf-8") != b""
    except UnicodeEncodeError:
        return False


def is_utf8(data):
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def shown(raw, encoding):
    text = raw.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8", "backslashreplace")
    text = text.replace("\0", "\\x00")
    return text.encode(encoding or "utf-8", "backslashreplace").decode(encoding or "utf-8")


def line_end(data, start):
    return data.find(b"\n", start) + 1 or len(data)


def model(data, layout, line=2, encoding=None):
    """What the cutter should give, by the rules as they are written."""
    records, at = [], 0
    while at < len(data):
        end, reason = record_at(data, at, layout)
        raw = data[at:end]
        reason = reason or fault_of(raw, layout, encoding)
        if reason or layout.width == 1 or raw not in (b"\n", b"\r\n"):
            records.append((line, shown(raw, encoding), reason))
        line += raw.count(b"\n")
        at = end
    return records


def record_at(data, at, layout):
    """Where the record ends, and what is wrong with its quotes or its length."""
    end, state = at, "open"
    while state == "open" and end < len(data):
        end = line_end(data, end)
        if end - at > LONGEST:
            end = line_end(data, at)
            if end - at > LONGEST and data.count(layout.quote, at, end) % 2 == 0:
                return end, "too_long"
            return next_whole(data, end, layout), "too_long" if end - at > LONGEST else "quote"
        state = state_after(data[at:end], layout)
    if state == "whole":
        return end, None
    return next_whole(data, line_end(data, at), layout), "quote"


def next_whole(data, start, layout):
    """The first line from `start` on that is a record by itself."""
    while start < len(data):
        end = line_end(data, start)
        if end - start <= LONGEST and is_whole(data[start:end], layout):
            break
        start = end
    return start


def is_whole(line, layout):
    return state_after(line, layout) == "whole" and fields_of(line, layout) == layout.width


PIECES = [b'"', b'"', b",", b",", b"\n", b"\n", b"\r\n", b"\r", b"a", b"b", b'""', b'"a"', b"1,2\n",
          b'1,"x\ny"\n', "ü".encode(), "€".encode(), b"\0", b"\xff",
          b"long long long long"]  # fmt: skip


@settings(max_examples=1500, deadline=None)
@given(
    st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join),
    st.integers(1, 40),
    st.integers(1, LONGEST),
    st.sampled_from([1, 2]),
    st.sampled_from([None, "latin-1"]),
    st.sampled_from([0, csv_quotes.SMALL]),
)
@example(b'1,"a\n2,b\n3,c\n', 1, 1, 2, None, csv_quotes.SMALL)
def test_any_chunks_give_the_records_of_a_reading_byte_by_byte(
    data, chunk, window, width, codec, small
):
    layout, options = Layout.of(CsvDialect(), width), {"longest": LONGEST, "encoding": codec}
    with patch.object(csv_quotes, "SMALL", small):
        records = cut(data, chunk=chunk, layout=layout, window=window, **options)
    assert records == model(data, layout, encoding=codec)


@given(st.lists(st.integers(0, 5), max_size=20))
def test_records_of_a_line_each_are_the_same_in_any_order(indexes):
    """A line that stands for a misshapen record of three lines moves the lines behind it."""
    records = LineRecords(b"a\nb\n\0\nc\r\n\0\nd\n", 6, 11, [range(13, 16), range(17, 18)])
    all_of_them = [(11, b"a"), (12, b"b"), (13, b"\0"), (16, b"c\r"), (17, b"\0"), (18, b"d")]
    assert list(records) == all_of_them
    assert [records[index] for index in indexes] == [all_of_them[index] for index in indexes]


CASES = [
    (b"1,2\r\n\r\n\n3,4", [(2, "1,2", None), (5, "3,4", None)]),
    (b'1,"x\n""y"\n2,3\n', [(2, '1,"x\n""y"', None), (4, "2,3", None)]),
    (b'1,5" x\n2,y\n', [(2, '1,5" x', "quote"), (3, "2,y", None)]),
    (b'1,"a" b\n2,c\n', [(2, '1,"a" b', "quote"), (3, "2,c", None)]),
    (b'1,"a\n2,b\n', [(2, '1,"a', "quote"), (3, "2,b", None)]),
    # The lines up to one that is a record by itself belong to the misshapen one.
    (b'1,"a\nb\nc"d\n2,e\n', [(2, '1,"a\nb\nc"d', "quote"), (5, "2,e", None)]),
    (b'1,"a\n2,"b"\n3,c\n', [(2, '1,"a', "quote"), (3, '2,"b"', None), (4, "3,c", None)]),
    (b"1,\xff\n2,b\n", [(2, "1,\\xff", "encoding"), (3, "2,b", None)]),
    (b"1,\0\n2,b\n", [(2, "1,\\x00", "zero_byte"), (3, "2,b", None)]),
    (b"1,a\rb\n2,b\n", [(2, "1,a\rb", "carriage_return"), (3, "2,b", None)]),
    (b'1,"a\rb"\n2,b\r', [(2, '1,"a\rb"', None), (3, "2,b", "carriage_return")]),
    (b"1,a\r2,b\r", [(2, "1,a\r2,b", "carriage_return")]),
]  # fmt: skip


@pytest.mark.parametrize(("data", "expected"), CASES)
@pytest.mark.parametrize("chunk", [1, 2, 3, 1000])
@pytest.mark.parametrize("small", [0, csv_quotes.SMALL])
def test_records_are_cut(data, expected, chunk, small, monkeypatch):
    monkeypatch.setattr(csv_quotes, "SMALL", small)
    assert cut(data, chunk=chunk) == expected


def test_1_15_an_odd_quote_does_not_swallow_the_rows_behind_it():
    data = b'2,"a 5 inch pipe\n3,x\n4,y\n5,"left at the door"\n6,z\n'
    texts = [(text, reason) for _, text, reason in cut(data)]
    assert texts == [
        ('2,"a 5 inch pipe', "quote"),
        ("3,x", None), ("4,y", None), ('5,"left at the door"', None), ("6,z", None),
    ]  # fmt: skip


def test_other_delimiters_and_quotes_are_cut():
    layout = Layout.of(CsvDialect("|", "'"), 2)
    assert cut(b"1|'a\nb'\n2|'c'd\n3|\"", layout=layout) == [
        (2, "1|'a\nb'", None), (4, "2|'c'd", "quote"), (5, '3|"', None),
    ]  # fmt: skip
