"""The reports that exist, what a caller may ask of each, and the query that makes it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Literal

from psycopg import sql
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from include.landfall.postgres.statements import identifiers, table

Name = Literal["delays_by_carrier", "delays_by_weather", "delays_by_route", "flights"]
Format = Literal["csv", "csv.gz", "csv.zst", "parquet"]


@dataclass(frozen=True)
class Source:
    """A report's table and columns.

    `order` is a key of the table, so the same rows always give a file with the same bytes. `day` is
    the timestamptz column that a range of days applies to, or None if the table has no dates.
    """

    table: str
    columns: tuple[str, ...]
    order: tuple[str, ...]
    day: str | None = None


SOURCES: dict[str, Source] = {
    "delays_by_carrier": Source(
        "marts.delays_by_carrier",
        tuple(
            "carrier airline year month flights cancelled mean_dep_delay mean_arr_delay"
            " p90_arr_delay late".split()
        ),
        ("carrier", "year", "month"),
    ),
    "delays_by_weather": Source(
        "marts.delays_by_weather",
        tuple(
            "origin condition flights cancelled cancelled_percent mean_dep_delay"
            " mean_arr_delay".split()
        ),
        ("origin", "condition"),
    ),
    "delays_by_route": Source(
        "marts.delays_by_route",
        tuple(
            "origin dest destination miles flights cancelled airlines mean_dep_delay"
            " mean_arr_delay median_air_time mean_aircraft_age".split()
        ),
        ("origin", "dest"),
    ),
    "flights": Source(
        "raw.flights",
        tuple(
            "year month day dep_time sched_dep_time dep_delay arr_time sched_arr_time arr_delay"
            " carrier flight tailnum origin dest air_time distance hour minute time_hour".split()
        ),
        ("time_hour", "carrier", "flight", "origin"),
        day="time_hour",
    ),
}


class Request(BaseModel):
    """The report that a caller asks for. A range includes both its days, which are days in UTC."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    report: Name
    format: Format = "csv"
    first: dt.date | None = None
    last: dt.date | None = Field(default=None, lt=dt.date.max)  # the query needs the next day

    @field_validator("first", "last")
    @classmethod
    def _is_a_range(cls, day: dt.date | None, info: ValidationInfo) -> dt.date | None:
        source = SOURCES.get(info.data.get("report", ""))
        if day is None or source is None:
            return day
        if source.day is None:
            raise ValueError(f"{info.data['report']} has no dates: leave out first and last")
        first = info.data.get("first")
        if first is not None and day < first:
            raise ValueError(f"the range ends on {day}, before it begins on {first}")
        return day


def query(request: Request) -> tuple[str, dict[str, Any]]:
    """Returns the statement, with quoted identifiers, and the values that are bound to it."""
    source = SOURCES[request.report]
    days: dict[str, Any] = {}
    conditions = []
    if source.day is not None and request.first is not None:
        days["first"] = _midnight(request.first)
        conditions.append(sql.SQL("{} >= %(first)s").format(sql.Identifier(source.day)))
    if source.day is not None and request.last is not None:
        days["last"] = _midnight(request.last) + dt.timedelta(days=1)
        conditions.append(sql.SQL("{} < %(last)s").format(sql.Identifier(source.day)))
    statement = sql.SQL("SELECT {} FROM {}{}{} ORDER BY {}").format(
        identifiers(source.columns),
        table(source.table),
        sql.SQL(" WHERE " if conditions else ""),
        sql.SQL(" AND ").join(conditions),
        identifiers(source.order),
    )
    return statement.as_string(), days


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)
