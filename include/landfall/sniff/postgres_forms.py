"""Which texts Postgres reads as a type, beside the forms that the fast path takes.

The forms are those of the input functions of Postgres 13 to 18 that files have; a text that is in
none of them may still be read, and is a doubt.
"""

from __future__ import annotations

import re
from datetime import date

from include.landfall.feed.column_types import ColumnType

BOOLEAN = re.compile(r"t(r(ue?)?)?|f(a(l(se?)?)?)?|y(es?)?|no?|on|off?|1|0")
INTEGER = re.compile(r"[+-]?\d+")
BITS = {"smallint": 15, "integer": 31, "bigint": 63}
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?")
NO_NUMBER = re.compile(r"nan|[+-]?inf(inity)?")
UUID = re.compile(r"\{?[0-9a-f]{4}(-?[0-9a-f]{4}){7}\}?")
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
TIME = re.compile(CLOCK + ZONE)
MOMENTS = [re.compile(rf"{day}(?:(?:t| +){CLOCK}{ZONE})?") for day in DAY]
SPECIAL = {"infinity", "-infinity", "epoch"}


def is_read(text: str, declared: ColumnType) -> bool:
    """Returns whether Postgres surely reads the text as this type."""
    name, text = declared.name, text.strip().lower()
    if name == "boolean":
        return BOOLEAN.fullmatch(text) is not None
    if name in BITS:
        whole = INTEGER.fullmatch(text) is not None and len(text) < 40
        return whole and -(1 << BITS[name]) <= int(text) < 1 << BITS[name]
    if name in ("numeric", "real", "double precision"):
        return _is_number(text, declared)
    if name == "uuid":
        return UUID.fullmatch(text) is not None
    if name == "time":
        return _is_clock(TIME.fullmatch(text))
    if name in ("date", "timestamp", "timestamptz"):
        return text in SPECIAL or any(_is_moment(form.fullmatch(text)) for form in MOMENTS)
    return name == "bytea"


def _is_number(text: str, declared: ColumnType) -> bool:
    if NO_NUMBER.fullmatch(text):
        return True
    if not NUMBER.fullmatch(text):
        return False
    if declared.name != "numeric":
        return abs(float(text)) < (3e38 if declared.name == "real" else float("inf"))
    if not declared.modifiers:
        return True
    precision, scale = (*declared.modifiers, 0)[:2]
    return abs(float(text)) < 10.0 ** (precision - scale)


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
