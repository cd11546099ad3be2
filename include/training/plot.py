"""The plot of a model: its predictions beside the real delays, and the weight of each feature."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure


def draw(
    title: str,
    target: str,
    truth: np.ndarray,
    predicted: np.ndarray,
    importance: Mapping[str, float],
) -> bytes:
    """Returns the plot as PNG.

    `truth` and `predicted` are in minutes, one value for each row of the test days. `importance`
    has the minutes of RMSE that the model loses without a feature.
    """
    figure = Figure(figsize=(11, 4.6), dpi=110, layout="constrained")
    figure.suptitle(title, fontsize=11)
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    _draw_tenths(left, target, truth, predicted)
    _draw_importance(right, importance)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    png = io.BytesIO()
    figure.savefig(png, format="png", metadata={"Software": None})
    return png.getvalue()


def _draw_tenths(axes: Any, target: str, truth: np.ndarray, predicted: np.ndarray) -> None:
    """Draws the real delays of ten equal parts of the rows, which are sorted by prediction."""
    parts = np.array_split(np.argsort(predicted, kind="stable"), 10)
    means = [predicted[part].mean() for part in parts]
    low, high = np.transpose([np.percentile(truth[part], (25, 75)) for part in parts])
    axes.axline((0, 0), slope=1, color="0.6", linewidth=1, linestyle="--", label="as predicted")
    axes.vlines(means, low, high, color="#9ecae1", linewidth=7, label="the middle half")
    axes.plot(means, [truth[part].mean() for part in parts], "o", color="#08519c", label="mean")
    axes.set(
        title="Test days in ten equal parts, by prediction",
        xlabel=f"predicted {target}, minutes",
        ylabel=f"real {target}, minutes",
    )
    axes.legend(frameon=False, loc="upper left")


def _draw_importance(axes: Any, minutes: Mapping[str, float]) -> None:
    names, values = list(minutes)[::-1], list(minutes.values())[::-1]
    axes.barh(names, values, color="#4292c6")
    axes.axvline(0, color="0.6", linewidth=1)
    axes.set(title="Weight of each feature", xlabel="minutes of RMSE lost without it")
