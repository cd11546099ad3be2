"""Pollutes a clean CSV file, one place at a time, as real senders do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

COLUMNS = ["id", "name", "city", "price"]
QUOTED = 3  # every so many rows has a quoted cell


@dataclass(frozen=True)
class Polluted:
    """A file, the options that read it, and the row (from 0) that is polluted, if only one is."""

    kind: str
    data: bytes
    row: int | None = None
    options: dict[str, Any] = field(default_factory=dict)


def clean_rows(count: int = 80) -> list[list[str]]:
    """Makes the rows of the clean file; some cells hold a delimiter and need quotes."""
    return [
        [str(n), f"Smith, {n}" if n % QUOTED == 0 else f"name {n}", f"city {n}", f"{n}.50"]
        for n in range(1, count + 1)
    ]


def polluted_files() -> Iterator[Polluted]:
    """Yields every pollution of every row and cell, then those of the file as a whole."""
    rows = clean_rows()
    for at in range(len(rows)):
        for column in range(len(COLUMNS)):
            yield from _of_cell(rows, at, column)
        yield from _of_row(rows, at)
    yield from _of_file(rows)


def line_of(cells: list[str], delimiter: str = ",") -> str:
    """Writes one row."""
    return delimiter.join(f'"{cell}"' if "," in cell or "\n" in cell else cell for cell in cells)


def _text(lines: list[str], end: str = "\n") -> bytes:
    return "".join(line + end for line in [",".join(COLUMNS), *lines]).encode()


def _of_cell(rows: list[list[str]], at: int, column: int) -> Iterator[Polluted]:
    cells = [f'"{cell}"' if "," in cell else cell for cell in rows[at]]
    cell = cells[column]
    variants = {
        "a quote at the start": '"' + cell,
        "a quote inside": cell[:2] + '"' + cell[2:],
        "a quote at the end": cell + '"',
        "a quoted word": cell[:1] + '"x"' + cell[1:],
        "a line break in quotes": '"' + cell.strip('"') + '\nmore"',
        "blanks around": f"  {cell} " if '"' not in cell else cell,
    }
    for kind, polluted in variants.items():
        line = ",".join([*cells[:column], polluted, *cells[column + 1 :]])
        yield Polluted(kind, _with(rows, at, line), at)
    if column:
        one_less = ",".join([*cells[: column - 1], cells[column - 1] + cell, *cells[column + 1 :]])
        yield Polluted("a delimiter missing", _with(rows, at, one_less), at)
        other = ",".join(cells[:column]) + ";" + ",".join(cells[column:])
        yield Polluted("another delimiter", _with(rows, at, other), at)
    too_many = ",".join([*cells[:column], "", *cells[column:]])
    yield Polluted("a delimiter too many", _with(rows, at, too_many), at)


def _of_row(rows: list[list[str]], at: int) -> Iterator[Polluted]:
    line = line_of(rows[at])
    yield Polluted("a delimiter at the end", _with(rows, at, line + ","), at)
    yield Polluted("a blank line before", _with(rows, at, "\n" + line))
    yield Polluted("CRLF once", _with(rows, at, line + "\r"))
    mixed = _with(rows, at, line + "\r" + line_of(["0", "x", "y", "z"]))
    yield Polluted("CR once", mixed, at, {"newline": "mixed"})
    yield Polluted("a comment before", _with(rows, at, "# x\n" + line), options={"comment": "#"})


def _with(rows: list[list[str]], at: int, line: str) -> bytes:
    lines = [line_of(row) for row in rows]
    lines[at] = line
    return _text(lines)


def _of_file(rows: list[list[str]]) -> Iterator[Polluted]:
    lines = [line_of(row) for row in rows]
    text = _text(lines)
    for count in range(1, 6):
        preamble = b"".join(b'Report "%d\n' % n for n in range(count))
        yield Polluted("a preamble", preamble + text, options={"skip_rows": count})
        footer = b"".join(b"Total %d\n" % n for n in range(count))
        yield Polluted("a footer", text + footer, options={"skip_footer": count})
    for end, newline in (("\r\n", "auto"), ("\r", "CR"), ("\r\n", "CRLF"), ("\n", "LF")):
        yield Polluted(f"{newline} ends", _text(lines, end), options={"newline": newline})
    for encoding in ("utf-8-sig", "utf-16", "utf-16-be", "utf-32", "cp1252", "gb18030"):
        yield Polluted(
            "an encoding", text.decode().encode(encoding), options={"encoding": encoding}
        )
    second = b",,,\n" + text[len(b"id,name,city,price\n") :]
    yield Polluted("two headers", b"id,name,city,price\n" + second, options={"header": 2})
    yield Polluted("no header", text.split(b"\n", 1)[1], options={"header": False})
    for delimiter in (";", "\t", "|", "||", "\x01"):
        data = "".join(line_of(row, delimiter) + "\n" for row in [COLUMNS, *rows]).encode()
        yield Polluted("a delimiter", data, options={"delimiter": delimiter})
