"""Which dialect of CSV a text is in: candidates are tried, and the one with the best rows wins."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from io import BytesIO
from itertools import islice
from typing import Any

from include.landfall.feed.formats import CsvFormat
from include.landfall.feed.formats.csv import BLANKS
from include.landfall.read.formats.csv_records import Record, Records
from include.landfall.read.formats.csv_stream import Body
from include.landfall.sniff.header import are_names

TRIAL_BYTES = 128 << 10
TRIAL_RECORDS = 400
# What is more likely where two are equally good. A longer one holds a shorter one.
DELIMITERS = {
    ",": 1.0, ";": 1.0, "\t": 1.0, "|": 1.0, "\x01": 1.0, "||": 1.03, "~|~": 1.03, "::": 1.03,
    "\u00a6": 1.0, "^": 0.9, "~": 0.9, ":": 0.4, " ": 0.33,
    BLANKS: 0.45,
}  # fmt: skip
LEAST_OF_WIDTH = 0.1
FEWEST_WIDE, LEAST_WIDE = 3, 0.02  # rows, and the share of them, that make a table wider
SHORT = 8192
UNUSED = ",;\t|\x01"
RUN = re.compile(r"(?m)^ +\S+ |\S  +\S|\S[ \t]*\t +\S|\S +\t[ \t]*\S")  # of blanks, between cells
COMMENTS = re.compile(rb"(?:[ \t]*#[^\n]*(?:\n|\Z)|[ \t]*\r?\n){2,}")
COMMENTED = re.compile(
    r"(?:[ \t]*#[^\n]*\n){2,}(?:[ \t]*\n)*[ \t]*[^#\s]"
)  # lines at the beginning
COMMENT = re.compile(r"(?m)^[ \t]*#.*\n")
CLOCK = re.compile(r"(?<!\d)\d?\d:\d\d(?!\d)")
GLUED = re.compile(r"(?<![^\W\d])\d{2,}[^\W\d_]{2,}")
NUMBER = re.compile(r"\s*[-+]?[\d.,' ]+([eE][-+]?\d+)?%?\s*|[-+]?(nan|inf)", re.IGNORECASE)


@dataclass
class Trial:
    """A text as one candidate reads it. `names` is the table's width where most rows have less."""

    options: dict[str, Any]
    records: list[Record] = field(repr=False)
    names: int = 0

    @cached_property
    def width(self) -> int:
        """How many cells most records have, or the header."""
        if self.names:
            return self.names
        widths = Counter(len(r.cells) for r in self.records if r.cells is not None)
        least = LEAST_OF_WIDTH * len(self.records)  # a few rows that are cut are texts with a mark
        wide = {width: count for width, count in widths.items() if width > 1 and count >= least}
        return max(wide or widths, key=lambda width: widths[width], default=0)

    @cached_property
    def first(self) -> int:
        """The index of the record where the table begins."""
        for index in range(len(self.records) - 1):
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
        if record.cells is None:
            return False
        return len(record.cells) == self.width or 1 < len(record.cells) < self.names

    @cached_property
    def score(self) -> float:
        """How good the candidate is: about 1 where every record has the same cells, all clean."""
        table = self.table
        if not table or self.width == 0:
            return -1.0
        prior = DELIMITERS.get(self.options["delimiter"], 1.0)
        fitting = sum(map(self._fits, table)) / len(table)
        consistent = fitting * prior
        faults = sum(r.cells is None for r in table) / len(table)
        before = min(0.2, 0.02 * self.first) + 0.02 * self.behind
        if self.width == 1:
            return 0.3 * fitting - faults - before
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


def with_wide_header(trial: Trial) -> Trial:
    """Returns the trial with the width of its header, where rows have fewer cells than that."""
    if trial.width < 2 or trial.first == 0:
        return trial
    header = list(trial.records[trial.first - 1].cells or [])
    names = header[:-1] if header and not header[-1] else header
    below = trial.records[trial.first :]
    fits = sum(record.cells is not None and len(record.cells) <= len(header) for record in below)
    if not trial.width < len(header) <= 2 * trial.width or not are_names(names):
        return trial
    return replace(trial, names=len(header)) if fits >= 0.95 * len(below) else trial


def with_wide_rows(trial: Trial) -> Trial:
    """Returns the trial of a table without names at the width of its widest rows, where some are.

    A few such rows may be mistakes: the others are then right.
    """
    widths = Counter(len(r.cells) for r in trial.table if r.cells is not None)
    wider = {width: count for width, count in widths.items() if width > trial.width > 1}
    enough = max(FEWEST_WIDE, LEAST_WIDE * len(trial.table))
    if trial.names:
        return trial
    if len(wider) == 1 and sum(wider.values()) >= enough:
        return replace(trial, names=max(wider))
    # A row that is as short as others below it is no title.
    above = trial.records[trial.first - 1].cells if trial.first else None
    below = {len(record.cells or ()) for record in trial.records[trial.first :]}
    is_row = above is not None and 1 < len(above) < trial.width and len(above) in below
    return replace(trial, names=trial.width) if is_row else trial


def try_options(
    text: bytes, options: dict[str, Any], most: int = TRIAL_RECORDS, names: int = 0
) -> Trial:
    """Returns the text as these options read it."""
    dialect = CsvFormat.model_validate({"header": False, **options}).dialect()
    records = Records(Body.of(BytesIO(text), dialect))
    return Trial(options, list(islice(records, most)), names)


def _candidates(text: str, sep: str | None) -> Iterator[dict[str, Any]]:
    before: dict[str, Any] = {"skip_rows": 1} if sep else {}
    if COMMENTED.match(text):
        before["comment"] = "#"
        text = COMMENT.sub("", text)
    # The last is for files of one column, whose texts it does not cut.
    unused = next((each for each in (*UNUSED, "\x02") if each not in text), "\x02")
    inside = [each for each in DELIMITERS if _may_cut(each, text)]
    for delimiter in [sep] if sep else [*inside, unused]:
        for quote in _quotes(text, delimiter):
            for escape in _escapes(text, delimiter, quote):
                for newline in _newlines(text):
                    options = {"delimiter": delimiter, "quote": quote, **before}
                    yield {**options, "escape": escape, "newline": newline}


def _may_cut(delimiter: str, text: str) -> bool:
    if delimiter == BLANKS:
        return RUN.search(text[:SHORT]) is not None and not _is_fixed(text)
    if delimiter == ":" and len(CLOCK.findall(text[:SHORT])) > text[:SHORT].count("\n") / 2:
        return False
    return delimiter in text and (delimiter != " " or _is_cut(text))


def _is_fixed(text: str) -> bool:
    """Returns whether lines of one length have cells that touch, or lack some: fixed width."""
    lines = [line.rstrip("\r") for line in text.split("\n")[:-1] if line.strip()]
    if len({len(line) for line in lines}) > 1:
        return False
    is_glued = all(GLUED.search(line) for line in lines)
    return is_glued or len({len(line.split()) for line in lines}) > 1


def _is_cut(text: str) -> bool:
    """Returns whether single blanks are between the words, of which most are numbers."""
    words = text[:SHORT].split()
    numbers = sum(NUMBER.fullmatch(word) is not None for word in words)
    return re.search(r"^ |  ", text, re.MULTILINE) is None and numbers > len(words) / 2


def _quotes(text: str, delimiter: str) -> list[str | None]:
    if '"' not in text and "'" not in text:
        return ['"']
    edge = r"[ \t]" if delimiter == BLANKS else re.escape(delimiter)
    quotes: list[str | None] = ['"']
    cell = r"'(?:[^'\\]|''|\\.)*+'"  # with quotes in it, doubled or behind a backslash
    if len(re.findall(rf"(?:^|{edge}){cell}(?={edge}|\r?$)", text, re.MULTILINE)) > 1:
        quotes.append("'")
    return [*quotes, None] if '"' in text else quotes


def _escapes(text: str, delimiter: str, quote: str | None) -> list[str]:
    delimiter = " " if delimiter == BLANKS else delimiter
    marks = [mark for mark in (quote, None if quote else delimiter, "\\") if mark]
    has_escapes = any("\\" + mark in text for mark in marks)
    return ["doubled", "backslash"] if has_escapes else ["doubled"]


def _newlines(text: str) -> list[str]:
    alone = len(re.findall(r"\r(?!\n)", text))
    if not alone:
        return ["auto"]
    return ["CR", "mixed"] if "\n" not in text else ["auto", "mixed", "CR"]
