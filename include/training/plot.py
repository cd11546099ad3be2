"""The plot of a model: whether what it foretells comes, and what it goes by."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure


def draw(
    title: str, target: str, truth: np.ndarray, guess: np.ndarray, importance: Mapping[str, float]
) -> bytes:
    """The plot as PNG: the later days' truth beside what was foretold, and the features' worth."""
    figure = Figure(figsize=(11, 4.6), dpi=110, layout="constrained")
    figure.suptitle(title, fontsize=11)
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    _draw_tenths(left, target, truth, guess)
    _draw_importance(right, importance)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    png = io.BytesIO()
    figure.savefig(png, format="png", metadata={"Software": None})
    return png.getvalue()


def _draw_tenths(axes: Any, target: str, truth: np.ndarray, guess: np.ndarray) -> None:
    """Rows of the later days in ten equal parts by what was foretold, beside what came."""
    parts = np.array_split(np.argsort(guess, kind="stable"), 10)
    told = [guess[part].mean() for part in parts]
    low, high = np.transpose([np.percentile(truth[part], (25, 75)) for part in parts])
    axes.axline((0, 0), slope=1, color="0.6", linewidth=1, linestyle="--", label="as foretold")
    axes.vlines(told, low, high, color="#9ecae1", linewidth=7, label="the middle half")
    axes.plot(told, [truth[part].mean() for part in parts], "o", color="#08519c", label="mean")
    axes.set(
        title="Ten equal parts of the later days, by what was foretold",
        xlabel=f"{target} foretold, minutes",
        ylabel=f"{target} that came, minutes",
    )
    axes.legend(frameon=False, loc="upper left")


def _draw_importance(axes: Any, minutes: Mapping[str, float]) -> None:
    names, values = list(minutes)[::-1], list(minutes.values())[::-1]
    axes.barh(names, values, color="#4292c6")
    axes.axvline(0, color="0.6", linewidth=1)
    axes.set(title="What it goes by", xlabel="minutes of RMSE lost without it")
