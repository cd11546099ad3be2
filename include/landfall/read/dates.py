"""Dates and timestamps as a feed says that they are spelt, rewritten as Postgres always reads them.

Postgres would read 03/04/2026 by a setting of the session. So a cell of digits is rewritten by the
feed's order or format, or it gets a note that Postgres refuses: never another reading.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from include.landfall.read.casts.guards import either, matching, not_matching

TYPES = {"date", "timestamp", "timestamptz"}
# Postgres reads dates in their texts: these, arrays of them, ranges, and domains over any.
READ_DATES = TYPES | {"daterange", "tsrange", "tstzrange", "datemultirange", "tsmultirange",
                      "tstzmultirange"}  # fmt: skip
PIVOT = 70  # a year of two digits from here on is of the 20th century, as it is to Postgres
_MARK = r"\s?[-/. ]\s?"
_REST = r"(?:[T ,]\s*(?P<rest>.*?))?\s*$"
_SHORT, _YEAR = r"(?P<{}>\d{{1,2}})", r"(?P<Y>\d{4}|\d{2})"
_PARTS = {"D": _SHORT.format("d"), "M": _SHORT.format("m"), "Y": _YEAR}
# What may stand before a date: the name of the day, and the time of day.
_AHEAD = (
    r"^\s*(?:(?i:mon|tue|wed|thu|fri|sat|sun)[A-Za-z]*[.,]?\s+)?"
    r"(?:(?P<ahead>\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?:\s?[AaPp][Mm])?)\s+)?"
)
# Three numbers, or digits alone; a year of four digits in front is the same in every order.
_THREE = rf"{_AHEAD}\d{{1,3}}{_MARK}\d{{1,3}}{_MARK}\d+"
# Between two numbers of two digits the name of a month leaves open which is the year.
_NAMED_MARK = r"\s?[-/. ,]?\s?"
_PARTS_NAMED = (r"(?P<Y>\d{2})", "(?P<b>[A-Za-z]{3,9})", r"(?P<d>\d{1,2})")
_NAMED = _AHEAD + _NAMED_MARK.join(_PARTS_NAMED) + _REST
_DIGITS = r"^\s*\d{5,}\s*$"
# Two numbers that are both months, and not the same; in an array, too.
_BETWEEN = r"[-/. !-*;-@\[-`{-~]"  # to Postgres every other mark parts two numbers as these do
_PAIRS = "|".join(
    rf"0?{one}{_BETWEEN}(?:{'|'.join(f'0?{other}' for other in range(1, 13) if other != one)})"
    for one in range(1, 13)
)
# Not behind a year, but behind a time of day.
_UNDECIDED = rf"(?:^[/.:]?|[^-/.:\\0-9\s][/.:]?|:[0-9.]+\s)[\s\v]*(?:{_PAIRS}){_BETWEEN}\d"
_MONTHS = ("january february march april may june july august september october november "
           "december").split()  # fmt: skip
_NAMES = [*_MONTHS, *(name[:3] for name in _MONTHS), "sept"]
_NUMBERS = [f"{1 + at % 12:02}" for at in range(24)] + ["09"]
_YEAR_FIRST = r"^\d{4}-\d\d-\d\d$"
_DIRECTIVES = {
    "d": r"(?P<d>\d{1,2})", "m": r"(?P<m>\d{1,2})", "Y": r"(?P<Y>\d{4})", "y": r"(?P<Y>\d{2})",
    "b": "(?P<b>[A-Za-z]{3,9})", "B": "(?P<b>[A-Za-z]{3,9})", "H": r"(?P<H>\d{1,2})",
    "I": r"(?P<H>\d{1,2})", "M": r"(?P<M>\d{2})", "S": r"(?P<S>\d{2})", "f": r"(?P<f>\d{1,6})",
    "p": "(?P<p>[AaPp][Mm])", "z": r"(?P<z>Z|[+-]\d\d:?\d\d)", "%": "%",
}  # fmt: skip

Step = Callable[[pa.Array], pa.Array]


def noted(texts: pa.Array, mask: pa.BooleanArray, note: str) -> pa.Array:
    """Returns the texts with a note in parentheses behind those of the mask: Postgres refuses it.

    So a message of Postgres about the cell shows the note.
    """
    return pc.if_else(mask, pc.binary_join_element_wise(texts, f" ({note})", ""), texts)


def note_undecided(texts: pa.Array, has_dates: bool = False) -> pa.Array:
    """Returns the texts with a note behind dates that two orders read as different days.

    `has_dates` is whether the feed has `dates:`, which reads no date within other text.
    """
    # In most columns nothing is left to search: that pattern takes half a millisecond to compile.
    if not pc.any(not_matching(texts, _YEAR_FIRST)).as_py():
        return texts
    undecided = matching(texts, _UNDECIDED)
    if not pc.any(undecided).as_py():
        return texts
    do = "dates: reads no date within other text" if has_dates else "the feed's dates: says it"
    return noted(texts, undecided, f"which is the month? {do}")


def step_for(dates: Sequence[str]) -> Step:
    """Makes the step that rewrites cells of an order, or of formats."""
    if dates[0] in {"DMY", "MDY", "YMD"}:
        return by_order(dates[0])
    return by_formats(dates)


def by_order(order: str) -> Step:
    """Makes the step for dates in digits whose parts have this order."""
    pattern = _AHEAD + _MARK.join(_PARTS[part] for part in order) + _REST

    def step(texts: pa.Array) -> pa.Array:
        wanted = matching(texts, _THREE)
        if order != "YMD":  # digits alone begin with the year, to Postgres
            wanted = pc.or_(wanted, matching(texts, _DIGITS))
        texts = _ordered(texts, wanted, pattern, order)
        if order == "YMD":  # Postgres takes the number before the name of a month for the day
            texts = _ordered(texts, matching(texts, _NAMED), _NAMED, order)
        return texts

    return step


def _ordered(texts: pa.Array, wanted: pa.BooleanArray, pattern: str, order: str) -> pa.Array:
    """Rewrites the wanted texts by the pattern; what does not fit it gets a note."""
    if not pc.any(wanted).as_py():
        return texts
    parts = pc.extract_regex(texts, pattern)
    ahead, rest = (pc.struct_field(parts, name) for name in ("ahead", "rest"))
    written = _joined([(_day(parts), ""), (ahead, " "), (rest, " ")])
    fits = pc.and_(wanted, written.is_valid())
    others = noted(texts, pc.and_(wanted, written.is_null()), f"not {order}")
    return pc.if_else(fits, written, others)


def by_formats(formats: Sequence[str]) -> Step:
    """Makes the step for dates of formats, of which the first that fits counts."""
    patterns = [_pattern_of(each) for each in formats]

    def step(texts: pa.Array) -> pa.Array:
        result = pa.nulls(len(texts), pa.string())
        for pattern in patterns:
            parts = pc.extract_regex(texts, pattern)
            result = pc.coalesce(result, _written(parts))
        unfit = pc.and_(result.is_null(), texts.is_valid())
        return noted(pc.coalesce(result, texts), unfit, "not as dates: says")

    return step


def _pattern_of(date_format: str) -> str:
    pieces = re.split("%(.)", date_format)
    # Every other piece is a directive.
    pattern = "".join(
        _DIRECTIVES[piece] if at % 2 else re.escape(piece) for at, piece in enumerate(pieces)
    )
    return rf"^\s*{pattern}\s*$"


def _written(parts: pa.StructArray) -> pa.Array:
    """Writes the parts of a format as a date and a time of day; NULL where they are none."""
    names = {field.name for field in parts.type}
    between = {"H": " ", "M": ":", "S": ":", "f": ".", "p": " ", "z": ""}
    pieces = [(_day(parts), "")]
    for name, mark in between.items():
        if name in names:
            piece = pc.struct_field(parts, name)
            pieces.append((pc.utf8_lpad(piece, 2, "0") if name == "H" else piece, mark))
    if "H" in names and "M" not in names:
        pieces.insert(2, (pa.scalar("00"), ":"))
    return _joined(pieces)


def _day(parts: pa.StructArray) -> pa.Array:
    """Returns the days as texts: year, month and day, and NULL without them."""
    year, day = pc.struct_field(parts, "Y"), pc.struct_field(parts, "d")
    if "b" in {field.name for field in parts.type}:
        named = pc.index_in(pc.utf8_lower(pc.struct_field(parts, "b")), pa.array(_NAMES))
        month = pa.array(_NUMBERS).take(named)
    else:
        month = pc.utf8_lpad(pc.struct_field(parts, "m"), 2, "0")
    century = pc.if_else(pc.greater_equal(year, str(PIVOT)), "19", "20")
    short = pc.equal(pc.binary_length(year), 2)
    year = pc.if_else(short, pc.binary_join_element_wise(century, year, ""), year)
    return pc.binary_join_element_wise(year, month, pc.utf8_lpad(day, 2, "0"), "-")


def _joined(pieces: Sequence[tuple[pa.Array, str]]) -> pa.Array:
    """Joins pieces, each with the mark before it; one that is empty goes without its mark."""
    result = pieces[0][0]
    for piece, mark in pieces[1:]:
        behind = pc.binary_join_element_wise(mark, piece, "")
        if isinstance(piece, pa.Array):
            is_empty = pc.equal(pc.fill_null(piece, ""), "")
            behind = pc.if_else(is_empty, "", behind)
        result = pc.binary_join_element_wise(result, behind, "")
    return result


# A time of day with an offset or Z behind it, or with a name of three letters or more, which is
# none of a day or a month. ISO's basic format has no colon: 20260701T120000Z.
_TIME_AND_ZONE = (
    r"(?i)(:\d\d(\.\d+)?|[T ]\d{4}(\d\d(\.\d+)?)?)\s*([ap]m)?\s*([+-]\d|Z\s*$)"
    r"|:\d.*[a-z]{3}|[a-z_]+/[a-z_]+"
)
_NAMES_OF_DAYS = (
    r"(?i)\b(mon|tues?|wed(nes)?|thu(rs?)?|fri|sat(ur)?|sun)(day)?\b"
    rf"|\b({'|'.join(sorted(_NAMES, key=len, reverse=True))})\b"
)
_WORDS = r"(?i)^\s*[-+]?[a-z]+\s*$"  # infinity, now


def in_zone(zone: str) -> Step:
    """Makes the step that names the zone in cells that name none."""

    def step(texts: pa.Array) -> pa.Array:
        nameless = pc.replace_substring_regex(texts, _NAMES_OF_DAYS, " ")
        has_zone = either(matching(nameless, _TIME_AND_ZONE), matching(texts, _WORDS))
        return pc.if_else(has_zone, texts, pc.binary_join_element_wise(texts, zone, " "))

    return step
