"""The exact reader agrees with Arrow about rows and cells."""

from __future__ import annotations

import io
import random

import pyarrow as pa
import pyarrow.csv as csv
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.landfall.contract import check_header
from include.landfall.errors import HeaderMismatch
from include.landfall.feed.dialect import CsvDialect
from include.landfall.read.formats.csv_exact import Grammar, header_of, records

COMMA = CsvDialect()


def read_exactly(data: bytes, width: int, dialect: CsvDialect = COMMA):
    """The fields of all rows, with the header; None when one is not as wide or not closed."""
    grammar = Grammar(dialect)
    rows = []
    for record in records(io.BytesIO(data), dialect, width):
        raw = record.raw.removesuffix(b"\n").removesuffix(b"\r")
        fields, _ = grammar.split(raw)
        if not record.closed or len(fields) != width or any(map(has_return(grammar), fields)):
            return None
        rows.append([grammar.value(field).decode() for field in fields])
    return rows


def has_return(grammar: Grammar):
    """Whether a carriage return stands outside quotes: the cutter lets no such record through."""
    return lambda field: b"\r" in grammar.outside(field)


def read_by_arrow(data: bytes, width: int, dialect: CsvDialect = COMMA):
    names = [f"f{n}" for n in range(width)]
    try:
        table = csv.read_csv(
            io.BytesIO(data),
            csv.ReadOptions(column_names=names, use_threads=False),
            csv.ParseOptions(
                delimiter=dialect.delimiter,
                quote_char=dialect.quote,
                newlines_in_values=True,
                ignore_empty_lines=width > 1,
            ),
            csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
        )
    except pa.ArrowInvalid:
        return None
    return [list(row.values()) for row in table.to_pylist()]


cell = st.text(st.sampled_from(list('ab"",,\n\rü ')), max_size=4)
quoted = cell.map(lambda text: '"' + text.replace('"', '""') + '"')
plain = st.text(st.sampled_from(list("ab ü'1")), max_size=3)
after = st.tuples(quoted, st.sampled_from(["", "", "", "x", " ", 'y"z'])).map("".join)
field = st.one_of(plain, plain, after, cell)


@settings(max_examples=600, deadline=None)
@given(
    st.lists(st.lists(field, min_size=2, max_size=2), min_size=1, max_size=6),
    st.sampled_from(["\n", "\r\n", "\n\n"]),
    st.booleans(),
)
def test_rows_and_fields_are_those_of_the_fast_reader(rows, end, final):
    data = end.join(",".join(row) for row in rows) + (end if final else "")
    exact, arrow = read_exactly(data.encode(), 2), read_by_arrow(data.encode(), 2)
    # The scan may refuse what Arrow takes: a lone CR ends a row for Arrow. It never takes what
    # Arrow refuses.
    if exact is not None:
        assert arrow is not None or not exact
        assert exact == (arrow or [])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(plain, quoted), min_size=1, max_size=6))
def test_one_column_keeps_its_blank_lines(cells):
    data = ("x\n" + "\n".join(cells) + "\n").encode()
    exact = read_exactly(data, 1)
    if exact is not None:
        assert exact == read_by_arrow(data, 1)


@pytest.mark.parametrize(
    "dialect", [CsvDialect(delimiter="|", quote="'"), CsvDialect(delimiter="\t")]
)
def test_other_delimiters_and_quotes(dialect):
    text = "a|b\n'x|y'|''\n1|'it''s'\n".replace("|", dialect.delimiter).replace("'", dialect.quote)
    assert read_exactly(text.encode(), 2, dialect) == read_by_arrow(text.encode(), 2, dialect)


def test_lines_are_found_whatever_the_chunks_of_the_stream():
    data = b'a,b\n1,"x\ny"\n' * 50
    rng = random.Random(7)

    class Dripping(io.BytesIO):
        def read(self, size=-1):
            return super().read(rng.randint(1, 5))

    dripped = [r.line for r in records(Dripping(data), COMMA, 2)]
    assert dripped == [r.line for r in records(io.BytesIO(data), COMMA, 2)]


@pytest.mark.parametrize(
    ("first", "names", "size"),
    [
        (b"a,b\n1,2\n", ["a", "b"], 4),
        (b"\xef\xbb\xbfa,b\r\n", ["a", "b"], 8),
        (b'\n\n"a ""1""",b\n', ['a "1"', "b"], 14),
        (b'"a\nb",c', ["a\nb", "c"], 7),
        (b"a,", ["a", ""], 2),
        ("ä,b".encode(), ["ä", "b"], 4),
    ],
)
def test_a_header_is_read_with_its_quotes_and_mark(first, names, size):
    assert header_of(first, COMMA) == (names, size)


def test_a_header_in_any_order_is_fine_and_every_difference_is_named_at_once():
    check_header(["b", "a"], ["a", "b"])
    with pytest.raises(HeaderMismatch) as caught:
        check_header(["a", "a", "x"], ["a", "b"])
    assert caught.value.found == "twice: 'a'; missing: 'b'; not in the feed: 'x'"
