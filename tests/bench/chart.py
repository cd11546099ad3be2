"""Draws the chart of a measurement: the seconds of each way, fastest to slowest run."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from include.local.state import local_folder

from .verdict import BY_PSQL, PSQL, PSQL_BINARY, TIME_LIMITS, Summary

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, QUIET, OURS, OTHERS, LIMIT = "#22272e", "#6b7480", "#2f6f9f", "#b9c0c8", "#c2452d"
LABELS = {
    PSQL: r"psql \copy, local CSV",
    PSQL_BINARY: r"psql \copy, local binary",
    "csv": "CSV",
    "gzip": "CSV, gzip",
    "zstd": "CSV, zstd",
    "parquet": "Parquet",
}


def draw(summaries: Sequence[Summary], path: Path) -> None:
    """Draws the bars as a PNG."""
    # This keeps matplotlib's font cache out of the developer's home.
    os.environ.setdefault("MPLCONFIGDIR", str(local_folder() / "matplotlib"))
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.2), layout="constrained")
    axes = figure.subplots()
    psql = next(each.seconds for each in summaries if each.way == PSQL)
    for place, each in enumerate(summaries):
        _bar(axes, place, each, psql)
    axes.set_yticks(range(len(summaries)), [LABELS[each.way] for each in summaries])
    axes.invert_yaxis()
    axes.set_xlim(0, 1.18 * max(each.slowest for each in summaries))
    axes.set_xlabel("seconds; thin lines from the fastest run to the slowest", color=QUIET)
    axes.set_title("6 million rows from S3 into Postgres", loc="left", color=INK)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(left=False, colors=INK)
    figure.savefig(path, dpi=160, facecolor="white", metadata={"Software": None})


def _bar(axes: Axes, place: int, each: Summary, psql: float) -> None:
    axes.barh(place, each.seconds, height=0.62, color=OTHERS if each.way in BY_PSQL else OURS)
    axes.plot([each.fastest, each.slowest], [place, place], color=INK, linewidth=1)
    text = f"{each.seconds:.1f} s" + ("" if each.way == PSQL else f"  {each.share:.2f} of psql's")
    end = max(each.seconds, each.slowest)
    if each.way in TIME_LIMITS:
        most = TIME_LIMITS[each.way] * psql
        axes.plot([most, most], [place - 0.38, place + 0.38], color=LIMIT, linewidth=1.5)
        end = max(end, most)
    axes.text(end, place, f"  {text}", va="center", color=INK, fontsize=9)
