"""Which texts Postgres reads as the types whose length or inner form counts.

These are texts with a length, bits, bytes, JSON, addresses, intervals and arrays; the forms of
numbers and moments are in `postgres_forms`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from ipaddress import ip_interface
from typing import Any

from include.landfall.feed.column_types import ColumnType

HEX = re.compile(r"\\x(?:\s*[0-9a-f]{2})*\s*", re.ASCII | re.IGNORECASE)
ESCAPED = re.compile(r"(?:[^\\]|\\\\|\\[0-3][0-7]{2})*", re.DOTALL)
BITS = re.compile(r"b?(?P<bits>[01]*)|x(?P<digits>[0-9a-f]*)", re.IGNORECASE)
ADDRESS = re.compile(r"[0-9a-f.:]+(?:/\d{1,3})?", re.ASCII | re.IGNORECASE)
UNITS = {
    "microsecond": "us|usecs?|microseconds?", "millisecond": "ms|msecs?|milliseconds?",
    "second": "s|secs?|seconds?", "minute": "m|mins?|minutes?", "hour": "h|hrs?|hours?",
    "day": "d|days?", "week": "w|weeks?", "month": "mons?|months?", "year": "y|yrs?|years?",
}  # fmt: skip
PART = re.compile(
    r"[+-]?\d{1,9}(?:\.\d{1,9})? ?(?:"
    + "|".join(f"(?P<{n}>{u})" for n, u in UNITS.items())
    + r")\b",
    re.ASCII,
)
CLOCK = re.compile(r"[+-]?\d{1,6}:[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?\Z", re.ASCII)
OF_A_CLOCK = {"second", "minute", "hour"}
PERIOD = re.compile(
    r"p(?=[\dt-])(?:-?\d{1,6}y)?(?:-?\d{1,6}m)?(?:-?\d{1,6}w)?(?:-?\d{1,6}d)?"
    r"(?:t(?=[\d-])(?:-?\d{1,6}h)?(?:-?\d{1,6}m)?(?:-?\d{1,6}(?:\.\d{1,9})?s)?)?",
    re.ASCII,
)
ELEMENT = re.compile(
    r'\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>[^"{},\\]*[^"{},\\\s]))\s*', re.DOTALL
)
BACKSLASH = re.compile(r"\\(.)", re.DOTALL)
SURROGATE = re.compile(r"[\ud800-\udfff\0]")


def is_short(text: str, declared: ColumnType) -> bool:
    """Returns whether a text has no more characters than its type; blanks behind do not count."""
    return not declared.modifiers or not text[declared.modifiers[0] :].strip(" ")


def is_bytes(text: str) -> bool:
    r"""Returns whether the text is digits behind \x, or text with escapes."""
    form = HEX if text.startswith("\\x") else ESCAPED
    return form.fullmatch(text) is not None


def is_bits(text: str, declared: ColumnType) -> bool:
    """Returns whether the text is bits, or digits behind x, as many as the type has."""
    match = BITS.fullmatch(text)
    if match is None:
        return False
    count = len(match["bits"]) if match["bits"] is not None else 4 * len(match["digits"])
    if declared.name == "bit":
        return count == (*declared.modifiers, 1)[0]
    return not declared.modifiers or count <= declared.modifiers[0]


def is_address(text: str) -> bool:
    """Returns whether the text is an address of IP, with a prefix or without."""
    try:
        return bool(ADDRESS.fullmatch(text) and ip_interface(text))
    except ValueError:
        return False


def is_interval(text: str) -> bool:
    """Returns whether the text is an interval in words, by a clock, or as ISO 8601 has it."""
    if PERIOD.fullmatch(text):
        return True
    clock = CLOCK.search(text)
    words = text[: clock.start()].strip() if clock else text
    units = [match.lastgroup for match in PART.finditer(words)]
    is_plain = not PART.sub("", words).strip() and len(units) == len({*units})
    return is_plain and (not OF_A_CLOCK & {*units} if clock else bool(units))


def is_json(text: str, declared: ColumnType) -> bool:
    """Returns whether the text is JSON. What jsonb holds has no zero byte, and no half letter."""
    try:
        value = json.loads(text, parse_constant=_refuse, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return False
    return (
        declared.name == "json"
        or "\\u" not in text
        or not any(SURROGATE.search(each) for each in _texts_in(value))
    )


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


def _texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        for each in value.values():
            yield from _texts_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts_in(each)


def is_array(text: str, element: ColumnType, is_read: Callable[[str, ColumnType], bool]) -> bool:
    """Returns whether the text is an array of one dimension whose elements can be read."""
    text = text.strip()
    if not (text.startswith("{") and text.endswith("}")):
        return False
    inner, at = text[1:-1], 0
    if not inner.strip():
        return True
    while match := ELEMENT.match(inner, at):
        quoted, bare = match["quoted"], match["bare"]
        cell = bare if quoted is None else BACKSLASH.sub(r"\1", quoted)
        if not (quoted is None and bare.upper() == "NULL") and not is_read(cell, element):
            return False
        at = match.end()
        if at == len(inner):
            return True
        if inner[at] != ",":
            return False
        at += 1
    return False
