"""Dates and timestamps of a file that has types of its own: their whole range, and their texts."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pyarrow.compute as pc

from include.landfall.read.casts.guards import Mask

DAY_SECONDS = 86_400
PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
EPOCH = dt.date(1970, 1, 1)
ERA_DAYS, ERA_YEARS = 146_097, 400  # the calendar repeats after them
# Days since 1970. Arrow writes the years 1 to 9999 as Postgres does, and others in other forms.
FIRST_DAY = (dt.date(1, 1, 1) - EPOCH).days
LAST_DAY = (dt.date(9999, 12, 31) - EPOCH).days
# What Postgres can hold: https://www.postgresql.org/docs/current/datatype-datetime.html
POSTGRES_FIRST_DAY = -2_440_588  # 4714-11-24 BC
POSTGRES_LAST_DAY = 2_145_042_905  # 5874897-12-31
MIDNIGHT = r" 0?0:00:00(?:\.0+)?( BC)?$"
BY_DAY = r"^.* \d+:.*$"


def is_moment(own: pa.DataType) -> bool:
    """Returns whether the type is one of dates or timestamps."""
    return bool(pa.types.is_date(own) or pa.types.is_timestamp(own))


def beyond_calendar(moments: pa.Array) -> Mask | None:
    """Suspects what Postgres cannot hold. As numbers some of it would be infinity, or wrap."""
    per_day = _per_day(moments.type)
    first, last = POSTGRES_FIRST_DAY * per_day, (POSTGRES_LAST_DAY + 1) * per_day - 1
    return _outside(_numbers(moments), first, last)


def moment_texts(moments: pa.Array, declared: str = "") -> pa.Array:
    """Returns texts from which Postgres reads the same dates or timestamps, and no other date."""
    if pa.types.is_date64(moments.type):
        moments = moments.cast(pa.date32())
    texts = _texts(moments)
    if declared != "date" or not pa.types.is_timestamp(moments.type):
        return texts
    days = pc.replace_substring_regex(texts, MIDNIGHT, r"\1")
    return pc.replace_substring_regex(days, BY_DAY, r"\0 (not midnight)")


def _texts(moments: pa.Array) -> pa.Array:
    own = moments.type
    zone = "+00" if pa.types.is_timestamp(own) and own.tz else ""
    if zone:  # Arrow rounds the offsets of old times to minutes
        moments = moments.cast(pa.timestamp(own.unit, "UTC"))
    numbers, per_day = _numbers(moments), _per_day(own)
    far = _outside(numbers, FIRST_DAY * per_day, (LAST_DAY + 1) * per_day - 1)
    if far is None:
        return moments.cast(pa.string())
    near = pc.if_else(far, pa.scalar(None, moments.type), moments).cast(pa.string())
    texts = [_far_text(number, per_day, zone) for number in numbers.filter(far).to_pylist()]
    return pc.replace_with_mask(near, far, pa.array(texts, pa.string()))


def _per_day(own: pa.DataType) -> int:
    return 1 if pa.types.is_date32(own) else DAY_SECONDS * PER_SECOND[_unit(own)]


def _unit(own: pa.DataType) -> str:
    return "ms" if pa.types.is_date64(own) else str(own.unit)


def _numbers(moments: pa.Array) -> pa.Array:
    return moments.view(pa.int32() if pa.types.is_date32(moments.type) else pa.int64())


def _outside(numbers: pa.Array, first: int, last: int) -> Mask | None:
    """Returns the mask of what is not between the two, or None when everything is."""
    ends = pc.min_max(numbers)
    lowest, highest = ends["min"].as_py(), ends["max"].as_py()
    if lowest is None or (first <= lowest and highest <= last):
        return None
    limit = 1 << (numbers.type.bit_width - 1)
    low = pc.less(numbers, pa.scalar(max(first, -limit), numbers.type))
    high = pc.greater(numbers, pa.scalar(min(last, limit - 1), numbers.type))
    return pc.fill_null(pc.or_(low, high), False)


def _far_text(number: int, per_day: int, zone: str) -> str:
    days, rest = divmod(number, per_day)
    eras, day = divmod(days, ERA_DAYS)
    date = EPOCH + dt.timedelta(days=day)
    year = date.year + ERA_YEARS * eras
    text = f"{year if year > 0 else 1 - year:04}-{date:%m-%d}"
    if per_day > 1:
        micros = rest * 10**6 * DAY_SECONDS // per_day
        text += f" {dt.timedelta(microseconds=micros)}{zone}"
    return text if year > 0 else f"{text} BC"
