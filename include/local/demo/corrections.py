"""The corrections of the real data: what airlines report later of flights that were diverted.

A diverted flight has an arrival time and no delay. The delay is computed from the two times of the
flight. The report of July has the first half of the year, and takes an arrival past midnight for
one of the same day. The report of January has the second half, and the flights of the first that
were wrong: both the row of July and the corrected one.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator

from include.local.demo.source import table_text

COLUMNS = ["year", "month", "day", "carrier", "flight", "origin"]
HEADER = ",".join([*COLUMNS, "arr_delay", "reported_at"])
JULY, JANUARY = "2013-07-01T06:00:00Z", "2014-01-01T06:00:00Z"
NULL = "NA"
DAY = 24 * 60
EARLIEST = -60  # minutes: no diverted flight is earlier, so it arrived after midnight


def correction_files() -> Iterator[tuple[str, bytes]]:
    """Yields key and bytes of the two reports."""
    july, january = [HEADER], [HEADER]
    for row in _diverted():
        wrong = _minutes(row["arr_time"]) - _minutes(row["sched_arr_time"])
        right = wrong + DAY if wrong < EARLIEST else wrong
        is_of_july = int(row["month"]) <= 6
        if is_of_july:
            july.append(_line(row, wrong, JULY))
        if is_of_july and right != wrong:
            january.append(_line(row, wrong, JULY))
        if not is_of_july or right != wrong:
            january.append(_line(row, right, JANUARY))
    yield "flight_corrections/2013-07-01.csv", _file(july)
    yield "flight_corrections/2014-01-01.csv", _file(january)


def _diverted() -> Iterator[dict[str, str]]:
    rows = csv.reader(table_text("flights"))
    header = next(rows)
    time, delay = header.index("arr_time"), header.index("arr_delay")
    for row in rows:
        if row[time] != NULL and row[delay] == NULL:
            yield dict(zip(header, row, strict=True))


def _minutes(time: str) -> int:
    """Returns the minutes since midnight of a time as HHMM."""
    hours, minutes = divmod(int(time), 100)
    return 60 * hours + minutes


def _line(row: dict[str, str], delay: int, reported_at: str) -> str:
    return ",".join([*(row[name] for name in COLUMNS), str(delay), reported_at])


def _file(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
