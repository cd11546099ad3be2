"""Which dialect of CSV a text is in: candidates are tried, and the one with the best rows wins."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from itertools import islice
from typing import Any

from include.landfall.feed.formats import CsvFormat
from include.landfall.read.formats.csv_records import Record, Records
from include.landfall.read.formats.csv_stream import Body

TRIAL_BYTES = 128 << 10
TRIAL_RECORDS = 400
# What is more likely where two are equally good. A longer one holds a shorter one.
DELIMITERS = {
    ",": 1.0, ";": 1.0, "\t": 1.0, "|": 1.0, "\x01": 1.0, "||": 1.03, "~|~": 1.03, "::": 1.03,
    "\u00a6": 1.0, "^": 0.9, "~": 0.9, ":": 0.4,
}  # fmt: skip
NUMBER = re.compile(r"\s*[-+]?[\d.,' ]+%?\s*")


@dataclass
class Trial:
    """A text as one candidate reads it."""

    options: dict[str, Any]
    records: list[Record] = field(repr=False)

    @cached_property
    def width(self) -> int:
        """How many cells most records have."""
        widths = Counter(len(r.cells) for r in self.records if r.cells is not None)
        return max(widths, key=lambda w: (widths[w] * (w > 1), widths[w])) if widths else 0

    @cached_property
    def first(self) -> int:
        """The index of the record where the table begins."""
        for index in range(len(self.records)):
            nearby = self.records[index : index + 6]
            if self._fits(nearby[0]) and sum(map(self._fits, nearby)) >= len(nearby) - 1:
                return index
        return 0

    @cached_property
    def behind(self) -> int:
        """How many records at the end do not belong to the table: at most three."""
        last = self.records[::-1][: min(4, (len(self.records) + 1) // 2)]
        return next((count for count, record in enumerate(last) if self._fits(record)), 0)

    @property
    def table(self) -> list[Record]:
        """The records without what stands before and behind the table."""
        return self.records[self.first : len(self.records) - self.behind]

    def _fits(self, record: Record) -> bool:
        return record.cells is not None and len(record.cells) == self.width

    @cached_property
    def score(self) -> float:
        """How good the candidate is: about 1 where every record has the same cells, all clean."""
        table = self.table
        if not table or self.width == 0:
            return -1.0
        prior = DELIMITERS.get(self.options["delimiter"], 1.0)
        consistent = sum(map(self._fits, table)) / len(table) * prior
        faults = sum(r.cells is None for r in table) / len(table)
        if self.width == 1:
            return 0.3 - faults
        before = min(0.2, 0.02 * self.first) + 0.02 * self.behind
        more_columns = min(self.width, 20) * 0.002
        return consistent - faults - 0.6 * self._unclean(table) - before + more_columns

    def _unclean(self, table: list[Record]) -> float:
        """Returns which share of the cells looks as if another candidate should have cut it."""
        cells = [cell for record in table for cell in record.cells or [] if cell]
        quote = self.options["quote"]
        marks = [mark for mark in ";\t|\x01," if mark not in self.options["delimiter"]]
        unclean = 0.0
        for cell in cells:
            if any(mark != quote and mark in (cell[0], cell[-1]) for mark in "\"'"):
                unclean += 1  # a quote at one end, or at both
            elif any(mark in cell and not _is_prose(cell, mark) for mark in marks):
                unclean += 0.5
        return unclean / max(1, len(cells))


def _is_prose(cell: str, mark: str) -> bool:
    return mark == "," and (", " in cell or NUMBER.fullmatch(cell) is not None)


def best_trial(text: bytes, sep: str | None = None) -> tuple[Trial, list[Trial]]:
    """Returns the best reading of a UTF-8 text, and others that are nearly as good.

    `sep` is the delimiter where the first line says it.
    """
    part = text[:TRIAL_BYTES]
    if len(part) < len(text):
        part = part[: part.rfind(b"\n") + 1] or part
    candidates = list(_candidates(part.decode("utf-8", "replace"), sep))
    trials = [try_options(part, options) for options in candidates]
    trials.sort(key=lambda trial: -trial.score)
    best = trials[0]
    near = [t for t in trials[1:] if t.score > best.score - 0.05 and t.width > 1]
    return best, [t for t in near if t.options["delimiter"] != best.options["delimiter"]]


def try_options(text: bytes, options: dict[str, Any], most: int = TRIAL_RECORDS) -> Trial:
    """Returns the text as these options read it."""
    dialect = CsvFormat.model_validate({"header": False, **options}).dialect()
    records = Records(Body.of(BytesIO(text), dialect))
    return Trial(options, list(islice(records, most)))


def _candidates(text: str, sep: str | None) -> Iterator[dict[str, Any]]:
    before = {"skip_rows": 1} if sep else {}
    for delimiter in [sep] if sep else DELIMITERS:
        if delimiter not in text and delimiter != ",":
            continue
        for quote in _quotes(text, delimiter):
            for escape in _escapes(text, delimiter, quote):
                for newline in _newlines(text):
                    options = {"delimiter": delimiter, "quote": quote, **before}
                    yield {**options, "escape": escape, "newline": newline}


def _quotes(text: str, delimiter: str) -> list[str | None]:
    if '"' not in text and "'" not in text:
        return ['"']
    edge = re.escape(delimiter)
    quotes: list[str | None] = ['"']
    cell = r"'(?:[^'\\]|''|\\.)*+'"  # with quotes in it, doubled or behind a backslash
    if len(re.findall(rf"(?:^|{edge}){cell}(?={edge}|\r?$)", text, re.MULTILINE)) > 1:
        quotes.append("'")
    return [*quotes, None] if '"' in text else quotes


def _escapes(text: str, delimiter: str, quote: str | None) -> list[str]:
    marks = [mark for mark in (quote, None if quote else delimiter, "\\") if mark]
    has_escapes = any("\\" + mark in text for mark in marks)
    return ["doubled", "backslash"] if has_escapes else ["doubled"]


def _newlines(text: str) -> list[str]:
    alone = len(re.findall(r"\r(?!\n)", text))
    if not alone:
        return ["auto"]
    return ["CR", "mixed"] if "\n" not in text else ["auto", "mixed", "CR"]
