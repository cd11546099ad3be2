"""Trains a model that predicts a delay, from a table in a bucket, and writes it to the bucket.

The results are model.joblib, metrics.json and plot.png. This program runs in the image beside it
(Dockerfile), so it imports nothing else of the project. Every column except the delay and the day
is a feature (text is a category), so the query of the table decides what the model may know. The
model learns from the earlier days and is tested on the later ones, and it is compared with two
predictions that need no model: always the mean, and always the median.

Exit codes, the same as the engine's: 2 the environment is wrong, 3 the store refuses the key,
4 there is no such object, 5 the table is wrong, 75 the store does not answer, 1 anything else, with
a traceback.
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
from contextlib import closing
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
from .store import Bucket, TrainingError, store_errors
from .table import Columns, read_table, sort_columns, split

MODEL, METRICS, PLOT = "model.joblib", "metrics.json", "plot.png"
IMPORTANCE_ROWS = 10_000  # rows of the later days that measure the importance of a feature
SEED = 18


@dataclass(frozen=True)
class Trained:
    """A model, the days that it was tested on, and its results for them."""

    model: Pipeline
    columns: Columns
    test: pd.DataFrame
    predicted: np.ndarray
    metrics: dict[str, Any]


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Runs the command line, and returns its exit code. Unexpected errors keep their traceback."""
    options = _parse(arguments)
    prefix = options.output.rstrip("/")
    try:
        bucket = Bucket.from_environ(environ)
        with closing(bucket.client()) as client:
            table, source = read_table(client, bucket.name, options.input)
            trained = train(table, options.target, options.day)
            trained.metrics["input"] = source
            write(client, bucket.name, prefix, trained)
    except TrainingError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(f"written to s3://{bucket.name}/{prefix}/: {summary(trained.metrics)}")
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--input", required=True, help="key of the table, .parquet or .csv")
    parser.add_argument("--output", required=True, help="prefix of the results' keys")
    parser.add_argument("--target", default="arr_delay", help="column of the delay in minutes")
    parser.add_argument(
        "--day", default="flight_date", help="column of the day, which splits the rows"
    )
    return parser.parse_args(arguments)


def train(table: pd.DataFrame, target: str, day: str) -> Trained:
    """Trains a model on the earlier days, and tests it on the later ones.

    Raises: TrainingError when the table is wrong.
    """
    table, columns = sort_columns(table, target, day)
    earlier, later = split(table, day)
    learned, truth = earlier[target], later[target]
    model = make_model(columns, len(earlier)).fit(earlier[columns.features], learned)
    predicted = model.predict(later[columns.features])
    metrics = {
        "target": target,
        "features": {"text": columns.text, "numbers": columns.numbers},
        "train": _period(earlier, day),
        "test": _period(later, day),
        "model": errors_of(truth, predicted),
        # The best predictions that are the same for every flight.
        "always_the_mean": errors_of(truth, np.full(len(truth), learned.mean())),
        "always_the_median": errors_of(truth, np.full(len(truth), learned.median())),
        "importance": importance(model, later, columns),
        "versions": {"python": platform.python_version(), "scikit-learn": version("scikit-learn")},
    }
    return Trained(model, columns, later, predicted, metrics)


def make_model(columns: Columns, rows: int) -> Pipeline:
    """Returns boosted trees, which accept missing values. The same rows give the same model."""
    categories = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=-1,  # for the trees, a negative category is a missing value
        max_categories=200,  # the trees accept 255
    )
    return make_pipeline(
        make_column_transformer((categories, columns.text), ("passthrough", columns.numbers)),
        HistGradientBoostingRegressor(
            learning_rate=0.05,
            max_iter=100,
            min_samples_leaf=min(200, max(10, rows // 1000)),
            categorical_features=list(range(len(columns.text))),
            # Early stopping would test on random rows, of the same days as the other rows.
            early_stopping=False,
            random_state=SEED,
        ),
    )


def errors_of(truth: pd.Series, predicted: np.ndarray) -> dict[str, float]:
    """Returns the errors of the predictions: rmse and mae in minutes, and r2."""
    return {
        "rmse": round(float(mean_squared_error(truth, predicted) ** 0.5), 3),
        "mae": round(float(mean_absolute_error(truth, predicted)), 3),
        "r2": round(float(r2_score(truth, predicted)), 4),
    }


def importance(model: Pipeline, later: pd.DataFrame, columns: Columns) -> dict[str, float]:
    """Returns how many minutes the RMSE grows when a column is shuffled, biggest growth first."""
    rows = later.sample(min(IMPORTANCE_ROWS, len(later)), random_state=SEED)
    growth = permutation_importance(
        model, rows[columns.features], rows[columns.target], n_repeats=3,
        scoring="neg_root_mean_squared_error", random_state=SEED,
    )  # fmt: skip
    minutes = dict(zip(columns.features, growth.importances_mean.round(3).tolist()))
    return dict(sorted(minutes.items(), key=lambda pair: -pair[1]))


def _period(table: pd.DataFrame, day: str) -> dict[str, Any]:
    first, last = table[day].min(), table[day].max()
    return {"rows": len(table), "from": str(first.date()), "to": str(last.date())}


def summary(metrics: Mapping[str, Any]) -> str:
    """Returns the results as one line of text."""
    model, mean = metrics["model"], metrics["always_the_mean"]
    return (
        f"RMSE {model['rmse']:.1f} minutes, {mean['rmse']:.1f} for always the mean;"
        f" R2 {model['r2']:.3f}, on {metrics['test']['rows']:,} rows of later days"
    )


def write(client: Any, bucket: str, prefix: str, trained: Trained) -> None:
    """Writes the three results under the prefix, over those of an earlier try."""
    model = io.BytesIO()
    joblib.dump(trained.model, model, compress=3)
    trained.metrics["object"] = {
        "key": f"{prefix}/{MODEL}",
        "bytes": model.tell(),
        "sha256": hashlib.sha256(model.getvalue()).hexdigest(),
    }
    text = json.dumps(trained.metrics, indent=2) + "\n"
    # metrics.json shows that the results are complete, so it is deleted first and written last.
    with store_errors(bucket, f"{prefix}/{METRICS}"):
        client.delete_object(Bucket=bucket, Key=f"{prefix}/{METRICS}")
    for name, body, content_type in (
        (MODEL, model.getvalue(), "application/octet-stream"),
        (PLOT, plot_of(trained), "image/png"),
        (METRICS, text.encode(), "application/json"),
    ):
        key = f"{prefix}/{name}"
        with store_errors(bucket, key):
            client.put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type)


def plot_of(trained: Trained) -> bytes:
    """Returns the plot of a trained model as PNG."""
    target = trained.columns.target
    truth = trained.test[target].to_numpy()
    metrics = trained.metrics
    return draw(summary(metrics), target, truth, trained.predicted, metrics["importance"])


if __name__ == "__main__":
    sys.exit(main())
