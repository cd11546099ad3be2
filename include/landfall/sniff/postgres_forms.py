"""Which texts Postgres reads as a type, beside the forms that the fast path takes.

The forms are those of the input functions of Postgres 13 to 18 that files have; a text that is in
none of them may still be read, and is a doubt.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal

from include.landfall.feed.column_types import ColumnType
from include.landfall.sniff.postgres_texts import (
    is_address,
    is_array,
    is_bits,
    is_bytes,
    is_interval,
    is_json,
    is_short,
)

BOOLEAN = re.compile(r"t(r(ue?)?)?|f(a(l(se?)?)?)?|y(es?)?|no?|on|off?|1|0", re.ASCII)
INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
BITS = {"smallint": 15, "integer": 31, "bigint": 63}
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII)
# Between which floats are numbers, with some room; and how many digits a numeric has at the most.
SIZES = {"real": (Decimal("1e-44"), Decimal("3e38")),
         "double precision": (Decimal("1e-322"), Decimal("1.7e308"))}  # fmt: skip
MOST_DIGITS, LONGEST_SCALE = 131_072, 16_383
WIDE = Context(prec=3000)
NO_NUMBER = re.compile(r"nan|[+-]?inf(inity)?", re.ASCII)
UUID = re.compile(r"\{?[0-9a-f]{4}(-?[0-9a-f]{4}){7}\}?", re.ASCII)
MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
FULL_MONTHS = (
    "january february march april may june july august september october november december".split()
)
NAME = "|".join([*FULL_MONTHS, *MONTHS, "sept"])
DAY = (
    r"(?P<y>\d{4})[-/. ](?P<m>\d{1,2})[-/. ](?P<d>\d{1,2})",
    r"(?P<y>\d{4})(?P<m>\d\d)(?P<d>\d\d)",
    rf"(?P<d>\d{{1,2}})[-/. ]*(?P<n>{NAME})[-/., ]*(?P<y>\d{{4}}|\d\d)",
    rf"(?P<n>{NAME})[-/. ]*(?P<d>\d{{1,2}})[-/., ]+(?P<y>\d{{4}})",
    rf"(?P<y>\d{{4}})[-/. ]*(?P<n>{NAME})[-/. ]*(?P<d>\d{{1,2}})",
)
# An offset, or the name of a zone, as a load writes that of the feed behind a cell.
ZONE = r"(?: ?(?:z|utc|gmt|[+-]\d{1,2}(?::?\d\d)?)| [a-z_]+(?:/[a-z_+-]+)+)?"
CLOCK = r"(?P<h>\d{1,2}):(?P<min>[0-5]\d)(?::(?P<s>[0-5]\d|60)(?:\.\d*)?)?(?: ?(?P<half>[ap]m))?"
TIME = re.compile(CLOCK + ZONE, re.ASCII)
MOMENTS = [re.compile(rf"{day}(?:(?:t| +){CLOCK}{ZONE})?", re.ASCII) for day in DAY]
BLANKS = " \t\n\r\v\f"  # that the input functions skip
SPECIAL = {"infinity", "-infinity", "epoch"}


def is_read(text: str, declared: ColumnType) -> bool:
    """Returns whether Postgres surely reads the text as this type, which is built in."""
    if declared.array:
        return is_array(text, declared.element, is_read)
    if declared.name in AS_THEY_ARE:
        return AS_THEY_ARE[declared.name](text, declared)
    name, text = declared.name, text.strip(BLANKS).lower()
    if name == "boolean":
        return BOOLEAN.fullmatch(text) is not None
    if name in BITS:
        whole = INTEGER.fullmatch(text) is not None and len(text) < 40
        return whole and -(1 << BITS[name]) <= int(text) < 1 << BITS[name]
    if name in ("numeric", "real", "double precision"):
        return _is_number(text, declared)
    if name in ("time", "timetz"):  # the name of a zone needs a day
        return _is_clock(TIME.fullmatch(text)) and (name == "time" or "/" not in text)
    if name == "interval":
        return is_interval(text)
    return text in SPECIAL or any(_is_moment(form.fullmatch(text)) for form in MOMENTS)


AS_THEY_ARE: dict[str, Callable[[str, ColumnType], bool]] = {  # of which no blanks are skipped
    "text": is_short, "varchar": is_short, "char": is_short, "json": is_json, "jsonb": is_json,
    "bit": is_bits, "varbit": is_bits,
    "bytea": lambda text, _: is_bytes(text),
    "inet": lambda text, _: is_address(text),
    "uuid": lambda text, _: UUID.fullmatch(text.lower()) is not None,
}  # fmt: skip


def _is_number(text: str, declared: ColumnType) -> bool:
    if NO_NUMBER.fullmatch(text):
        return text == "nan" or not declared.modifiers  # a precision bounds, and excludes infinity
    if not NUMBER.fullmatch(text):
        return False
    number = abs(Decimal(text))
    if declared.name != "numeric":
        least, most = SIZES[declared.name]
        return not number or least < number < most
    if not declared.modifiers:
        return -LONGEST_SCALE < number.adjusted() < MOST_DIGITS
    precision, scale = (*declared.modifiers, 0)[:2]
    if number and number.adjusted() >= precision - scale:
        return False
    rounded = number.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP, WIDE)
    return rounded < Decimal(1).scaleb(precision - scale)


def _is_clock(match: re.Match[str] | None) -> bool:
    if match is None:
        return False
    hour = int(match["h"])
    return 1 <= hour <= 12 if match["half"] else hour <= 23


def _is_moment(match: re.Match[str] | None) -> bool:
    if match is None or (match["h"] and not _is_clock(match)):
        return False
    parts = match.groupdict()
    month = MONTHS.index(parts["n"][:3]) + 1 if parts.get("n") else int(parts["m"])
    year = int(parts["y"]) + (2000 if len(parts["y"]) == 2 else 0)
    try:
        date(year, month, int(parts["d"]))
    except ValueError:
        return False
    return True
