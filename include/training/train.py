"""Learns to foretell a delay from a table in a bucket: model.joblib, metrics.json, plot.png.

The program of the image beside it (Dockerfile): it imports nothing of the project. Every column
but the delay and the day is a feature, text as a category, so the table's query decides what the
model may know. It learns from the earlier days and is judged by the later ones, beside two guesses
that need no model. Exit codes as the engine's: 2 the environment, 3 a key is refused, 4 no such
object, 5 the table is wrong, 75 the store is away, 1 anything else, with its traceback.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.inspection import permutation_importance
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from .plot import draw
from .store import Bucket, TrainingError, clear_errors
from .table import Columns, read_table, sort_columns, split

MODEL, METRICS, PLOT = "model.joblib", "metrics.json", "plot.png"
LOOKED_AT = 10_000  # rows of the later days that the importance of a feature is measured on
SEED = 18


@dataclass(frozen=True)
class Trained:
    """A model, and how well it does on days that it has not seen."""

    model: Pipeline
    columns: Columns
    test: pd.DataFrame
    guess: np.ndarray
    metrics: dict[str, Any]


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """The command line. What is not foreseen is raised, for the log to have its traceback."""
    asked = _parse(arguments)
    try:
        bucket = Bucket.from_environ(environ)
        client = bucket.client()
        table, source = read_table(client, bucket.name, asked.input)
        trained = train(table, asked.target, asked.day)
        trained.metrics["input"] = source
        write(client, bucket.name, asked.output.rstrip("/"), trained)
    except TrainingError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(f"written to s3://{bucket.name}/{asked.output.rstrip('/')}/: {summary(trained.metrics)}")
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--input", required=True, help="key of the table, .parquet or .csv")
    parser.add_argument("--output", required=True, help="what the keys of the results begin with")
    parser.add_argument("--target", default="arr_delay", help="column of the delay, in minutes")
    parser.add_argument("--day", default="flight_date", help="column of the day, for the split")
    return parser.parse_args(arguments)


def train(table: pd.DataFrame, target: str, day: str) -> Trained:
    """Learns from the earlier days and judges by the later ones. Raises TrainingError."""
    table, columns = sort_columns(table, target, day)
    earlier, later = split(table, day)
    known, truth = earlier[target], later[target]
    model = make_model(columns, len(earlier)).fit(earlier[columns.features], known)
    guess = model.predict(later[columns.features])
    metrics = {
        "target": target,
        "features": {"text": columns.text, "numbers": columns.numbers},
        "train": _period(earlier, day),
        "test": _period(later, day),
        "model": errors_of(truth, guess),
        # What one would say of every flight, not knowing any: the best constants there are.
        "always_the_mean": errors_of(truth, np.full(len(truth), known.mean())),
        "always_the_median": errors_of(truth, np.full(len(truth), known.median())),
        "importance": importance(model, later, columns),
        "versions": {"python": platform.python_version(), "scikit-learn": version("scikit-learn")},
    }
    return Trained(model, columns, later, guess, metrics)


def make_model(columns: Columns, rows: int) -> Pipeline:
    """Boosted trees, which take gaps as they are; the same rows give the same model."""
    categories = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=-1,  # to the trees a negative category is a gap
        max_categories=200,  # they take 255
    )
    return make_pipeline(
        make_column_transformer((categories, columns.text), ("passthrough", columns.numbers)),
        HistGradientBoostingRegressor(
            learning_rate=0.05,
            max_iter=100,
            min_samples_leaf=min(200, max(10, rows // 1000)),
            categorical_features=list(range(len(columns.text))),
            # It would hold back rows at random, which are the neighbours of the others.
            early_stopping=False,
            random_state=SEED,
        ),
    )


def errors_of(truth: pd.Series, guess: np.ndarray) -> dict[str, float]:
    """How far the guesses are from the truth, in minutes; r2 is 0 for the truth's own mean."""
    return {
        "rmse": round(float(mean_squared_error(truth, guess) ** 0.5), 3),
        "mae": round(float(mean_absolute_error(truth, guess)), 3),
        "r2": round(float(r2_score(truth, guess)), 4),
    }


def importance(model: Pipeline, later: pd.DataFrame, columns: Columns) -> dict[str, float]:
    """By how many minutes the RMSE grows when one column is shuffled, the largest first."""
    looked_at = later.sample(min(LOOKED_AT, len(later)), random_state=SEED)
    found = permutation_importance(
        model, looked_at[columns.features], looked_at[columns.target], n_repeats=3,
        scoring="neg_root_mean_squared_error", random_state=SEED,
    )  # fmt: skip
    minutes = dict(zip(columns.features, found.importances_mean.round(3).tolist()))
    return dict(sorted(minutes.items(), key=lambda pair: -pair[1]))


def _period(table: pd.DataFrame, day: str) -> dict[str, Any]:
    first, last = table[day].min(), table[day].max()
    return {"rows": len(table), "from": str(first.date()), "to": str(last.date())}


def summary(metrics: Mapping[str, Any]) -> str:
    """The result in one line."""
    model, mean = metrics["model"], metrics["always_the_mean"]
    return (
        f"RMSE {model['rmse']:.1f} minutes, {mean['rmse']:.1f} for always the mean;"
        f" R2 {model['r2']:.3f}, on {metrics['test']['rows']:,} rows of later days"
    )


def write(client: Any, bucket: str, prefix: str, trained: Trained) -> None:
    """Puts the three results under the prefix, in the place of an earlier try's."""
    model = io.BytesIO()
    joblib.dump(trained.model, model, compress=3)
    trained.metrics["object"] = {
        "key": f"{prefix}/{MODEL}",
        "bytes": model.tell(),
        "sha256": hashlib.sha256(model.getvalue()).hexdigest(),
    }
    text = json.dumps(trained.metrics, indent=2) + "\n"
    # The metrics are the sign that all is there: gone first, back last.
    with clear_errors(bucket, f"{prefix}/{METRICS}"):
        client.delete_object(Bucket=bucket, Key=f"{prefix}/{METRICS}")
    for name, body, kind in (
        (MODEL, model.getvalue(), "application/octet-stream"),
        (PLOT, plot_of(trained), "image/png"),
        (METRICS, text.encode(), "application/json"),
    ):
        with clear_errors(bucket, f"{prefix}/{name}"):
            client.put_object(Bucket=bucket, Key=f"{prefix}/{name}", Body=body, ContentType=kind)


def plot_of(trained: Trained) -> bytes:
    """The plot, as PNG."""
    target = trained.columns.target
    truth = trained.test[target].to_numpy()
    metrics = trained.metrics
    return draw(summary(metrics), target, truth, trained.guess, metrics["importance"])


if __name__ == "__main__":
    sys.exit(main())
