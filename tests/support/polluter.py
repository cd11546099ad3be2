"""Pollutes a clean CSV file, one place at a time, as real senders do."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

COLUMNS = ["id", "name", "city", "price"]
HEADER = ",".join(COLUMNS)
QUOTED = 3  # every so many rows has a quoted cell
Row = list[str]


@dataclass(frozen=True)
class Polluted:
    """A file, the rows that its sender wrote, and the options that describe it.

    `line` is the polluted row as it stands in the file, if a row is polluted.
    """

    kind: str
    data: bytes
    rows: list[Row]
    line: str = ""
    options: dict[str, Any] = field(default_factory=dict)


def clean_rows(count: int = 80, first: int = 1) -> list[Row]:
    """Makes the rows of the clean file; some cells hold a delimiter and need quotes."""
    return [
        [str(n), f"Smith, {n}" if n % QUOTED == 0 else f"name {n}", f"Köln {n}", f"{n}.50"]
        for n in range(first, first + count)
    ]


def polluted_files() -> Iterator[Polluted]:
    """Yields every pollution of every row and cell, then those of the file as a whole."""
    rows = clean_rows()
    for at in range(len(rows)):
        for column in range(len(COLUMNS)):
            yield from _texts_of_cell(rows, at, column)
            yield from _delimiters_of_cell(rows, at, column)
        yield from _of_row(rows, at)
    yield from _lines_around(rows)
    yield from _of_file(rows)


def line_of(cells: Sequence[str], delimiter: str = ",") -> str:
    """Writes one row."""
    return delimiter.join(f'"{cell}"' if delimiter in cell else cell for cell in cells)


def readings_of(line: str) -> set[tuple[str, ...]]:
    """Returns the rows that a line of wrong delimiters may stand for.

    A row may have lost one delimiter anywhere, may have one too many, may have another one, or
    has quotes that are text. With several such rows nobody can tell which one the sender meant.
    """
    texts = {line}
    for at in range(len(line) + 1):
        texts |= {line[:at] + "," + line[at:]}
        if line[at : at + 1] in {",", ";"}:
            texts |= {line[:at] + line[at + 1 :], line[:at] + "," + line[at + 1 :]}
    rows = {row for text in texts if (row := _strict(text))}
    as_text = line.split(",")
    return rows | ({tuple(as_text)} if len(as_text) == len(COLUMNS) else set())


def _strict(text: str) -> tuple[str, ...] | None:
    """Returns the cells of a row which keeps all rules of CSV, or None."""
    [cells] = csv.reader([text])
    is_kept = len(cells) == len(COLUMNS) and line_of(cells) == text
    return tuple(cells) if is_kept else None


def _text(lines: Sequence[str], end: str = "\n") -> bytes:
    return "".join(line + end for line in [HEADER, *lines]).encode()


def _texts_of_cell(rows: list[Row], at: int, column: int) -> Iterator[Polluted]:
    """Puts quotes, a line break and blanks where the cell's text gets them."""
    cell = rows[at][column]
    mark = '"' if "," in cell else ""
    variants = {
        "a quote at the start": ('"' + cell, ""),
        "a quote inside": (cell[:2] + '"' + cell[2:], ""),
        "a quote at the end": (cell + '"', ""),
        "a quoted word": (cell[:1] + '"x"' + cell[1:], ""),
        "a line break in quotes": (cell + "\nmore", '"'),
        "blanks around": (f"  {cell} ", ""),
    }
    for kind, (text, quote) in variants.items():
        quote = quote or mark
        line = _line_with(rows[at], column, quote + text + quote)
        true_row = [*rows[at][:column], text, *rows[at][column + 1 :]]
        yield _with(rows, at, kind, line, true_row)


def _delimiters_of_cell(rows: list[Row], at: int, column: int) -> Iterator[Polluted]:
    cells = [line_of([cell]) if "," not in cell else f'"{cell}"' for cell in rows[at]]
    before, behind = cells[:column], cells[column:]
    if column:
        one_less = ",".join([*before[:-1], before[-1] + behind[0], *behind[1:]])
        yield _with(rows, at, "a delimiter missing", one_less)
        other = ",".join(before) + ";" + ",".join(behind)
        yield _with(rows, at, "another delimiter", other)
    yield _with(rows, at, "a delimiter too many", ",".join([*before, "", *behind]))


def _line_with(row: Row, column: int, written: str) -> str:
    """Writes a row in which one cell is written in another way."""
    return ",".join(written if at == column else line_of([cell]) for at, cell in enumerate(row))


def _of_row(rows: list[Row], at: int) -> Iterator[Polluted]:
    line = line_of(rows[at])
    yield _with(rows, at, "a delimiter at the end", line + ",")
    yield _with(rows, at, "a blank line before", "\n" + line)
    yield _with(rows, at, "CRLF once", line + "\r")
    more = ["0", "x", "y", "z"]
    mixed = line + "\r" + line_of(more)
    yield _with(rows, at, "CR once", mixed, None, more, newline="mixed")
    yield _with(rows, at, "a comment before", "# x\n" + line, comment="#")


def _with(
    rows: list[Row], at: int, kind: str, line: str, true_row: Row | None = None,
    more: Row | None = None, **options: Any,
) -> Polluted:  # fmt: skip
    """Makes the file with one line in place of a row. `more` is a row that the line has beside."""
    lines = [line_of(row) for row in rows]
    lines[at] = line
    true_rows = [*rows[:at], true_row or rows[at], *([more] if more else []), *rows[at + 1 :]]
    return Polluted(kind, _text(lines), true_rows, line, options)


def _lines_around(rows: list[Row]) -> Iterator[Polluted]:
    text = _text([line_of(row) for row in rows])
    for count in range(1, 6):
        preamble = b"".join(b'Report "%d\n' % n for n in range(count))
        yield Polluted("a preamble", preamble + text, rows, options={"skip_rows": count})
        footer = b"".join(b"Total %d\n" % n for n in range(count))
        yield Polluted("a footer", text + footer, rows, options={"skip_footer": count})
    for title in ("", "\n", "Second table\n"):
        others = clean_rows(first=len(rows) + 1)
        second = title.encode() + _text([line_of(row) for row in others])
        lines = (
            {"skip_footer": second.count(b"\n")},
            {"skip_rows": (text + title.encode()).count(b"\n")},
        )
        yield Polluted("two tables, the first", text + second, rows, options=lines[0])
        yield Polluted("two tables, the second", text + second, others, options=lines[1])


def _of_file(rows: list[Row]) -> Iterator[Polluted]:
    lines = [line_of(row) for row in rows]
    text = _text(lines)
    for end, newline in (("\r\n", "auto"), ("\r", "CR"), ("\r\n", "CRLF"), ("\n", "LF")):
        yield Polluted("line ends", _text(lines, end), rows, options={"newline": newline})
    mixed = "".join(line + ("\n", "\r", "\r\n")[at % 3] for at, line in enumerate([HEADER, *lines]))
    yield Polluted("line ends", mixed.encode(), rows, options={"newline": "mixed"})
    for encoding in ("utf-8-sig", "utf-16", "utf-16-be", "utf-32", "cp1252", "gb18030"):
        data = text.decode().encode(encoding)
        yield Polluted("an encoding", data, rows, options={"encoding": encoding})
    for count in (2, 3):
        data = f"{HEADER}\n".encode() + b",,,\n" * (count - 1) + text.partition(b"\n")[2]
        yield Polluted("several headers", data, rows, options={"header": count})
    yield Polluted("no header", text.partition(b"\n")[2], rows, options={"header": False})
    for delimiter in (";", "\t", "|", "||", "\x01"):
        data = "".join(line_of(row, delimiter) + "\n" for row in [COLUMNS, *rows]).encode()
        yield Polluted("a delimiter", data, rows, options={"delimiter": delimiter})
