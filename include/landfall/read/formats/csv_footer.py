"""The footer of a CSV file: its count and its sums are compared with those of the rows."""

from __future__ import annotations

import csv
import re
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from include.landfall.contract import NEW_LABEL
from include.landfall.errors import MisshapenRow, TruncatedFile
from include.landfall.feed.dialect import CsvDialect, Footer
from include.landfall.read.formats.csv_stream import Body
from include.landfall.read.numbers import spelt_numbers
from include.landfall.read.rows import Rows, readable

ASK = "ask the sender for the whole file, or correct footer: in the feed"
# Sums of so many digits fit Arrow's largest decimal, which overflows without an error.
NUMBER = r"^[+-]?(\d{1,40}(\.\d{0,20})?|\.\d{1,20})$"
SUMMED = pa.decimal256(76, 20)


class FooterCheck:
    """Counts the rows of a file and sums columns of them, to compare both with the footer."""

    def __init__(self, body: Body) -> None:
        self._body, self._dialect = body, body.dialect
        self._footer = body.dialect.footer
        self._rows = 0
        self._sums = {column: Decimal(0) for column, _ in self._footer.sums} if self._footer else {}
        self._unread = dict.fromkeys(self._sums, 0)  # cells that are no numbers

    def add(self, rows: Rows) -> None:
        """Takes in a stretch of rows.

        Raises: MisshapenRow when the file lacks a column that is summed.
        """
        self._rows += rows.count
        names = rows.batch.schema.names
        # A first look at new columns reads no others.
        if self._sums and not all(name.startswith(NEW_LABEL) for name in names):
            for column in self._sums:
                self._add_cells(column, rows)

    def _add_cells(self, column: str, rows: Rows) -> None:
        if column not in rows.batch.schema.names:
            raise MisshapenRow(
                "the file does not have a column whose sum the footer has",
                expected=f"the column {column}, by sum_columns: of the footer",
                do=ASK,
            )
        cells = _plain(rows.batch.column(column).drop_null(), self._dialect)
        numbers = cells.filter(pc.match_substring_regex(cells, NUMBER))
        self._unread[column] += len(cells) - len(numbers) + len(rows.misshapen)
        if len(numbers):
            self._sums[column] += pc.sum(numbers.cast(SUMMED)).as_py()

    def check(self) -> None:
        """Checks the last line, once all rows are read.

        Raises: TruncatedFile when it is no footer, MisshapenRow when it has another count or sum.
        """
        if self._footer is None or self._body.tail is None:
            return
        text = readable(self._body.tail.text)
        if re.fullmatch(self._footer.pattern, text) is None:
            raise TruncatedFile(
                "the file's last line is not the footer",
                found=text or "no line",
                expected=f"a line that matches {self._footer.pattern}",
                do=ASK,
            )
        fields = _fields(text, self._dialect)
        self._check_count(self._footer, text, fields)
        for column, place in self._footer.sums:
            self._check_sum(column, place, text, fields)

    def _check_count(self, footer: Footer, text: str, fields: list[str]) -> None:
        place = footer.count_column
        if place is None:
            return
        count = _plain(pa.array([_field(fields, place)]), self._dialect)[0].as_py()
        if not re.fullmatch("[0-9]+", count) or int(count) != self._rows:
            raise MisshapenRow(
                "the footer counts other rows than the file has",
                found=f"{self._rows:,} rows, and a footer of {text}",
                expected=f"their number in field {place} of the footer",
                do=ASK,
            )

    def _check_sum(self, column: str, place: int, text: str, fields: list[str]) -> None:
        declared = _plain(pa.array([_field(fields, place)], pa.string()), self._dialect)[0].as_py()
        total = self._sums[column]
        if re.match(NUMBER, declared) and Decimal(declared) == total:
            return
        unread = self._unread[column]
        without = f" without {unread:,} rows that have no number there" if unread else ""
        raise MisshapenRow(
            f"the footer has another sum of {column} than the rows",
            found=f"a sum of {total.normalize():f}{without}, and a footer of {text}",
            expected=f"the sum of {column} in field {place} of the footer",
            do=ASK,
        )


def _plain(texts: pa.Array, dialect: CsvDialect) -> pa.Array:
    """Returns texts of numbers as Postgres would read them."""
    return pc.utf8_trim_whitespace(spelt_numbers(texts, dialect.spelling))


def _fields(text: str, dialect: CsvDialect) -> list[str]:
    text = " ".join(text.split()) if dialect.blanks else text
    if len(dialect.delimiter) == 1 and dialect.quote:
        fields = next(csv.reader([text], delimiter=dialect.delimiter, quotechar=dialect.quote), [])
    else:
        fields = text.split(dialect.delimiter)
    return [field.strip(f" {dialect.quote}") for field in fields]


def _field(fields: list[str], place: int) -> str:
    return fields[place - 1] if place <= len(fields) else ""
