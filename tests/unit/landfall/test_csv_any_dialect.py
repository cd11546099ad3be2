"""Any table that Python's own writer writes, in any dialect, comes back equal."""

from __future__ import annotations

import csv
import io

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.landfall.test_csv_dialects import read

CELLS = st.text(st.sampled_from(",;|\t'\"\\\n\r a#é€字N"), max_size=6) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6
)
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "gb18030"]
STYLES = [
    ("all", {"quoting": csv.QUOTE_ALL}, {}),
    ("minimal", {}, {}),
    ("all", {"quoting": csv.QUOTE_ALL, "escapechar": "\\", "doublequote": False},
     {"escape": "backslash"}),
    ("minimal", {"escapechar": "\\", "doublequote": False}, {"escape": "backslash"}),
    ("none", {"quoting": csv.QUOTE_NONE, "escapechar": "\\"},
     {"escape": "backslash", "quote": None}),
]  # fmt: skip


@st.composite
def files(draw):
    """A table, how Python's csv is to write it, and what a feed says of that."""
    style, written, declared = draw(st.sampled_from(STYLES))
    delimiter, quote = draw(st.sampled_from(",;|\t")), draw(st.sampled_from("\"'"))
    newline, header = draw(st.sampled_from(["\n", "\r\n"])), draw(st.booleans())
    written = {"delimiter": delimiter, "quotechar": quote, "lineterminator": newline, **written}
    declared = {"delimiter": delimiter, "quote": quote, "header": header, **declared}
    table = draw(st.lists(st.tuples(CELLS, CELLS), max_size=8))
    if newline == "\n" and style != "all":  # then the writer leaves a lone CR without quotes
        table = [tuple(cell.replace("\r", "") for cell in row) for row in table]
    # Without quotes around it, an empty text is written as NULL is.
    expected = [tuple(cell or None for cell in row) for row in table]
    return table, table if style == "all" else expected, written, declared


@settings(max_examples=400, deadline=None)
@given(files(), st.sampled_from(ENCODINGS), st.sampled_from(["auto", "exact"]))
def test_any_table_in_any_dialect_comes_back_equal(file, encoding, reader):
    table, expected, written, declared = file
    text = io.StringIO()
    writer = csv.writer(text, **written)
    writer.writerows([*([("a", "b")] if declared["header"] else []), *table])
    if reader == "exact":  # a comment that no line has: the exact reader takes the same file
        declared = {**declared, "comment": "never so"}
    assert read(text.getvalue().encode(encoding), encoding=encoding, **declared) == (expected, [])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=6), st.sampled_from(["||", "¦", "~|~"]))
def test_any_table_with_a_long_delimiter_comes_back_equal(table, delimiter):
    rows = [["a", "b", "c"], *table]
    quoted = [['"' + cell.replace('"', '""') + '"' for cell in row] for row in rows]
    data = "".join(delimiter.join(row) + "\n" for row in quoted).encode()
    types = {"a": "text", "b": "text", "c": "text"}
    assert read(data, types, delimiter=delimiter) == (table, [])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS), max_size=6))
def test_repair_changes_nothing_in_a_file_that_needs_none(table):
    rows = [["a", "b"], *table]
    quoted = [['"' + cell.replace('"', '""') + '"' for cell in row] for row in rows]
    data = "".join(",".join(row) + "\n" for row in quoted).encode()
    assert read(data, quotes="repair") == (table, [])
