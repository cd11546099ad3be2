"""Proposes a feed for lines whose columns are aligned, where no delimiter cuts them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

from include.landfall.sniff.encoding import encoding_of
from include.landfall.sniff.findings import Finding, Proposal
from include.landfall.sniff.header import header_of, is_typed, names_of
from include.landfall.sniff.sample import Sample
from include.landfall.sniff.spelling import NULLS, PLAIN
from include.landfall.sniff.types import type_of

MOST_LINES = 5000
FEWEST_LINES = 10  # of several lengths
LEAST_FILLED = 0.4  # of all cells
MOST_TITLES = 3  # lines with names
RULE = re.compile(r"[ \t]*[-=_]{2,}(?:[ \t]+[-=_]+)+[ \t]*")
DOUBT = "the fields are where all lines that were read have blanks between them: look at each"


class Span(NamedTuple):
    """The characters of a column, from 0."""

    start: int
    stop: int


def propose(sample: Sample) -> Proposal | None:
    """Returns the fields of aligned lines, with doubts; none where lines are not aligned."""
    encoding = encoding_of(sample.data, is_whole=sample.is_whole)
    text = sample.data.decode(encoding.value, "replace").removeprefix("\ufeff")
    end = len(text) if sample.is_whole else text.rfind("\n") + 1
    lines = [line.rstrip("\r") for line in text[:end].rstrip().split("\n")[:MOST_LINES]]
    if any("\t" in line or not line.strip() for line in lines):
        return None
    titles, spans = _spans_of(lines)
    body = lines[titles:]
    is_even = len(body) > 2 and len({len(line) for line in body}) == 1
    if len(spans) < 2 or not (is_even or _are_aligned(body)) or not _are_filled(body, spans):
        return None
    proposal = _proposal(lines, titles, spans)
    if not is_even and all(each.value == "text" for each in proposal.columns.values()):
        return None  # it may be prose
    if encoding.value != "utf-8" or encoding.doubts:
        proposal.options["encoding"] = encoding
    return proposal


def _are_aligned(lines: Sequence[str]) -> bool:
    """Returns whether enough lines have two blanks in a row, as no words have, at one place."""
    gaps = [left.stop + 1 < right.start for left, right in pairwise(_runs(lines))]
    return len(lines) >= FEWEST_LINES and any(gaps)


def _are_filled(lines: Sequence[str], spans: Sequence[Span]) -> bool:
    filled = sum(bool(line[start:stop].strip()) for line in lines for start, stop in spans)
    return filled >= LEAST_FILLED * len(lines) * len(spans)


def _spans_of(lines: Sequence[str]) -> tuple[int, list[Span]]:
    """Returns how many of the first lines have no row, and where the columns are below them."""
    for at, line in enumerate(lines[: MOST_TITLES + 1]):
        if at and RULE.fullmatch(line):
            marks = [Span(*match.span()) for match in re.finditer(r"\S+", line)]
            return at + 1, _filled(marks, lines[at + 1 :])
    may_be_names = not any(is_typed(word, PLAIN) for line in lines[:1] for word in line.split())
    options = [(at, _runs(lines[at:])) for at in range(2 if may_be_names else 1)]
    titles, spans = max(options, key=lambda option: (len(option[1]), -option[0]))
    body = lines[titles:]
    return titles, _filled(_joined(spans, body), body)


def _runs(lines: Sequence[str]) -> list[Span]:
    """Returns the stretches in which some line has a letter, and between which none has."""
    width = max(map(len, lines), default=0)
    used = [False] * width
    for line in lines:
        for match in re.finditer(r"\S+", line):
            used[match.start() : match.end()] = [True] * (match.end() - match.start())
    runs, at = [], 0
    for is_used, each in groupby(used):
        stop = at + len(list(each))
        if is_used:
            runs.append(Span(at, stop))
        at = stop
    return runs


def _filled(spans: Sequence[Span], lines: Sequence[str]) -> list[Span]:
    """Returns the spans with the blanks between them, which longer values may take.

    They belong to numbers behind them: a text that is cut is refused there, while a number that
    is cut is another one. Else they belong to the column before them.
    """
    filled = list(spans)
    for at, (left, right) in enumerate(pairwise(spans)):
        if _is_typed(right, lines):
            filled[at + 1] = Span(left.stop, filled[at + 1].stop)
        else:
            filled[at] = Span(filled[at].start, right.start)
    return [Span(0, filled[0].stop), *filled[1:]] if filled else []


def _joined(spans: Sequence[Span], lines: Sequence[str]) -> list[Span]:
    """Returns the spans without single blanks between texts, which are rather words of one."""
    joined = list(spans[:1])
    for span in spans[1:]:
        last = joined[-1]
        is_word = last.stop + 1 == span.start
        if is_word and not _is_typed(last, lines) and not _is_typed(span, lines):
            joined[-1] = Span(last.start, span.stop)
        else:
            joined.append(span)
    return joined


def _is_typed(span: Span, lines: Sequence[str]) -> bool:
    """Returns whether most cells are numbers or dates."""
    cells = [cell for line in lines if (cell := line[span.start : span.stop].strip())]
    return sum(is_typed(cell, PLAIN) for cell in cells) > len(cells) / 2


def _proposal(lines: Sequence[str], titles: int, spans: Sequence[Span]) -> Proposal:
    rows = [[line[start:stop].strip() or None for start, stop in spans] for line in lines[titles:]]
    proposal = Proposal("fixed", doubts=[DOUBT])
    header = [_words(line, spans) for line in lines[:titles] if not RULE.fullmatch(line)]
    if not titles:
        judged = header_of(rows)
        count = int(judged.value)
        header, rows, titles = rows[:count], rows[count:], count
        proposal.doubts += judged.doubts
    names, _ = names_of(header, len(spans))
    fields = {
        name: {"start": start + 1, "width": stop - start}
        for name, (start, stop) in zip(names, spans, strict=True)
    }
    proposal.options["fields"] = Finding(fields, f"{len(rows):,} lines are aligned so")
    if titles:
        proposal.options["skip_rows"] = Finding(titles, "the lines with the names")
    if any(len(line) < spans[-1].stop for line in lines[titles:]):
        proposal.options["ragged"] = Finding("pad", "lines end before their last field does")
    _judge(proposal, names, rows)
    return proposal


def _words(line: str, spans: Sequence[Span]) -> list[str | None]:
    """Returns the names in a line: its words, where there is one for each column."""
    words: list[str | None] = [*line.split()]
    return words if len(words) == len(spans) else [line[a:b].strip() or None for a, b in spans]


def _judge(proposal: Proposal, names: Sequence[str], rows: Sequence[Sequence[str | None]]) -> None:
    """Adds the columns with their types, and the texts that must be NULL for them."""
    nulls: set[str] = set()
    for name, cells in zip(names, zip(*rows, strict=True), strict=True):
        values = [cell for cell in cells if cell]
        markers = {*values} & {*NULLS}
        finding = type_of(values, PLAIN)
        without = type_of([each for each in values if each not in markers], PLAIN)
        if markers and finding.value == "text" != without.value:
            finding = without
            nulls |= markers
        proposal.columns[name] = finding
    if nulls:
        why = "without them columns are numbers or dates"
        proposal.options["nulls"] = Finding(sorted(nulls), why)
