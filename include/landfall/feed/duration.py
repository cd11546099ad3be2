"""A length of time as people write it in a feed: 26 hours."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator

DURATION = re.compile(
    r"(\d{1,4}) ?(?:(min|minutes?)|(h|hours?)|(d|days?)|(w|weeks?))", re.IGNORECASE | re.ASCII
)
UNITS = ("minutes", "hours", "days", "weeks")


def duration_of(text: str) -> timedelta:
    """Returns the length of a time such as 26 hours. The text has been validated."""
    match = DURATION.fullmatch(text.strip())
    assert match is not None
    number, *units = match.groups()
    (unit,) = [name for name, unit in zip(UNITS, units, strict=True) if unit]
    return timedelta(**{unit: int(number)})


def in_words(length: timedelta) -> str:
    """Returns a length of time as people say it, in its two largest units."""
    minutes = int(length.total_seconds() // 60)
    parts = (
        (minutes // 1440, "day"),
        (minutes // 60 % 24, "hour"),
        (minutes % 60, "minute"),
    )
    first = next((place for place, (number, _) in enumerate(parts) if number), None)
    if first is None:
        return "less than a minute"
    shown = [f"{n} {unit}{'' if n == 1 else 's'}" for n, unit in parts[first : first + 2] if n]
    return " ".join(shown)


def _check(value: Any) -> Any:
    match = DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None or int(match[1]) == 0:
        raise ValueError("a number with its unit, such as 90 minutes, 26 hours, 3 days or 1 week")
    return value


Duration = Annotated[str, BeforeValidator(_check)]
