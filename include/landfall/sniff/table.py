"""Proposes a feed for files of CSV."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from include.landfall.arrival import Arrival
from include.landfall.errors import DataError
from include.landfall.feed.formats.csv import BLANKS
from include.landfall.read.formats.csv_records import Record
from include.landfall.sniff import fixed
from include.landfall.sniff.encoding import encoding_of
from include.landfall.sniff.findings import Finding, Proposal
from include.landfall.sniff.header import are_names, header_of, is_typed, names_of
from include.landfall.sniff.sample import Sample
from include.landfall.sniff.spelling import NULLS, PLAIN, Marks, date_order, marks_of
from include.landfall.sniff.surroundings import (
    footer_of,
    is_fixed_width,
    sep_of,
    titles_before,
    totals_behind,
)
from include.landfall.sniff.trials import (
    COMMENTS,
    TRIAL_BYTES,
    Trial,
    best_trial,
    try_options,
    with_wide_header,
    with_wide_rows,
)
from include.landfall.sniff.types import truth_words, type_of

MOST_RECORDS = 20_000
DEFAULTS: dict[str, Any] = {
    "delimiter": ",", "quote": '"', "escape": "doubled", "newline": "auto", "encoding": "utf-8",
    "header": True,
}  # fmt: skip
CONTROL = re.compile(rb"(?<!\\)\\[bfnrtv]")
SHOWN = {
    ",": "comma",
    ";": "semicolon",
    "\t": "tab",
    "|": "pipe",
    " ": "blank",
    BLANKS: "runs of blanks",
}


def propose(name: str, arrival: Arrival, sample: Sample) -> Proposal:
    """Returns the feed's format and columns for a file of CSV, or of aligned lines."""
    proposal = propose_csv(sample)
    if len(proposal.columns) > 1 or "comment" in proposal.options:
        return proposal
    return fixed.propose(sample) or proposal


def propose_csv(sample: Sample) -> Proposal:
    """Returns the feed's format and columns for a file, with evidence and doubts."""
    return _Sniffer(sample).proposal


@dataclass
class _Sniffer:
    sample: Sample
    proposal: Proposal = field(default_factory=lambda: Proposal("csv"))
    marks: Marks = PLAIN
    delimiter: str = ""
    names: list[str | None] = field(default_factory=list)  # of a header that lacks one

    def __post_init__(self) -> None:
        encoding = encoding_of(self.sample.data, is_whole=self.sample.is_whole)
        self._put("encoding", encoding)
        text = self.sample.data.decode(encoding.value, "replace").removeprefix("\ufeff").encode()
        if not self.sample.is_whole:
            text = text[: max(text.rfind(b"\n"), text.rfind(b"\r")) + 1] or text
        trial = self._dialect(text)
        self.delimiter = trial.options["delimiter"]
        rows = _fitting(trial)
        self._marks(rows)
        totals = self._totals(rows, trial)
        rows = rows[: len(rows) - totals]
        header = header_of(rows, self.marks)
        self._put("header", header)
        count = int(header.value)
        self._columns(rows[:count], rows[count:], trial)
        self._around(trial, count)
        if totals:
            self._leave_out_totals(totals + trial.behind)

    def _put(self, name: str, finding: Finding) -> None:
        if finding.value != DEFAULTS.get(name) or finding.doubts:
            self.proposal.options[name] = finding

    def _marks(self, rows: list[list[str | None]]) -> None:
        columns = [list(column) for column in zip(*rows[1:], strict=True)]
        self.marks, _ = marks_of(map(_values, columns), self.delimiter)

    def _totals(self, rows: list[list[str | None]], trial: Trial) -> int:
        """Returns how many of the last rows are totals, where the end of the file is read."""
        return totals_behind(rows, self.marks) if self._is_whole(trial) else 0

    def _is_whole(self, trial: Trial) -> bool:
        return self.sample.is_whole and len(trial.records) < MOST_RECORDS

    # ---- the dialect -----------------------------------------------------------------------------

    def _dialect(self, text: bytes) -> Trial:
        if COMMENTS.fullmatch(text):
            raise DataError("the file has no row", expected="rows beside comments")
        best, rivals = best_trial(text, sep := sep_of(text))
        options = dict(best.options)
        _check_rows(best)
        if mark := options.get("comment") or _comment(best):
            options["comment"] = mark
            self._put("comment", Finding(mark, "lines before or between the rows begin with it"))
        trial = with_wide_header(try_options(text, options, MOST_RECORDS))
        wide = with_wide_rows(trial)
        if wide.names > trial.names and not header_of(_fitting(trial)).value:
            trial = wide
        if skipped := self._skipped(trial, sep):
            options["skip_rows"] = skipped
            trial = try_options(text, options, MOST_RECORDS, trial.names)
        _check_rows(trial)
        self.proposal.options["delimiter"] = _delimiter_of(trial, rivals, text)
        for option in ("quote", "escape", "newline"):
            self._put(option, Finding(best.options[option], "it gives the most even rows"))
        if best.options["escape"] == "backslash" and (control := CONTROL.search(text)):
            shown = control[0].decode()
            doubt = f"{shown} is read as a control character: in C:{shown}… it would be two letters"
            self.proposal.options["escape"].doubts.append(doubt)
        if best.options["quote"] is None:
            doubt = "there are quotes, and they are taken for text: look at the cells with them"
            self.proposal.options["quote"].doubts.append(doubt)
        return trial

    def _skipped(self, trial: Trial, sep: str | None) -> int:
        """Returns how many lines stand before the table, and proposes to skip them."""
        titles = titles_before(trial.table, self.marks)
        if not trial.first and not titles:
            if sep:
                self._put("skip_rows", Finding(1, "the first line gives the delimiter to Excel"))
            return 1 if sep else 0
        skipped = trial.table[titles].line - 1
        evidence = f"the table begins in line {skipped + 1}, with {trial.width} cells a row"
        above = trial.records[trial.first + titles - 1].cells or []
        is_odd = titles or any(above[1:])
        doubts = _doubts_of_skipped(skipped, above, trial.width, self.marks) if is_odd else []
        if len(above) == trial.width - 1 and are_names(above):
            self.names = ["", *above]
        self._put("skip_rows", Finding(skipped, evidence, doubts))
        return skipped

    # ---- the columns -----------------------------------------------------------------------------

    def _columns(self, headers: list[Any], rows: list[Any], trial: Trial) -> None:
        width = trial.width
        if width > 1 and not any(row[-1] for row in [*headers, *rows]):
            width -= 1  # every row ends with a delimiter
            self._put("ragged", Finding("pad", "every row ends with a delimiter, without a cell"))
        names, why = names_of(headers, width)
        if why:
            self.proposal.options["columns"] = Finding("by position", why)
            if headers:
                self.proposal.doubts.append(f"the columns' names are made, since {why}")
            elif self.names:
                names, _ = names_of([self.names], width)
        columns = {name: [row[at] for row in rows] for at, name in enumerate(names)}
        self._spelling(list(columns.values()))
        judged = {name: self._type(column) for name, column in columns.items()}
        self.proposal.columns = {name: finding for name, (finding, _) in judged.items()}
        for name, column in columns.items():
            self._texts_of(name, column)
        self.proposal.doubts += _remarks(columns[names[-1]])
        if nulls := {marker for _, markers in judged.values() for marker in markers}:
            self._nulls(nulls, columns)

    def _texts_of(self, name: str, column: list[str | None]) -> None:
        """Looks for quoted empty cells, and for words for true and false."""
        column_type = self.proposal.columns[name].value
        if "" in column and column_type != "text":
            evidence = f"quoted empty cells in {name}, which is no text"
            self.proposal.options["quoted_nulls"] = Finding("no_text", evidence)
        if column_type == "boolean" and (words := truth_words(_values(column))):
            for option, word in zip(("true_words", "false_words"), words, strict=True):
                self._put(option, Finding([word], f"in {name}"))

    def _spelling(self, columns: list[list[str | None]]) -> None:
        values = [_values(column) for column in columns]
        self.marks, doubts = marks_of(values, self.delimiter)
        if self.marks.decimal != ".":
            evidence = "columns are numbers with it, and not without"
            self._put("decimal", Finding(self.marks.decimal, evidence, doubts))
            doubts = []
        if self.marks.thousands:
            self._put(
                "thousands", Finding(self.marks.thousands, "it groups digits by three", doubts)
            )
        order, doubts = date_order(values)
        if order is not None:
            self.proposal.options["dates"] = Finding(order, "dates in digits fit no other", doubts)

    def _type(self, column: list[str | None]) -> tuple[Finding, set[str]]:
        """Returns the type of a column, and the texts in it that must be NULL for it."""
        everything = [cell for cell in column if cell]
        finding = type_of(everything, self.marks)
        markers = {cell.strip() for cell in everything} & set(NULLS)
        if finding.value != "text" or not markers:
            return finding, set()
        without = type_of(_values(column), self.marks)
        if without.value == "text":
            return finding, set()
        return without, markers

    def _nulls(self, nulls: set[str], columns: dict[str, list[str | None]]) -> None:
        listed = sorted(nulls)
        texts = [name for name, each in self.proposal.columns.items() if each.value == "text"]
        also = [name for name in texts if nulls & {cell for cell in columns[name] if cell}]
        doubts = [f"they become NULL in text columns, too: {', '.join(also)}"] if also else []
        self._put("nulls", Finding(listed, "without them columns are numbers or dates", doubts))
        # Whether they stand within quotes in the file is not known here.
        quote = self.proposal.options.get("quote", Finding('"')).value
        if quote and quote.encode() in self.sample.data:
            self._put("quoted_nulls", Finding("no_text", "so they are NULL within quotes, too"))

    # ---- what stands around the rows -------------------------------------------------------------

    def _around(self, trial: Trial, headers: int) -> None:
        table = trial.table[headers:]
        odd = [r for r in table if r.cells is None or len(r.cells) != trial.width]
        if odd:
            self._odd(odd, len(table), trial.width)
        whole = self._is_whole(trial)
        if whole and trial.behind:
            self._put(*footer_of(trial, len(table)))
        elif not self.sample.is_whole:
            self.proposal.doubts.append(
                "only the beginning was read: types and rows further on may differ"
            )

    def _odd(self, odd: list[Record], count: int, width: int) -> None:
        cut = [r.cells for r in odd if r.cells is not None]
        where = f"the first in line {odd[0].line}"
        if cut and all(not any(cells[width:]) for cells in cut):
            doubt = f"{len(cut)} of {count} rows have fewer or more fields than {width}, {where}"
            self.proposal.options["ragged"] = Finding("pad", "the others are empty", [doubt])

    def _leave_out_totals(self, count: int) -> None:
        self.proposal.options.pop("footer", None)
        doubt = "the last row looks like a total: skip_footer leaves it out; footer: would check it"
        self._put("skip_footer", Finding(count, "rows at the end that are no data", [doubt]))


def _delimiter_of(trial: Trial, rivals: list[Trial], text: bytes) -> Finding:
    """Returns the delimiter, with how many rows it cuts evenly."""
    delimiter = trial.options["delimiter"]
    share = sum(len(r.cells or ()) == trial.width for r in trial.table) / len(trial.table)
    name = SHOWN.get(delimiter, delimiter)
    evidence = f"{name}: {share:.0%} of the rows have {trial.width} cells"
    if trial.names:
        evidence = f"{name}: the widest row has {trial.names} cells"
    doubts = [f"{rival.options['delimiter']!r} cuts it nearly as well" for rival in rivals[:1]]
    is_fixed = is_fixed_width(text[:TRIAL_BYTES].decode("utf-8", "replace"))
    if delimiter == BLANKS and is_fixed:
        doubts.append("lines of one length: if cells can be empty or touch, type: fixed cuts it")
    if trial.width == 1:
        doubts.append("one column: no delimiter makes more of it")
        if is_fixed:
            doubts.append("lines of one length with blanks between columns: type: fixed cuts it")
    return Finding(delimiter, evidence, doubts)


def _remarks(last: Sequence[str | None]) -> list[str]:
    """Tells comments behind the rows, which no option takes off."""
    marked = sum(" #" in (cell or "") for cell in last)
    if marked <= len(last) / 2:
        return []
    return ["most of the last cells hold #: a comment behind a row is a part of its last cell"]


def _check_rows(trial: Trial) -> None:
    """Raises: DataError when there is no row."""
    if not trial.width or not trial.table:
        expected = "a delimiter between cells, and quotes in pairs"
        raise DataError("no row of the file can be read as CSV", expected=expected)


def _fitting(trial: Trial) -> list[list[str | None]]:
    """Returns the cells of the rows that have the table's width; of few rows all, padded."""
    rows = [list(record.cells) for record in trial.table if record.cells is not None]
    if len(rows) < 3 or trial.names:
        return [(row + [None] * trial.width)[: trial.width] for row in rows]
    return [row for row in rows if len(row) == trial.width]


def _doubts_of_skipped(
    line: int, above: Sequence[str | None], width: int, marks: Marks
) -> list[str]:
    """Says what the line before the table may be, beside a title."""
    if len(above) == width - 1 and are_names(above):
        return [f"line {line} has a name less than the rows have cells: the first has none"]
    filled = len([cell for cell in above if cell])
    if filled > 1 and sum(is_typed(cell, marks) for cell in above) > filled / 2:
        return [f"line {line} has {filled} cells, most of them numbers: a row would be skipped"]
    if filled > 1:
        return [f"line {line} has {filled} cells: is it a part of the header?"]
    return [f"line {line} has one cell: a title, or a part of the header?"] if filled else []


def _values(column: list[str | None]) -> list[str]:
    return [cell for cell in column if cell and cell.strip() not in NULLS]


def _comment(trial: Trial) -> str | None:
    """Returns # where it begins lines that are no rows of the table."""
    others = [r for r in trial.records if r.cells is None or len(r.cells) != trial.width]
    before = list(takewhile(_is_marked, trial.records))
    by_blanks = trial.options["delimiter"] == BLANKS  # which cut the words of a comment, too
    is_table = any(len(r.cells or ()) == trial.width for r in before)
    if len(before) > 1 and (by_blanks or not is_table):
        return "#"
    marked = list(filter(_is_marked, others))
    return "#" if marked and len(marked) >= 0.8 * len(others) else None


def _is_marked(record: Record) -> bool:
    return record.raw.lstrip().startswith(b"#")
