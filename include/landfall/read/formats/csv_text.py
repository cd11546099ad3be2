"""Bytes that no text of the database can hold, and carriage returns that end no line."""

from __future__ import annotations

import re
from typing import NamedTuple

from include.landfall.read.formats.csv_quotes import Layout
from include.landfall.read.rows import LONE_RETURN, NOT_UTF8, UNTRANSLATABLE, ZERO_BYTE, Fault

RETURN = re.compile(rb"\r(?!\n)")


class FaultAt(NamedTuple):
    """A fault, where it is, and whether that is inside quotes."""

    fault: Fault
    at: int
    is_open: bool


def first_fault(
    data: bytes, start: int, layout: Layout, encoding: str | None = None
) -> FaultAt | None:
    """Returns the first fault of records that begin at `start`, whose quotes are strict."""
    faults = [
        (_zero_byte(data, start), ZERO_BYTE),
        *_untranslatable(data, start, encoding),
        (_lone_return(data, start, layout.quote), LONE_RETURN),
    ]
    at, fault = min((pair for pair in faults if pair[0] >= 0), default=(-1, None))
    if fault is None:
        return None
    return FaultAt(fault, at, bool(data.count(layout.quote, start, at) % 2))


def _zero_byte(data: bytes, start: int) -> int:
    return data.find(b"\0", start)


def _untranslatable(data: bytes, start: int, encoding: str | None) -> list[tuple[int, Fault]]:
    """Returns where bytes are not UTF-8, and where the encoding lacks a letter; else nothing."""
    part = data[start:] if start else data
    if part.isascii():
        return []
    faults = []
    try:
        text = part.decode()
    except UnicodeDecodeError as error:
        faults.append((start + error.start, NOT_UTF8))
        text = part[: error.start].decode()
    if encoding is None:
        return faults
    try:
        text.encode(encoding)
    except UnicodeEncodeError as error:
        faults.append((start + len(text[: error.start].encode()), UNTRANSLATABLE))
    return faults


def _lone_return(data: bytes, start: int, quote: bytes) -> int:
    """Returns where a carriage return stands outside quotes without an LF, or -1."""
    if data.find(b"\r", start) < 0:
        return -1
    if data.count(b"\r", start) == data.count(b"\r\n", start):
        return -1
    counted, is_open = start, False
    for match in RETURN.finditer(data, start):
        at = match.start()
        is_open ^= bool(data.count(quote, counted, at) % 2)
        if not is_open:
            return at
        counted = at
    return -1
