"""How the cells of a table are spelt: marks of numbers, orders of dates, texts that are NULL."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache

NULLS = ("NA", "N/A", "n/a", "NULL", "null", "Null", "None", "nan", "NaN", "#N/A", "\\N", "-", ".",
         "?", "(null)", "nil")  # fmt: skip
DATE = re.compile(
    r"(\d{1,4})([-/.])(\d{1,2})\2(\d{1,4})(?:[T ]\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?: ?[AaPp][Mm])?"
    r"(Z|[+-]\d\d(?::?\d\d)?)?)?"
)
Values = Sequence[str]


@dataclass(frozen=True)
class Marks:
    """The decimal mark, and what stands between thousands."""

    decimal: str = "."
    thousands: str = ""


@cache
def form_of(marks: Marks) -> re.Pattern[str]:
    """Returns the form of a number with these marks."""
    groups = rf"\d{{1,3}}(?:{re.escape(marks.thousands)}\d{{3}})+|" if marks.thousands else ""
    # A zero before other digits is part of a code, such as 00123.
    whole, mark = rf"(?:{groups}0|[1-9]\d*)", re.escape(marks.decimal)
    behind = r"\d*" if marks == PLAIN else r"\d+"  # 25. is a number as Fortran writes it
    # An exponent alone is part of a code, such as E019.
    return re.compile(rf"[-+]?(?:{whole}(?:{mark}{behind})?|{mark}\d+)(?:[eE][-+]?\d+)?")


PLAIN = Marks()
MARKS = (PLAIN, Marks(",", ""), Marks(",", "."), Marks(".", ","), Marks(",", " "), Marks(".", " "),
         Marks(".", "'"), Marks(",", "\u00a0"), Marks(",", "\u202f"))  # fmt: skip


def is_number(text: str, marks: Marks) -> bool:
    """Returns whether the text is a number with these marks."""
    return form_of(marks).fullmatch(text.strip()) is not None


def marks_of(columns: Iterable[Values], delimiter: str = "") -> tuple[Marks, list[str]]:
    """Returns the marks with which most columns are numbers, and doubts.

    Where commas are between the cells, one within a number rather groups its digits.
    """
    distinct = [{v.strip() for v in values if v} for values in columns]
    others = [values for values in distinct if not all(map(str.isdigit, values))]
    counts = {marks: sum(_are_numbers(values, marks) for values in others) for marks in MARKS}
    order = sorted(MARKS, key=lambda marks: delimiter == "," == marks.decimal)
    best = max(order, key=lambda marks: counts[marks])  # the first of those that are equally good
    if best == PLAIN:
        return best, []
    doubts = []
    rivals = [m for m in MARKS if m != best and counts[m] == counts[best]]
    if any(m.decimal != best.decimal for m in rivals):
        doubts.append("numbers such as 1,234 may have a decimal mark or thousands: look at them")
    return best, doubts


def _are_numbers(values: Collection[str], marks: Marks) -> bool:
    form = form_of(marks)
    return bool(values) and all(map(form.fullmatch, values))


def date_order(columns: Iterable[Values]) -> tuple[str | None, list[str]]:
    """Returns the order that all dates in digits fit, and doubts where two do, or none.

    The order is empty where the dates need none: all begin with a year of four digits.
    """
    fitting: Counter[str] = Counter()
    count = 0
    for values in columns:
        parts = [match.groups() for value in values if (match := DATE.fullmatch(value.strip()))]
        parts = [each for each in parts if len(each[0]) < 4]
        if not parts or len(parts) < len([v for v in values if v]):
            continue
        count += 1
        fitting.update(order for order in ("DMY", "MDY", "YMD") if _fit(parts, order))
    if not count:
        return None, []
    fits = [order for order in ("DMY", "MDY", "YMD") if fitting[order] == count]
    if len(fits) == 1:
        return fits[0], []
    if not fits:
        return "", ["columns have dates of different orders: give formats, or read one as text"]
    return "", [f"the dates fit {' and '.join(fits)}: choose one, until then they are rejects"]


def _fit(parts: Iterable[tuple[str, ...]], order: str) -> bool:
    for first, _, second, third, *_ in parts:
        by_name = dict(zip(order, (first, second, third), strict=True))
        if not (1 <= int(by_name["D"]) <= 31 and 1 <= int(by_name["M"]) <= 12):
            return False
        if len(by_name["Y"]) not in (2, 4) or max(len(by_name["D"]), len(by_name["M"])) > 2:
            return False
    return True
