"""Rejects as CSV: out for a person to edit, and in again.

The text is that of RFC 4180, in UTF-8: a NULL is an empty cell without quotes, an empty text is one
with quotes. The first column has the id of the reject, by which a corrected row is replayed. What a
spreadsheet would run as a formula has an apostrophe before it, which is taken off again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from include.landfall.contract import check_header
from include.landfall.errors import DataError, LandfallError, WrongUse
from include.landfall.feed.lenient import cells_of
from include.landfall.feed.model import Feed
from include.landfall.ledger.kept_rejects import Reject

HEAD = ["reject_id", "line", "reason", "message"]
_NEEDS_QUOTES = re.compile(r'[",\r\n]|^$')
_FORMULA = re.compile("'*[=+@\t\r\uff1d\uff0b\uff0d\uff20-]")  # also in letters of full width
_NUMBER = re.compile(r"[+-][\d.,]+(?:e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
_FIELD = re.compile(r'(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|\r|\n|\Z)')


@dataclass
class Edited:
    """The rows of an edited CSV: cells in the feed's order, by the rejects' ids.

    `uncut` are the ids of rows that have not the right number of fields, with the reason.
    """

    cells: dict[int, list[str | None]] = field(default_factory=dict)
    uncut: dict[int, str] = field(default_factory=dict)


def lines_of(feed: Feed, rejects: Iterable[Reject]) -> Iterator[str]:
    """Yields the lines of the CSV: a header, then a row for each reject."""
    names = list(feed.table_columns)
    yield _line([*HEAD, *names])
    for reject in rejects:
        head = [str(reject.reject_id), None if reject.line is None else str(reject.line)]
        head += [reject.reason, "; ".join(reject.messages)]
        yield _line(list(map(_harmless, [*head, *_cells_of(feed, names, reject)])))


def _cells_of(feed: Feed, names: list[str], reject: Reject) -> list[str | None]:
    """Returns the row's cells; of a row that could not be cut, its fields as far as they go.

    Those of its object are left out: they are filled in when it is loaded.
    """
    if reject.cells is not None:
        return [reject.cells.get(name) for name in names]
    keeps_texts = feed.rejects.keep == "raw" and not any(c.secret for c in feed.columns.values())
    return cells_of(reject.raw or "", feed) if keeps_texts else []


def _harmless(cell: str | None) -> str | None:
    is_formula = cell and _FORMULA.match(cell) and not _NUMBER.fullmatch(cell)
    return f"'{cell}" if is_formula else cell


def _as_it_was(cell: str | None) -> str | None:
    return cell[1:] if cell and cell[0] == "'" and _FORMULA.match(cell) else cell


def _line(cells: list[str | None]) -> str:
    return ",".join(map(_written, cells)) + "\n"


def _written(cell: str | None) -> str:
    if cell is None:
        return ""
    return '"' + cell.replace('"', '""') + '"' if _NEEDS_QUOTES.search(cell) else cell


def read(path: str, feed: Feed) -> Edited:
    """Reads the CSV that a person has edited.

    Raises: WrongUse when there is no such file, DataError with the line, HeaderMismatch when the
    columns are not those of the feed.
    """
    try:
        return _edited(_records(_text(path)), feed)
    except LandfallError as error:
        error.at(file=path)
        raise


def _text(path: str) -> str:
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise WrongUse(f"the file of edited rejects cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        do = "save it as CSV in UTF-8"
        raise DataError("the file of edited rejects is not UTF-8 text", do=do) from None
    if "\0" in text:
        raise DataError("the file of edited rejects holds a zero byte", do="take it out")
    return text


def _edited(records: Iterator[tuple[int, list[str | None]]], feed: Feed) -> Edited:
    names, edited = list(feed.table_columns), Edited()
    _, header = next(records, (1, []))
    if header[: len(HEAD)] != HEAD:
        raise DataError(
            "the file is not one of rejects",
            found=", ".join(str(name or "") for name in header[: len(HEAD)]),
            expected=", ".join(HEAD) + ", then the feed's columns, with commas between",
            do="write it with landfall rejects --csv, and leave its first columns as they are",
        ).at(line=1)
    given = [name or "" for name in header[len(HEAD) :]]
    check_header(given, names)
    order = [given.index(name) for name in names]
    for line, record in records:
        reject_id = _reject_id(line, record, edited)
        fields = list(map(_as_it_was, record[len(HEAD) :]))
        if len(fields) == len(names):
            edited.cells[reject_id] = [fields[place] for place in order]
        else:
            edited.uncut[reject_id] = f"line {line}: {len(fields)} fields, not {len(names)}"
    return edited


def _reject_id(line: int, record: list[str | None], edited: Edited) -> int:
    text = record[0] or ""
    if not (text.isascii() and text.isdecimal()):
        raise DataError(
            "a row has no id of a reject",
            found=text,
            do="leave the first column as it is, or take the row out",
        ).at(line=line, column=HEAD[0])
    if int(text) in edited.cells or int(text) in edited.uncut:
        raise DataError("a reject stands in the file twice", found=text).at(line=line)
    return int(text)


def _records(text: str) -> Iterator[tuple[int, list[str | None]]]:
    """Yields the line on which each record begins, and its fields, NULL as None."""
    position, line = 0, 1
    while position < len(text):
        start, record = line, []
        while True:
            match = _FIELD.match(text, position)
            if not match:
                do = "close the quote, double one that belongs to the text, and quote line ends"
                raise DataError("a quote stands where none may be", do=do).at(line=start)
            quoted, plain, end = match.groups()
            record.append(plain or None if quoted is None else quoted.replace('""', '"'))
            line += len(re.findall(r"\r\n|\r|\n", match[0]))
            position = match.end()
            if end != ",":
                break
        if record != [None]:  # a blank line
            yield start, record
