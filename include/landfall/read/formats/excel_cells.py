"""The cells of a row of Excel as texts from which Postgres reads the same values."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import Element

from openpyxl.utils.datetime import from_excel

from include.landfall.read.formats.excel_workbook import NAMESPACE, Workbook, text_in

WHOLE = re.compile(r"-?\d+")
PLACE = re.compile(r"([A-Z]{1,3})(\d+)")
VALUE, FORMULA, INLINE = (NAMESPACE + name for name in ("v", "f", "is"))
MOST_PLAIN_DIGITS = 40  # before or after the point; other numbers are written with an exponent


class NoValue(Exception):
    """A cell that has no value to load: an error of Excel, or a formula never calculated."""


class Cells:
    """Reads the cells of one workbook."""

    def __init__(self, workbook: Workbook, texts: Sequence[str]) -> None:
        self._book, self._texts = workbook, texts

    def of(self, row: Element) -> Iterator[tuple[int, str | NoValue]]:
        """Yields the column of each cell that is not empty, from 1, and its text."""
        column = 0
        for cell in row:
            place = PLACE.fullmatch(cell.get("r", ""))
            column = _number(place[1]) if place else column + 1
            try:
                text = self._text(cell)
            except NoValue as fault:
                yield column, fault
            except (ValueError, IndexError, OverflowError, ArithmeticError):
                yield column, NoValue("a value that cannot be read")
            else:
                if text is not None:
                    yield column, text

    def _text(self, cell: Element) -> str | None:
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            inline = cell.find(INLINE)
            return None if inline is None else text_in(inline)
        value = cell.find(VALUE)
        if value is None:
            if cell.find(FORMULA) is not None:
                raise NoValue("a formula without a stored value")
            return None
        return self._typed(kind, value.text or "", int(cell.get("s", 0)))

    def _typed(self, kind: str, value: str, style: int) -> str | None:
        if kind == "s":
            return self._texts[int(value)]
        if kind == "e":
            raise NoValue(f"the error {value}")
        if kind == "b":
            return "true" if value == "1" else "false"
        if kind in {"str", "d"} or not value:
            return value if kind == "str" else value or None
        if style in self._book.date_styles:
            is_duration = style in self._book.duration_styles
            return _moment(from_excel(float(value), self._book.epoch, timedelta=is_duration))
        return _numeral(value)


def _numeral(value: str) -> str:
    """Returns a number: whole as it is stored, any other in the shortest text of its double.

    Excel stores 4.4 as 4.4000000000000004, which is the same double.
    """
    if WHOLE.fullmatch(value):
        return value
    number = Decimal(repr(float(value)))
    if abs(number.adjusted()) > MOST_PLAIN_DIGITS:
        return str(number)
    return f"{number.to_integral_value() if number == number.to_integral_value() else number:f}"


def _moment(value: Any) -> str:
    if isinstance(value, dt.timedelta):
        return f"{value.days} days {value.seconds + value.microseconds / 1_000_000} seconds"
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        return value.date().isoformat()
    return value.isoformat(" ") if isinstance(value, dt.datetime) else str(value.isoformat())


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number
